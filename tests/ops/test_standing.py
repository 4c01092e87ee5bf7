"""The filters and orders of the list of users, against the same rules in plain Python, on people made at random."""

import random
from datetime import timedelta

import pytest
from django.db import connection

from kimberly.lib.sql import statement
from memory.models import MemoryUser, QuotaOverride, Refusal, Throttle
from memory.queries import standing, usage
from memory.queries.standing import Asked, Show
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.tiers import Purpose, Tier, UserState
from memory.services import refusals, users
from memory.services.refusals import Call
from memory.services.users import Profile
from ops import shows
from tests.api.plans import make_plan
from tests.counts import rounds
from tests.ops.many_people import make_many
from tests.ops.test_users import every_page, rows_of
from tests.personas import NOON, TESTER, Person, unique

HOUR = timedelta(hours=1)
NAMES = ("Dana Whitfield", "dora", "", "Aiko Murata", "Æsa Dahl")
SEEDS = range(rounds(3, 40))


def crowd(seed, *, size=14):
    """People of whom each may be full, raised, throttled, refused, suspended, or no customer."""
    chance = random.Random(seed)
    small, large = (make_plan(hard_bytes=room, soft_bytes=int(0.8 * room)) for room in (10_000, 30_000))
    made = []
    for number in range(size):
        at = NOON - timedelta(minutes=chance.randrange(5))
        purpose = Purpose.CANARY if chance.random() < 0.1 else Purpose.CUSTOMER
        name = chance.choice(NAMES)
        profile = Profile(plan=chance.choice((small, small, large)), display_name=name, email=f"d{number}@x.example")
        user, _ = users.put(unique("dan"), profile, actor=TESTER, now=at, purpose=purpose)
        made.append(lead_a_life(Person(user.pk, user.external_id), chance))
    return made


def lead_a_life(person, chance):
    for tier in (Tier.SHORT_TERM, Tier.LONG_TERM):
        if chance.random() < 0.6:
            person.fill(
                tier, leaving_bytes=int(person.usage(tier).plan_bytes * chance.choice((0, 0.1, 0.19, 0.21, 0.6)))
            )
    if chance.random() < 0.4:
        # Ended, in force, or in force only later.
        begin = NOON + chance.choice((-3, -1, 1)) * HOUR
        limit = chance.choice((3_000, 15_000))
        override = person.is_raised(Tier.SHORT_TERM, 60_000, at=begin, until=begin + 2 * HOUR)
        QuotaOverride.objects.filter(pk=override.pk).update(hard_bytes=limit)
    if chance.random() < 0.3:
        begin = NOON + chance.choice((-3, -1, 1)) * HOUR
        person.is_throttled(ThrottleScope.WRITE, at=begin, until=begin + 2 * HOUR)
    if chance.random() < 0.3:
        at = NOON - chance.choice((2, 13)) * HOUR
        call = Call(person.id, None, "")
        refusals.keep_counted(RefusalKind.RATE, call, source="x", source_id="write", per_minute=1, now=at)
    if chance.random() < 0.1:
        MemoryUser.objects.filter(pk=person.id).update(state=UserState.SUSPENDED)
    return person


def is_shown(user, asked):
    """The rule of each list, in plain words."""
    used = usage.of_user(user.pk, now=NOON)
    tiers = [used[asked.tier]] if asked.tier else list(used.values())
    overrides = [row for row in QuotaOverride.objects.filter(user=user) if NOON in row.period]
    midnight = NOON.replace(hour=0)
    is_true = {
        None: lambda: True,
        Show.OVER_SOFT: lambda: any(tier.is_over_soft for tier in tiers),
        Show.OVER_HARD: lambda: any(tier.is_over_limit for tier in tiers),
        Show.RAISED: lambda: any(asked.tier in (None, row.tier) for row in overrides),
        Show.THROTTLED: lambda: any(NOON in row.period for row in Throttle.objects.filter(user=user)),
        Show.REFUSED: lambda: any(row.refused_at >= midnight for row in Refusal.objects.filter(user=user)),
        Show.SUSPENDED: lambda: user.state == UserState.SUSPENDED,
        Show.ATTENTION: lambda: any(
            is_shown(user, Asked(show=show)) for show in (Show.OVER_HARD, Show.REFUSED, Show.THROTTLED, Show.SUSPENDED)
        ),
    }
    return user.purpose == Purpose.CUSTOMER and is_true[asked.show]() and begins_so(user, asked.beginning)


