"""One item: read, change, archive, purge, restore."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import MemoryItem
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, Caller
from tests.api.conftest import OnPlan
from tests.api.problems import problem_in


def counted(caller: Caller, tier: str = "long-term") -> dict[str, int]:
    names = ("used_bytes", "items", "archived_bytes", "archived_items")
    usage = caller.usage(tier)
    return {name: usage[name] for name in names}


def uuid_of(item: dict[str, Any]) -> str:
    """As the audit trail spells it."""
    return str(UUID(item["id"].removeprefix("mem_")))


def test_an_id_may_be_given_as_a_bare_uuid(alice: Caller):
    item = alice.keeps()
    digits = item["id"].removeprefix("mem_")
    dashed = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    assert [alice.reads(one).json()["id"] for one in (item["id"], digits, dashed)] == [item["id"]] * 3


def test_a_change_takes_what_is_given_and_leaves_the_rest(alice: Caller):
    item = alice.keeps("Before.", metadata={"a": 1})

    changed = alice.patches(item["id"], if_match=item["etag"], content="After.").json()

    expected = {**item, "content": "After.", "size_bytes": len('After.{"a":1}'), "etag": '"v2"'}
    del expected["usage"]
    assert changed == alice.reads(item["id"]).json() == expected


@pytest.mark.parametrize(
    ("change", "size_bytes"),
    [
        ({"content": "é" * 10}, 20 + 7),
        ({"metadata": {"long": "er" * 20}}, 10 + 51),
        ({"metadata": {}}, 10 + 2),
        ({"content": "x", "metadata": {"b": 2.5}}, 1 + 9),
        ({"protected": True}, 10 + 7),
    ],
)
def test_a_change_counts_the_bytes_it_needs_or_frees(alice: Caller, change, size_bytes):
    item = alice.keeps("x" * 10, metadata={"a": 1})

    changed = alice.patches(item["id"], if_match=item["etag"], **change)

    assert changed.json()["size_bytes"] == size_bytes
    assert counted(alice) == {"used_bytes": size_bytes, "items": 1, "archived_bytes": 0, "archived_items": 0}


def test_metadata_that_stay_count_as_they_were_sent(alice: Caller):
    """PostgreSQL writes 1e300 with 301 digits."""
    item = alice.keeps("x", metadata={"n": [1e300, 1e5, 1e-7]})

    changed = alice.patches(item["id"], if_match=item["etag"], protected=True).json()

    assert changed["size_bytes"] == item["size_bytes"]
    assert changed["metadata"] == item["metadata"]


def test_a_change_that_needs_more_room_than_there_is_is_refused_and_changes_nothing(alice: Caller):
    item = alice.keeps("x", type="short-term")
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())

    refused = alice.patches(item["id"], if_match=item["etag"], content="x" * 12)
    allowed = alice.patches(item["id"], if_match=item["etag"], content="x" * 11)

    assert (refused.status_code, problem_in(refused)["needed_bytes"]) == (413, 11)
    assert allowed.status_code == 200
    assert alice.usage("short-term")["used_bytes"] == 524_288


def test_a_user_above_the_limit_may_still_shrink_an_item(alice: Caller):
    now = clock.utc_now()
    item = alice.keeps("x" * 100)
    alice.person.is_raised(Tier.LONG_TERM, 10, until=now + timedelta(hours=1), at=now)

    response = alice.patches(item["id"], if_match=item["etag"], content="x" * 90)

    assert response.status_code == 200
    assert alice.usage()["used_bytes"] == 92


def test_an_archived_item_cannot_be_changed(alice: Caller):
    item = alice.keeps()
    alice.deletes(item["id"])

    response = alice.patches(item["id"], if_match="*", content="Changed.")

    assert response.status_code == 409
    assert problem_in(response)["remedies"]


def test_a_delete_archives_and_frees_the_room_at_once(alice: Caller):
    item = alice.keeps("x" * 98)

    deleted = alice.deletes(item["id"])

    body = deleted.json()
    in_archive = alice.reads(item["id"]).json()
    grace = datetime.fromisoformat(body["restorable_until"]) - clock.utc_now()
    assert (deleted.status_code, body["id"], body["state"]) == (200, item["id"], "archived")
    assert (body["purged_items"], body["purged_bytes"]) == (0, 0)
    assert timedelta(days=29, hours=23) < grace <= timedelta(days=30)
    assert counted(alice) == {"used_bytes": 0, "items": 0, "archived_bytes": 100, "archived_items": 1}
    assert (in_archive["state"], in_archive["content"]) == ("archived", "x" * 98)
    assert in_archive["restorable_until"] == body["restorable_until"]


def test_a_second_delete_changes_nothing(alice: Caller):
    item = alice.keeps()

    first, second = alice.deletes(item["id"]), alice.deletes(item["id"])

    assert second.json() == first.json()
    assert alice.usage()["archived_items"] == 1


def test_a_delete_over_the_archives_limit_purges_the_oldest_archived_and_says_so(on_plan: OnPlan):
    carol = on_plan(archived_bytes=100)
    oldest, older, newest = (carol.keeps("x" * 38) for _ in range(3))
    carol.deletes(oldest["id"])
    carol.deletes(older["id"])

    deleted = carol.deletes(newest["id"]).json()

    assert (deleted["state"], deleted["purged_items"], deleted["purged_bytes"]) == ("archived", 1, 40)
    assert [carol.reads(item["id"]).status_code for item in (oldest, older, newest)] == [404, 200, 200]
    assert counted(carol) == {"used_bytes": 0, "items": 0, "archived_bytes": 80, "archived_items": 2}


def test_a_protected_item_is_never_pushed_out_of_the_archive(on_plan: OnPlan):
    carol = on_plan(archived_bytes=100)
    protected, older, newest = carol.keeps("x" * 38, protected=True), carol.keeps("x" * 38), carol.keeps("x" * 38)
    for item in (protected, older, newest):
        assert carol.deletes(item["id"]).status_code == 200

    assert [carol.reads(item["id"]).status_code for item in (protected, older, newest)] == [200, 404, 200]
    deleted = AuditEntry.objects.get(after__item=uuid_of(newest), action="item.deleted")
    assert deleted.after["purged"] == [uuid_of(older)]


def test_an_archive_full_of_protected_items_takes_no_other_and_nothing_is_lost(on_plan: OnPlan):
    carol = on_plan(archived_bytes=100)
    kept = [carol.keeps("x" * 38, protected=True) for _ in range(3)]
    for item in kept[:2]:
        carol.deletes(item["id"])

    answer = carol.deletes(kept[2]["id"])

    refused = problem_in(answer)
    assert (answer.status_code, refused["type"].rpartition("/")[2]) == (409, "archive-full")
    assert (refused["archived_limit_bytes"], refused["needed_bytes"]) == (100, 20)
    assert "?purge=true" in refused["remedies"][0]
    assert counted(carol) == {"used_bytes": 40, "items": 1, "archived_bytes": 80, "archived_items": 2}
    assert carol.deletes(kept[2]["id"], purge="true").json()["state"] == "purged"


def test_a_delete_of_what_the_archive_cannot_hold_purges_it_and_says_so(on_plan: OnPlan):
    carol = on_plan(archived_bytes=100)
    item = carol.keeps("x" * 200)

    deleted = carol.deletes(item["id"]).json()

    assert (deleted["state"], deleted["restorable_until"]) == ("purged", None)
    assert (deleted["purged_items"], deleted["purged_bytes"]) == (1, 202)
    assert counted(carol) == dict.fromkeys(("used_bytes", "items", "archived_bytes", "archived_items"), 0)


@pytest.mark.parametrize("archived_before", [False, True])
def test_a_purge_erases_for_good_and_leaves_a_tombstone(alice: Caller, archived_before):
    item = alice.keeps("To be gone.", metadata={"tags": ["gone"]})
    if archived_before:
        alice.deletes(item["id"])

    purged = alice.deletes(item["id"], purge="true")

    tombstone = MemoryItem.objects.get(pk=item["id"].removeprefix("mem_"))
    assert (purged.json()["state"], purged.json()["purged_items"]) == ("purged", 1)
    assert alice.reads(item["id"]).status_code == alice.deletes(item["id"]).status_code == 404
    assert (tombstone.content, tombstone.metadata, tombstone.size_bytes) == (None, None, item["size_bytes"])
    assert (tombstone.purge_reason, tombstone.purged_at is not None) == ("user", True)
    assert counted(alice) == dict.fromkeys(("used_bytes", "items", "archived_bytes", "archived_items"), 0)


def test_a_restore_takes_the_room_again(alice: Caller):
    item = alice.keeps("x" * 98, metadata={})
    alice.deletes(item["id"])

    restored = alice.restores(item["id"])

    body = restored.json()
    same = ("id", "content", "metadata", "type", "size_bytes", "created_at", "protected", "user_id")
    assert restored.status_code == 200
    assert {name: body[name] for name in same} == {name: item[name] for name in same}
    assert (body["state"], body["archived_at"], body["restorable_until"]) == ("active", None, None)
    assert restored.headers["etag"] == body["etag"] == '"v3"'
    assert counted(alice) == {"used_bytes": 100, "items": 1, "archived_bytes": 0, "archived_items": 0}


def test_a_restore_without_room_is_refused_and_the_item_stays_in_the_archive(alice: Caller):
    item = alice.keeps("x" * 98, type="short-term")
    alice.deletes(item["id"])
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=99, at=clock.utc_now())

    response = alice.restores(item["id"])

    problem = problem_in(response)
    assert (response.status_code, problem["needed_bytes"], problem["room_bytes"]) == (413, 100, 99)
    assert alice.reads(item["id"]).json()["state"] == "archived"
    assert alice.usage("short-term")["archived_bytes"] == 100


def test_a_restored_short_term_item_lives_another_24_hours(alice: Caller):
    item = alice.keeps(type="short-term")
    alice.deletes(item["id"])

    restored = alice.restores(item["id"]).json()

    assert datetime.fromisoformat(restored["expires_at"]) > datetime.fromisoformat(item["expires_at"])


def test_an_active_item_cannot_be_restored(alice: Caller):
    response = alice.restores(alice.keeps()["id"])

    assert problem_in(response)["type"].endswith("/problems/item-active")
    assert response.status_code == 409


def test_a_protected_item_may_be_deleted_by_its_user(alice: Caller):
    item = alice.keeps(protected=True)

    assert alice.deletes(item["id"]).json()["state"] == "archived"


def test_deletes_restores_and_purges_have_one_audit_entry_each(alice: Caller):
    item = alice.keeps()
    alice.deletes(item["id"])
    alice.restores(item["id"])
    alice.http.delete(f"{MEMORY}/{item['id']}?purge=true", headers={"X-Request-ID": "asked-by-alice"})

    entries = AuditEntry.objects.filter(subject_kind="user", subject_id=str(alice.person.id), after__item=uuid_of(item))

    actions = list(entries.order_by("at", "id").values_list("action", flat=True))
    assert actions == ["item.deleted", "item.restored", "item.purged"]
    assert entries.get(action="item.purged").request_id == "asked-by-alice"


def test_a_refused_restore_has_no_audit_entry(alice: Caller):
    item = alice.keeps()

    alice.restores(item["id"])

    assert not AuditEntry.objects.filter(after__item=uuid_of(item)).exists()
