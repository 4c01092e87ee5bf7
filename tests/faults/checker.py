"""Answers each line of its input with what `manage.py check_invariants` finds; Django is started only once."""

import sys

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402 - Django first
from django.db import connection  # noqa: E402 - as above

from kimberly.audit import tasks  # noqa: E402 - as above

if __name__ == "__main__":
    for _ in sys.stdin:
        tasks.seal()  # as the job of each minute does
        try:
            call_command("check_invariants", stdout=sys.stderr)
            print("well", flush=True)  # noqa: T201 - read by the test's process
        except CommandError as error:
            print(error, flush=True)  # noqa: T201 - as above
        connection.close()
