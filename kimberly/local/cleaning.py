"""Removing a data folder."""

from pathlib import Path

from kimberly.local import credentials, lock
from kimberly.local.errors import StackError
from kimberly.local.folders import remove_data_dir
from kimberly.local.progress import say


def clean(data_dir: Path) -> None:
    """Remove the folder; raise AlreadyRunning while a stack uses it, StackError when it is not one of ours."""
    if not data_dir.exists():
        say(f"There is no {data_dir}.")
        return
    if not (data_dir / credentials.FILE_NAME).exists():
        raise StackError(f"{data_dir} holds no data of Kimberly's; it stays as it is.")
    with lock.take(data_dir):
        remove_data_dir(data_dir)
    say(f"Removed {data_dir}.")
