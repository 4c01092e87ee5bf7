"""A small file system, so that a disk can really be full. Needs root and `mount`: where they are missing, it fails."""

import subprocess
from pathlib import Path
from typing import Self

import pytest


class SmallDisk:
    """A tmpfs of so many MB on the folder, as long as the `with` lasts."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder = folder
        self._megabytes = megabytes

    def grow(self, megabytes: int) -> None:
        _run("mount", "-o", f"remount,size={megabytes}m", str(self.folder))

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=0755", "tmpfs", str(self.folder))
        return self

    def __exit__(self, *_error: object) -> None:
        _run("umount", "--lazy", str(self.folder))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        pytest.fail(f"A full disk needs root and the right to mount: {' '.join(command)}: {said}", pytrace=False)
