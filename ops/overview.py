"""Is anything wrong now: the parts of the service with their states, and the verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from memory.queries.totals import Kept
from memory.rules.meditation import UNFINISHED, RunState
from ops import words
from ops.queries.overview import Facts
from ops.services.condition import Condition
from ops.services.pulse import Pulse

SEALED_WITHIN = timedelta(minutes=2)  # invariant I6
DONE_WITHIN = timedelta(minutes=3)  # the job of each minute: two may be missed by a restart
SENT_WITHIN = timedelta(minutes=6)  # beat notes every three minutes what it sent
MEDITATED_WITHIN = timedelta(hours=26)  # each night
CHECKED_WITHIN = timedelta(hours=26)  # once a day


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service: its state as tone, icon and words."""

    name: str
    tone: str
    icon: str
    says: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be. `url` is where to look at it, empty where no page shows more."""

    tone: str
    says: str
    because: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The page in one sentence, what else there is, and where to look."""

    tone: str
    icon: str
    says: str
    because: list[str]
    troubles: list[Trouble]


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the verdict looks at, as of `now`. `pulse` is None while Redis is away."""

    condition: Condition
    facts: Facts
    kept: Kept
    pulse: Pulse | None
    now: datetime

    @property
    def over_hard(self) -> int:
        """Tiers of users above the limit in force; a user may be above in more than one."""
        return sum(tier.over_hard for tier in self.kept.tiers)

    @property
    def over_soft(self) -> int:
        return sum(tier.over_soft for tier in self.kept.tiers)

    def is_late(self, at: datetime | None, within: timedelta) -> bool:
        """Whether it was last seen longer ago than it may be; not where it was never seen."""
        return at is not None and self.now - at > within


def verdict(standing: Standing) -> Verdict:
    """The worst first; without any trouble it says what was looked at."""
    troubles = sorted(_troubles(standing), key=lambda trouble: trouble.tone != "bad")
    if not troubles:
        return Verdict("ok", "ok", "Nothing is wrong.", [_all_is_well(standing)], [])
    worst, *others = troubles
    because = [worst.because, *(f"{other.says} {other.because}" for other in others)]
    if not others:
        because.append("Nothing else is wrong.")
    return Verdict(worst.tone, worst.tone, worst.says, because, troubles)


def _all_is_well(standing: Standing) -> str:
    done = standing.pulse.last_done_at if standing.pulse else None
    jobs = f"jobs ran {words.relative(done, standing.now)}, " if done else ""
    return f"The database is written and read, {jobs}nobody is above a limit, and no call was refused in the last hour."


def _troubles(standing: Standing) -> Iterator[Trouble]:
    yield from _of_database(standing)
    yield from _of_trail(standing)
    yield from _of_jobs(standing)
    yield from _of_meditation(standing)
    yield from _of_users(standing)


def _of_database(standing: Standing) -> Iterator[Trouble]:
    if standing.condition.is_full:
        yield Trouble("bad", "The database has no room left.", "Reads go on; writes are answered 503.")
    elif standing.condition.is_read_only:
        yield Trouble("bad", "The database is read-only.", "Reads go on; writes are answered 503.")
    if standing.condition.is_redis_away:
        yield Trouble(
            "warn",
            "Redis does not answer.",
            "Reads and writes go on; each web process limits rates by itself, and no job is sent.",
        )


def _of_trail(standing: Standing) -> Iterator[Trouble]:
    facts = standing.facts
    if facts.violated:
        yield Trouble(
            "bad",
            f"What must always hold does not: {facts.violated}.",
            f"The check of {words.relative(facts.last_checked_at or standing.now, standing.now)} found it; "
            "manage.py check_invariants names each place.",
        )
    if facts.oldest_unsealed_at is not None and standing.is_late(facts.oldest_unsealed_at, SEALED_WITHIN):
        entries = (
            "1 entry of the audit trail waits"
            if facts.unsealed_entries == 1
            else (f"{facts.unsealed_entries:,} entries of the audit trail wait")
        )
        waited = words.span(standing.now - facts.oldest_unsealed_at)
        yield Trouble("bad", f"{entries} to be sealed.", f"The oldest for {waited}; 2 min are the limit.")


def _of_jobs(standing: Standing) -> Iterator[Trouble]:
    pulse = standing.pulse
    if pulse is None or not standing.is_late(pulse.last_done_at, DONE_WITHIN):
        return
    waiting = pulse.jobs_waiting
    why = f"{words.counted(waiting, 'job')} wait: no worker takes them." if waiting else "None waits: beat sends none."
    last = words.relative(pulse.last_done_at or standing.now, standing.now)
    yield Trouble("bad", "Jobs stand still.", f"The one of each minute was last done {last}. {why}")


def _of_meditation(standing: Standing) -> Iterator[Trouble]:
    facts, url = standing.facts, reverse("ops:meditation")
    if facts.held_runs:
        is_one = facts.held_runs == 1
        held = "A meditation is held and waits" if is_one else f"{facts.held_runs} meditations are held and wait"
        because = "It would archive far more than usual, and does nothing until somebody decides."
        yield Trouble("warn", f"{held} for an operator.", because, url, "The meditation")
    if facts.night_state == RunState.FAILED:
        when = words.relative(facts.night_at or standing.now, standing.now)
        because = f"It was begun {when}; each user's items are as they were, or as it should leave them."
        yield Trouble("bad", "The last meditation failed.", because, url, "The meditation")
    if standing.is_late(facts.night_at, MEDITATED_WITHIN):
        when = words.relative(facts.night_at or standing.now, standing.now)
        yield Trouble("bad", "No meditation was begun last night.", f"The last one {when}.", url, "The meditation")


def _of_users(standing: Standing) -> Iterator[Trouble]:
    facts = standing.facts
    over = [(tier.over_hard, tier.tier.label.lower()) for tier in standing.kept.tiers if tier.over_hard]
    if over:
        where = ", ".join(f"{users:,} in {tier}" for users, tier in over)
        says, because = f"Users are over hard: {where}.", "Nothing is lost; their writes wait for room."
        yield Trouble("warn", says, because, f"{reverse('ops:users')}?show=over-hard", "Who is over hard")
    if facts.refused_calls:
        was = "was" if facts.refused_calls == 1 else "were"
        yield Trouble(
            "warn",
            f"{words.counted(facts.refused_calls, 'call')} of {words.counted(facts.refused_users, 'user')} {was} "
            "refused in the last hour.",
            f"In the hour before: {facts.refused_calls_before:,}.",
            reverse("ops:refusals"),
            "Refused calls",
        )


def parts(standing: Standing) -> list[Part]:
    """The strip: each part with its state; what cannot be known without Redis is unknown."""
    facts, now = standing.facts, standing.now
    return [
        _database(standing.condition),
        _redis(standing.condition),
        _workers(standing),
        _beat(standing),
        Part("Audit trail", *_sealing(standing)),
        _checks(facts, now),
        _meditation(standing),
    ]


def _database(condition: Condition) -> Part:
    if condition.is_full:
        return Part("PostgreSQL", "bad", "bad", "no room for writes")
    if condition.is_read_only:
        return Part("PostgreSQL", "bad", "bad", "read-only")
    return Part("PostgreSQL", "ok", "ok", "reads and writes")


def _redis(condition: Condition) -> Part:
    return Part("Redis", "warn", "warn", "away") if condition.is_redis_away else Part("Redis", "ok", "ok", "answers")


def _workers(standing: Standing) -> Part:
    pulse = standing.pulse
    if pulse is None:
        return Part("Workers", "mute", "unknown", "unknown")
    waiting = f"{words.counted(pulse.jobs_waiting, 'job')} waiting"
    if pulse.last_done_at is None:
        return Part("Workers", "mute", "pending", f"no job noted yet, {waiting}")
    is_late = standing.is_late(pulse.last_done_at, DONE_WITHIN)
    tone = "bad" if is_late else "ok"
    return Part("Workers", tone, tone, f"{words.relative(pulse.last_done_at, standing.now)}, {waiting}")


def _beat(standing: Standing) -> Part:
    sent_at = standing.facts.last_sent_at
    if sent_at is None:
        return Part("Beat", "mute", "pending", "nothing sent yet")
    tone = "warn" if standing.is_late(sent_at, SENT_WITHIN) else "ok"
    return Part("Beat", tone, tone, f"sent {words.relative(sent_at, standing.now)}")


def _sealing(standing: Standing) -> tuple[str, str, str]:
    facts = standing.facts
    if facts.last_sealed_at is None and not facts.unsealed_entries:
        return "mute", "pending", "nothing to seal yet"
    waiting = f"{facts.unsealed_entries:,} unsealed" if facts.unsealed_entries else "all sealed"
    tone = "bad" if standing.is_late(facts.oldest_unsealed_at, SEALED_WITHIN) else "ok"
    last = f", {words.relative(facts.last_sealed_at, standing.now)}" if facts.last_sealed_at else ""
    return tone, tone, f"{waiting}{last}"


def _meditation(standing: Standing) -> Part:
    facts = standing.facts
    if facts.night_state is None or facts.night_at is None:
        return Part("Meditation", "mute", "pending", "none begun yet")
    when = words.relative(facts.night_at, standing.now)
    if facts.held_runs:
        return Part("Meditation", "ask", "wait", "held, waits for an operator")
    if facts.night_state == RunState.FAILED or standing.is_late(facts.night_at, MEDITATED_WITHIN):
        return Part("Meditation", "bad", "bad", f"{facts.night_state}, begun {when}")
    if facts.night_state in UNFINISHED:
        return Part("Meditation", "info", "running", f"under way, begun {when}")
    tone = "ok" if facts.night_state == RunState.SUCCEEDED else "warn"
    return Part("Meditation", tone, tone, f"{facts.night_state}, begun {when}")


def _checks(facts: Facts, now: datetime) -> Part:
    if facts.last_checked_at is None:
        return Part("Invariants", "mute", "pending", "not checked yet")
    when = words.relative(facts.last_checked_at, now)
    if facts.violated:
        return Part("Invariants", "bad", "bad", f"{facts.violated} violated, {when}")
    if now - facts.last_checked_at > CHECKED_WITHIN:
        return Part("Invariants", "warn", "warn", f"held {when}")
    return Part("Invariants", "ok", "ok", f"hold, {when}")
