#!/usr/bin/env python3
"""Django's command line. Without DATABASE_URL it speaks to the stack that `make up` runs here."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
    from django.core.management import execute_from_command_line

    from kimberly.local.running import adopt_running_stack

    adopt_running_stack(os.environ)
    from kimberly.celery import app

    app.set_default()  # the application whose broker a command's tasks are sent to
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
