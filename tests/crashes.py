"""Commands that a process of its own runs, and that it is cut off in the midst of."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from django.db import connection

from kimberly.lib import crashpoints
from tests.house.sources import PROJECT
from tests.waiting import until

IN_A_TRANSACTION = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend' AND xact_start IS NOT NULL
"""


def cut_off(*command: str, at: str) -> None:
    """Let a process run the command until the crashpoint, and PostgreSQL see that it is gone.

    A server notices a dead client a moment after the client's end. Until then the dead one's transaction holds its
    rows, and whoever skips what is held finds nothing to go on with.
    """
    environment = {**os.environ, crashpoints.ENVIRONMENT: at, "DJANGO_SETTINGS_MODULE": "kimberly.settings"}
    started = [sys.executable, "-W", "ignore", "manage.py", *command]
    done = subprocess.run(started, cwd=PROJECT, env=environment, check=False, capture_output=True)
    assert done.returncode == crashpoints.EXIT_STATUS, f"it does not pass {at}: {done.stderr.decode()[-500:]}"
    until(_nobody_is_in_a_transaction, what="the server to roll back what the dead process had begun")


def points_in(*modules: ModuleType) -> list[tuple[str, str]]:
    """Every crashpoint in the code of the modules that has a name of its own, with the function that passes it."""
    functions = [node for module in modules for node in _tree(module).body if isinstance(node, ast.FunctionDef)]
    points = sorted(
        (function.name, str(call.args[0].value))
        for function in functions
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "crashpoint"
        and isinstance(call.args[0], ast.Constant)
    )
    assert points, "none is found, so that nothing would be cut off"
    return points


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _nobody_is_in_a_transaction() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IN_A_TRANSACTION)
        return cursor.fetchone() is None
