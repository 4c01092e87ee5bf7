"""The documents say what the code says."""

import os
import re
import subprocess
import sys
from dataclasses import fields

from kimberly.config import Config
from ops.reference import settings as settings_list
from tests.house.sources import PROJECT, files, python_files, text_of

NAME = re.compile(r"\b(?:KIMBERLY_[A-Z_]+|DATABASE_URL|REDIS_URL|SENTRY_[A-Z_]+|PROMETHEUS_[A-Z_]+)(?<!_)\b")
LINK = re.compile(r"\]\(([^)#\s]+)")
ROOT_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


def test_the_generated_lists_are_current():
    # In a process of its own: test modules may declare metrics and refusals too.
    check = [sys.executable, "-W", "ignore", "manage.py", "generate_docs", "--check"]

    done = subprocess.run(check, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.returncode == 0


def test_each_name_that_the_code_reads_from_the_environment_is_documented():
    listed = settings_list.render()
    read = {name for path in python_files() if path.parts[0] != "tests" for name in NAME.findall(text_of(path))}

    assert {name for name in read if f"`{name.removesuffix('_FILE')}`" not in listed} == set()


def test_the_example_environment_has_each_setting_with_its_default():
    lines = text_of(PROJECT / ".env.example").splitlines()
    given = dict(line.removeprefix("#").partition("=")[::2] for line in lines if re.match(r"#?[A-Z_]+=", line))

    assert given == {field.metadata["name"]: field.metadata["default"] or "" for field in fields(Config)}


def test_no_document_links_to_a_file_that_is_not_there():
    documents = [path for path in files() if path.suffix == ".md"]
    broken = [
        f"{path}: {target}"
        for path in documents
        for target in LINK.findall(text_of(path))
        if "://" not in target and not (PROJECT / path.parent / target).exists()
    ]

    assert [name for name in ROOT_DOCUMENTS if not (PROJECT / name).exists()] == []
    assert broken == []


def test_a_decision_takes_at_most_forty_lines():
    records = [path for path in files() if path.parent.as_posix() == "docs/adr"]

    assert records != []
    assert {path.name: lines for path in records if (lines := text_of(path).count("\n")) > 40} == {}
    assert [path.name for path in records if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)] == []
