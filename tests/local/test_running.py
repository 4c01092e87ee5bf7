import os
from dataclasses import replace

import pytest

from kimberly.local import credentials, portal
from kimberly.local.portal import Admin, Portal
from kimberly.local.running import adopt_running_stack

PORTAL = Portal(
    url="http://127.0.0.1:8000",
    pid=os.getpid(),
    admin=Admin(username="admin", password="secret"),
    api_key="kmb_",
    metrics_token="token",
    database_url="postgresql://app@127.0.0.1/kimberly",
    database_owner_url="postgresql://owner@127.0.0.1/kimberly",
    redis_url="redis://127.0.0.1",
)
NO_PROCESS = 2**22 + 1  # above the kernel's greatest process id


@pytest.fixture
def environ(tmp_path):
    return {"KIMBERLY_DATA_DIR": str(tmp_path)}


def test_a_command_finds_the_stack_that_runs_here(tmp_path, environ):
    secrets = credentials.load_or_create(tmp_path)
    portal.publish(tmp_path, PORTAL)

    assert adopt_running_stack(environ)
    assert environ["DATABASE_URL"] == PORTAL.database_url
    assert environ["KIMBERLY_OWNER_DATABASE_URL"] == PORTAL.database_owner_url
    assert environ["KIMBERLY_SECRET_KEY"] == secrets.secret_key
    assert environ["KIMBERLY_ENVIRONMENT"] == "demo"


def test_what_is_set_stays(tmp_path, environ):
    portal.publish(tmp_path, PORTAL)
    environ |= {"REDIS_URL": "redis://elsewhere", "KIMBERLY_METRICS_TOKEN_FILE": "/run/token"}

    adopt_running_stack(environ)

    assert environ["REDIS_URL"] == "redis://elsewhere"
    assert "KIMBERLY_METRICS_TOKEN" not in environ


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URL_FILE"])
def test_a_named_database_is_the_one_that_is_meant(tmp_path, environ, name):
    portal.publish(tmp_path, PORTAL)
    environ[name] = "another"

    assert not adopt_running_stack(environ)
    assert "REDIS_URL" not in environ


def test_a_stack_that_was_killed_is_not_adopted(tmp_path, environ):
    portal.publish(tmp_path, replace(PORTAL, pid=NO_PROCESS))

    assert not adopt_running_stack(environ)


def test_without_a_stack_nothing_changes(environ):
    before = dict(environ)

    assert not adopt_running_stack(environ)
    assert environ == before


def test_a_stack_without_demo_sign_in_lends_no_environment(tmp_path, environ):
    portal.publish(tmp_path, replace(PORTAL, admin=None))

    adopt_running_stack(environ)

    assert "KIMBERLY_ENVIRONMENT" not in environ
