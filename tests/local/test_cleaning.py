import pytest

from kimberly.local import cleaning, credentials, lock
from kimberly.local.errors import StackError


def test_a_folder_of_ours_is_removed_with_all_it_holds(tmp_path):
    data_dir = tmp_path / "var"
    (data_dir / "logs").mkdir(parents=True)
    credentials.load_or_create(data_dir)

    cleaning.clean(data_dir)

    assert not data_dir.exists()


def test_a_folder_that_is_not_ours_stays(tmp_path):
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(StackError, match="it stays as it is"):
        cleaning.clean(tmp_path)

    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_in_use_stays(tmp_path):
    credentials.load_or_create(tmp_path)

    with lock.take(tmp_path), pytest.raises(lock.AlreadyRunning):
        cleaning.clean(tmp_path)

    assert (tmp_path / credentials.FILE_NAME).exists()


def test_nothing_to_remove_is_no_mistake(tmp_path, capsys):
    cleaning.clean(tmp_path / "var")

    assert "There is no" in capsys.readouterr().out
