"""A PostgreSQL cluster on disk: made once, configured before each start, cleared of what a crash left."""

import locale
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from kimberly.local import accounts, engines, folders
from kimberly.local.accounts import Account
from kimberly.local.errors import StackError
from kimberly.local.files import write_private
from kimberly.local.polling import wait_until
from kimberly.local.processes import ProcessSpec, Runner, is_alive, working_in

SETTINGS: Mapping[str, str] = {
    "wal_level": "replica",
    "summarize_wal": "on",  # incremental backups
    "wal_summary_keep_time": "10d",
    "max_wal_senders": "10",
    "max_slot_wal_keep_size": "8GB",  # a dead WAL receiver must not fill the disk
    # Nothing subscribes here. Else each checkpoint writes a file for it, and on a full disk a PANIC ends the server.
    "max_active_replication_origins": "0",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_buffers": "32MB",  # a shard or a plan is one transaction: it does not write its log itself half-way
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "cluster_name": "kimberly",
}
CONFIGURATION = "kimberly.conf"
INCLUDE = f"\n# The settings of the local stack, written before each start.\ninclude_if_exists = '{CONFIGURATION}'\n"
LOCALE = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
FLAGS = ("--username=postgres", "--auth=scram-sha-256", "--data-checksums", "--no-instructions", *LOCALE)
LEFTOVER_GRACE_SECONDS = 8
SOCKET_PATH_LIMIT = 107  # what the kernel takes, without the ending zero


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where the server's files and programs lie, and whom it runs as (None: as we do)."""

    home: Path
    binaries: Path
    account: Account | None

    @property
    def folder(self) -> Path:
        return self.home / "cluster"

    @property
    def socket_folder(self) -> Path | None:
        """Where the server's Unix socket goes; None where its path would be too long for the kernel."""
        path = self.folder / ".s.PGSQL.65535"
        return self.folder if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT else None

    def create(self, *, password: str, initdb: Callable[..., ProcessSpec], run: Runner) -> None:
        """Make the cluster beside its place and move it there, so that one that was cut short is never started."""
        draft = self.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = self.home / "password"
        write_private(password_file, password + "\n", owner=self.account)
        if self.account is not None:
            os.chown(draft, self.account.uid, self.account.gid)
        try:
            run(initdb("-D", str(draft), f"--pwfile={password_file}", f"--lc-ctype={_letters()}", *FLAGS))
        finally:
            password_file.unlink()
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(INCLUDE)
        draft.rename(self.folder)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write the settings; what an operator changes by ALTER SYSTEM still comes after them."""
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
        write_private(self.folder / CONFIGURATION, "\n".join(lines) + "\n", owner=self.account)

    def check_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(engines.major_version()):
            raise StackError(
                f"{self.folder} was written by PostgreSQL {found}, the embedded server is {engines.major_version()}. "
                "Keep what you need with the old version's pg_dump, then `make clean`."
            )

    def postmaster_pid(self) -> int | None:
        """The server's process as it wrote it down; it may be long gone."""
        with suppress(OSError, ValueError, IndexError):
            return int((self.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        return None

    def processes(self) -> list[int]:
        """Postmaster and backends: they all work in the cluster's folder."""
        return working_in(self.folder.resolve())

    def end_leftovers(self) -> None:
        """End what still runs on these files after a crash. Only for whoever holds the data folder's lock.

        A stale `postmaster.pid` goes too: once its number is another process of ours, PostgreSQL would refuse to start.
        """
        for number in (Signals.SIGQUIT, Signals.SIGKILL):
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if wait_until(lambda: not self.processes(), limit_seconds=LEFTOVER_GRACE_SECONDS):
                break
        noted = self.postmaster_pid()
        if noted is not None and (Path("/proc/self").exists() or not is_alive(noted)):
            (self.folder / "postmaster.pid").unlink()


def at(data_dir: Path) -> Cluster:
    """The cluster of a data folder, with a home that its account can reach; it may not be made yet."""
    account = accounts.for_database(data_dir / "postgres" / "cluster")
    home = folders.database_home(data_dir, account=account)
    return Cluster(home=home, binaries=engines.binaries(home, account=account), account=account)


def _letters() -> str:
    """The C library's locale that tells text search what a letter is; under C every byte beyond ASCII is one."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
