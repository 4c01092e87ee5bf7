""".env.example"""

import textwrap
from dataclasses import fields

from kimberly.config import Config

HEAD = """# Kimberly's settings, for `docker run --env-file` and the like. Copy it, fill in what is required, and keep
# the copy out of the repository. What stands behind a # has this value anyway. `make up` needs none of it.
# Made by `manage.py generate_docs` from kimberly/config.py."""


def render() -> str:
    return "\n\n".join([HEAD, *(_entry(**field.metadata) for field in fields(Config))]) + "\n"


def _entry(*, name: str, about: str, default: str | None, **_: object) -> str:
    comment = "\n".join(f"# {line}" for line in textwrap.wrap(about, 116))
    return f"{comment}\n{name}=" if default is None else f"{comment}\n#{name}={default}"
