"""A supervised tree of stand-ins, run as a program of its own so that tests can kill it.

The database and Valkey are real; "web" is granian with a trivial application, whose workers outlive a killed main
process; "worker" has children that wait for nothing. `python -m tests.local.tree DATA_DIR` writes `ready` there.
"""

import os
import sys
from pathlib import Path

from kimberly.local import lock, ports
from kimberly.local.folders import make_data_dir
from kimberly.local.guardian import Guardian
from kimberly.local.postgres import PostgresServer
from kimberly.local.processes import ProcessSpec
from kimberly.local.signalbox import SignalBox, StopRequested
from kimberly.local.supervisor import Supervisor
from kimberly.local.valkey import ValkeyServer

WITH_CHILDREN = "import os, time; [os.fork() for _ in range(2)]; time.sleep(3600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"


def application(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]


def main(data_dir: Path) -> None:
    make_data_dir(data_dir)
    with lock.take(data_dir) as held:
        guardian = Guardian(lock_descriptor=held.descriptor)
        supervisor = Supervisor(guardian=guardian, signals=SignalBox(), announce=print)
        try:
            run(data_dir, supervisor)
        except StopRequested:
            pass
        finally:
            supervisor.stop()
            guardian.dismiss()


def run(data_dir: Path, supervisor: Supervisor) -> None:
    postgres, valkey = PostgresServer(data_dir=data_dir), ValkeyServer(data_dir=data_dir)
    postgres.prepare(run=supervisor.run_to_end)
    valkey.prepare()
    port = str(ports.free_port())
    web = ("-m", "granian", "--interface", "wsgi", "tests.local.tree:application", "--workers", "2", "--port", port)
    supervisor.start(postgres.spec())
    supervisor.start(valkey.spec())
    supervisor.wait_until_ready("postgres")
    supervisor.wait_until_ready("valkey")
    postgres.provision()
    supervisor.start(program(data_dir, "web", *web))
    supervisor.start(program(data_dir, "worker", "-c", WITH_CHILDREN))
    supervisor.start(program(data_dir, "stubborn", "-c", STUBBORN))
    draft = data_dir / "ready.new"
    draft.write_text(postgres.url(), encoding="utf-8")
    draft.rename(data_dir / "ready")
    supervisor.watch()


def program(data_dir: Path, name: str, *arguments: str) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(sys.executable, *arguments),
        environ={**os.environ, "KIMBERLY_DATA_DIR": str(data_dir)},
        folder=Path(__file__).parent.parent.parent,
        log_path=data_dir / "logs" / f"{name}.log",
        stop_seconds=1,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
