"""What is installed is exactly what was locked, and may be used."""

import importlib.metadata
import re

import pytest

from tests.house import locks
from tests.house.sources import PROJECT

pytestmark = pytest.mark.promise("D4")

# What a package's own metadata may say, and what we call it.
FAMILIES = {
    "MIT": r"\bMIT\b",
    "Unlicense": r"\bUnlicense\b",
    "BSD": r"\bBSD\b",
    "Apache": r"\bApache\b",
    "PSF": r"\bPSF\b|Python Software Foundation",
    "MPL": r"\bMPL\b|Mozilla Public",
    "LGPL": r"\bLGPL",
    "GPL": r"\bGPL",
    "Artistic": r"\bArtistic",
    "CNRI": r"\bCNRI\b",
}
# Shipped in the image, unmodified and replaceable, as MPL and LGPL ask for.
SHIPPED = {"MIT", "Unlicense", "BSD", "Apache", "PSF", "MPL", "LGPL"}
# Tools that only run here: nothing of them is shipped.
TOOLS = SHIPPED | {"GPL", "Artistic", "CNRI"}


def licences_of(name):
    """The families that the package's metadata names."""
    about = importlib.metadata.metadata(name)
    classifiers = " ".join(line for line in about.get_all("Classifier", []) if line.startswith("License"))
    named = [line for field in ("License-Expression", "License") for line in about.get_all(field, [])]
    said = classifiers if classifiers and "License-Expression" not in about else " ".join(named).partition("\n")[0]
    return {family for family, pattern in FAMILIES.items() if re.search(pattern, said)}


@pytest.mark.parametrize("file_name", [locks.PRODUCTION, locks.DEVELOPMENT])
def test_each_package_is_locked_to_one_version_with_its_hashes(file_name):
    loose = [one.name for one in locks.locked(file_name).values() if not one.version or not one.hashes]

    assert loose == []


@pytest.mark.parametrize("file_name", [locks.PRODUCTION, locks.DEVELOPMENT, "requirements.in", "requirements-dev.in"])
def test_no_requirements_file_names_where_packages_come_from(file_name):
    text = (PROJECT / file_name).read_text(encoding="utf-8")

    assert re.findall(r"(?m)^\s*(?:-i\b|--(?:extra-)?index-url|--find-links|-f\b).*|\S*://\S*", text) == []


def test_development_runs_what_production_runs():
    development = {name: one.version for name, one in locks.locked(locks.DEVELOPMENT).items()}

    for name, one in locks.locked(locks.PRODUCTION).items():
        assert development.get(name) == one.version, name


@pytest.mark.parametrize(("file_name", "allowed"), [(locks.PRODUCTION, SHIPPED), (locks.DEVELOPMENT, TOOLS)])
def test_each_package_has_a_licence_that_we_may_use(file_name, allowed):
    here = [one.name for one in locks.locked(file_name).values() if one.is_for_here]

    named = {name: licences_of(name) for name in here}

    assert {name: said for name, said in named.items() if not said or not said <= allowed} == {}


@pytest.mark.parametrize("file_name", [locks.PRODUCTION, locks.DEVELOPMENT])
def test_the_lock_holds_what_is_asked_for_and_nothing_that_no_longer_is(file_name):
    source = file_name.replace(".txt", ".in")
    asked_for = set(re.findall(r"(?m)^([a-z][a-z0-9-]*)", (PROJECT / source).read_text(encoding="utf-8")))

    assert {one.name for one in locks.locked(file_name).values() if f"-r {source}" in one.comes_from} == asked_for
