"""A stack of its own, so that its faults hurt no other test: PostgreSQL, Valkey, and a web server of two processes."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import psycopg
import redis

from kimberly.local.databases import APP, OWNER, SUPERUSER
from kimberly.local.postgres import PostgresServer
from kimberly.local.valkey import ValkeyServer
from tests.personas import unique
from tests.web import WebServer

PROJECT = Path(__file__).parent.parent.parent
FALLBACK_WRITES_PER_MINUTE = 120


class Stack:
    """Migrated and furnished as `make up` does it: `manage.py migrate` as the owner, `bootstrap_local` for a key."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kimberly-faults-"))
        self.folder.chmod(0o755)
        self.postgres = PostgresServer(data_dir=self.folder / "postgres")
        self.valkey = ValkeyServer(data_dir=self.folder / "valkey")
        self.key = f"kmb_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
        self.web: WebServer

    def start(self) -> Self:
        self.postgres.start()
        self.valkey.start()
        self.manage("migrate", KIMBERLY_OWNER_DATABASE_URL=self.postgres.url(OWNER))
        password = secrets.token_urlsafe(16)
        self.manage("bootstrap_local", KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD=password, KIMBERLY_BOOTSTRAP_API_KEY=self.key)
        self.web = self.new_web().start()
        return self

    def stop(self) -> None:
        if hasattr(self, "web"):
            self.web.stop()
        self.valkey.stop()
        self.postgres.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, *, database_port: int | None = None, redis_port: int | None = None) -> dict[str, str]:
        """What the programs of this stack are told; the ports may be those of proxies."""
        return {
            "DATABASE_URL": _through(self.postgres.url(APP), database_port),
            "REDIS_URL": _through(self.valkey.url(), redis_port),
            "KIMBERLY_DATA_DIR": str(self.folder / "data"),
            "KIMBERLY_FALLBACK_WRITES_PER_MINUTE": str(FALLBACK_WRITES_PER_MINUTE),
        }

    def new_web(self, *, database_port: int | None = None, redis_port: int | None = None, **options: Any) -> WebServer:
        """Another web server on the same data, perhaps behind proxies."""
        environment = self.environment(database_port=database_port, redis_port=redis_port)
        return WebServer(environment=environment, **options)

    def manage(self, *arguments: str, **settings: str) -> str:
        """Run a management command as the app's role; fails with its output when it fails."""
        inherited = {name: value for name, value in os.environ.items() if name != "KIMBERLY_OWNER_DATABASE_URL"}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**inherited, **self.environment(), **settings},
            cwd=PROJECT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr[-2000:]}"
        return done.stdout

    def client(self, **options: Any) -> httpx.Client:
        return self.web.client(self.key, **options)

    def new_user(self, name: str, *, plan: str = "paid") -> str:
        """The external id of a new user, made through the API."""
        external_id = unique(name)
        with self.client() as client:
            made = client.put(f"/api/v1/users/{external_id}", json={"plan": plan})
        assert made.status_code == 201, made.text
        return external_id

    def sql(self, statement: str, *parameters: object, role: str = SUPERUSER) -> list[tuple[Any, ...]]:
        """The rows that the statement gives, by default to the superuser."""
        with self.postgres.connect(role) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def connect(self, role: str = SUPERUSER) -> psycopg.Connection:
        return self.postgres.connect(role)

    def backends(self) -> list[int]:
        """The server processes that serve the app."""
        rows = self.sql("SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY pid", APP)
        return [pid for (pid,) in rows]

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """What /readyz says, asked over a new connection."""
        answer = httpx.get(f"{self.web.url}/readyz", timeout=15)
        return answer.status_code, answer.json()

    def is_well(self) -> bool:
        """Whether both web processes reach both servers; which process a connection meets is left to chance."""
        return all(
            state["status"] == "ready" and state["database"]["state"] == state["redis"]["state"] == "ok"
            for _, state in (self.readiness() for _ in range(8))
        )

    def tell_valkey(self, *command: str) -> Any:
        """Run a command on Valkey itself."""
        with redis.Redis.from_url(self.valkey.url()) as client:
            return client.execute_command(*command)

    def assert_invariants(self) -> None:
        self.manage("check_invariants")

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_error: object) -> None:
        self.stop()


def _through(url: str, port: int | None) -> str:
    return url if port is None else url.replace(f":{urlsplit(url).port}/", f":{port}/")
