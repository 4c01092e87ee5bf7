"""The image's build steps carried out in a folder, without a container engine: the Dockerfile's own commands."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import PROJECT, files, text_of

FOLDERS = re.compile(r"(?<![\w.-])/(app|venv|wheels)(?=[/\s]|$)")


@dataclass(frozen=True)
class Image:
    """What the build stage leaves behind, below `root` instead of below /."""

    root: Path

    @property
    def app(self) -> Path:
        return self.root / "app"

    @property
    def python(self) -> Path:
        return self.root / "venv" / "bin" / "python"

    def snapshot(self) -> dict[str, float]:
        """Every file with its time of change."""
        return {str(path): path.stat().st_mtime for path in self.root.rglob("*") if path.is_file()}


def instructions() -> list[tuple[str, str]]:
    """(name, arguments) of each of the Dockerfile's instructions."""
    lines = [line for line in text_of(Path("Dockerfile")).splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    pairs = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, " ".join(arguments.split())) for name, arguments in pairs]


def build_commands() -> list[str]:
    """The RUN commands of the first stage."""
    names = [name for name, _ in instructions()]
    end = [place for place, name in enumerate(names) if name == "FROM"][1]
    return [arguments for name, arguments in instructions()[:end] if name == "RUN"]


def copy_context(to: Path) -> None:
    """What .dockerignore lets through, of the project's own files."""
    let_in = {line[1:] for line in text_of(Path(".dockerignore")).splitlines() if line.startswith("!")}
    for path in files():
        if path.parts[0] in let_in:
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / path, to / path)


def build(root: Path) -> Image:
    """Carry the build stage out; its last output is in the error when a command fails."""
    image = Image(root)
    image.app.mkdir(parents=True)
    copy_context(image.app)
    # The engine's base image has python and pip on its path; here they are this interpreter's.
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(root)}
    environ |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    for command in build_commands():
        here = FOLDERS.sub(lambda found: str(root / found[1]), command)
        done = subprocess.run(
            ["sh", "-c", here], cwd=image.app, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
    return image
