import json

import pytest

from kimberly.local import logs
from kimberly.local.errors import StackError


def write(folder, name, *lines):
    (folder / f"{name}.log").write_text("".join(f"{line}\n" for line in lines))


def test_a_json_line_becomes_time_level_event_and_values():
    line = json.dumps({"status": 200, "event": "request", "level": "info", "time": "2026-01-02T03:04:05Z"})

    assert logs.render(line) == "2026-01-02T03:04:05Z info    request status=200"


def test_a_value_with_spaces_is_quoted():
    assert logs.render('{"event": "task", "name": "a b", "empty": ""}').endswith('task name="a b" empty=""')


def test_a_traceback_keeps_its_lines():
    assert logs.render('{"event": "failed", "exception": "Traceback\\n  here"}').endswith("failed\nTraceback\n  here")


@pytest.mark.parametrize("line", ["LOG:  ready", "", "{", "[1]", '"text"', "{}"])
def test_any_other_line_stays_as_it_is(line):
    assert logs.render(line) == line


def test_lines_of_all_programs_are_put_in_order_of_time(tmp_path, capsys):
    write(tmp_path, "web", '{"event": "second", "time": "2026-01-01T00:00:02.5Z"}')
    write(
        tmp_path,
        "postgres",
        "2026-01-01 00:00:01.000 UTC [1] LOG:  first",
        "2026-01-01 00:00:03.000 UTC [1] LOG:  third",
    )

    logs.show(tmp_path, [], follow=False)

    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["first", "second", "third"]


def test_only_the_named_ones_are_shown(tmp_path, capsys):
    write(tmp_path, "web", "here")
    write(tmp_path, "beat", "not here")

    logs.show(tmp_path, ["web"], follow=False)

    assert capsys.readouterr().out == "web       here\n"


def test_an_unknown_name_is_refused_with_those_there_are(tmp_path):
    write(tmp_path, "web", "here")

    with pytest.raises(StackError, match=r"No log wed in .* There: web"):
        logs.show(tmp_path, ["wed"], follow=False)


def test_half_a_line_waits_for_its_other_half(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("whole\nha")
    log = logs.Log(path)
    first = [entry.text for entry in log.added()]

    with path.open("a") as file:
        file.write("lf\n")

    assert first == ["whole"]
    assert [entry.text for entry in log.added()] == ["half"]