def begins_so(user, beginning):
    words = [user.external_id, user.email, user.display_name, user.display_name.rpartition(" ")[2]]
    return any(word and word.lower().startswith(beginning.lower()) for word in words)


def place_of(user, asked):
    if asked.sort is None:
        return (user.created_at, user.pk)
    tier = usage.of_user(user.pk, now=NOON)[asked.sort]
    return (tier.active_bytes * 1_000_000 // tier.limit_bytes, user.pk)


def page_by_page(asked, *, size):
    shown, following = standing.page(asked, cursor="", size=size, now=NOON)
    while following:
        rows, following = standing.page(asked, cursor=following, size=size, now=NOON)
        shown += rows
    return shown


QUESTIONS = [
    *(Asked(show=show) for show in Show),
    *(Asked(show=show, tier=Tier.SHORT_TERM) for show in (Show.OVER_SOFT, Show.OVER_HARD, Show.RAISED)),
    *(Asked(show=show, sort=Tier.SHORT_TERM) for show in (Show.OVER_SOFT, Show.ATTENTION)),
    Asked(sort=Tier.LONG_TERM),
    Asked(beginning="D"),
    Asked(beginning="dah", sort=Tier.SHORT_TERM),
    Asked(beginning="æ"),
    Asked(beginning="da", show=Show.OVER_SOFT, sort=Tier.LONG_TERM),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_list_is_what_its_rule_says_in_its_order_each_once(db, seed):
    crowd(seed)
    everybody = list(MemoryUser.objects.all())

    for asked in QUESTIONS:
        expected = sorted(
            (user for user in everybody if is_shown(user, asked)), reverse=True, key=lambda user: place_of(user, asked)
        )
        assert page_by_page(asked, size=3) == expected, (seed, asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_counted_is_what_is_listed(db, seed):
    crowd(seed)

    counted = standing.counts(stopping_behind=10_000, now=NOON)

    listed = [
        len(page_by_page(Asked(show=show), size=50)) for show in (None, Show.SUSPENDED, Show.THROTTLED, Show.RAISED)
    ]
    assert [counted.customers, counted.suspended, counted.throttled, counted.raised] == listed


@pytest.mark.usefixtures("clock_at_noon")
def test_a_list_is_an_address_and_its_pages_go_on_with_it(vera, db):
    small = make_plan(hard_bytes=1_000, soft_bytes=800)
    for _ in range(51):
        Person.register("full", plan=small).fill(Tier.SHORT_TERM, leaving_bytes=70)
    Person.register("empty")

    shown = every_page(vera, "/ops/users/?show=over-soft&tier=short-term&sort=short-term")

    assert len(shown) == 51
    assert all(row.startswith("full") for row in shown)


@pytest.mark.usefixtures("clock_at_noon")
@pytest.mark.parametrize("show", Show)
def test_a_list_of_nobody_says_what_would_stand_there(vera, alice, show):
    text = vera.reads(f"/ops/users/?show={show}")

    assert f"{shows.ALL[show].label}: nobody" in text
    assert shows.ALL[show].nobody in text
    assert "Show all users" in text


@pytest.mark.usefixtures("clock_at_noon")
def test_the_chips_say_how_many(vera, alice):
    alice.is_throttled()

    assert "Throttled 1 Raised 0 Suspended 0" in vera.reads("/ops/users/")
    assert rows_of(vera, "/ops/users/?show=throttled")[0].startswith("alice")


@pytest.mark.usefixtures("clock_at_noon")
@pytest.mark.parametrize(
    "query", ["show=whim", "tier=whim", "sort=whim", "sort=long-term&cursor=x", "show=raised&cursor=x"]
)
def test_an_address_that_means_nothing_is_refused_as_a_page(vera, query):
    assert vera.opens(f"/ops/users/?{query}").status_code == 422


def test_the_suspended_and_the_beginnings_are_found_by_their_indexes(db):
    make_many()

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement(standing.__file__, 'users_suspended')}")
        suspended = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN {statement(standing.__file__, 'users_begin_so')}", {"beginning": "d"})
        beginning = "\n".join(row[0] for row in cursor.fetchall())

    assert "memory_user_suspended_ix" in suspended
    assert all(f"memory_user_{name}_ix" in beginning for name in ("external_id", "email", "name", "last_name"))
