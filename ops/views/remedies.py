"""The remedies that a page offers for a tier that fills: what each would do, and where its form is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from kimberly.lib import bytesize, clock
from memory.queries import movable
from memory.rules import forecast, remedies
from memory.rules.limits import ThrottleScope
from memory.rules.plans import share_bytes
from memory.rules.remedies import Effect, Movable
from memory.rules.tiers import Tier
from ops import charts, words
from ops.charts import Lines
from ops.queries.burst import Filler
from ops.views.forms import BLOCK, ENDS, RATES, TIMES_PLAN
from ops.views.planforms import SHARES

PLANNED_SHARES = ("25", "50")
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
    """Nothing first, for comparison; then what makes room, and what holds writes back, each from the mildest on."""
    nothing = remedies.nothing(filler.situation, now=now)
    found = movable.of_tier(filler.user_id, tier, now=now)
    return [
        Remedy("Nothing more", _held(filler), nothing),
        *_raises(filler, tier, now),
        *(_meditation(filler, found, now) if found else ()),
        *(_plans(filler, found, now) if found else ()),
        *_throttles(filler, now),
    ]


AHEAD = timedelta(hours=6)
TONES = ("bad", "ask", "info")


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next hours as they would be: each drawn remedy with its path, tone, dash and words."""

    lines: Lines
    drawn: list[tuple[Remedy, str, str, int, str]]


def ahead(filler: Filler, offered: Sequence[Remedy], *, now: datetime) -> Ahead:
    """Nothing, the first raise and the block side by side: the range within which the others lie."""
    shown = [offered[0], next(one for one in offered if one.button == "Raise"), offered[-1]]
    curves = [
        forecast.curve(filler.used_bytes, one.effect.limit, one.effect.pace, now=now, until=now + AHEAD)
        for one in shown
    ]
    lines = charts.lines(curves, limit_bytes=filler.limit.hard_bytes)
    drawn = [
        (one, path, tone, dash, words.outlook(one.effect.forecast, now))
        for dash, (one, path, tone) in enumerate(zip(shown, lines.paths, TONES, strict=True))
    ]
    return Ahead(lines, drawn)


def _held(filler: Filler) -> str:
    now = filler.now
    held = [f"{brake.says} until {clock.time_of_day(brake.ends_at, now)}" for brake in filler.brakes]
    if filler.limit.ends_at is not None:
        then = bytesize.human(filler.limit.then_bytes)
        held.append(f"the raise ends {words.relative(filler.limit.ends_at, now)}, then {then}")
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


def _meditation(filler: Filler, found: Movable, now: datetime) -> Iterator[Remedy]:
    effect = remedies.meditated(filler.situation, found, now=now)
    lasting = "it takes nothing of permanent" if found.tier is Tier.PERMANENT else ""
    frees = effect.frees_bytes or 0
    idle = "" if frees > 0 else "nothing is above the soft limit or past its life, or the day’s cap is used"
    soft, allowed = bytesize.human(found.soft_bytes), bytesize.human(found.allowed_bytes)
    yield Remedy(
        name="Meditate now",
        note=f"archives down to {soft}, {allowed} today at most",
        effect=effect,
        button="Meditate",
        url=_form("ops:meditate", filler),
        why_not=lasting or idle,
    )


def _plans(filler: Filler, found: Movable, now: datetime) -> Iterator[Remedy]:
    """What a plan for a share of the tier frees, once a lead has applied it."""
    for free in PLANNED_SHARES:
        target_bytes = share_bytes(SHARES[free], filler.used_bytes)
        effect = remedies.planned(filler.situation, found, target_bytes=target_bytes, now=now)
        short = target_bytes - (effect.frees_bytes or 0)
        kept = f"; {bytesize.human(short)} more are protected" if short else ""
        yield Remedy(
            name=f"Prune {free} %",
            note=f"once a lead has applied the plan{kept}",
            effect=effect,
            button="Plan",
            url=_form("ops:plan-prune", filler, tier=found.tier, free=free),
            why_not="" if effect.frees_bytes else "nothing there may be archived",
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
