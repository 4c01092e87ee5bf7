"""The examples of README and docs/api.md are run as they stand, one after the other."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import text_of
from tests.personas import issue_key, unique

PYTHON = re.compile(r"(?ms)^```python\n(.*?)^```$")
SHELL = re.compile(r"(?ms)^```sh\n(.*?)^```$")
FIND_ID = """
AUTH="Authorization: Bearer $KEY" JSON='Content-Type: application/json'
ID=$(curl -s "$URL/api/v1/memory?user_id=acct-55102&tag=travel" -H "$AUTH" \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])')
"""


def shell_blocks(path):
    """The blocks that speak to the API; those of docs/api.md that make keys speak to the database."""
    return [block for block in SHELL.findall(text_of(Path(path))) if "manage.py" not in block]


@pytest.fixture
def run(web, tmp_path):
    """Runs blocks in one shell, in a folder where `make up` seems to have been; what each printed."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "portal.json").write_text(json.dumps({"url": web.url, "api_key": issue_key()}))
    user = unique("acct")

    def run_blocks(blocks):
        script = "set -euo pipefail\n" + "\nprintf '\\n=====\\n'\n".join(blocks)
        here = script.replace("acct-55102", user).replace("/tmp/", f"{tmp_path}/")
        done = subprocess.run(
            ["bash", "-c", here], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return [part.strip() for part in done.stdout.split("=====\n")]

    return run_blocks


@pytest.mark.slow
def test_the_first_steps_give_what_the_readme_says(run):
    _, created, listed, refused, scraped = run(shell_blocks("README.md"))

    statuses, problem = refused.splitlines()[:3], json.loads(refused.splitlines()[3])
    assert json.loads(created)["size_bytes"] == 59
    assert json.loads(listed)["total"] == 1
    assert statuses == ["201", "201", "413"]
    assert problem["detail"] in text_of(Path("README.md"))
    assert [line.split("{")[0] for line in scraped.splitlines()] == [
        "kimberly_memory_items_created_total",
        "kimberly_memory_quota_rejections_total",
        "kimberly_memory_quota_rejections_total",
        "kimberly_memory_used_bytes",
    ]


@pytest.mark.slow
def test_the_python_program_of_the_api_keeps_and_finds(web):
    [program] = PYTHON.findall(text_of(Path("docs/api.md")))
    here = program.replace("acct-55102", unique("acct"))

    done = subprocess.run(
        [sys.executable, "-c", here],
        env={**os.environ, "URL": web.url, "KEY": issue_key()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].partition(" ")[2] == "We moved to Utrecht in May."


@pytest.mark.slow
def test_the_examples_of_the_api_give_what_its_page_says(run):
    first, create, *_ = shell_blocks("README.md")

    outputs = run([first + create + FIND_ID, *shell_blocks("docs/api.md")])

    _, changed, archived, bulk, usage, found, why, pruned = outputs
    assert changed.startswith("HTTP/1.1 200 OK")
    assert 'etag: "v2"' in changed
    assert '"state":"archived"' in archived
    assert '"state":"active"' in archived
    assert [error["index"] for error in json.loads(bulk)["errors"]] == [1]
    assert '"display_name":"Dana Whitfield"' in usage
    assert json.loads(found)["mode"] == "hybrid"
    assert '"decisions":[]' in why
    assert '"kind":"meditation"' in why
    assert '"outcome":null' in pruned
    assert '"state":"applied"' in pruned
    assert '"state":"undone"' in pruned
