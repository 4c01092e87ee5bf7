"""A disk that is really full. Only in the full form: conftest leaves this file out of the short one."""

import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.faults.mounts import SmallDisk
from tests.faults.stack import Stack
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F9")]

SMALL_WAL = {"max_wal_size": "32MB", "min_wal_size": "32MB"}


def big_load(stack):
    """Writes of 100 kB that do not compress, on so many users that the disk is full before their quotas are."""
    names = [f"writer-{number}" for number in range(8)]
    return stack.load(*names, writers=6, readers=2, per_second=100, more_characters=100_000)


def keep_wal_elsewhere(stack):
    """The WAL on a disk that has room: without room for it the server ends, whatever else fits."""
    stack.postgres.stop()
    wal, elsewhere = stack.postgres.cluster.folder / "pg_wal", stack.folder / "wal"
    subprocess.run(["mv", str(wal), str(elsewhere)], check=True)
    wal.symlink_to(elsewhere)
    stack.postgres.restart()


def test_a_full_data_disk_stops_writes_until_it_grows(request):
    stack = Stack(postgres_settings=SMALL_WAL)
    request.addfinalizer(stack.stop)  # once more without the disk, whose folder was in use
    with SmallDisk(stack.folder / "postgres", megabytes=192) as disk, stack:
        keep_wal_elsewhere(stack)
        load = big_load(stack)
        with load:
            until(lambda: len(load.outages()) > 20, what="writes to be refused", limit_seconds=120)
            said = stack.readiness()
            during = load.answers_more(60)
            disk.grow(500)
            grown_at = time.monotonic()
            until(lambda: load.answers[-1].status == 201, what="writes to go on")
            load.answers_more(40)

        assert (said[0], said[1]["database"]["state"]) == (200, "full")
        assert {answer.status for answer in during if answer.kind == "read"} == {200}
        assert {(answer.status, answer.slug) for answer in during if answer.kind == "write"} == {(503, "database-full")}
        assert not [answer for answer in load.outages() if answer.began_at > grown_at + 1]
        stack.assert_nothing_lost(load)
        stack.assert_invariants()


@contextmanager
def wal_on(stack, *, megabytes):
    """The server with its WAL on a small disk of its own."""
    stack.postgres.stop()
    wal = stack.postgres.cluster.folder / "pg_wal"
    aside = wal.rename(wal.with_name("pg_wal.aside"))
    with SmallDisk(wal, megabytes=megabytes) as disk:
        subprocess.run(["cp", "--archive", f"{aside}/.", str(wal)], check=True)
        stack.postgres.restart()
        try:
            yield disk
        finally:
            stack.postgres.stop("immediate")


def test_a_full_wal_disk_ends_the_server_and_loses_nothing():
    with Stack(postgres_settings=SMALL_WAL) as stack, wal_on(stack, megabytes=56) as disk:
        load = big_load(stack)
        with load:
            until(lambda: not stack.postgres.is_ready(), what="the server to end", limit_seconds=120)
            until(
                lambda: {answer.status for answer in load.answers[-20:]} == {503},
                what="every call to be refused",
                limit_seconds=60,
            )
            status, said = stack.readiness()
            disk.grow(500)
            stack.postgres.restart("immediate")
            until(lambda: load.answers[-1].status == 201, what="writes to go on")
            load.answers_more(40)

        assert (status, said["database"]["state"]) == (503, "down")
        assert {answer.slug for answer in load.outages()} <= {"database-full", "database-unavailable"}
        stack.assert_nothing_lost(load)
        stack.assert_invariants()
