import os
import signal
import subprocess
import sys

from kimberly.local import guardian_process


def test_knows_which_groups_were_left():
    reading, writing = os.pipe()
    os.write(writing, b"+100 9\n+200 3\n+300 9\n-100\n")
    os.close(writing)

    assert guardian_process.watch(reading) == {200: signal.SIGQUIT, 300: signal.SIGKILL}


def test_ends_a_group_with_all_its_members():
    script = "import os, time; os.fork(); print('here', flush=True); time.sleep(3600)"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert [leader.stdout.readline(), leader.stdout.readline()] == [b"here\n", b"here\n"]

        guardian_process.end({leader.pid: signal.SIGKILL})

        assert leader.stdout.read() == b""  # no member holds the other end of the pipe any more
