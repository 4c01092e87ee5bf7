"""Whom the database runs as, and which folders that account can enter."""

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kimberly.local.errors import StackError

# PostgreSQL's own account where the machine has one: nothing but a database lies in its reach. Every machine has
# nobody, but other services may share it.
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of the machine."""

    name: str
    uid: int
    gid: int


def for_database(cluster: Path) -> Account | None:
    """The account to run PostgreSQL as, which refuses root; None: as whoever we are.

    An existing cluster keeps its owner, also when the machine gains a better account later.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists():
        return _by_uid(cluster.stat().st_uid, cluster)
    for name in CANDIDATES:
        with suppress(KeyError):
            return named(name)
    raise StackError(
        f"PostgreSQL refuses to run as root, and this machine has no account {' or '.join(CANDIDATES)}. "
        "Run this as an ordinary user."
    )


def named(name: str) -> Account:
    """The account of that name, or KeyError."""
    return _account(pwd.getpwnam(name))


def may_enter(account: Account, folder: Path) -> bool:
    """Whether the account can reach what lies in the folder: it and each above it lets the account pass."""
    return all(_lets_pass(account, each.stat()) for each in (folder, *folder.parents))


def _lets_pass(account: Account, status: os.stat_result) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _by_uid(uid: int, cluster: Path) -> Account:
    if uid == 0:
        raise StackError(f"{cluster} belongs to root, as whom PostgreSQL does not run. Give it to another account.")
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise StackError(f"{cluster} belongs to user {uid}, whom this machine does not know.") from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
