"""A traceback in the log says where and what, without the values that it failed on."""

import json
import subprocess
import sys

import psycopg
import pytest
from django.db import connection, transaction
from django.urls import resolve
from pydantic import BaseModel

from kimberly.lib import logging as logs
from tests.house.sources import PROJECT
from tests.personas import NOON

CANARY = "the-diary-of-alice"


def trace_of(call):
    """What the log would say of the exception that the call raises."""
    with pytest.raises(Exception) as raised:  # whatever it is, it is what the log gets
        call()
    return logs.trace((raised.type, raised.value, raised.tb))


def execute(statement, *parameters):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


class Age(BaseModel):
    years: int


@pytest.mark.promise("V9")
@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (lambda: int(CANARY), "ValueError"),
        (lambda: dict[str, int]()[CANARY], "KeyError"),
        (f"{CANARY}\ud800".encode, "UnicodeEncodeError"),
        (lambda: Age.model_validate({"years": CANARY}), "pydantic_core._pydantic_core.ValidationError"),
        (lambda: resolve(f"/{CANARY}"), "django.urls.exceptions.Resolver404"),
    ],
)
def test_values_that_exceptions_quote_are_not_logged(fails, said):
    trace = trace_of(fails)

    assert CANARY not in trace
    assert trace.splitlines()[-1] == said


@pytest.mark.promise("V9")
@pytest.mark.parametrize("content", [CANARY, f"\n{CANARY}\nCONTEXT: {CANARY}"])
def test_rows_and_parameters_that_postgresql_quotes_are_not_logged(alice, content):
    row = "INSERT INTO memory_item (user_id, tier, content, size_bytes, created_at) VALUES (%s, 'none', %s, 1, %s)"

    refused_row = trace_of(lambda: execute(row, alice.id, content, NOON))
    unreadable_value = trace_of(lambda: execute("SELECT CAST(%s::text AS date)", content))

    assert CANARY not in refused_row + unreadable_value
    assert "IntegrityError: SQLSTATE 23" in refused_row
    assert "DataError: SQLSTATE 22007" in unreadable_value


def test_causes_are_told_in_order_each_with_its_place():
    def inner():
        raise OSError(111, "Connection refused")

    def outer():
        try:
            inner()
        except OSError as error:
            raise RuntimeError("the worker stopped") from error

    trace = trace_of(outer)

    assert trace.index("ConnectionRefusedError: [Errno 111] Connection refused") < trace.index("which led to:")
    assert trace.endswith("RuntimeError: the worker stopped")
    assert trace.index("in inner") < trace.index("which led to:") < trace.rindex("in outer")


def test_a_database_that_is_away_is_named_with_its_reason():
    trace = trace_of(lambda: psycopg.connect("postgresql://nobody@127.0.0.1:1/none"))

    assert "Connection refused" in trace


@pytest.mark.promise("V9")
def test_a_failed_task_is_logged_without_the_value_that_it_failed_on():
    program = [sys.executable, "-m", "tests.logs.failing", CANARY]

    done = subprocess.run(program, cwd=PROJECT, capture_output=True, check=True, text=True)

    line = json.loads(done.stderr)
    assert "Task tests.fail" in line["event"]
    assert line["exception"].splitlines()[-1] == "ValueError"
    assert CANARY not in done.stderr
