"""The rights of the database roles: the app's role reads and writes, and only appends to the audit trail."""

from django.core.management.base import CommandError
from django.db import connections, transaction
from psycopg import sql

APPEND_ONLY = ("audit_entry", "audit_seal")
ERASE_ONLY = ("audit_text",)
LEAST_SERVER = 18_00_00
LEAST_PGVECTOR = (0, 8)


def require_supported_server(alias: str) -> None:
    """Refuse an older PostgreSQL or pgvector with a line that says what is there and what is needed."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        version = cursor.fetchone()[0]
        if version < LEAST_SERVER:
            raise CommandError(f"PostgreSQL {version // 10000} is too old: Kimberly needs 18 or newer.")
        cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        row = cursor.fetchone()
    found = tuple(int(part) for part in row[0].split(".")[:2]) if row else ()
    if found < LEAST_PGVECTOR:
        said = ".".join(map(str, found)) or "missing"
        raise CommandError(f"pgvector is {said}: Kimberly needs 0.8 or newer on this server.")


def grant_to_app(alias: str, *, app_role: str) -> None:
    """Give the app's role what it needs, and nothing that could change what the audit trail says."""
    grants = [
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {{role}}" for table in APPEND_ONLY),
        *(f"REVOKE DELETE, TRUNCATE ON {table} FROM {{role}}" for table in ERASE_ONLY),
    ]
    role = sql.Identifier(app_role)
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for grant in grants:
            cursor.execute(sql.SQL(grant).format(role=role))


def audit_is_protected_by_role(alias: str = "default") -> bool:
    """Whether this connection's role lacks the right to change audit entries (else triggers alone protect them)."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')"
            " OR has_table_privilege(name, 'TRUNCATE')) FROM unnest(%s::text[]) AS name",
            [list(APPEND_ONLY)],
        )
        return not cursor.fetchone()[0]
