"""Roles and databases of the local server, made so that each statement can be repeated at every start."""

from collections.abc import Mapping

from psycopg import Connection, sql

SUPERUSER, OWNER, APP, BACKUP = "postgres", "kimberly_owner", "kimberly_app", "kimberly_backup"
DATABASE = "kimberly"
# Made by the superuser, so that the owner needs no more than its own rights for every migration to come.
EXTENSIONS = ("vector", "pg_trgm", "btree_gin", "btree_gist", "unaccent", "amcheck", "pg_stat_statements")

ROLE_RIGHTS: Mapping[str, sql.SQL] = {
    OWNER: sql.SQL("LOGIN"),
    APP: sql.SQL("LOGIN"),
    BACKUP: sql.SQL("LOGIN REPLICATION"),
}
MEMBERSHIPS = {APP: ("pg_monitor", "pg_signal_backend", "pg_maintain"), BACKUP: ("pg_read_all_data",)}
RESTORE_POINT = sql.SQL("pg_create_restore_point(text)")
SWITCH_WAL = sql.SQL("pg_switch_wal()")
FUNCTIONS: Mapping[str, tuple[sql.SQL, ...]] = {
    OWNER: (RESTORE_POINT,),
    APP: (RESTORE_POINT, SWITCH_WAL),
    BACKUP: (
        RESTORE_POINT,
        SWITCH_WAL,
        sql.SQL("pg_backup_start(text, boolean)"),
        sql.SQL("pg_backup_stop(boolean)"),
    ),
}


def ensure_role(connection: Connection, role: str, *, password: str) -> None:
    """Make the role, or give it this password; only its hash travels, so that no statement log can show it."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("{verb} ROLE {role} {rights} PASSWORD {verifier}").format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(role),
            rights=ROLE_RIGHTS[role],
            verifier=sql.Literal(verifier),
        )
    )
    for group in MEMBERSHIPS.get(role, ()):
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role)))


def ensure_database(connection: Connection, name: str, *, template: str = "template1") -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )


def drop_database(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def furnish(connection: Connection) -> None:
    """Extensions and rights inside the connection's database; which tables the app may touch, migrations say."""
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(APP)))
    for role, functions in FUNCTIONS.items():
        for function in functions:
            connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, sql.Identifier(role)))
