"""Begin runs and do their shards, as a worker would."""

from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor
from memory.rules.meditation import Trigger
from memory.services import meditationruns as runs
from tests.personas import NOON

JOB = Actor.job("tests")


def at(moment):
    """A clock that stands."""
    return lambda: moment


def begin(trigger=Trigger.NIGHTLY, *, person=None, now=NOON):
    return runs.begin(trigger, user_id=person.id if person else None, actor=JOB, why=Why(), now=now)


def taken(now=NOON):
    """A shard that waits, taken."""
    shard = runs.take(now=now)
    assert shard is not None
    return shard


def do_all(now=NOON):
    """Work until no shard waits; how many were done."""
    done = 0
    while (shard := runs.take(now=now)) is not None:
        done += runs.do(shard, tell_time=at(now))
    return done
