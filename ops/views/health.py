"""Is the process alive, and what does it reach."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.web import problems, redisclient
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
            read_only = cursor.fetchone()[0]
        protected = databaseroles.audit_is_protected_by_role()
    except DatabaseError:
        return {"state": "down"}
    audit = "role and triggers" if protected else "triggers only: give migrate its own KIMBERLY_OWNER_DATABASE_URL"
    return {"state": "read-only" if read_only else "ok", "audit_protected_by": audit}


def _redis() -> dict[str, object]:
    try:
        redisclient.ask(lambda client: client.ping())
    except redisclient.RedisAway:
        return {"state": "down", "effect": "rate limits hold for each process alone; live parts of the portal stand still"}
    return {"state": "ok"}
