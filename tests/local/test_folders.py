import pytest

from kimberly.local import folders
from kimberly.local.accounts import Account
from kimberly.local.errors import StackError

STRANGER = Account(name="stranger", uid=54_321, gid=54_321)


@pytest.fixture
def closed(tmp_path, monkeypatch):
    """A data folder below one that only its owner enters, and a place elsewhere."""
    monkeypatch.setattr(folders, "ELSEWHERE", tmp_path / "elsewhere")
    data_dir = tmp_path / "closed" / "data"
    data_dir.mkdir(parents=True)
    data_dir.parent.chmod(0o700)
    return data_dir


def test_a_database_lies_in_its_data_folder(tmp_path):
    assert folders.database_home(tmp_path, account=None) == tmp_path / "postgres"


def test_below_a_closed_folder_the_database_lies_elsewhere_and_is_found_again(closed):
    home = folders.database_home(closed, account=STRANGER)

    assert home.parent == folders.ELSEWHERE
    assert folders.database_home(closed, account=STRANGER) == home


def test_a_copied_data_folder_does_not_get_its_originals_database(closed):
    folders.database_home(closed, account=STRANGER)
    copy = closed.rename(closed.with_name("copy"))

    with pytest.raises(StackError, match="is a copy or was moved"):
        folders.database_home(copy, account=STRANGER)


def test_removing_a_data_folder_removes_what_lies_elsewhere(closed):
    home = folders.database_home(closed, account=STRANGER)

    folders.remove_data_dir(closed)

    assert not home.exists()
    assert not closed.exists()


def test_a_folder_closed_later_is_named(closed):
    (closed / "postgres").mkdir()

    with pytest.raises(StackError, match="stranger can no longer enter"):
        folders.database_home(closed, account=STRANGER)
