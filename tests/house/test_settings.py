"""What a process may start with, and how it says what it may not."""

import os
import secrets
import subprocess
import sys
from dataclasses import fields

import pytest

from kimberly import config
from kimberly.config import Config, WrongSettings
from tests.house.sources import PROJECT

pytestmark = pytest.mark.promise("D3")

PRODUCTION = {
    "KIMBERLY_SECRET_KEY": secrets.token_urlsafe(48),
    "DATABASE_URL": "postgresql://app@db.internal/kimberly?sslmode=verify-full",
    "REDIS_URL": "rediss://cache.internal:6379/0",
    "KIMBERLY_PUBLIC_URL": "https://kimberly.example.org",
    "KIMBERLY_TRUSTED_PROXIES": "1",
}
# One wrong value for each setting that can be wrong.
WRONG = {
    "KIMBERLY_SECRET_KEY": "django-insecure-" + "a1b2c3d4e5" * 5,
    "DATABASE_URL": "mysql://db/kimberly",
    "KIMBERLY_OWNER_DATABASE_URL": "db.internal",
    "REDIS_URL": "redis",
    "KIMBERLY_ENVIRONMENT": "prod",
    "KIMBERLY_PUBLIC_URL": "kimberly.example.org",
    "KIMBERLY_SECURE_COOKIES": "2",
    "KIMBERLY_SECOND_FACTOR": "later",
    "KIMBERLY_ENCRYPTION_KEYS": "dG9vIHNob3J0",
    "KIMBERLY_TRUSTED_PROXIES": "-1",
    "KIMBERLY_METRICS_TOKEN": "short",
    "KIMBERLY_METRICS_ALLOW": "10.0.0.0/33",
    "KIMBERLY_LOG_LEVEL": "loud",
    "KIMBERLY_WEB_THREADS": "0",
    "KIMBERLY_STATEMENT_TIMEOUT_SECONDS": "1.5",
    "KIMBERLY_REFUSAL_RETENTION_DAYS": "forever",
    "KIMBERLY_USAGE_SAMPLE_RETENTION_DAYS": "0",
    "KIMBERLY_FALLBACK_WRITES_PER_MINUTE": "0",
    "KIMBERLY_EMBEDDER": "magic",
    "KIMBERLY_EMBEDDER_URL": "ftp://embedder",
    "KIMBERLY_EMBEDDER_MODEL": "a model with spaces",
    "KIMBERLY_EMBEDDER_DIMENSIONS": "4096",
    "KIMBERLY_EMBEDDER_TIMEOUT_SECONDS": "0",
    "KIMBERLY_QUERY_CACHE_SECONDS": "-1",
    "KIMBERLY_ACCESS_RETENTION_DAYS": "0",
    "SENTRY_DSN": "sentry.io",
}
ANY_TEXT = {"KIMBERLY_ALLOWED_HOSTS", "KIMBERLY_DATA_DIR", "KIMBERLY_BUILD", "KIMBERLY_EMBEDDER_KEY"}
PROGRAMS = {
    "a command": ["manage.py", "check"],
    "worker": ["-m", "celery", "-A", "kimberly.celery", "worker"],
    "beat": ["-m", "celery", "-A", "kimberly.celery", "beat"],
    "web": ["-c", "import kimberly.wsgi"],
}


def start(arguments, settings, folder):
    """The program's end, with these settings and nothing else of ours in its environment."""
    environ = {"PATH": os.environ["PATH"], "KIMBERLY_DATA_DIR": str(folder), **settings}
    run = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(run, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False, timeout=60)


def refused(settings):
    with pytest.raises(WrongSettings) as refusal:
        config.load(settings)
    return [problem.partition(":")[0] for problem in refusal.value.problems]


def test_production_settings_are_accepted():
    loaded = config.load(PRODUCTION)

    assert loaded.secure_cookies
    assert loaded.environment == "production"


def test_what_is_missing_is_named_all_at_once():
    assert refused({}) == ["KIMBERLY_SECRET_KEY", "DATABASE_URL", "REDIS_URL"]


def test_what_is_wrong_is_named_all_at_once():
    assert sorted(refused(WRONG)) == sorted(WRONG)


def test_each_setting_that_can_be_wrong_is_tried():
    assert {field.metadata["name"] for field in fields(Config)} == set(WRONG) | ANY_TEXT


@pytest.mark.parametrize("given", [{}, {"KIMBERLY_EMBEDDER_URL": "http://e"}, {"KIMBERLY_EMBEDDER_MODEL": "m"}])
def test_an_endpoint_for_embeddings_needs_its_address_and_its_model(given):
    assert refused({**PRODUCTION, "KIMBERLY_EMBEDDER": "http", **given}) == ["KIMBERLY_EMBEDDER"]


@pytest.mark.parametrize("key", ["change-me-" * 6, "example" * 9, "DJANGO-INSECURE-" + "x1y2z3w4v5" * 5, "a" * 64])
def test_a_key_that_others_know_or_guess_is_refused(key):
    assert refused({**PRODUCTION, "KIMBERLY_SECRET_KEY": key}) == ["KIMBERLY_SECRET_KEY"]


def test_a_secret_may_stand_in_a_file_but_not_in_both_places(tmp_path):
    file = tmp_path / "redis"
    file.write_text("redis://elsewhere:6379/1\n")
    from_file = {name: value for name, value in PRODUCTION.items() if name != "REDIS_URL"}

    assert config.load({**from_file, "REDIS_URL_FILE": str(file)}).redis_url == "redis://elsewhere:6379/1"
    assert refused({**PRODUCTION, "REDIS_URL_FILE": str(file)}) == ["REDIS_URL"]
    assert refused({**from_file, "REDIS_URL_FILE": str(tmp_path / "none")}) == ["REDIS_URL"]


def test_no_secret_is_shown_with_the_settings():
    shown = repr(config.load({**PRODUCTION, "KIMBERLY_METRICS_TOKEN": "0123456789abcdef"}))

    assert PRODUCTION["KIMBERLY_SECRET_KEY"] not in shown
    assert "db.internal" not in shown
    assert "0123456789abcdef" not in shown


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_starts_and_each_says_the_same(program, tmp_path):
    done = start(PROGRAMS[program], {"KIMBERLY_LOG_LEVEL": "loud"}, tmp_path)

    first, *lines, last = done.stderr.splitlines()
    assert done.returncode == 1
    assert first == "Kimberly cannot start with these settings:"
    assert "`make up`" in last
    assert [line.split()[1] for line in lines] == [
        "KIMBERLY_SECRET_KEY:",
        "DATABASE_URL:",
        "REDIS_URL:",
        "KIMBERLY_LOG_LEVEL:",
    ]


def test_djangos_own_check_for_deployment_has_nothing_to_say(tmp_path):
    done = start(["manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "System check identified no issues (2 silenced).\n"
