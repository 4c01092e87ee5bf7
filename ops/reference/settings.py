"""docs/settings.md"""

from dataclasses import Field, fields
from typing import Any

from kimberly.config import Config
from kimberly.local.options import Options
from ops.reference.tables import code, page, table

INTRODUCTION = """Read once, when a process starts, from the environment: `NAME`, or the file that `NAME_FILE` points at
(for secrets that are mounted). A process does not start with a missing or wrong one; it names all of them in one
message. The table is `kimberly/config.py`."""

FOR_THE_STACK = """## Of `make up` and the image

What starts the processes reads these beside the settings above (`kimberly/local/options.py`). `make up` also makes up
the secrets that are not given."""

# Read where they are used, and nowhere else: a command's answer to a question, or what a library or a test asks for.
OTHERS = {
    "KIMBERLY_STAFF_PASSWORD": "`manage.py create_staff` takes the password from it where there is no terminal.",
    "KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD": "`make up` hands it to `manage.py bootstrap_local`: the demo's sign-in.",
    "KIMBERLY_BOOTSTRAP_API_KEY": "The same for the demo's API key.",
    "PROMETHEUS_MULTIPROC_DIR": "Where the web processes of one instance keep their metrics; emptied at start.",
    "KIMBERLY_TEST_COUNTS": "`full`: the tests go round as often as `make test-long` asks.",
    "KIMBERLY_CRASH_AT": "Tests only: the process ends at this named place.",
}


def render() -> str:
    of_config = {field.metadata["name"] for field in fields(Config)}
    for_stack = [field for field in fields(Options) if field.metadata["name"] not in of_config]
    return page(
        "Settings",
        INTRODUCTION,
        _table(fields(Config)),
        FOR_THE_STACK,
        _table(for_stack),
        "## Read by one program alone",
        table(["name", "what it is"], [[code(name), about] for name, about in OTHERS.items()]),
    )


def _table(declared: Any) -> str:
    return table(["name", "default", "what it is"], [_row(field) for field in declared])


def _row(field: Field[Any]) -> list[str]:
    default = field.metadata["default"]
    shown = "required" if default is None else code(default) if default else "empty"
    return [code(field.metadata["name"]), shown, field.metadata["about"] + (" Secret." * field.metadata["secret"])]
