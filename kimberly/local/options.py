"""What `make up` reads from the environment, beside what it hands on to the processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from kimberly.config import folder, integer, optional_switch, optional_url, read, setting, text

POSTGRES_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The stack's settings; an empty text means: not given."""

    data_dir: Path = setting(
        "KIMBERLY_DATA_DIR", folder, default="var", about="Folder of everything that `make up` keeps."
    )
    port: int = setting(
        "KIMBERLY_PORT", integer(0, 65535), default="8000", about="Port of the portal and the API; 0: a free one."
    )
    host: str = setting("KIMBERLY_HOST", text, default="127.0.0.1", about="Address that the web server listens on.")
    web_workers: int = setting("KIMBERLY_WEB_WORKERS", integer(1, 64), default="2", about="Web processes.")
    demo: bool | None = setting(
        "KIMBERLY_DEMO",
        optional_switch,
        default="",
        about="Empty: the embedded server gets a demo sign-in and, while it has no user, demo data; 1: any server "
        "gets both; 0: no demo data.",
    )
    environment: str = setting("KIMBERLY_ENVIRONMENT", text, default="", about="The label on every page.")
    public_url: str = setting("KIMBERLY_PUBLIC_URL", text, default="", about="Where people reach the portal.")
    database_url: str = setting(
        "DATABASE_URL", optional_url(*POSTGRES_SCHEMES), default="", secret=True, about="Empty: the embedded server."
    )
    owner_database_url: str = setting(
        "KIMBERLY_OWNER_DATABASE_URL", optional_url(*POSTGRES_SCHEMES), default="", secret=True, about="For migrate."
    )
    backup_database_url: str = setting(
        "KIMBERLY_BACKUP_DATABASE_URL", optional_url(*POSTGRES_SCHEMES), default="", secret=True, about="For backups."
    )
    redis_url: str = setting(
        "REDIS_URL", optional_url("redis", "rediss"), default="", secret=True, about="Empty: the embedded server."
    )
    secret_key: str = setting("KIMBERLY_SECRET_KEY", text, default="", secret=True, about="Empty: a generated one.")
    metrics_token: str = setting("KIMBERLY_METRICS_TOKEN", text, default="", secret=True, about="Empty: generated.")

    @property
    def has_demo_sign_in(self) -> bool:
        """Whether the stack may put an account and a key into its database."""
        return self.demo is True or not self.database_url

    @property
    def has_demo_data(self) -> bool:
        """Whether the stack fills a database that has no user yet."""
        return self.has_demo_sign_in and self.demo is not False


def load(environ: Mapping[str, str] | None = None) -> Options:
    """Read NAME or NAME_FILE of each, or raise WrongSettings with all that is wrong."""
    return Options(**read(Options, os.environ if environ is None else environ))


def names() -> list[str]:
    return [declared.metadata["name"] for declared in fields(Options)]
