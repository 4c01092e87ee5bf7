"""What is away at this moment, for the banners of every page. Asks PostgreSQL nothing and Redis once."""

from dataclasses import dataclass

from django.db import connection

from kimberly.web import outages, redisclient


@dataclass(frozen=True, slots=True)
class Condition:
    """What does not work as it should; all false when all is well."""

    is_redis_away: bool
    is_read_only: bool
    is_full: bool


def now() -> Condition:
    """The condition as this process knows it."""
    is_full = outages.was_full_lately()
    return Condition(is_redis_away=_is_redis_away(), is_read_only=_is_read_only(), is_full=is_full)


def _is_redis_away() -> bool:
    try:
        redisclient.ask(lambda client: client.ping())
    except redisclient.RedisAway:
        return True
    return False


def _is_read_only() -> bool:
    """As the server itself reports it: each change of these two reaches every open connection unasked."""
    raw = connection.connection
    if raw is None:
        return False
    reported = (raw.info.parameter_status(name) for name in ("default_transaction_read_only", "in_hot_standby"))
    return "on" in reported
