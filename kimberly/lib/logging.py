"""Logs: one JSON object a line, with the context of the request or task, and nothing of what a client sent."""

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict

# Messages of other kinds quote the value that they complain about, which may be a person's words.
TELLING = (OSError, RuntimeError, TypeError, AttributeError, ImportError, NameError, ArithmeticError)
AWAY = ("ConnectionError", "TimeoutError", "OperationalError", "InterfaceError")  # as drivers call a lost server


def trace(exc_info: tuple[type[BaseException], BaseException, Any]) -> str:
    """The traceback with its causes, oldest first, as Python prints it, but without messages that may quote values."""
    chain: list[BaseException] = []
    error: BaseException | None = exc_info[1]
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [[*traceback.format_tb(error.__traceback__), _named(error)] for error in reversed(chain)]
    return "\nwhich led to:\n".join("".join(part) for part in parts)


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    # PostgreSQL's messages quote rows and parameters; the SQLSTATE and the statement's place in the code say enough.
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if state is not None:
        return f"{name}: SQLSTATE {state}"
    return f"{name}: {error}" if isinstance(error, TELLING) or kind.__name__ in AWAY else name


def without_error_text(record: logging.LogRecord) -> bool:
    """A filter for Celery's line of a failed task, whose message repeats the exception with its values."""
    if isinstance(record.args, Mapping) and "exc" in record.args:
        record.args = {**record.args, "exc": str(record.args["exc"]).partition("(")[0]}
    return True


TIME = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
AS_JSON = structlog.processors.JSONRenderer(default=str)
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    TIME,
    structlog.processors.ExceptionRenderer(trace),
]


def configure(level: str) -> None:
    """Send every record of structlog and of the standard library to stderr as one JSON line each.

    The lines are ASCII: a control character of any script, which a terminal might obey, arrives as its escape.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            AS_JSON,
        ],
    )
    logging.captureWarnings(True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("celery.app.trace").addFilter(without_error_text)
    # Django would log each 4xx with the request as an extra; our own request line says it with the context.
    logging.getLogger("django.request").setLevel("CRITICAL")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def straight_to_stderr(name: str) -> Any:
    """A logger for lines as frequent as requests: the same lines, past the standard library's records and handlers.

    Those took about a tenth of a create. What `configure` says of the level holds.
    """
    root, levels = logging.getLogger(), logging.getLevelNamesMapping()

    def named(_logger: Any, method: str, event: EventDict) -> EventDict:
        if root.level > levels[method.upper()]:
            raise structlog.DropEvent
        event["logger"] = name
        return event

    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[named, structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, TIME, AS_JSON],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=True,
    )
