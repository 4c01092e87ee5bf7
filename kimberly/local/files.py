"""Writing small files so that a reader never sees half of one, nor anybody else the secrets in it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kimberly.local.accounts import Account

PRIVATE = 0o600


def write_private(path: Path, content: str, *, owner: Account | None = None) -> None:
    """Replace the file atomically; only its owner may read it.

    O_EXCL follows no symbolic link, so this is safe for root even in a folder that belongs to the owner.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if owner is not None:
            os.fchown(descriptor, owner.uid, owner.gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def write_private_json(path: Path, content: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(content, indent=2) + "\n")
