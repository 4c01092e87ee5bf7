import pytest

from kimberly.config import WrongSettings
from kimberly.local import options


def test_nothing_needs_to_be_set():
    chosen = options.load({})

    assert (chosen.port, chosen.host, chosen.web_workers, chosen.data_dir.name) == (8000, "127.0.0.1", 2, "var")


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(WrongSettings) as refusal:
        options.load({"KIMBERLY_PORT": "http", "KIMBERLY_WEB_WORKERS": "0", "REDIS_URL": "nowhere"})

    assert {"KIMBERLY_PORT", "KIMBERLY_WEB_WORKERS", "REDIS_URL"} <= set(str(refusal.value).replace(":", " ").split())


def test_a_secret_can_stand_in_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql://somewhere/kimberly\n")

    chosen = options.load({"DATABASE_URL_FILE": str(tmp_path / "url")})

    assert chosen.database_url == "postgresql://somewhere/kimberly"


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        ({}, True),
        ({"DATABASE_URL": "postgresql://x/y"}, False),
        ({"DATABASE_URL": "postgresql://x/y", "KIMBERLY_DEMO": "1"}, True),
    ],
)
def test_a_sign_in_is_made_on_ones_own_database_or_when_asked(environ, allowed):
    assert options.load(environ).has_demo_sign_in is allowed
