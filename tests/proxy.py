"""A TCP proxy before a real server, to make the network misbehave: slow, stalled, reset, half-open."""

import socket
import struct
import threading
from contextlib import suppress
from typing import Self

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds: closing sends a reset


class Proxy:
    """Forwards a port of its own to a server's: `with Proxy(server.port) as proxy: connect_to(proxy.port)`."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._never = threading.Event()
        self._flows = threading.Event()
        self._delay_seconds = 0.0
        self._resets = self._swallows = False
        self.heal()

    def delay(self, seconds: float) -> None:
        """Everything arrives this much later."""
        self._delay_seconds = seconds

    def stall(self) -> None:
        """Nothing arrives any more, until `heal` lets all of it through."""
        self._flows.clear()

    def reset(self) -> None:
        """Every connection is reset, those to come as well."""
        self._resets = True
        self._drop_all()

    def half_open(self) -> None:
        """The other side is gone without a word: what is sent is taken, and never answered."""
        self._swallows = True

    def heal(self) -> None:
        """Forward as a network should; connections that lost bytes are reset."""
        self._delay_seconds = 0.0
        self._resets = False
        if self._swallows:
            self._swallows = False
            self._drop_all()
        self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
            except ConnectionRefusedError:
                client.close()
                continue
            except OSError:
                return
            self._sockets |= {client, server}
            if self._resets:
                self._drop_all()
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                self._never.wait(self._delay_seconds)
                if not self._swallows:
                    sink.sendall(data)
        for one in (source, sink):
            self._drop(one)

    def _drop_all(self) -> None:
        for one in tuple(self._sockets):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._drop(one)

    def _drop(self, one: socket.socket) -> None:
        self._sockets.discard(one)
        with suppress(OSError):  # wakes the thread that reads from it
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.heal()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop_all()
