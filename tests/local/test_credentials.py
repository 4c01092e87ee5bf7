import re
import stat

import pytest

from kimberly.local import credentials
from kimberly.local.errors import StackError


def test_stay_the_same_from_start_to_start(tmp_path):
    first = credentials.load_or_create(tmp_path)

    assert credentials.load_or_create(tmp_path) == first


def test_are_readable_for_nobody_else(tmp_path):
    credentials.load_or_create(tmp_path)

    assert stat.S_IMODE((tmp_path / credentials.FILE_NAME).stat().st_mode) == 0o600


def test_differ_from_folder_to_folder(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()

    one, two = (credentials.load_or_create(tmp_path / name) for name in ("one", "two"))

    assert one.admin_password != two.admin_password
    assert one.api_key != two.api_key


def test_gain_what_a_later_version_added_and_keep_the_rest(tmp_path):
    first = credentials.load_or_create(tmp_path)
    path = tmp_path / credentials.FILE_NAME
    path.write_text(path.read_text().replace("metrics_token", "forgotten_name"))

    second = credentials.load_or_create(tmp_path)

    assert second.app_password == first.app_password
    assert second.metrics_token != first.metrics_token


def test_a_broken_file_is_never_replaced(tmp_path):
    (tmp_path / credentials.FILE_NAME).write_text("{")

    with pytest.raises(StackError, match="cannot be read"):
        credentials.load_or_create(tmp_path)

    assert (tmp_path / credentials.FILE_NAME).read_text() == "{"


def test_an_api_key_has_a_prefix_to_find_it_by():
    assert re.fullmatch(r"kmb_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", credentials.api_key())


def test_a_password_can_be_read_aloud():
    assert re.fullmatch(
        r"([bdfghjkmnprstvz][aeiou]){2}(-([bdfghjkmnprstvz][aeiou]){2}){5}", credentials.readable_password()
    )
