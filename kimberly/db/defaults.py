"""Expressions for `db_default`."""

from django.db.models import Func, UUIDField


class Uuid7(Func):
    """PostgreSQL 18's uuidv7(): in order of time, so that new rows lie together in the index."""

    function = "uuidv7"
    template = "%(function)s()"
    arity = 0
    output_field = UUIDField()
