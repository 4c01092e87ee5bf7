"""What the container image runs: `python -m kimberly.start web`, with the arguments that `make up` gives."""

import http.client
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kimberly import config
from kimberly.config import WrongSettings
from kimberly.local import options, programs

CELERY = ["-m", "celery", "-A", "kimberly.celery"]
HEALTH_SECONDS = 4.0
METRICS = "PROMETHEUS_MULTIPROC_DIR"


def main(arguments: Sequence[str] | None = None) -> int:
    """Become the named program; only `health` and a wrong call come back, with an exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name == "health":
        return 0 if answers() else 1
    if name not in PROGRAMS:
        sys.stderr.write(f"There is no program {name!r}; there are {', '.join(PROGRAMS)} and health.\n")
        return 2
    try:
        config.load()  # a wrong setting is said once, before any process is started for it
        argv = [sys.executable, *PROGRAMS[name](), *rest]
    except WrongSettings as error:
        sys.stderr.write(f"{error}\n")
    else:
        os.execv(sys.executable, argv)  # noqa: S606 # no shell: this process becomes the program
    return 1


def web() -> list[str]:
    """granian, with an empty folder for the metrics: what processes that are gone counted must not count again."""
    folder = Path(os.environ.setdefault(METRICS, "/run/kimberly/metrics"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    given = options.load()
    arguments = programs.web_arguments(host=given.host, port=given.port, workers=given.web_workers)
    log_config = Path(programs.__file__).with_name("granian-logging.json")
    return ["-m", "granian", *arguments, "--no-access-log", "--log-config", str(log_config)]


def worker() -> list[str]:
    os.environ.pop(METRICS, None)  # for web processes alone: whoever else has it must have the folder too
    flags = ["--concurrency", "2", "--prefetch-multiplier", "1", "--loglevel", "INFO"]
    return [*CELERY, "worker", "-Q", programs.QUEUES, *flags, "--without-gossip", "--without-mingle"]


def beat() -> list[str]:
    os.environ.pop(METRICS, None)
    scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    return [*CELERY, "beat", "--scheduler", scheduler, "--pidfile=", "--loglevel", "INFO"]


def answers() -> bool:
    """Whether the web server in this container says that it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", options.load().port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


PROGRAMS: dict[str, Callable[[], list[str]]] = {
    "web": web,
    "worker": worker,
    "beat": beat,
    "migrate": lambda: ["manage.py", "migrate", "--no-input"],
    "manage": lambda: ["manage.py"],
}

if __name__ == "__main__":
    sys.exit(main())
