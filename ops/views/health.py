"""Is the process alive, and what does it reach."""

from django.db import connection
from django.db.utils import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.web import outages, problems, redisclient
from ops.services import databaseroles


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: the process answers. Asks nobody."""
    return problems.json_response({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Each dependency's state; 503 only when the database cannot be read: a lost Redis takes no process out."""
    database = _database()
    state = {
        "status": "unavailable" if database["state"] == "down" else "ready",
        "database": database,
        "redis": _redis(),
    }
    return problems.json_response(state, status=503 if database["state"] == "down" else 200)


def _database() -> dict[str, object]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean")
            is_read_only = cursor.fetchone()[0]
        is_protected = databaseroles.audit_is_protected_by_role()
    except Error:
        return {"state": "down"}
    audit = "role and triggers" if is_protected else "triggers only: give migrate its own KIMBERLY_OWNER_DATABASE_URL"
    return {**_writing(is_read_only=is_read_only), "audit_protected_by": audit}


def _writing(*, is_read_only: bool) -> dict[str, object]:
    if is_read_only:
        return {"state": "read-only", "effect": "reads go on, writes are answered 503"}
    if outages.was_full_lately():
        return {"state": "full", "effect": "reads go on; writes were answered 503 within the last minute"}
    return {"state": "ok"}


def _redis() -> dict[str, object]:
    try:
        redisclient.ask(lambda client: client.ping())
    except redisclient.RedisAway:
        return {"state": "down", "effect": "rate limits hold for each process alone; live parts of pages stand still"}
    return {"state": "ok"}
