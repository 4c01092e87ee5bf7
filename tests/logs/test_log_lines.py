"""Whatever is logged, it is one JSON object on one line."""

import json
import subprocess
import sys

import pytest

from tests.counts import rounds
from tests.house.sources import PROJECT
from tests.logs import hostile

pytestmark = pytest.mark.promise("V9")
LINES_A_TEXT = 6


def logged(texts):
    """The bytes of the log of a process that logs these texts everywhere."""
    program = [sys.executable, "-m", "tests.logs.speaking"]
    done = subprocess.run(program, input=json.dumps(texts).encode(), cwd=PROJECT, capture_output=True, check=True)
    return done.stderr


def test_each_record_is_one_line_of_json_whatever_its_fields_hold():
    texts = hostile.texts(rounds(20, 60), seed=9)

    lines = logged(texts).splitlines()

    assert len(lines) == LINES_A_TEXT * len(texts)
    assert {type(json.loads(line)) for line in lines} == {dict}


def test_no_byte_of_a_log_can_move_a_terminals_cursor():
    written = logged(hostile.PARTS)

    assert written.isascii()
    assert {byte for byte in written if byte < 32} == {ord("\n")}


def test_what_was_logged_is_read_back_as_it_was():
    lines = [json.loads(line) for line in logged(hostile.PARTS).splitlines()]

    for place, text in enumerate(hostile.PARTS):
        first, second = lines[place * LINES_A_TEXT :][:2]
        assert (first["event"], first["request_id"], first["client"]) == (text, text, text)
        assert (second["field"], second["many"]) == (text, [text, {"inner": text}])
