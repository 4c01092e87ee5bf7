"""`portal.json`: what scripts need to know of a running stack. It is there exactly while the portal answers."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from kimberly.local.files import write_private_json

FILE_NAME = "portal.json"


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The demo sign-in."""

    username: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Portal:
    """`admin` and `api_key` are null on a database where the stack made none."""

    url: str
    pid: int
    admin: Admin | None
    api_key: str | None
    metrics_token: str
    database_url: str
    database_owner_url: str | None
    redis_url: str


def publish(data_dir: Path, portal: Portal) -> None:
    write_private_json(data_dir / FILE_NAME, asdict(portal))


def withdraw(data_dir: Path) -> None:
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def read(data_dir: Path) -> Portal | None:
    """What the file says; None where there is none that we may read."""
    with suppress(OSError, ValueError, TypeError):
        content = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        admin = content.pop("admin")
        return Portal(**content, admin=Admin(**admin) if admin else None)
    return None
