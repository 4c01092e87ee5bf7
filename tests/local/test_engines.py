import stat

import pytest

from kimberly.local import engines
from kimberly.local.accounts import Account

STRANGER = Account(name="stranger", uid=54_321, gid=54_321)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An installation in a folder that only its owner enters."""
    site = tmp_path / "site-packages"
    (site / engines.BINARIES).mkdir(parents=True)
    (site / engines.LIBRARIES).mkdir()
    (site / engines.BINARIES / "postgres").touch(mode=0o700)
    (site / engines.BINARIES.parent / "include").mkdir()
    site.chmod(0o700)
    monkeypatch.setattr(engines, "_site_packages", lambda: site)
    return site


def test_ones_own_programs_are_run_where_they_are(site, tmp_path):
    assert engines.binaries(tmp_path, account=None) == site / engines.BINARIES


def test_an_account_that_cannot_reach_them_gets_a_copy_it_can_run(site, tmp_path):
    home = tmp_path / "home"
    home.mkdir()

    binaries = engines.binaries(home, account=STRANGER)

    assert binaries.is_relative_to(home)
    assert stat.S_IMODE((binaries / "postgres").stat().st_mode) == 0o755
    assert not (binaries.parent / "include").exists()


def test_a_copy_is_used_again_and_replaced_by_another_versions(site, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    first = engines.binaries(home, account=STRANGER)
    again = engines.binaries(home, account=STRANGER)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.1")

    later = engines.binaries(home, account=STRANGER)

    assert first == again != later
    assert [path.name for path in home.iterdir()] == ["engine-99.1"]
