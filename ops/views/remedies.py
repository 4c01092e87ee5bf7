"""The remedies that a page offers for a tier that fills: what each would do, and where its form is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from kimberly.lib import bytesize
from memory.rules import remedies
from memory.rules.limits import ThrottleScope
from memory.rules.remedies import Effect
from memory.rules.tiers import Tier
from ops import words
from ops.queries.burst import Filler
from ops.views.forms import BLOCK, ENDS, RATES, TIMES_PLAN

THROTTLE_END, BLOCK_END, RAISE_END = "4h", "1h", "24h"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do and what it would do; `url` is its form with everything filled in but the reason."""

    name: str
    note: str
    effect: Effect
    button: str = ""
    url: str = ""
    why_not: str = ""


def of(filler: Filler, tier: Tier, *, now: datetime) -> list[Remedy]:
    """Nothing first, for comparison; then from the mildest on."""
    nothing = remedies.nothing(filler.situation, now=now)
    return [
        Remedy("Nothing more", _held(filler), nothing),
        *_raises(filler, tier, now),
        *_throttles(filler, now),
    ]


def _held(filler: Filler) -> str:
    held = [f"{brake.says} until {brake.ends_at:%H:%M}" for brake in filler.brakes]
    if filler.limit.ends_at is not None:
        held.append(f"the raise ends at {filler.limit.ends_at:%H:%M}, then {bytesize.human(filler.limit.then_bytes)}")
    return ", ".join(held) or "no throttle and no raise holds"


def _raises(filler: Filler, tier: Tier, now: datetime) -> Iterator[Remedy]:
    for to, times in TIMES_PLAN.items():
        hard_bytes = int(filler.plan_bytes * times)
        effect = remedies.raised(filler.situation, hard_bytes=hard_bytes, ends_at=now + ENDS[RAISE_END], now=now)
        is_more = hard_bytes > filler.limit.hard_bytes
        yield Remedy(
            name=f"Raise to {bytesize.human(hard_bytes)}",
            note=f"for 24 h, then {bytesize.human(effect.then_bytes)}",
            effect=effect,
            button="Raise",
            url=_form("ops:raise-quota", filler, tier=tier, to=to, end=RAISE_END),
            why_not="" if is_more else f"{bytesize.human(filler.limit.hard_bytes)} hold already",
        )


def _throttles(filler: Filler, now: datetime) -> Iterator[Remedy]:
    holds = next((brake for brake in filler.brakes), None)
    why_not = f"{holds.says} hold: lift it first" if holds else ""
    for rate in reversed(RATES):
        effect = remedies.throttled(filler.situation, per_minute=int(rate), ends_at=now + ENDS[THROTTLE_END], now=now)
        idle = "the plan’s own rate is lower" if int(rate) >= filler.plan_per_minute else ""
        yield Remedy(
            name=f"Throttle to {words.rate(ThrottleScope.WRITE, int(rate))}",
            note="for 4 h" if effect.slows else "for 4 h; holds nothing back at this pace",
            effect=effect,
            button="Throttle",
            url=_form("ops:throttle", filler, scope=ThrottleScope.WRITE, rate=rate, end=THROTTLE_END),
            why_not=why_not or idle,
        )
    yield Remedy(
        name="Block writes",
        note="for 1 h",
        effect=remedies.blocked(filler.situation, ends_at=now + ENDS[BLOCK_END], now=now),
        button="Block",
        url=_form("ops:throttle", filler, scope=ThrottleScope.WRITE, rate=BLOCK, end=BLOCK_END),
        why_not=why_not,
    )


def _form(page: str, filler: Filler, **filled: str) -> str:
    return f"{reverse(page, args=[filler.public_id])}?{urlencode(filled)}"
