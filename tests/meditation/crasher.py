"""A process that meditates on everybody, as a worker does: the tests let it end anywhere."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")
django.setup()

from kimberly.lib import clock  # noqa: E402 # models are there only now
from memory.services import meditationruns as runs  # noqa: E402
from memory.services.meditationruns import AlreadyMeditating  # noqa: E402
from tests.meditation.runs import begin  # noqa: E402


def main() -> None:
    try:
        begin(now=clock.utc_now())
    except AlreadyMeditating:
        sys.stdout.write("taken up again\n")
    while (shard := runs.take(now=clock.utc_now())) is not None:
        runs.do(shard, tell_time=clock.utc_now)


if __name__ == "__main__":
    main()
