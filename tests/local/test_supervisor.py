import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import psycopg
import pytest

from kimberly.local.polling import wait_until
from kimberly.local.supervisor import LONGEST_DELAY_SECONDS, WELL_AFTER_SECONDS, Backoff
from tests.local.watching import processes_of

LIMIT_SECONDS = 60


def command_of(pid):
    """The process's command; nothing of one that ended between two looks."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


class Tree:
    """The stand-ins of `tests.local.tree` as a process."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        ready = data_dir / "ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-m", "tests.local.tree", str(data_dir)])
        assert wait_until(ready.exists, limit_seconds=LIMIT_SECONDS)
        self.database_url = ready.read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.send(signal.SIGKILL)

    def send(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(LIMIT_SECONDS)

    def is_gone(self) -> bool:
        return wait_until(lambda: not processes_of(self.data_dir), limit_seconds=LIMIT_SECONDS)

    def find(self, words: str) -> list[int]:
        """Processes whose command holds the words, oldest first."""
        return sorted(pid for pid, command in processes_of(self.data_dir).items() if words in command)

    def guardians(self) -> list[int]:
        """The supervisor's children that bear neither its name nor the data folder's."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"/dev/fd/" in command_of(pid)]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.database_url, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture
def tree(data_dir):
    with Tree(data_dir) as tree:
        yield tree


@pytest.mark.promise("F13")
@pytest.mark.slow
def test_a_killed_supervisor_leaves_no_process_and_its_data_to_the_next(tree):
    tree.send(signal.SIGKILL)

    assert tree.is_gone()
    with Tree(tree.data_dir) as successor:
        assert successor.database_url == tree.database_url


@pytest.mark.promise("F13")
@pytest.mark.slow
def test_a_next_start_waits_for_the_end_of_what_a_killed_one_left(tree):
    tree.send(signal.SIGKILL)

    with Tree(tree.data_dir) as successor:
        assert successor.answers()


@pytest.mark.promise("F13")
@pytest.mark.slow
def test_a_killed_guardian_is_replaced(tree):
    (guardian,) = tree.guardians()
    os.kill(guardian, signal.SIGKILL)
    assert wait_until(lambda: tree.guardians() not in ([], [guardian]), limit_seconds=LIMIT_SECONDS)

    tree.send(signal.SIGKILL)

    assert tree.is_gone()


@pytest.mark.slow
def test_a_stop_ends_everything_even_what_ignores_it(tree):
    tree.send(signal.SIGTERM)

    assert tree.process.returncode == 0
    assert tree.is_gone()
    assert "database system is shut down" in (tree.data_dir / "logs" / "postgres.log").read_text()


@pytest.mark.promise("F13")
@pytest.mark.slow
def test_a_killed_database_comes_back_with_its_data(tree):
    (postmaster,) = tree.find("bin/postgres")
    os.kill(postmaster, signal.SIGKILL)

    assert wait_until(lambda: tree.find("bin/postgres") not in ([], [postmaster]), limit_seconds=LIMIT_SECONDS)
    assert wait_until(tree.answers, limit_seconds=LIMIT_SECONDS)


@pytest.mark.slow
def test_workers_whose_main_process_was_killed_make_room_for_the_next(tree):
    before = tree.find("granian")
    os.kill(before[0], signal.SIGKILL)

    assert wait_until(lambda: len(tree.find("granian")) == len(before), limit_seconds=LIMIT_SECONDS)
    assert wait_until(lambda: not set(before) & set(tree.find("granian")), limit_seconds=LIMIT_SECONDS)


def test_one_that_keeps_dying_is_left_alone_for_longer_each_time():
    backoff = Backoff()

    delays = [backoff.after_a_life_of(1.0) for _ in range(8)]

    assert delays[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert delays[-1] == LONGEST_DELAY_SECONDS


def test_a_death_after_a_long_life_counts_as_the_first():
    backoff = Backoff()
    backoff.after_a_life_of(1.0)

    assert backoff.after_a_life_of(WELL_AFTER_SECONDS) == pytest.approx(0.2)
