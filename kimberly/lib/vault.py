"""Secrets at rest: what must be read again, and must not be readable in a backup or by whoever reads the database."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Unreadable(Exception):
    """None of the keys opens this: it was sealed with another one, or changed since."""


class Vault:
    """Seals with the first key, opens with any: a new one is put in front, the old one stays until nothing has it."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        """The text, encrypted and signed."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again, or Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unreadable from error


def key_from(secret: str) -> str:
    """A key of its own, derived from a secret that serves other purposes too."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kimberly secrets at rest").derive(secret.encode())
    return urlsafe_b64encode(derived).decode()
