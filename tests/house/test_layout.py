"""Files and functions stay as small as STYLE asks."""

import ast

from tests.house.sources import python_files, text_of

LONGEST_FUNCTION = 40
LONGEST_FILE = 400


def functions(path):
    """(name, lines) of every function in the file."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_no_function_is_longer_than_forty_lines():
    long = [
        f"{path}: {name} has {lines}"
        for path in python_files()
        for name, lines in functions(path)
        if lines > LONGEST_FUNCTION
    ]

    assert long == []


def test_no_file_is_longer_than_four_hundred_lines():
    lengths = {path: text_of(path).count("\n") for path in python_files()}

    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}
