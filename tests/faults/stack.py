"""A stack of its own, so that its faults hurt no other test: PostgreSQL, Valkey, and a web server of two processes."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import psycopg
import redis

from kimberly.local.databases import APP, OWNER, SUPERUSER
from kimberly.local.postgres import PostgresServer
from kimberly.local.valkey import ValkeyServer
from tests.load import Load
from tests.personas import unique
from tests.web import WebServer

PROJECT = Path(__file__).parent.parent.parent
FALLBACK_WRITES_PER_MINUTE = 120


class Stack:
    """Migrated and furnished as `make up` does it: `manage.py migrate` as the owner, `bootstrap_local` for a key."""

    def __init__(self, *, postgres_settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kimberly-faults-"))
        self.folder.chmod(0o755)
        self.postgres = PostgresServer(data_dir=self.folder / "postgres", settings=postgres_settings)
        self.valkey = ValkeyServer(data_dir=self.folder / "valkey")
        self.key = f"kmb_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
        self.web: WebServer
        self._checker: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        self.postgres.start()
        self.valkey.start()
        self.manage("migrate", KIMBERLY_OWNER_DATABASE_URL=self.postgres.url(OWNER))
        password = secrets.token_urlsafe(16)
        self.manage("bootstrap_local", KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD=password, KIMBERLY_BOOTSTRAP_API_KEY=self.key)
        self.web = self.new_web().start()
        self._probe = httpx.Client(base_url=self.web.url, limits=httpx.Limits(max_keepalive_connections=0), timeout=15)
        return self

    def stop(self) -> None:
        if hasattr(self, "web"):
            self.web.stop()
            self._probe.close()
        if self._checker is not None:
            self._checker.communicate()
            self._checker = None
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
        command = [sys.executable, "manage.py", *arguments]
        environment = {**self._inherited(), **settings}
        done = subprocess.run(command, check=False, env=environment, cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == 0, f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr[-2000:]}"
        return done.stdout

    def _inherited(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != "KIMBERLY_OWNER_DATABASE_URL"}
        return {**inherited, **self.environment()}

    def client(self, **options: Any) -> httpx.Client:
        return self.web.client(self.key, **options)

    def new_user(self, name: str, *, plan: str = "paid") -> str:
        """The external id of a new user, made through the API."""
        external_id = unique(name)
        with self.client() as client:
            made = client.put(f"/api/v1/users/{external_id}", json={"plan": plan})
        assert made.status_code == 201, made.text
        return external_id

    def load(self, *names: str, **options: Any) -> Load:
        """About 50 calls a second on new users of these names, two by default."""
        arguments = {"url": self.web.url, "key": self.key, **options}
        return Load(user_ids=[self.new_user(name) for name in names or ("alice", "bob")], **arguments)

    def assert_nothing_lost(self, load: Load) -> None:
        """What was acknowledged is there; what was sent is there once at most, and exactly once when it was retried."""
        acknowledged = [answer.item_id for answer in load.answers if answer.status == 201]
        assert acknowledged, "the load wrote nothing"
        found = {item_id for (item_id,) in self.sql("SELECT id FROM memory_item WHERE id = ANY(%s)", acknowledged)}
        assert not set(acknowledged) - found
        counts = "SELECT content, count(*) FROM memory_item WHERE content = ANY(%s) GROUP BY content"
        stored = self.sql(counts, load.sent)
        assert not [row for row in stored if row[1] > 1]
        assert not load.retries or len(stored) == len(load.sent)

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
        answer = self._probe.get("/readyz")
        return answer.status_code, answer.json()

    def is_well(self) -> bool:
        """Whether both web processes reach both servers; which process a connection meets is left to chance.

        A database that was full counts as full for a minute, though it works.
        """
        states = [state for _, state in (self.readiness() for _ in range(8))]
        return all(state["redis"]["state"] == "ok" and state["database"]["state"] in ("ok", "full") for state in states)

    def tell_valkey(self, *command: str) -> Any:
        """Run a command on Valkey itself."""
        with redis.Redis.from_url(self.valkey.url()) as client:
            return client.execute_command(*command)

    def assert_invariants(self) -> None:
        checker = self._checker = self._checker or self._start_checker()
        assert checker.stdin
        assert checker.stdout
        checker.stdin.write("check\n")
        checker.stdin.flush()
        assert checker.stdout.readline() == "well\n", (self.folder / "checker.log").read_text()

    def _start_checker(self) -> "subprocess.Popen[str]":
        environment = {**self._inherited(), "DJANGO_SETTINGS_MODULE": "kimberly.settings"}
        with (self.folder / "checker.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.checker"],
                env=environment,
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

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
