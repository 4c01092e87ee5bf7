"""Runs of the meditation as the portal lists them: how far each is, how fast, and what the last night's came to."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django_celery_beat.models import CrontabSchedule

from kimberly.db import statements
from kimberly.lib.sql import statement
from kimberly.web.pagination import Order
from memory.models import MeditationRun, MeditationShard, MemoryUser
from memory.queries import nightly, runprogress
from memory.queries.runprogress import Progress
from memory.rules.meditation import HEARTBEAT_LIMIT, RunState, ShardState
from ops.queries import keyset
from ops.queries.keyset import Page
from ops.queries.names import Name, Names

NEWEST_FIRST = Order("begun", "created_at", descending=True, kind=datetime)
BY_NUMBER = Order("number", "number", descending=False, kind=int)
RUNS_SHOWN, RUNS_DRAWN, SHARDS_SHOWN = 20, 30, 50
BEHIND_AFTER = timedelta(hours=24)
SCHEDULE = "meditation-nightly"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, as of `now`."""

    run: MeditationRun
    progress: Progress
    who: Name
    now: datetime

    @property
    def is_running(self) -> bool:
        return self.run.state == RunState.RUNNING

    @property
    def took(self) -> timedelta:
        """From its beginning to its end, or until now."""
        return runprogress.took(self.run, now=self.now)

    @property
    def is_silent(self) -> bool:
        """It should go on, and nothing was heard of it for so long that the watchdog takes its shards back."""
        heard_at = max(filter(None, (self.progress.heard_at, self.run.started_at)), default=self.run.created_at)
        return self.is_running and self.now - heard_at > HEARTBEAT_LIMIT

    @property
    def users_per_minute(self) -> float | None:
        """None before the first shard is done."""
        return self.progress.users_per_minute(self.run, now=self.now)

    @property
    def left(self) -> timedelta | None:
        """How long it goes on at this pace; None where nobody knows."""
        return self.progress.left(self.run, now=self.now)


@dataclass(frozen=True, slots=True)
class ShardRow:
    """One shard. `user` is whose data it failed at, where that is known: it was tried apart from the others."""

    shard: Any
    user: MemoryUser | None


@dataclass(frozen=True, slots=True)
class Beat:
    """When beat sends the nightly run; None for both where it has no such schedule, or was told not to."""

    is_known: bool
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """`newest` is a run that is held, else that of all users which is under way, else the last night's; `drawn` are the
    runs of all users that ended.
    """

    newest: RunRow | None
    drawn: list[RunRow]
    customers: int
    behind: int
    beat: Beat


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a meditation of a user would look at: active items, and what is past its life or its grace."""

    scored_at: datetime | None
    active: int
    past_life: int
    past_grace: int


@dataclass(frozen=True, slots=True)
class AheadOfAll:
    """How many customers there are, how many are behind, and the run that is under way, else the last night's."""

    customers: int
    behind: int
    newest: MeditationRun | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of runs, and what stands above it."""

    page: Page[RunRow]
    facts: Facts


def listed(*, names: Names, now: datetime, cursor: str = "") -> Listed:
    """The runs behind the cursor, newest first, with the facts about all of them."""
    page = keyset.page(MeditationRun.objects.select_related("user"), NEWEST_FIRST, cursor=cursor, size=RUNS_SHOWN)
    newest, drawn, customers, behind, *beat = _facts(now)
    first = _kept(json.loads(newest)) if newest else None
    ended = [_kept(facts) for facts in json.loads(drawn)]
    told = {row.run.pk: row for row in _rows([*ended, *([first] if first else []), *page.rows], names, now)}
    facts = Facts(
        newest=told[first.pk] if first else None,
        drawn=[told[run.pk] for run in ended],
        customers=customers,
        behind=behind,
        beat=_beat(*beat, now=now),
    )
    return Listed(Page([told[run.pk] for run in page.rows], page.next_cursor), facts)


def ahead_of(user_id: UUID, *, now: datetime) -> Ahead:
    """What lies ahead of a meditation of this user."""
    (row,) = statements.fetch_all(statement(__file__, "ahead_of_meditation"), {"user_id": user_id, "now": now})
    return Ahead(*row)


def ahead_of_all(*, now: datetime) -> AheadOfAll:
    """What lies ahead of a meditation of all customers."""
    newest, drawn, customers, behind, *_ = _facts(now)
    begun = [_kept(facts) for facts in [*json.loads(drawn), *([json.loads(newest)] if newest else [])]]
    of_all = [run for run in begun if not run.cohort]
    return AheadOfAll(customers, behind, max(of_all, key=lambda run: run.created_at, default=None))


def _facts(now: datetime) -> statements.Row:
    asked = {"behind_before": now - BEHIND_AFTER, "drawn": RUNS_DRAWN, "schedule": SCHEDULE}
    (row,) = statements.fetch_all(statement(__file__, "meditation_facts"), asked)
    return row


def _kept(facts: dict[str, Any]) -> MeditationRun:
    """A run as PostgreSQL tells it in JSON."""
    times = {name: value and datetime.fromisoformat(value) for name, value in facts.items() if name.endswith("_at")}
    return MeditationRun(**{**facts, **times, "id": UUID(facts["id"])})


def one(run_id: UUID, *, names: Names, now: datetime) -> RunRow | None:
    """The run; None when there is no such one."""
    run = MeditationRun.objects.select_related("user").filter(pk=run_id).first()
    return next(iter(_rows([run], names, now))) if run else None


def begun(run_id: UUID, user_id: UUID) -> MeditationRun | None:
    """The run of this user; None where it is another's."""
    return MeditationRun.objects.select_related("user").filter(pk=run_id, user_id=user_id).first()


def exists(run_id: UUID) -> bool:
    """Whether there is such a run."""
    return MeditationRun.objects.filter(pk=run_id).exists()


def shards_of(run_id: UUID, *, state: ShardState | None, cursor: str = "") -> Page[ShardRow]:
    """The run's shards in the order in which they are done, of this state where given."""
    shards = MeditationShard.objects.filter(run_id=run_id)
    rows: QuerySet[Any] = shards.annotate(users=F("user_ids__len"), first_id=F("user_ids__0"))
    if state is not None:
        rows = rows.filter(state=state)
    page = keyset.page(rows.defer("user_ids"), BY_NUMBER, cursor=cursor, size=SHARDS_SHOWN)
    alone = [row.first_id for row in page.rows if row.state == ShardState.FAILED and row.users == 1]
    users = MemoryUser.objects.in_bulk(alone) if alone else {}
    return Page([ShardRow(row, users.get(row.first_id)) for row in page.rows], page.next_cursor)


def _rows(runs: Iterable[MeditationRun], names: Names, now: datetime) -> Sequence[RunRow]:
    found = list(runs)
    sums = runprogress.of(run.pk for run in found)
    return [RunRow(run, sums.get(run.pk, Progress()), names.of(run.created_by), now) for run in found]


def _beat(enabled: bool | None, *crontab: Any, now: datetime) -> Beat:
    """The next time of the schedule, where it is enabled."""
    if not enabled:
        return Beat(is_known=enabled is not None, next_at=None)
    minute, hour, day, month, weekday, zone = crontab
    row = CrontabSchedule(
        minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday, timezone=zone
    )
    return Beat(is_known=True, next_at=nightly.after(now, row))
