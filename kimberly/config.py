"""Everything that is read from the environment, typed, in one place.

`load` reads each setting from NAME, or from the file that NAME_FILE points at (for secrets that are mounted), and names
all wrong values in one message. docs/settings.md is made from this table.
"""

import binascii
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

Network = IPv4Network | IPv6Network
ENVIRONMENTS = ("development", "demo", "staging", "production", "drill")
PLACEHOLDERS = ("django-insecure-", "change", "example")  # how keys begin that stand in public files
LOG_LEVELS = ("debug", "info", "warning", "error")


class WrongSettings(Exception):
    """The environment cannot be used; the message names every wrong value at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = ["Kimberly cannot start with these settings:", *(f"  - {line}" for line in problems)]
        if any(line.startswith("DATABASE_URL: is required") for line in problems):
            lines.append("Or start the stack with `make up`: while it runs here, its settings are taken.")
        super().__init__("\n".join(lines))


def setting(name: str, parse: Callable[[str], T], *, about: str, default: str | None = None, secret: bool = False) -> T:
    """Declare one setting; without a default it is required. `parse` raises ValueError with what would be right."""
    metadata = {"name": name, "parse": parse, "about": about, "default": default, "secret": secret}
    declared: T = field(metadata=metadata, repr=not secret)
    return declared


def text(value: str) -> str:
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.lstrip("-").isdecimal() or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def switch(value: str) -> bool:
    if value.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise ValueError("must be 1 or 0")
    return value.lower() in ("1", "true", "yes", "on")


def optional_switch(value: str) -> bool | None:
    """None where nothing is said."""
    return switch(value) if value else None


def names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part) for part in names(value))
    except ValueError as error:
        raise ValueError(f"must be networks such as 10.0.0.0/8, separated by commas ({error})") from error


def folder(value: str) -> Path:
    return Path(value).expanduser().resolve()


def secret_key(value: str) -> str:
    if len(value) < 50 or len(set(value)) < 10 or value.lower().startswith(PLACEHOLDERS):
        raise ValueError("must be at least 50 random characters, and no example's")
    return value


def encryption_keys(value: str) -> tuple[str, ...]:
    given = names(value)
    try:
        are_keys = all(len(urlsafe_b64decode(key)) == 32 for key in given)
    except binascii.Error:
        are_keys = False
    if not are_keys:
        raise ValueError("must be keys of 32 random bytes in URL-safe base64, separated by commas")
    return given


def optional_token(value: str) -> str:
    if value and len(value) < 16:
        raise ValueError("must be at least 16 characters, or empty")
    return value


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            port_is_readable = parts.port is None or parts.port > 0
        except ValueError as error:
            raise ValueError("is not a readable URL") from error
        if parts.scheme not in schemes or not (parts.netloc or parts.path) or not port_is_readable:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return value

    return parse


def optional_url(*schemes: str) -> Callable[[str], str]:
    parse = url(*schemes)
    return lambda value: parse(value) if value else ""


def embedding_model(value: str) -> str:
    if len(value) > 60 or not value.isprintable() or " " in value:
        raise ValueError("must be at most 60 printable characters without spaces")
    return value


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one process."""

    secret_key: str = setting(
        "KIMBERLY_SECRET_KEY", secret_key, secret=True, about="Signs sessions and forms; 50 random characters or more."
    )
    database_url: str = setting(
        "DATABASE_URL",
        url("postgresql", "postgres"),
        secret=True,
        about="PostgreSQL 18 with pgvector, as the app's role.",
    )
    owner_database_url: str = setting(
        "KIMBERLY_OWNER_DATABASE_URL",
        optional_url("postgresql", "postgres"),
        default="",
        secret=True,
        about="The same database as its owner; only `manage.py migrate` uses it. Empty: migrations run as the app's "
        "role, and triggers alone protect the audit trail.",
    )
    redis_url: str = setting(
        "REDIS_URL", url("redis", "rediss"), secret=True, about="Redis or Valkey: broker, rate limits, caches."
    )
    environment: str = setting(
        "KIMBERLY_ENVIRONMENT",
        choice(*ENVIRONMENTS),
        default="production",
        about="The label on every page; nothing else depends on it.",
    )
    public_url: str = setting(
        "KIMBERLY_PUBLIC_URL",
        url("http", "https"),
        default="http://127.0.0.1:8000",
        about="Where people and clients reach the service; begins every link that leaves it.",
    )
    allowed_hosts: tuple[str, ...] = setting(
        "KIMBERLY_ALLOWED_HOSTS",
        names,
        default="",
        about="Further host names that may be asked for, separated by commas; the public URL's is always one.",
    )
    secure_cookies: bool = setting(
        "KIMBERLY_SECURE_COOKIES",
        switch,
        default="1",
        about="0 only where the portal is served without TLS, as on one's own machine; 1 adds HSTS as well.",
    )
    second_factor: bool = setting(
        "KIMBERLY_SECOND_FACTOR",
        switch,
        default="1",
        about="Whether staff need a code from their authenticator to sign in. 0 is for a demo: a name and a password "
        "then open the portal, and every page says so. `make up` takes 0 where it makes the demo sign-in.",
    )
    encryption_keys: tuple[str, ...] = setting(
        "KIMBERLY_ENCRYPTION_KEYS",
        encryption_keys,
        default="",
        secret=True,
        about="Encrypt what must be read again, such as the secrets of authenticators: keys of 32 random bytes in "
        "URL-safe base64, separated by commas. The first encrypts, all decrypt. Empty: one derived from the secret "
        "key, whose change then makes everybody set up the second factor anew.",
    )
    trusted_proxies: int = setting(
        "KIMBERLY_TRUSTED_PROXIES",
        integer(0, 10),
        default="0",
        about="How many proxies in front add to X-Forwarded-For and X-Forwarded-Proto; 0: those headers are ignored.",
    )
    data_dir: Path = setting(
        "KIMBERLY_DATA_DIR", folder, default="var", about="Folder for local files: logs, the audit trail's anchor."
    )
    metrics_token: str = setting(
        "KIMBERLY_METRICS_TOKEN",
        optional_token,
        default="",
        secret=True,
        about="Bearer token that opens /metrics; empty: only the allowed networks do.",
    )
    metrics_allow: tuple[Network, ...] = setting(
        "KIMBERLY_METRICS_ALLOW",
        networks,
        default="127.0.0.0/8,::1/128",
        about="Networks that may read /metrics without the token.",
    )
    log_level: str = setting(
        "KIMBERLY_LOG_LEVEL", choice(*LOG_LEVELS), default="info", about="The least level that is logged."
    )
    web_threads: int = setting(
        "KIMBERLY_WEB_THREADS",
        integer(1, 64),
        default="4",
        about="Requests that one web process works on at once; each has a connection to the database.",
    )
    statement_timeout_seconds: int = setting(
        "KIMBERLY_STATEMENT_TIMEOUT_SECONDS",
        integer(1, 600),
        default="30",
        about="A web request's statement is ended by PostgreSQL after this long.",
    )
    refusal_retention_days: int = setting(
        "KIMBERLY_REFUSAL_RETENTION_DAYS", integer(1, 3650), default="365", about="How long refusals are kept."
    )
    usage_sample_retention_days: int = setting(
        "KIMBERLY_USAGE_SAMPLE_RETENTION_DAYS",
        integer(1, 3650),
        default="90",
        about="How long the hourly samples of what users use are kept.",
    )
    fallback_writes_per_minute: int = setting(
        "KIMBERLY_FALLBACK_WRITES_PER_MINUTE",
        integer(1, 1_000_000),
        default="600",
        about="Writes a minute and user that one process lets through while Redis does not answer.",
    )
    embedder: str = setting(
        "KIMBERLY_EMBEDDER",
        choice("wordllama", "http", "none"),
        default="wordllama",
        about="What makes vectors of texts: wordllama (in the process, no network), http (an endpoint), or none.",
    )
    embedder_url: str = setting(
        "KIMBERLY_EMBEDDER_URL",
        optional_url("http", "https"),
        default="",
        about="With http: the address that speaks OpenAI's embeddings API, for example https://host/v1/embeddings.",
    )
    embedder_model: str = setting(
        "KIMBERLY_EMBEDDER_MODEL", embedding_model, default="", about="With http: the model's name there."
    )
    embedder_dimensions: int = setting(
        "KIMBERLY_EMBEDDER_DIMENSIONS",
        integer(1, 1024),
        default="512",
        about="With http: the length of its vectors. Longer ones fit into no index: ask the model for fewer.",
    )
    embedder_key: str = setting(
        "KIMBERLY_EMBEDDER_KEY", text, default="", secret=True, about="With http: the bearer token, where it needs one."
    )
    embedder_timeout_seconds: int = setting(
        "KIMBERLY_EMBEDDER_TIMEOUT_SECONDS",
        integer(1, 60),
        default="2",
        about="With http: a write waits this long for its vector, then it is stored without and gets it later.",
    )
    query_cache_seconds: int = setting(
        "KIMBERLY_QUERY_CACHE_SECONDS",
        integer(0, 3600),
        default="60",
        about="How long Redis keeps which items answered a query; a write of the user ends it at once. 0: off.",
    )
    access_retention_days: int = setting(
        "KIMBERLY_ACCESS_RETENTION_DAYS",
        integer(1, 3650),
        default="90",
        about="How long it is kept which items queries returned.",
    )
    sentry_dsn: str = setting(
        "SENTRY_DSN", optional_url("http", "https"), default="", secret=True, about="Error reports; empty: off."
    )
    build: str = setting("KIMBERLY_BUILD", text, default="", about="The commit that was built; shown in the footer.")


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings, or raise WrongSettings with every one that is missing or wrong."""
    config = Config(**read(Config, os.environ if environ is None else environ))
    if config.embedder == "http" and not (config.embedder_url and config.embedder_model):
        raise WrongSettings(["KIMBERLY_EMBEDDER: http needs KIMBERLY_EMBEDDER_URL and KIMBERLY_EMBEDDER_MODEL as well"])
    return config


def read(table: type, environ: Mapping[str, str]) -> dict[str, Any]:
    """The values of a table of settings (a dataclass of `setting`s), or WrongSettings with all that is wrong."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for declared in fields(table):
        try:
            values[declared.name] = _value(declared, environ)
        except (ValueError, OSError) as error:
            problems.append(f"{declared.metadata['name']}: {error}")
    if problems:
        raise WrongSettings(problems)
    return values


def _value(declared: Field[Any], source: Mapping[str, str]) -> Any:
    name, default = declared.metadata["name"], declared.metadata["default"]
    raw = _raw(name, source)
    if not raw and default is None:
        raise ValueError(f"is required ({declared.metadata['about']})")
    return declared.metadata["parse"](raw or default)


def _raw(name: str, source: Mapping[str, str]) -> str:
    path = source.get(f"{name}_FILE", "")
    if path and source.get(name):
        raise ValueError(f"set either {name} or {name}_FILE, not both")
    return Path(path).read_text(encoding="utf-8").strip() if path else source.get(name, "").strip()
