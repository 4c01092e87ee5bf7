"""Ids: one converter between UUIDs and what people see."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimberly.lib import ids
from kimberly.lib.ids import Prefix

HEX = "0199a3c27d1e7b6c8f21d3a4b5c6d7e8"


@given(st.uuids(), st.sampled_from(Prefix))
def test_every_id_comes_back_from_its_text(value, prefix):
    assert ids.decode(prefix, ids.encode(prefix, value)) == value


@given(st.uuids())
def test_a_bare_uuid_is_accepted_in_both_spellings(value):
    assert ids.decode(Prefix.ITEM, str(value)) == value
    assert ids.decode(Prefix.ITEM, value.hex) == value


@given(st.text(max_size=50))
def test_any_text_gives_a_uuid_or_none_and_never_an_error(text):
    decoded = ids.decode(Prefix.ITEM, text)

    assert decoded is None or isinstance(decoded, UUID)


@pytest.mark.parametrize("text", ["usr_" + HEX, "mem_" + HEX.upper(), "mem_", "", "mem_" + HEX[:31]])
def test_another_kind_or_a_damaged_id_is_none(text):
    assert ids.decode(Prefix.ITEM, text) is None
