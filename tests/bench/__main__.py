"""`make bench`: run every benchmark against its floor in one run and write docs/benchmarks.md."""

import os
import platform
import sys
from pathlib import Path

from tests import plugin

INTRODUCTION = """Written by `make bench`. Each figure is a ratio against a floor that the same run measures: the same
work as plain SQL through psycopg in one process, all else left out. The median of the rounds counts."""
DOCUMENT = Path("docs/benchmarks.md")


def main() -> None:
    plugin.pytest_load_initial_conftests([])
    os.environ["DJANGO_SETTINGS_MODULE"] = "kimberly.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from tests.bench import create, meditation, plans, portal, query

    sections = [create.measure(), query.measure(), portal.measure(), meditation.measure(), plans.measure()]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18, all on one machine"
    text = "\n\n".join(
        [
            "# Benchmarks",
            INTRODUCTION,
            f"Measured on: {machine}.",
            *(section.text for section in sections),
        ]
    )
    DOCUMENT.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    sys.exit(0 if all(section.passed for section in sections) else 1)


if __name__ == "__main__":
    main()
