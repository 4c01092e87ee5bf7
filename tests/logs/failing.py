"""Run as a program: a Celery task fails on the value that is given as the argument."""

import sys

from celery import Celery

from kimberly.lib import logging as logs

app = Celery("failing", broker="memory://")


@app.task(name="tests.fail")
def fail(text: str) -> int:
    return int(text)


if __name__ == "__main__":
    logs.configure("info")
    fail.apply([sys.argv[1]])
