"""What runs on a push: linted here without a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.house.sources import PROJECT, files, text_of

WORKFLOWS = [str(path) for path in files() if path.parent.as_posix() == ".github/workflows"]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def run(tool, *arguments):
    """The tool's end; what it found is in its output."""
    program = Path(sys.executable).with_name(tool)
    return subprocess.run([program, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)


def jobs():
    for path in WORKFLOWS:
        yield from yaml.safe_load(text_of(Path(path)))["jobs"].values()


def test_zizmor_finds_nothing():
    done = run("zizmor", "--offline", "--no-progress", "--persona", "pedantic", *WORKFLOWS)

    assert done.returncode == 0, done.stdout


def test_the_workflows_follow_githubs_schema():
    done = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)

    assert done.returncode == 0, done.stdout


def test_each_action_is_pinned_to_a_commit():
    used = [step["uses"] for job in jobs() for step in job["steps"] if "uses" in step]

    assert used != []
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_nothing_is_pushed_without_a_version_tag():
    pushing = [job for job in jobs() if "docker push" in str(job) or "write" in str(job.get("permissions"))]

    assert [job.get("if") for job in pushing] == ["startsWith(github.ref, 'refs/tags/v')"]


def test_the_pipelines_script_runs_the_tests_and_nothing_else():
    script = [line for line in text_of(Path(".ci/run")).splitlines() if not line.startswith("#")]

    assert script == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]
    assert os.access(PROJECT / ".ci/run", os.X_OK)
