"""Texts that break a log line, a terminal or a reader of logs."""

import random

PARTS = (
    "\r\nforged: line",
    "\n",
    "\r",
    '"}\n{"event": "forged", "level": "info"}',
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x00",
    "\x08\x08\x08",
    "'\"`\\",
    "\\n\\u000a",
    "\u2028next\u2029",
    "\x85",
    "\u202ereversed",
    "\ufeff",
    "\ud83d half of a pair",
    "%s %(event)s {0} {event}",
    "emoji \U0001f9e0 and Greek \u03c0",
    "x" * 10_000,
)


def texts(number: int, *, seed: int) -> list[str]:
    """Each part first, then mixtures of them; `seed` makes the same mixtures again."""
    chance = random.Random(seed)
    mixed = ["".join(chance.sample(PARTS[:-1], 4)) for _ in range(max(0, number - len(PARTS)))]
    return [*PARTS[:number], *mixed]
