"""The secrets of one data folder: made once, kept in `secrets.json`."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from kimberly.local.errors import StackError
from kimberly.local.files import write_private_json

FILE_NAME = "secrets.json"
CONSONANTS, VOWELS = "bdfghjkmnprstvz", "aeiou"
# Each word is worth 12.4 bits: together they are beyond guessing, and a person can still type them.
PASSWORD_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the parts of one stack know about each other, and no one else."""

    secret_key: str
    postgres_password: str
    owner_password: str
    app_password: str
    backup_password: str
    valkey_password: str
    admin_password: str
    api_key: str
    metrics_token: str


def load_or_create(data_dir: Path) -> Credentials:
    """The folder's secrets; those that are missing (all, in a new folder) are made and kept."""
    path = data_dir / FILE_NAME
    kept = _read(path)
    missing = [field.name for field in fields(Credentials) if field.name not in kept]
    if not missing:
        return Credentials(**kept)
    credentials = Credentials(**{**{name: _recipe(name)() for name in missing}, **kept})
    write_private_json(path, asdict(credentials))
    return credentials


def readable_password() -> str:
    return "-".join(_word() for _ in range(PASSWORD_WORDS))


def api_key() -> str:
    """`kmb_`, eight hex digits by which it is found, `_`, and 32 random bytes."""
    return f"kmb_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def _word() -> str:
    return "".join(secrets.choice(letters) for letters in (CONSONANTS, VOWELS) * 2)


def _token() -> str:
    return secrets.token_urlsafe(32)


def _recipe(name: str) -> Callable[[], str]:
    recipes = {"admin_password": readable_password, "api_key": api_key, "secret_key": lambda: secrets.token_urlsafe(48)}
    return recipes.get(name, _token)


def _read(path: Path) -> dict[str, str]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StackError(f"{path} cannot be read ({error}). It holds the passwords of the data beside it.") from error
    names = {field.name for field in fields(Credentials)}
    return {name: value for name, value in kept.items() if name in names}
