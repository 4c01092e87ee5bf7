"""Markdown as all the lists use it."""

from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `manage.py generate_docs`; a test fails when it is not as the code says. Do not edit. -->"


def page(title: str, *parts: str) -> str:
    """A whole file: the title, where it comes from, and the parts."""
    return "\n\n".join([f"# {title}", MADE, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
