"""A real web server (granian, two processes) on the test's database, and clients that speak HTTP to it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from kimberly.local import programs
from tests.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class WebServer:
    """granian as `make up` starts it. `environment` is laid over the test process's own."""

    def __init__(self, *, workers: int = 2, threads: int = 4, environment: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="kimberly-web-", dir=os.environ.get("KIMBERLY_TEST_FOLDER")))
        self.log = self._folder / "web.log"
        (self._folder / "metrics").mkdir()
        self._environment = {
            **os.environ,
            "PROMETHEUS_MULTIPROC_DIR": str(self._folder / "metrics"),
            "KIMBERLY_PUBLIC_URL": self.url,
            "KIMBERLY_WEB_THREADS": str(threads),
            **(environment or {}),
        }
        self._environment.pop("KIMBERLY_OWNER_DATABASE_URL", None)
        self._arguments = [sys.executable, "-m", "granian"]
        self._arguments += programs.web_arguments(host="127.0.0.1", port=self.port, workers=workers)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        until(self._answers, what=f"the web server to answer; its log says: {self.tail()}", limit_seconds=60)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None

    def tail(self, characters: int = 2000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def client(self, key: str = "", **options: Any) -> httpx.Client:
        """A client that sends this API key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # verify: reading the machine's certificates takes longer than most tests, and nothing here speaks TLS.
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=False, **options)

    def _answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, f"the web server ended: {self.tail()}"
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
