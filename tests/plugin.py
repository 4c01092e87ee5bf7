"""Real servers for the tests: a PostgreSQL and a Valkey a process, started before Django reads its settings."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from kimberly.local.databases import APP, OWNER
from kimberly.local.folders import remove_data_dir
from kimberly.local.postgres import PostgresServer
from kimberly.local.valkey import ValkeyServer

FOLDER: Path | None = None
POSTGRES: PostgresServer | None = None
VALKEY: ValkeyServer | None = None


def _is_xdist_controller(args: list[str]) -> bool:
    """The controller of a parallel run collects nothing and runs nothing: it needs settings, not servers."""
    asks_for_workers = any(arg.startswith(("-n", "--numprocesses")) and arg not in ("-n0", "-n=0") for arg in args)
    return asks_for_workers and "PYTEST_XDIST_WORKER" not in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    for name in ("KIMBERLY_OWNER_DATABASE_URL", "DATABASE_URL", "REDIS_URL", "SENTRY_DSN"):
        os.environ.pop(name, None)
    os.environ["KIMBERLY_SECRET_KEY"] = secrets.token_urlsafe(48)
    os.environ["KIMBERLY_METRICS_TOKEN"] = secrets.token_urlsafe(24)
    os.environ["KIMBERLY_ENVIRONMENT"] = "development"
    os.environ["KIMBERLY_SECURE_COOKIES"] = "0"
    os.environ["KIMBERLY_SECOND_FACTOR"] = "0"  # the tests of signing in ask for it
    os.environ["KIMBERLY_PUBLIC_URL"] = "http://127.0.0.1:8000"
    if _is_xdist_controller(args):
        os.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
        os.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
    else:
        start_servers()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests over HTTP start a web server: they are slow by that, without a word in each file."""
    for item in items:
        if "web_server" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


def postgres() -> PostgresServer:
    """This process's server."""
    assert POSTGRES is not None, "no server was started in this process"
    return POSTGRES


def start_servers() -> None:
    """Start both servers and point the settings' environment at them; they end with this process."""
    global FOLDER, POSTGRES, VALKEY
    FOLDER = Path(tempfile.mkdtemp(prefix="kimberly-tests-"))
    FOLDER.chmod(0o755)
    os.environ["KIMBERLY_TEST_FOLDER"] = str(FOLDER)
    POSTGRES, VALKEY = PostgresServer(data_dir=FOLDER / "postgres"), ValkeyServer(data_dir=FOLDER / "valkey")
    atexit.register(stop_servers)
    POSTGRES.start()
    VALKEY.start()
    os.environ["DATABASE_URL"] = POSTGRES.url(APP)
    os.environ["KIMBERLY_OWNER_DATABASE_URL"] = POSTGRES.url(OWNER)
    os.environ["REDIS_URL"] = VALKEY.url()
    os.environ["KIMBERLY_DATA_DIR"] = str(FOLDER / "data")


def stop_servers() -> None:
    if VALKEY is not None:
        VALKEY.stop()
    if POSTGRES is not None:
        POSTGRES.stop("immediate")
    if FOLDER is not None:
        remove_data_dir(FOLDER / "postgres")
        shutil.rmtree(FOLDER, ignore_errors=True)
