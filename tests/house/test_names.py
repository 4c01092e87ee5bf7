"""Constraints and indexes say in their names which table's rule they are: an error names its rule by itself."""

import re

from django.db import connection

RULES = {"c": "ck", "u": "uq", "x": "ex"}
# Django names the keys, and the indexes of foreign keys, by itself.
AUTOMATIC = re.compile(r"_[0-9a-f]{8}(_like|_fk_\w+)?$")
FOREIGN = ("auth_", "axes_", "django_")

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype::text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'u', 'x') ORDER BY 1, 2
"""
INDEXES = """
    SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, i.indisunique FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid AND c.relnamespace = 'public'::regnamespace
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY 1, 2
"""


def rows(statement):
    """Of our own tables."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row for row in cursor.fetchall() if not row[0].startswith(FOREIGN)]


def test_each_constraint_is_named_after_its_table_and_kind(db):
    found = rows(CONSTRAINTS)

    assert len(found) > 30
    assert [name for table, name, kind in found if not re.fullmatch(rf"{table}_\w+_{RULES[kind]}", name)] == []


def test_each_index_is_named_after_its_table_and_kind(db):
    found = [row for row in rows(INDEXES) if not AUTOMATIC.search(row[1])]

    assert len(found) > 5
    wrong = [
        name for table, name, unique in found if not re.fullmatch(rf"{table}_\w+_{'uq' if unique else 'ix'}", name)
    ]
    assert wrong == []
