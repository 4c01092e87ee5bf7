import pytest

from kimberly.config import WrongSettings
from kimberly.local import options


def test_nothing_needs_to_be_set():
    chosen = options.load({})

    assert (chosen.port, chosen.host, chosen.web_workers, chosen.data_dir.name) == (8000, "127.0.0.1", 2, "var")


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(WrongSettings) as refusal:
        options.load(
            {"KIMBERLY_PORT": "http", "KIMBERLY_WEB_WORKERS": "0", "REDIS_URL": "nowhere", "KIMBERLY_DEMO": "maybe"}
        )

    assert {"KIMBERLY_PORT", "KIMBERLY_WEB_WORKERS", "REDIS_URL", "KIMBERLY_DEMO"} <= set(
        str(refusal.value).replace(":", " ").split()
    )


def test_a_secret_can_stand_in_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql://somewhere/kimberly\n")

    chosen = options.load({"DATABASE_URL_FILE": str(tmp_path / "url")})

    assert chosen.database_url == "postgresql://somewhere/kimberly"


@pytest.mark.parametrize(
    ("environ", "sign_in", "data"),
    [
        ({}, True, True),
        ({"KIMBERLY_DEMO": "0"}, True, False),
        ({"KIMBERLY_DEMO": "1"}, True, True),
        ({"DATABASE_URL": "postgresql://x/y"}, False, False),
        ({"DATABASE_URL": "postgresql://x/y", "KIMBERLY_DEMO": "0"}, False, False),
        ({"DATABASE_URL": "postgresql://x/y", "KIMBERLY_DEMO": "1"}, True, True),
    ],
)
def test_a_sign_in_and_people_are_made_on_ones_own_database_or_when_asked(environ, sign_in, data):
    chosen = options.load(environ)

    assert (chosen.has_demo_sign_in, chosen.has_demo_data) == (sign_in, data)
