"""A web process imports little: each package costs start time, memory and trust (90-libraries, rule 1)."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.house import locks
from tests.house.sources import PROJECT
from tests.personas import issue_key

pytestmark = pytest.mark.slow

# The ten that the project stands on, and at most eight more.
STANDS_ON = {
    "django",
    "django-ninja",
    "psycopg",
    "pgvector",
    "celery",
    "redis",
    "django-celery-beat",
    "django-prometheus",
    "prometheus-client",
    "sentry-sdk",
}
MORE = {
    "granian", "whitenoise", "django-csp", "structlog", "wordllama", "django-otp", "django-axes", "cryptography",
}  # fmt: skip
# Needed by one page, and imported by it alone.
ON_ONE_PAGE = {"segno"}
# What those bring with them.
BROUGHT = {
    "amqp": "kombu",
    "annotated-types": "pydantic",
    "asgiref": "django",
    "billiard": "celery",
    "certifi": "requests",
    "cffi": "cryptography",
    "charset-normalizer": "requests",
    "click": "celery",
    "cron-descriptor": "django-celery-beat",
    "django-timezone-field": "django-celery-beat",
    "idna": "requests",
    "kombu": "celery",
    "numpy": "wordllama",
    "packaging": "kombu",
    "psycopg-binary": "psycopg",
    "pydantic": "django-ninja",
    "pydantic-core": "pydantic",
    "pyyaml": "huggingface-hub",
    "requests": "wordllama",
    "safetensors": "wordllama",
    "tokenizers": "wordllama",
    "toml": "wordllama",
    "urllib3": "requests",
    "python-crontab": "django-celery-beat",
    "python-dateutil": "celery",
    "six": "python-dateutil",
    "sqlparse": "django",
    "typing-extensions": "pydantic",
    "typing-inspection": "pydantic",
    "tzdata": "kombu",
    "tzlocal": "celery",
    "vine": "amqp",
}
# Libraries look for these and go on without; only development has them.
NOT_IN_PRODUCTION = {"attrs", "greenlet", "pygments", "rich", "setuptools"}


def imported_by_a_web_process():
    program = [sys.executable, "-W", "ignore", "-m", "tests.house.imported", issue_key()]
    done = subprocess.run(program, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_page_and_an_api_call_import_only_what_is_listed(committed_db):
    found = imported_by_a_web_process()

    assert found["statuses"] == [200, 404, 200]
    beyond = set(found["distributions"]) - STANDS_ON - MORE - set(BROUGHT) - NOT_IN_PRODUCTION
    assert beyond == set()


def test_at_most_eight_packages_stand_beside_the_ten():
    text = (PROJECT / "requirements.in").read_text(encoding="utf-8")
    asked_for = set(re.findall(r"(?m)^([a-z][a-z0-9-]*)", text))

    assert asked_for <= STANDS_ON | MORE | ON_ONE_PAGE
    assert len(STANDS_ON) == 10
    assert len(MORE) <= 8


def test_what_only_development_has_is_not_locked_for_production():
    assert NOT_IN_PRODUCTION & set(locks.locked(locks.PRODUCTION)) == set()
