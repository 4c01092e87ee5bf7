"""The vault of this installation, and the secrets of authenticators: base32, as people type them."""

import secrets
from base64 import b32decode, b32encode
from functools import cache

from django.conf import settings

from kimberly.lib.vault import Vault, key_from

SECRET_BYTES = 20  # RFC 4226 asks for 160 bits


@cache
def _vault(keys: tuple[str, ...]) -> Vault:
    return Vault(keys)


def vault() -> Vault:
    """By the keys of the settings, or one derived from the secret key."""
    return _vault(settings.KIMBERLY.encryption_keys or (key_from(settings.KIMBERLY.secret_key),))


def new_secret() -> str:
    """A secret for an authenticator."""
    return b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret."""
    return b32decode(secret)
