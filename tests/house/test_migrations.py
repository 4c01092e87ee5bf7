"""Migrations say all that the models say, and can be applied to a database in use."""

import contextlib
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django_migration_linter import MigrationLinter

APPS = ["audit", "clients", "memory", "ops"]


def test_no_model_differs_from_its_migrations(db):
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_no_migration_does_what_the_code_before_it_could_not_live_with(db):
    linter = MigrationLinter(str(settings.BASE_DIR), include_apps=APPS, no_cache=True)
    said = StringIO()

    with contextlib.redirect_stdout(said):
        linter.lint_all_migrations()

    assert linter.nb_total > len(APPS)
    assert not linter.has_errors, said.getvalue()
