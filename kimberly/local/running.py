"""Using the stack that runs here from another command, without saying where it is."""

import json
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from kimberly.local import credentials, portal
from kimberly.local.processes import is_alive

DEFAULT_DATA_DIR = "var"


def adopt_running_stack(environ: MutableMapping[str, str]) -> bool:
    """Point the settings at the stack running on this data folder; whether there is one and it was needed.

    Only what is not set is set, and nothing at all where DATABASE_URL says that another database is meant.
    """
    if environ.get("DATABASE_URL") or environ.get("DATABASE_URL_FILE"):
        return False
    data_dir = Path(environ.get("KIMBERLY_DATA_DIR") or DEFAULT_DATA_DIR).expanduser().resolve()
    running = portal.read(data_dir)
    if running is None or not is_alive(running.pid):
        return False
    for name, value in _settings(running, data_dir).items():
        if value and not environ.get(name) and not environ.get(f"{name}_FILE"):
            environ[name] = value
    return True


def _settings(running: portal.Portal, data_dir: Path) -> dict[str, str | None]:
    return {
        "DATABASE_URL": running.database_url,
        "KIMBERLY_OWNER_DATABASE_URL": running.database_owner_url,
        "REDIS_URL": running.redis_url,
        "KIMBERLY_METRICS_TOKEN": running.metrics_token,
        "KIMBERLY_SECRET_KEY": _secret_key(data_dir),
        "KIMBERLY_PUBLIC_URL": running.url,
        "KIMBERLY_DATA_DIR": str(data_dir),
        # Only a stack with a demo sign-in chose its environment itself.
        "KIMBERLY_ENVIRONMENT": "demo" if running.admin else None,
        "KIMBERLY_SECURE_COOKIES": "0" if running.url.startswith("http:") else None,
    }


def _secret_key(data_dir: Path) -> str | None:
    with suppress(OSError, ValueError, KeyError):
        key: str = json.loads((data_dir / credentials.FILE_NAME).read_text(encoding="utf-8"))["secret_key"]
        return key
    return None
