import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from kimberly.local import guardian_process


def test_knows_which_groups_were_left():
    reading, writing = os.pipe()
    os.write(writing, b"+100 9\n+200 3\n+300 9\n-100\n")
    os.close(writing)

    assert guardian_process.watch(reading) == {200: signal.SIGQUIT, 300: signal.SIGKILL}


@pytest.fixture
def family():
    """A process and its child, in a group of their own; both hold the pipe of its output."""
    script = "import os, time; os.fork(); os.write(1, b'.'); time.sleep(3600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        assert leader.stdout.read(2) == b".."
        yield leader
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)


def test_ends_a_group_with_all_its_members(family):
    guardian_process.end({family.pid: signal.SIGKILL})

    assert family.stdout.read() == b""  # nobody holds the other end of the pipe any more
