"""The roles and databases of the embedded server, on the one that this test process runs."""

import psycopg
import pytest
from psycopg import errors, sql

from kimberly.local.databases import APP, BACKUP, EXTENSIONS, OWNER, SUPERUSER
from kimberly.local.postgres import PostgresServer
from tests import plugin

ANOTHER = "another_database"


@pytest.fixture(scope="module")
def server():
    assert plugin.POSTGRES is not None
    plugin.POSTGRES.create_database(ANOTHER)
    yield plugin.POSTGRES
    plugin.POSTGRES.drop_database(ANOTHER)


def ask(server, role, question, *values):
    """The one value of the question's answer."""
    with server.connect(role, ANOTHER) as connection:
        return connection.execute(question, values or None).fetchone()[0]


def test_the_owner_makes_tables_without_a_superusers_help(server):
    with server.connect(OWNER, ANOTHER) as connection:
        connection.execute("CREATE TABLE made (embedding halfvec(3), name text)")
        connection.execute("CREATE INDEX ON made USING gin (name gin_trgm_ops)")
        connection.execute("DROP TABLE made")


def test_the_app_makes_no_tables(server):
    with pytest.raises(errors.InsufficientPrivilege):
        ask(server, APP, "CREATE TABLE mine (here boolean)")


@pytest.mark.parametrize("role", [OWNER, APP, BACKUP])
def test_a_role_is_no_superuser(server, role):
    assert ask(server, role, "SELECT current_setting('is_superuser')") == "off"


@pytest.mark.parametrize("role", [OWNER, APP, BACKUP])
def test_a_role_may_name_a_moment_to_come_back_to(server, role):
    assert ask(server, role, "SELECT pg_create_restore_point('here') IS NOT NULL")


def test_the_app_may_watch_and_end_others(server):
    groups = "SELECT bool_and(pg_has_role(current_user, name, 'MEMBER')) FROM unnest(%s::text[]) AS name"

    assert ask(server, APP, groups, ["pg_monitor", "pg_signal_backend", "pg_maintain"])


def test_only_backup_may_replicate(server):
    roles = "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolreplication AND rolname LIKE 'kimberly%'"

    assert ask(server, SUPERUSER, roles) == [BACKUP]


def test_every_extension_is_there(server):
    assert ask(server, APP, "SELECT count(*) FROM pg_extension WHERE extname = ANY(%s)", [*EXTENSIONS]) == len(
        EXTENSIONS
    )


def test_a_database_made_twice_keeps_its_data(server):
    with server.connect(OWNER, ANOTHER) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS here")

    server.create_database(ANOTHER)

    assert ask(server, OWNER, "SELECT here FROM kept") == 1


def test_a_copy_of_a_database_has_its_tables(server):
    with server.connect(OWNER, ANOTHER) as connection:
        connection.execute("CREATE TABLE copied AS SELECT 1 AS here")
    server.create_database("a_copy", template=ANOTHER)

    with server.connect(OWNER, "a_copy") as connection:
        assert connection.execute("SELECT here FROM copied").fetchone() == (1,)

    server.drop_database("a_copy")


def test_a_wrong_password_is_refused(server):
    wrong = server.url(APP, ANOTHER).replace(server.secrets.app_password, "wrong")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_no_statement_it_keeps_shows_a_password(server):
    server.provision()

    statements = sql.SQL("SELECT string_agg(query, ' ') FROM pg_stat_statements")

    assert server.secrets.app_password not in ask(server, SUPERUSER, statements)


@pytest.mark.slow
def test_what_was_committed_is_there_after_a_crash(data_dir):
    with PostgresServer(data_dir=data_dir, settings={"log_statement": "all"}) as crashing:
        with crashing.connect(OWNER) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS here")

        crashing.kill()
        crashing.restart()

        with crashing.connect(OWNER) as connection:
            assert connection.execute("SELECT here FROM kept").fetchone() == (1,)
            assert connection.execute("SHOW log_statement").fetchone() == ("all",)


@pytest.mark.promise("F9")
def test_a_checkpoint_writes_no_file_of_its_own_that_a_full_disk_could_refuse(server):
    file = server.cluster.folder / "pg_logical" / "replorigin_checkpoint"
    file.unlink(missing_ok=True)  # initdb's own

    with server.connect(SUPERUSER) as connection:
        connection.execute("CHECKPOINT")

    assert not file.exists()
