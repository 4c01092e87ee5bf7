"""The embedded PostgreSQL: its binaries under our own supervision, for `make up` and for tests.

Tests use it alone: `with PostgresServer(data_dir=folder) as server: server.url(APP)`.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from signal import Signals
from typing import Literal, Self

import psycopg

from kimberly.local import clusters, credentials, databases, lock, ports
from kimberly.local.clusters import Cluster
from kimberly.local.credentials import Credentials
from kimberly.local.databases import APP, BACKUP, DATABASE, OWNER, SUPERUSER
from kimberly.local.folders import make_data_dir
from kimberly.local.polling import wait_until
from kimberly.local.processes import ProcessSpec, Runner, RunningProcess, run_to_end, start_and_wait

StopMode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS: Mapping[StopMode, Signals] = {
    "smart": Signals.SIGTERM,
    "fast": Signals.SIGINT,
    "immediate": Signals.SIGQUIT,
}
# Recovery after a crash reads up to max_wal_size of WAL before anybody is let in.
READY_SECONDS = 300
STOP_SECONDS = 30
CONNECT_SECONDS = 2


class PostgresServer:
    """One server on one data folder.

    Under the supervisor: `prepare`, then the process of `spec`, then `provision`. Alone, `start` does all of it and
    holds the data folder's lock until `stop`.
    """

    cluster: Cluster
    port: int
    secrets: Credentials

    def __init__(self, *, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are postgresql.conf's; they win over the stack's own."""
        self.data_dir = data_dir.resolve()
        self._settings = {**clusters.SETTINGS, **(settings or {})}
        self._process: RunningProcess | None = None
        self._lock: lock.Lock | None = None

    def prepare(self, *, run: Runner = run_to_end) -> None:
        """Make the cluster where there is none; settle secrets, account, programs and port."""
        make_data_dir(self.data_dir)
        self.secrets = credentials.load_or_create(self.data_dir)
        self.cluster = clusters.at(self.data_dir)
        if self.cluster.folder.exists():
            self.cluster.check_version()
            self.cluster.end_leftovers()  # one of them may sit on the port
        else:
            self.cluster.create(password=self.secrets.postgres_password, initdb=self._initdb, run=run)
        self.port = ports.remembered(self.cluster.home / "port")

    def spec(self) -> ProcessSpec:
        folder, sockets = str(self.cluster.folder), str(self.cluster.socket_folder or "")
        return replace(
            self._program("postgres", "-D", folder, "-h", ports.LOOPBACK, "-p", str(self.port), "-k", sockets),
            stop_signal=STOP_SIGNALS["fast"],
            stop_seconds=STOP_SECONDS,
            # Ends the backends as well, and leaves what a crash leaves: the next start recovers.
            death_signal=STOP_SIGNALS["immediate"],
            before_start=self._before_start,
            is_ready=self.is_ready,
            ready_seconds=READY_SECONDS,
        )

    def is_ready(self) -> bool:
        with suppress(psycopg.OperationalError), self.connect(SUPERUSER, "postgres"):
            return True
        return False

    def provision(self) -> None:
        """Roles with their passwords, and the database `kimberly` with its extensions."""
        passwords = {
            OWNER: self.secrets.owner_password,
            APP: self.secrets.app_password,
            BACKUP: self.secrets.backup_password,
        }
        with self.connect(SUPERUSER, "postgres") as connection:
            for role, password in passwords.items():
                databases.ensure_role(connection, role, password=password)
        self.create_database(DATABASE)

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make another database with the same owner, roles and extensions, or complete the one that is there."""
        with self.connect(SUPERUSER, "postgres") as connection:
            databases.ensure_database(connection, name, template=template)
        with self.connect(SUPERUSER, name) as connection:
            databases.furnish(connection)

    def drop_database(self, name: str) -> None:
        """Remove the database, whoever is connected to it."""
        with self.connect(SUPERUSER, "postgres") as connection:
            databases.drop_database(connection, name)

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        password = {
            SUPERUSER: self.secrets.postgres_password,
            OWNER: self.secrets.owner_password,
            APP: self.secrets.app_password,
            BACKUP: self.secrets.backup_password,
        }[role]
        return f"postgresql://{role}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    def connect(self, role: str = SUPERUSER, database: str = DATABASE) -> psycopg.Connection:
        return psycopg.connect(self.url(role, database), autocommit=True, connect_timeout=CONNECT_SECONDS)

    def start(self) -> None:
        """Start it alone and return when its databases are there."""
        make_data_dir(self.data_dir)
        self._lock = self._lock or lock.take(self.data_dir)
        self.prepare()
        self._process = start_and_wait(self.spec())
        self.provision()

    def stop(self, mode: StopMode = "fast") -> None:
        self._end(mode)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start it with the same data on the same port."""
        self._end(mode)
        self._process = start_and_wait(self.spec())

    def kill(self) -> None:
        """End the postmaster by SIGKILL, as a crash would; `restart` brings it back."""
        if self._process is not None:
            os.kill(self._process.pid, Signals.SIGKILL)
            wait_until(self._process.has_ended, limit_seconds=STOP_SECONDS)
            wait_until(lambda: not self.cluster.processes(), limit_seconds=STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _end(self, mode: StopMode) -> None:
        if self._process is not None:
            self._process.stop(STOP_SIGNALS[mode], wait=time.sleep)
            self._process = None

    def _before_start(self) -> None:
        self.cluster.end_leftovers()
        self.cluster.configure(self._settings)

    def _initdb(self, *arguments: str) -> ProcessSpec:
        return self._program("initdb", *arguments)

    def _program(self, name: str, *arguments: str) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            argv=(str(self.cluster.binaries / name), *arguments),
            environ={"PATH": os.defpath, "KIMBERLY_DATA_DIR": str(self.data_dir)},
            folder=self.cluster.home,
            log_path=self.data_dir / "logs" / f"{name}.log",
            account=self.cluster.account,
        )
