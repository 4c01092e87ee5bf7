"""The lock files as data."""

import re
from dataclasses import dataclass

from packaging.requirements import Requirement

from tests.house.sources import PROJECT

PRODUCTION = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"


@dataclass(frozen=True)
class Locked:
    """One package of a lock file."""

    requirement: Requirement
    hashes: int
    comes_from: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.requirement.name

    @property
    def version(self) -> str:
        """Empty where the file does not name exactly one."""
        pins = [one for one in self.requirement.specifier if one.operator == "=="]
        return pins[0].version if len(pins) == 1 else ""

    @property
    def is_for_here(self) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def locked(file_name: str) -> dict[str, Locked]:
    """The packages of a lock file by name."""
    text = (PROJECT / file_name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = re.split(r"(?m)^(?=[a-z])", text)[1:]
    # A package may have a version for each Python: the one for here counts.
    return {one.name: one for one in sorted(map(_locked, entries), key=lambda one: one.is_for_here)}


def _locked(entry: str) -> Locked:
    first, *comments = entry.splitlines()
    comes_from = tuple(line.strip("# ").removeprefix("via").strip() for line in comments)
    return Locked(Requirement(first.partition("--hash")[0]), first.count("--hash=sha256:"), comes_from)
