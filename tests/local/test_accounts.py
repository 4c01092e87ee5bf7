import os
from pathlib import Path

from kimberly.local.accounts import Account, may_enter

STRANGER = Account(name="stranger", uid=54_321, gid=54_321)


def test_a_closed_folder_keeps_strangers_out_of_all_below_it(tmp_path):
    below = tmp_path / "closed" / "below"
    below.mkdir(parents=True)
    below.parent.chmod(0o700)

    assert not may_enter(STRANGER, below)


def test_a_folder_to_pass_through_need_not_be_listable():
    assert may_enter(STRANGER, Path("/"))


def test_an_owner_enters_what_is_closed_for_others(tmp_path):
    tmp_path.chmod(0o700)
    ourselves = Account(name="ourselves", uid=os.geteuid(), gid=os.getegid())

    assert may_enter(ourselves, tmp_path)
