"""The minute's seal: nothing is left out, nobody waits for it, and one chain comes of many sealers."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from kimberly.audit import sealing, tasks
from kimberly.audit.models import AuditEntry, AuditPending, AuditSeal
from kimberly.audit.sealing import Anchor
from kimberly.lib import clock
from tests.audit.acts import act, findings, seal_all, sealed_acts
from tests.counts import rounds

pytestmark = pytest.mark.promise("F11")


def in_thread(work):
    """Run it on a connection of its own, as another process would."""

    def worker():
        with closing(connection):
            return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(worker).result(timeout=30)


def commit_act():
    with transaction.atomic():
        return act()


@pytest.fixture
def sealed_db(committed_db):
    seal_all()


def test_a_seal_holds_what_came_since_the_last_one(as_owner):
    first, _ = sealed_acts(2)
    second, other = sealed_acts(3)

    assert second.number == first.number + 1
    assert second.previous_hash == first.hash
    assert second.entry_ids == [entry.pk for entry in other]
    assert sealing.seal(now=clock.utc_now()) is None


def test_an_entry_may_wait_two_minutes_for_its_seal(as_owner):
    entry = act()
    now = clock.utc_now()

    assert sealing.verify(now=now + timedelta(seconds=119)) == []
    (finding,) = sealing.verify(now=now + timedelta(seconds=121))
    assert finding.text == f"entry {entry.pk} is older than two minutes and in no seal"
    assert sealing.oldest_pending_age(now=now + timedelta(seconds=121)) > timedelta(minutes=2)


def test_an_act_that_was_rolled_back_leaves_nothing_to_seal(sealed_db):
    with transaction.atomic():
        act()
        transaction.set_rollback(True)

    assert sealing.seal(now=clock.utc_now()) is None


def test_an_act_outside_of_a_transaction_is_a_bug(sealed_db):
    with pytest.raises(RuntimeError, match="transaction of the act"):
        act()


def test_an_entry_committed_late_is_sealed_later(sealed_db):
    committed, may_commit = threading.Event(), threading.Event()

    def late_act():
        with transaction.atomic():
            entry = act()
            committed.set()
            assert may_commit.wait(20)
        connection.close()
        return entry

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(late_act)
        assert committed.wait(20)
        early = commit_act()
        first = sealing.seal(now=clock.utc_now())
        may_commit.set()
        entry = late.result()
    second = sealing.seal(now=clock.utc_now())

    assert first is not None
    assert second is not None
    assert entry.pk < early.pk
    assert (first.entry_ids, second.entry_ids) == ([early.pk], [entry.pk])
    assert findings() == []


def test_nobody_waits_for_a_sealer(sealed_db):
    commit_act()

    with transaction.atomic():
        sealing.seal(now=clock.utc_now())
        in_thread(lambda: call_with_lock_timeout(commit_act))
        assert in_thread(lambda: sealing.seal(now=clock.utc_now())) is None

    seal_all()
    assert findings() == []


def call_with_lock_timeout(work):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
    return work()


@pytest.mark.slow
@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_many_writers_and_sealers_make_one_chain(sealed_db, nth):
    over = threading.Event()

    def sealer():
        while not over.is_set():
            sealing.seal(now=clock.utc_now())
        connection.close()

    def writer(_number):
        entries = [commit_act().pk for _ in range(50)]
        connection.close()
        return entries

    with ThreadPoolExecutor(8) as pool:
        sealers = [pool.submit(sealer) for _ in range(4)]
        written = [entry_id for some in pool.map(writer, range(4)) for entry_id in some]
        over.set()
    seal_all()

    assert all(job.exception() is None for job in sealers)
    seals = AuditSeal.objects.order_by("number")
    sealed = [entry_id for seal in seals for entry_id in seal.entry_ids]
    assert len(sealed) == len(set(sealed)) == AuditEntry.objects.count()
    assert set(written) <= set(sealed)
    assert findings() == []


def test_the_task_seals_all_that_waits_and_remembers_the_newest(sealed_db, settings, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_ENTRIES", 2)
    for _ in range(5):
        commit_act()

    assert tasks.seal() == 3

    newest = AuditSeal.objects.latest("number")
    assert not AuditPending.objects.exists()
    assert sealing.remembered(folder=settings.KIMBERLY.data_dir) == Anchor(newest.number, newest.hash)


@pytest.mark.parametrize("text", ["", "7", "7:abc", "seven:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_no_anchor_is_refused(text):
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        Anchor.parse(text)


def test_the_command_finds_nothing_in_a_whole_chain(sealed_db, capsys):
    commit_act()
    seal_all()
    newest = AuditSeal.objects.order_by("-number").first()

    call_command("verify_audit", anchor=str(newest))

    assert capsys.readouterr().out == f"The audit chain is whole (anchor: {newest}).\n"


def test_the_command_fails_for_an_anchor_that_the_chain_does_not_hold(sealed_db, capsys):
    newest = AuditSeal.objects.order_by("-number").first()
    beyond = (newest.number if newest else 0) + 5

    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_audit", anchor=f"{beyond}:{'a' * 64}")

    assert capsys.readouterr().out == f"seal {beyond} is missing: it was cut off\n"


def test_the_command_refuses_what_is_no_anchor(sealed_db):
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("verify_audit", anchor="yesterday's")


@pytest.mark.slow
@pytest.mark.parametrize(("anchor", "code"), [("", 0), (f"999999:{'a' * 64}", 1), ("nonsense", 1)])
def test_the_program_says_by_its_exit_code_whether_the_chain_is_whole(sealed_db, anchor, code):
    command = [sys.executable, "manage.py", "verify_audit", "--anchor", anchor]

    assert subprocess.run(command, capture_output=True, check=False).returncode == code
