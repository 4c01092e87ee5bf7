"""Run as a program: logs each text of the JSON list on standard input in every place that a log line has for one."""

import json
import logging
import sys

import structlog

from kimberly.lib import logging as logs


class LostConnection(Exception):
    """An error whose message is ours to show."""


def main() -> None:
    """Six lines a text."""
    logs.configure("debug")
    for text in json.load(sys.stdin):
        speak(text)


def speak(text: str) -> None:
    ours, theirs = structlog.get_logger("kimberly.test"), logging.getLogger("a.library")
    structlog.contextvars.bind_contextvars(request_id=text, client=text)
    ours.info(text)
    ours.warning("event", field=text, many=[text, {"inner": text}])
    theirs.warning("said %s", text)
    theirs.error(text.replace("%", "%%"), extra={"more": text})
    structlog.contextvars.clear_contextvars()
    try:
        fail(text)
    except LostConnection:
        ours.exception("failed")
        theirs.exception("failed")


def fail(text: str) -> None:
    raise LostConnection(text)


if __name__ == "__main__":
    main()
