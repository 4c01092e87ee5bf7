import json
import os
import subprocess
import sys

import pytest

from kimberly.local import lock

# Takes the lock, says so, and holds it until its standard input ends.
HOLDER = "import sys, pathlib; from kimberly.local import lock; held = lock.take(pathlib.Path(sys.argv[1]));"
HOLDER += "held.describe(url='http://127.0.0.1:1'); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_one_is_refused_in_one_line_that_says_where_the_first_is(tmp_path, holder):
    with pytest.raises(lock.AlreadyRunning) as refusal:
        lock.take(tmp_path)

    expected = f"Kimberly is already running here: http://127.0.0.1:1 (pid {holder.pid})."
    assert str(refusal.value).startswith(expected)
    assert "\n" not in str(refusal.value)


def test_a_killed_holder_never_blocks(tmp_path, holder):
    holder.kill()
    holder.wait()

    with lock.take(tmp_path):
        assert lock.is_held(tmp_path)


def test_a_killed_holder_that_nobody_waited_for_never_blocks(tmp_path, holder):
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is still in the list of processes

    with lock.take(tmp_path):
        assert lock.is_held(tmp_path)


def test_is_free_again_after_its_release(tmp_path):
    with lock.take(tmp_path):
        pass

    assert not lock.is_held(tmp_path)


def test_notes_who_holds_it(tmp_path):
    with lock.take(tmp_path) as held:
        held.describe(url="http://127.0.0.1:8000")

        note = json.loads((tmp_path / lock.FILE_NAME).read_text())

    assert note == {"pid": os.getpid(), "url": "http://127.0.0.1:8000"}
