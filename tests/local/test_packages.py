import os

import pytest

from kimberly.local import packages

NO_PACKAGE = "no-such-package-of-debian"


@pytest.fixture
def ordinary_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_what_is_there_is_not_spoken_of(ordinary_user, capsys):
    packages.provide(["sh"])

    assert capsys.readouterr().out == ""


def test_what_may_not_be_installed_is_named_in_one_line(ordinary_user, capsys):
    packages.provide(["sh", NO_PACKAGE])

    said = capsys.readouterr().out
    assert said.startswith(f"Missing on this machine: {NO_PACKAGE}.")
    assert said.count("\n") == 1
