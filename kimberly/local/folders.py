"""The data folder, and where a database lies whose account cannot enter it."""

import hashlib
import os
import shutil
from pathlib import Path

from kimberly.local.accounts import Account, may_enter
from kimberly.local.errors import StackError

# A folder for state that outlives restarts and that every account can enter; only root ever needs it.
ELSEWHERE = Path("/var/lib/kimberly-local")
BELONGS_TO = "belongs-to"


def make_data_dir(data_dir: Path) -> None:
    """Make the folder where there is none. Root's can be passed through, not listed, by the database's account."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        (data_dir / "logs").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise StackError(f"The data folder {data_dir} cannot be used: {error.strerror}.") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise StackError(f"The data folder {data_dir} belongs to somebody else. Choose another by KIMBERLY_DATA_DIR.")


def database_home(data_dir: Path, *, account: Account | None) -> Path:
    """The folder of the database server, which its account can reach.

    It is `postgres` in the data folder. Where the data folder lies below a closed one (a checkout in /root), that is a
    symbolic link to a folder elsewhere: opening root's folders to an account is nothing to be done behind its back.
    """
    home = data_dir / "postgres"
    if home.is_symlink():
        return _checked(home.readlink(), data_dir)
    if not home.exists():
        if account is not None and not may_enter(account, data_dir):
            home.symlink_to(_make_elsewhere(data_dir))
            return home.readlink()
        home.mkdir()
        home.chmod(0o755)
    if account is not None and not may_enter(account, home):
        raise StackError(f"The account {account.name} can no longer enter {home}: allow it to pass (chmod o+x).")
    return home


def remove_data_dir(data_dir: Path) -> None:
    """Remove the folder with all that belongs to it. Nothing may run there."""
    home = data_dir / "postgres"
    if home.is_symlink():
        shutil.rmtree(_checked(home.readlink(), data_dir))
    shutil.rmtree(data_dir)


def _make_elsewhere(data_dir: Path) -> Path:
    folder = ELSEWHERE / hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    for each in (ELSEWHERE, folder):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)
    (folder / BELONGS_TO).write_text(f"{data_dir}\n", encoding="utf-8")
    return folder


def _checked(folder: Path, data_dir: Path) -> Path:
    """A copied data folder must not share its original's database."""
    try:
        owner = (folder / BELONGS_TO).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StackError(f"{data_dir} keeps its database in {folder}, which cannot be read.") from error
    if owner != str(data_dir):
        raise StackError(
            f"{data_dir} is a copy or was moved: its database {folder} belongs to {owner}. If it was moved, write the "
            f"new folder into {folder / BELONGS_TO}; if it is a copy, delete it."
        )
    return folder
