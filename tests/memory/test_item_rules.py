"""The rules of an item stand in the database: raw SQL that breaks one is refused by the constraint of that name."""

import pytest
from django.db import IntegrityError, connection, transaction

from memory.rules.tiers import Tier

BROKEN = [
    ("tier = 'eternal'", "memory_item_tier_ck"),
    ("state = 'lost'", "memory_item_state_ck"),
    ("size_bytes = 0", "memory_item_size_ck"),
    ("version = 0", "memory_item_version_ck"),
    ("state = 'archived'", "memory_item_state_dates_ck"),
    ("archived_at = now()", "memory_item_state_dates_ck"),
    ("purged_at = now()", "memory_item_state_dates_ck"),
    ("content = NULL", "memory_item_state_dates_ck"),
    ("metadata = NULL", "memory_item_state_dates_ck"),
    ("state = 'archived', archived_at = now(), archive_reason = 'user'", "memory_item_state_dates_ck"),
    (
        "state = 'archived', archived_at = now(), purge_after = now(), archive_reason = ''",
        "memory_item_state_dates_ck",
    ),
    ("state = 'purged', purged_at = now(), purge_reason = ''", "memory_item_state_dates_ck"),
    ("state = 'purged', purged_at = now(), purge_reason = 'user'", "memory_item_tombstone_is_empty_ck"),
    ("state = 'purged', purged_at = now(), purge_reason = 'user', content = NULL", "memory_item_tombstone_is_empty_ck"),
    (
        "state = 'purged', purged_at = now(), purge_reason = 'user', metadata = NULL",
        "memory_item_tombstone_is_empty_ck",
    ),
    ("embedding = '[1,2,3]'", "memory_item_embedding_has_model_ck"),
    ("embedding = '[1,2]'", "memory_item_embedding_has_model_ck"),
    ("embedding = '[1,2]', embedding_model = 'other:3'", "memory_item_embedding_size_ck"),
    ("embedding = '[1,2]', embedding_model = 'without a size'", "memory_item_embedding_size_ck"),
    ("expires_at = NULL", "memory_item_short_term_expires_ck"),
]


@pytest.mark.parametrize(("change", "constraint"), BROKEN)
def test_the_database_refuses_an_item_that_breaks_a_rule(alice, change, constraint):
    item_id = alice.writes("Her sister's name is Ana.", tier=Tier.SHORT_TERM).id

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE memory_item SET {change} WHERE id = %s", [item_id])


def test_a_counter_cannot_become_negative(alice):
    with (
        pytest.raises(IntegrityError, match="usage_counter_not_negative_ck"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE usage_counter SET active_bytes = -1 WHERE user_id = %s", [alice.id])


def test_two_users_cannot_have_the_same_external_id(alice):
    with (
        pytest.raises(IntegrityError, match="memory_user_external_id_uq"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO memory_user (external_id, display_name, email, plan_id, state, purpose, time_zone,"
            " version, created_at, changed_at)"
            " VALUES (%s, '', '', 'free', 'active', 'customer', 'UTC', 1, now(), now())",
            [alice.external_id],
        )
