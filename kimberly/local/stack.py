"""The local stack from its first line to its last."""

import os
import time

import psycopg

from kimberly.local import credentials, lock, logs, portal, ports, progress
from kimberly.local.databases import APP, BACKUP, OWNER
from kimberly.local.errors import StackError
from kimberly.local.folders import make_data_dir
from kimberly.local.guardian import Guardian
from kimberly.local.options import Options
from kimberly.local.portal import Admin, Portal
from kimberly.local.postgres import PostgresServer
from kimberly.local.processes import ProcessFailed
from kimberly.local.programs import Connections, Programs
from kimberly.local.signalbox import SignalBox, StopRequested
from kimberly.local.supervisor import Supervisor
from kimberly.local.valkey import ValkeyServer

ADMIN = "admin"


def up(options: Options) -> int:
    """Run the stack until it is asked to stop; the exit code. Raises AlreadyRunning."""
    make_data_dir(options.data_dir)
    with lock.take(options.data_dir) as held:
        portal.withdraw(options.data_dir)
        signals = SignalBox()
        guardian = Guardian(lock_descriptor=held.descriptor)
        supervisor = Supervisor(guardian=guardian, signals=signals, announce=progress.say)
        try:
            return _run(options, held=held, supervisor=supervisor)
        finally:
            portal.withdraw(options.data_dir)
            supervisor.stop()
            guardian.dismiss()


def _run(options: Options, *, held: lock.Lock, supervisor: Supervisor) -> int:
    try:
        _start(options, held=held, supervisor=supervisor)
        supervisor.watch()
    except StopRequested:
        progress.say("Stopping.")
        return 0
    except ProcessFailed as failure:
        _explain(failure)
    except (StackError, psycopg.Error, OSError) as error:
        progress.complain(str(error))
    return 1


def _start(options: Options, *, held: lock.Lock, supervisor: Supervisor) -> None:
    began = time.monotonic()
    progress.say(f"Kimberly starts, with its data in {options.data_dir}")
    port = _web_port(options)
    connections = _start_servers(options, supervisor=supervisor)
    secrets = credentials.load_or_create(options.data_dir)
    programs = Programs(options=options, connections=connections, secrets=secrets, port=port)
    held.describe(url=programs.url)

    with progress.step("migrate", "done"):
        supervisor.run_to_end(programs.migrate())
    with progress.step("web", "answers"):
        supervisor.start(programs.web())
        if options.has_demo_sign_in:  # meanwhile: web needs nothing of it, worker and beat do
            with progress.step("demo", "ready"):
                supervisor.run_to_end(programs.bootstrap())
        supervisor.start(programs.worker())
        supervisor.start(programs.beat())
        supervisor.wait_until_ready("web")

    portal.publish(options.data_dir, _portal(programs))
    _welcome(programs, seconds=time.monotonic() - began)


def _web_port(options: Options) -> int:
    if options.port == 0:
        return ports.remembered(options.data_dir / "port")
    ports.check_can_listen(options.port, host=options.host)
    return options.port


def _start_servers(options: Options, *, supervisor: Supervisor) -> Connections:
    """Start those that were not given by URL; both at once, since neither needs the other."""
    postgres = None if options.database_url else PostgresServer(data_dir=options.data_dir)
    valkey = None if options.redis_url else ValkeyServer(data_dir=options.data_dir)
    if postgres is not None:
        with progress.step("postgres", "prepared"):
            postgres.prepare(run=supervisor.run_to_end)
        supervisor.start(postgres.spec())
    if valkey is not None:
        valkey.prepare()
        supervisor.start(valkey.spec())
        with progress.step("valkey", "ready"):
            supervisor.wait_until_ready("valkey")
    if postgres is not None:
        with progress.step("postgres", "ready"):
            supervisor.wait_until_ready("postgres")
            postgres.provision()
    return _connections(options, postgres=postgres, valkey=valkey)


def _connections(options: Options, *, postgres: PostgresServer | None, valkey: ValkeyServer | None) -> Connections:
    redis_url = valkey.url() if valkey else options.redis_url
    if postgres is None:
        return Connections(
            database_url=options.database_url,
            owner_database_url=options.owner_database_url or None,
            backup_database_url=options.backup_database_url or None,
            redis_url=redis_url,
        )
    return Connections(
        database_url=postgres.url(APP),
        owner_database_url=postgres.url(OWNER),
        backup_database_url=postgres.url(BACKUP),
        redis_url=redis_url,
    )


def _portal(programs: Programs) -> Portal:
    has_sign_in = programs.options.has_demo_sign_in
    return Portal(
        url=programs.url,
        pid=os.getpid(),
        admin=Admin(username=ADMIN, password=programs.secrets.admin_password) if has_sign_in else None,
        api_key=programs.secrets.api_key if has_sign_in else None,
        metrics_token=programs.options.metrics_token or programs.secrets.metrics_token,
        database_url=programs.connections.database_url,
        database_owner_url=programs.connections.owner_database_url,
        redis_url=programs.connections.redis_url,
    )


def _welcome(programs: Programs, *, seconds: float) -> None:
    options = programs.options
    progress.say(f"\nKimberly answers after {seconds:.1f} s:  {programs.url}/")
    if options.has_demo_sign_in:
        progress.say(f"  sign in    {ADMIN} with {programs.secrets.admin_password}")
        progress.say(f"  API key    api_key in {options.data_dir / portal.FILE_NAME}")
    progress.say("  logs       make logs")
    progress.say("  stop       Ctrl-C\n")


def _explain(failure: ProcessFailed) -> None:
    for line in failure.lines:
        progress.complain(f"    {logs.render(line)}")
    progress.complain(f"{failure} The end of its log stands above; all of it is in {failure.log_path}.")
