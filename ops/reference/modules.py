"""Imports everything of ours, so that every declaration has been made."""

import importlib
import pkgutil

PACKAGES = ("kimberly", "memory", "ops")
# Entry points that start something, and what has declarations of its own kind only.
LEFT_OUT = {"wsgi", "asgi", "__main__", "management", "migrations", "local"}


def import_all() -> None:
    """Import each module of our packages once."""
    for name in PACKAGES:
        _import_below(name)


def _import_below(name: str) -> None:
    package = importlib.import_module(name)
    for found in pkgutil.iter_modules(package.__path__, f"{name}."):
        if found.name.rpartition(".")[2] in LEFT_OUT:
            continue
        if found.ispkg:
            _import_below(found.name)
        else:
            importlib.import_module(found.name)
