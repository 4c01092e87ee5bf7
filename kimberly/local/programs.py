"""The programs of this project that the stack runs: their arguments, and what each may know."""

import hashlib
import http.client
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import kimberly
from kimberly.lib import webthreads
from kimberly.local import options as stack_options
from kimberly.local.credentials import Credentials
from kimberly.local.options import Options
from kimberly.local.processes import ProcessSpec

PROJECT = Path(kimberly.__file__).resolve().parent.parent
QUEUES = "default,meditation,maintenance,notifications"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound
MIGRATE_SECONDS = 1800
BOOTSTRAP_SECONDS = 300  # Demo data takes some ten, and a machine may be slow.
HEALTH_SECONDS = 5.0
SECRETS_OF_FEW = ("KIMBERLY_OWNER_DATABASE_URL", "KIMBERLY_BACKUP_DATABASE_URL", "PROMETHEUS_MULTIPROC_DIR")


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Where the servers are, the stack's own or others; None: that role was not given."""

    database_url: str
    owner_database_url: str | None
    backup_database_url: str | None
    redis_url: str


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Makes the specification of each program."""

    options: Options
    connections: Connections
    secrets: Credentials
    port: int

    @property
    def url(self) -> str:
        """The address on this machine."""
        host = WILDCARDS.get(self.options.host, self.options.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def migrate(self) -> ProcessSpec:
        """The only one that knows the owner's password."""
        owner = {"KIMBERLY_OWNER_DATABASE_URL": self.connections.owner_database_url}
        command = self._python("migrate", "manage.py", "migrate", "--no-input", secrets=owner)
        return replace(command, ready_seconds=MIGRATE_SECONDS)

    def bootstrap(self) -> ProcessSpec:
        secrets = {
            "KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD": self.secrets.admin_password,
            "KIMBERLY_BOOTSTRAP_API_KEY": self.secrets.api_key,
        }
        arguments = ["--demo-data"] if self.options.has_demo_data else []
        command = self._python("bootstrap", "manage.py", "bootstrap_local", *arguments, secrets=secrets)
        return replace(command, ready_seconds=BOOTSTRAP_SECONDS)

    def web(self) -> ProcessSpec:
        options, metrics = self.options, self.options.data_dir / "metrics"
        arguments = web_arguments(host=options.host, port=self.port, workers=options.web_workers)
        arguments += ["--no-access-log", "--log-config", str(Path(__file__).with_name("granian-logging.json"))]
        program = self._python("web", "-m", "granian", *arguments, secrets={"PROMETHEUS_MULTIPROC_DIR": str(metrics)})
        return replace(program, before_start=lambda: _empty(metrics), is_ready=self.answers)

    def worker(self) -> ProcessSpec:
        # Two stacks on one machine must not answer to one name, should they ever share a broker.
        stack = hashlib.sha256(os.fsencode(self.options.data_dir)).hexdigest()[:8]
        arguments = ["worker", "-Q", QUEUES, "--concurrency", "2", "--prefetch-multiplier", "1"]
        arguments += ["-n", f"worker-{stack}@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        backup = {"KIMBERLY_BACKUP_DATABASE_URL": self.connections.backup_database_url}
        program = self._python("worker", "-m", "celery", "-A", "kimberly.celery", *arguments, secrets=backup)
        return replace(program, stop_seconds=20)

    def beat(self) -> ProcessSpec:
        scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
        arguments = ["beat", "--scheduler", scheduler, "--pidfile=", "--loglevel", "INFO"]
        return self._python("beat", "-m", "celery", "-A", "kimberly.celery", *arguments, secrets={})

    def answers(self) -> bool:
        """Whether the web server says that it is well."""
        host = WILDCARDS.get(self.options.host, self.options.host)
        connection = http.client.HTTPConnection(host, self.port, timeout=HEALTH_SECONDS)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _python(self, name: str, *arguments: str, secrets: Mapping[str, str | None]) -> ProcessSpec:
        given = {key: value for key, value in secrets.items() if value}
        return ProcessSpec(
            name=name,
            argv=(sys.executable, *arguments),
            environ={**self._environ(), **given},
            folder=PROJECT,
            log_path=self.options.data_dir / "logs" / f"{name}.log",
        )

    def _environ(self) -> dict[str, str]:
        """What every program may know: our environment, with the settled values in place of what was given."""
        ours = {*stack_options.names(), *SECRETS_OF_FEW}
        ours |= {f"{name}_FILE" for name in ours}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return {**self._defaults(), **kept, **self._settled()}

    def _defaults(self) -> dict[str, str]:
        """What applies unless the environment says otherwise; without TLS a browser sends no secure cookie.

        Scripts sign in with the demo's name and password alone.
        """
        plain = self._public_url().startswith("http:")
        return {
            "PYTHONUNBUFFERED": "1",
            **({"KIMBERLY_SECURE_COOKIES": "0"} if plain else {}),
            **({"KIMBERLY_SECOND_FACTOR": "0"} if self.options.has_demo_sign_in else {}),
        }

    def _settled(self) -> dict[str, str]:
        options = self.options
        environment = options.environment or ("" if options.database_url else "demo")
        return {
            "DATABASE_URL": self.connections.database_url,
            "REDIS_URL": self.connections.redis_url,
            "KIMBERLY_DATA_DIR": str(options.data_dir),
            "KIMBERLY_SECRET_KEY": options.secret_key or self.secrets.secret_key,
            "KIMBERLY_METRICS_TOKEN": options.metrics_token or self.secrets.metrics_token,
            "KIMBERLY_PUBLIC_URL": self._public_url(),
            **({"KIMBERLY_ENVIRONMENT": environment} if environment else {}),
        }

    def _public_url(self) -> str:
        return self.options.public_url or self.url


def web_arguments(*, host: str, port: int, workers: int) -> list[str]:
    """What granian is started with, here and in the tests."""
    arguments = ["--interface", "wsgi", "kimberly.wsgi:application", "--no-ws", "--http", "1"]
    arguments += ["--host", host, "--port", str(port)]
    arguments += ["--workers", str(workers), "--blocking-threads", str(webthreads.MOST)]
    return [*arguments, "--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "8"]


def _empty(folder: Path) -> None:
    """Files of processes that are gone would be added up for ever."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
