"""The stack's command line: `python -m kimberly.local up`."""

import argparse
import os
import sys
from collections.abc import Sequence
from signal import Signals

from kimberly.config import WrongSettings
from kimberly.local import cleaning, deathsignal, logs, options, packages, stack
from kimberly.local.errors import StackError
from kimberly.local.progress import complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what a person can mend is said in one line, with exit code 1."""
    chosen = _parser().parse_args(arguments)
    try:
        return _run(chosen)
    except (StackError, WrongSettings) as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `logs | head`: Python's own last flush must not fail as well
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(chosen: argparse.Namespace) -> int:
    if chosen.command == "packages":
        packages.provide(chosen.names)
        return 0
    if chosen.command == "up":
        return _up(chosen)
    data_dir = options.load().data_dir
    if chosen.command == "clean":
        cleaning.clean(data_dir)
    else:
        logs.show(data_dir / "logs", chosen.names, follow=chosen.follow)
    return 0


def _up(chosen: argparse.Namespace) -> int:
    if chosen.stop_with_parent:
        deathsignal.arm(Signals.SIGTERM, parent=os.getppid())
    return stack.up(options.load())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kimberly.local", description="The stack of this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    up.add_argument("--stop-with-parent", action="store_true", help="stop also when the calling process is killed")
    commands.add_parser("clean", help="remove the data folder")
    shown = commands.add_parser("logs", help="print the log files readably")
    shown.add_argument("--follow", "-f", action="store_true", help="go on with what is added")
    shown.add_argument("names", nargs="*", help="web, worker, beat, postgres, ... (all)")
    wanted = commands.add_parser("packages", help="install Debian packages that are missing, as root")
    wanted.add_argument("names", nargs="+")
    return parser


if __name__ == "__main__":
    sys.exit(main())
