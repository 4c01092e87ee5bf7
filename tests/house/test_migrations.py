"""Migrations say all that the models say, and can be applied to a database in use."""

import contextlib
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django_migration_linter import MigrationLinter

APPS = ["audit", "clients", "memory", "ops"]
# They replace columns that were always empty, before the first release: no older code is in use.
BEFORE_THE_FIRST_RELEASE = ["0005_items_are_found_by_words_and_vectors", "0009_notes_of_staff_are_rows_of_their_own"]
# A unique constraint that replaces one which held for all rows that the code before it can write; one on a new column.
AS_STRICT_AS_BEFORE = ["0015_runs_of_some_users", "0016_a_night_is_meditated_once"]


def test_no_model_differs_from_its_migrations(db):
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_no_migration_does_what_the_code_before_it_could_not_live_with(db):
    looked_at = [*BEFORE_THE_FIRST_RELEASE, *AS_STRICT_AS_BEFORE]
    linter = MigrationLinter(str(settings.BASE_DIR), include_apps=APPS, no_cache=True, ignore_name=looked_at)
    said = StringIO()

    with contextlib.redirect_stdout(said):
        linter.lint_all_migrations()

    assert linter.nb_total > len(APPS)
    assert not linter.has_errors, said.getvalue()
