"""Ports on which servers of this machine can listen."""

import secrets
import socket
from pathlib import Path

from kimberly.local.errors import StackError

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel lends ports to outgoing connections (32768 upwards): such a connection could
# otherwise sit on a server's port while that server restarts.
LOWEST, HIGHEST = 15_000, 32_000
ATTEMPTS = 200


def check_can_listen(port: int, *, host: str) -> None:
    """Raise StackError with the reason when a server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of an earlier run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StackError(
                f"Nothing can listen on {host} port {port}: {error.strerror}. "
                "Set KIMBERLY_PORT to another port, or to 0 for one that is free."
            ) from error


def is_free(port: int) -> bool:
    try:
        check_can_listen(port, host=LOOPBACK)
    except StackError:
        return False
    return True


def free_port() -> int:
    """A port that nobody listens on now; drawn at random, so that two stacks starting together do not meet."""
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(port):
            return port
    raise StackError(f"No free port was found between {LOWEST} and {HIGHEST}.")


def remembered(path: Path) -> int:
    """The port kept in the file while it is free, else another one that is kept from now on."""
    known = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if known.isdecimal() and is_free(int(known)):
        return int(known)
    port = free_port()
    path.write_text(f"{port}\n", encoding="ascii")
    return port
