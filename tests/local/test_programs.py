"""What each program is told, and what it is not."""

from dataclasses import fields

import pytest

from kimberly.local import options
from kimberly.local.credentials import Credentials
from kimberly.local.programs import Connections, Programs

CONNECTIONS = Connections(
    database_url="postgresql://app-url",
    owner_database_url="postgresql://owner-url",
    backup_database_url="postgresql://backup-url",
    redis_url="redis://url",
)
SECRETS = Credentials(**{field.name: f"secret of {field.name}" for field in fields(Credentials)})


@pytest.fixture
def programs(tmp_path, monkeypatch):
    monkeypatch.setenv("KIMBERLY_OWNER_DATABASE_URL", "postgresql://owner-url")
    monkeypatch.setenv("KIMBERLY_SECRET_KEY_FILE", "/nowhere")
    monkeypatch.setenv("KIMBERLY_EMBEDDER", "none")
    return make_programs({"KIMBERLY_DATA_DIR": str(tmp_path)})


def make_programs(environ):
    return Programs(options=options.load(environ), connections=CONNECTIONS, secrets=SECRETS, port=8123)


def everyone(programs):
    return [programs.migrate(), programs.bootstrap(), programs.web(), programs.worker(), programs.beat()]


def who_knows(programs, value):
    return {spec.name for spec in everyone(programs) if value in spec.environ.values()}


def test_only_migrate_knows_the_owners_password(programs):
    assert who_knows(programs, "postgresql://owner-url") == {"migrate"}


def test_only_the_worker_knows_the_backup_roles_password(programs):
    assert who_knows(programs, "postgresql://backup-url") == {"worker"}


@pytest.mark.parametrize("secret", ["admin_password", "api_key"])
def test_only_bootstrap_knows_the_sign_in(programs, secret):
    assert who_knows(programs, f"secret of {secret}") == {"bootstrap"}


@pytest.mark.parametrize("secret", ["owner_password", "postgres_password", "backup_password", "valkey_password"])
def test_nobody_knows_a_servers_password_as_such(programs, secret):
    assert who_knows(programs, f"secret of {secret}") == set()


def test_only_web_collects_metrics_of_several_processes(programs):
    assert {spec.name for spec in everyone(programs) if "PROMETHEUS_MULTIPROC_DIR" in spec.environ} == {"web"}


def test_the_metrics_of_processes_that_are_gone_are_emptied_before_web_starts(programs):
    metrics = programs.options.data_dir / "metrics"
    metrics.mkdir()
    (metrics / "counter_1.db").touch()

    programs.web().before_start()

    assert list(metrics.iterdir()) == []


def test_settings_of_the_application_are_handed_on(programs):
    assert {spec.environ["KIMBERLY_EMBEDDER"] for spec in everyone(programs)} == {"none"}


def test_a_settled_value_replaces_the_file_it_came_from(programs):
    environ = programs.web().environ

    assert "KIMBERLY_SECRET_KEY_FILE" not in environ
    assert environ["KIMBERLY_SECRET_KEY"] == "secret of secret_key"


def test_the_embedded_stack_is_a_demo_without_tls(programs):
    environ = programs.web().environ

    assert environ["KIMBERLY_ENVIRONMENT"] == "demo"
    assert environ["KIMBERLY_PUBLIC_URL"] == "http://127.0.0.1:8123"
    assert environ["KIMBERLY_SECURE_COOKIES"] == "0"


@pytest.mark.parametrize(
    ("given", "second_factor"),
    [
        ({}, "0"),
        ({"DATABASE_URL": "postgresql://x/y"}, None),
        ({"DATABASE_URL": "postgresql://x/y", "KIMBERLY_DEMO": "1"}, "0"),
    ],
)
def test_a_password_is_enough_only_where_the_stack_makes_the_sign_in(tmp_path, monkeypatch, given, second_factor):
    monkeypatch.delenv("KIMBERLY_SECOND_FACTOR")  # the tests' own
    web = make_programs({"KIMBERLY_DATA_DIR": str(tmp_path), **given}).web()

    assert web.environ.get("KIMBERLY_SECOND_FACTOR") == second_factor


def test_another_database_is_called_a_demo_only_by_its_owner(tmp_path):
    programs = make_programs({"KIMBERLY_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://x/y"})

    assert programs.web().environ.get("KIMBERLY_ENVIRONMENT") != "demo"


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8123"), ("::", "http://[::1]:8123"), ("10.0.0.7", "http://10.0.0.7:8123")],
)
def test_the_address_on_this_machine_is_one_that_answers(tmp_path, host, url):
    assert make_programs({"KIMBERLY_DATA_DIR": str(tmp_path), "KIMBERLY_HOST": host}).url == url


@pytest.mark.parametrize(("demo", "asked"), [("", True), ("1", True), ("0", False)])
def test_bootstrap_makes_people_unless_they_are_declined(tmp_path, demo, asked):
    programs = make_programs({"KIMBERLY_DATA_DIR": str(tmp_path), "KIMBERLY_DEMO": demo})

    assert ("--demo-data" in programs.bootstrap().argv) is asked


def test_two_data_folders_have_workers_of_different_names(tmp_path):
    names = {make_programs({"KIMBERLY_DATA_DIR": str(tmp_path / name)}).worker().argv for name in ("one", "two")}

    assert len(names) == 2
