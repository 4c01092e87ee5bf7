"""F13 with the real programs: what is left when a stack is killed, who may start it, and beside whom."""

import os
import signal
import socket
import stat
from collections.abc import Iterator

import httpx
import pytest

from kimberly.local.databases import APP, OWNER
from kimberly.local.postgres import PostgresServer
from kimberly.local.valkey import ValkeyServer
from tests.counts import rounds
from tests.local.conftest import make_folder, remove_folder
from tests.local.stacks import OrdinaryPerson, Stack, require_root
from tests.local.watching import processes_of
from tests.waiting import until

pytestmark = [pytest.mark.promise("F13"), pytest.mark.slow]


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """A stack for the tests that leave it running."""
    folder = make_folder()
    with Stack(folder) as stack:
        yield stack
    remove_folder(folder)


def kill_and_start_again(stack):
    """As often as this run asks for; then stop it in peace."""
    for _ in range(rounds(1, 5)):
        with stack:
            users = stack.count_users()
            stack.end_by(signal.SIGKILL)
        stack.wait_until_gone()
    with stack:
        assert stack.count_users() == users > 0
        assert stack.end_by(signal.SIGINT) == 0
    stack.wait_until_gone()


def test_as_root_a_killed_stack_leaves_no_process_and_starts_again(data_dir):
    require_root()

    kill_and_start_again(Stack(data_dir))


def test_as_an_ordinary_user_a_killed_stack_leaves_no_process_and_starts_again(data_dir, other_data_dir):
    person = OrdinaryPerson(other_data_dir)

    kill_and_start_again(Stack(person.give(data_dir), person=person))


def test_one_of_two_stacks_side_by_side_stops_and_leaves_nothing(running, data_dir):
    with Stack(data_dir) as other:
        assert other.portal["url"] != running.portal["url"]
        assert other.portal["database_url"] != running.portal["database_url"]
        assert stat.S_IMODE(other.portal_file.stat().st_mode) == 0o600

        assert other.end_by(signal.SIGTERM) == 0

    assert not other.portal_file.exists()
    assert processes_of(data_dir) == {}
    assert httpx.get(f"{running.portal['url']}/healthz").status_code == 200


def test_a_second_start_says_in_one_line_where_the_first_is(running):
    second = Stack(running.data_dir)

    said = second.run()

    first = f"{running.portal['url']} (pid {running.process.pid})"
    assert said.startswith(f"Kimberly is already running here: {first}.")
    assert said.count("\n") == 1
    assert second.process.returncode == 1


def test_what_runs_is_not_cleaned_away(running):
    said = Stack(running.data_dir).run("clean")

    assert "already running here" in said
    assert running.portal_file.exists()


def test_a_killed_database_comes_back_and_the_portal_with_it(running):
    ready = f"{running.portal['url']}/readyz"
    postmaster = int((running.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)

    until(lambda: postmaster not in processes_of(running.data_dir), what="the end of the killed database")
    until(lambda: httpx.get(ready).status_code == 200, what="the portal to be ready again")


def test_servers_given_by_url_are_used_and_left_alone(data_dir, other_data_dir):
    with PostgresServer(data_dir=other_data_dir) as postgres, ValkeyServer(data_dir=other_data_dir) as valkey:
        owner, app = postgres.url(OWNER), postgres.url(APP)
        environ = {"DATABASE_URL": app, "KIMBERLY_OWNER_DATABASE_URL": owner, "REDIS_URL": valkey.url()}
        environ["KIMBERLY_DEMO"] = ""
        with Stack(data_dir, environ=environ) as stack:
            assert (stack.portal["database_url"], stack.portal["redis_url"]) == (app, valkey.url())
            assert stack.count_users() == 0  # no demo sign-in on a database that may be anybody's
            stack.end_by(signal.SIGTERM)

        assert not (data_dir / "postgres").exists()
        assert postgres.is_ready()
        assert valkey.is_ready()


def test_below_a_folder_that_only_root_enters_it_runs_too_and_is_cleaned_away(data_dir):
    require_root()
    data_dir.chmod(0o700)

    with Stack(data_dir / "var") as stack:
        elsewhere = (data_dir / "var" / "postgres").readlink()
        stack.end_by(signal.SIGTERM)

    assert stack.run("clean") == f"Removed {data_dir / 'var'}.\n"
    assert not elsewhere.exists()


def test_a_start_that_fails_shows_why_and_leaves_nothing(data_dir):
    stack = Stack(data_dir, environ={"KIMBERLY_LOG_LEVEL": "loud"})

    said = stack.run()

    assert "KIMBERLY_LOG_LEVEL: must be one of" in said
    assert "migrate failed (exit code 1)" in said
    assert stack.process.returncode == 1
    assert processes_of(data_dir) == {}


def test_a_port_in_use_is_said_before_anything_starts(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        said = Stack(data_dir, environ={"KIMBERLY_PORT": str(port)}).run()

    assert f"port {port}: Address already in use" in said
    assert not (data_dir / "postgres").exists()
