"""Data folders that a database's account can enter, and nothing left behind by a test that fails."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kimberly.local.folders import remove_data_dir
from tests.local.watching import processes_of


def make_folder() -> Path:
    # Not pytest's tmp_path: nobody but its owner enters that one.
    folder = Path(tempfile.mkdtemp(prefix="kimberly-test-"))
    folder.chmod(0o711)
    return folder


def remove_folder(folder: Path) -> None:
    for pid in processes_of(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with suppress(FileNotFoundError):
        remove_data_dir(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    remove_folder(folder)


@pytest.fixture
def other_data_dir() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    remove_folder(folder)
