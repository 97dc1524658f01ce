"""Server on the loopback address that answers Redis commands by a script."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias

Step: TypeAlias = bytes | float
Answer: TypeAlias = Callable[[list[bytes]], Iterable[Step]]
"""Return what to do about a command: bytes to send, and seconds to pause."""

OK = b"+OK\r\n"
GRANTED = b"*2\r\n:0\r\n:5\r\n"
"""The script's answer: no wait, and a weight of 5 is used."""
SILENCE = 3600.0


def answer_to(command: list[bytes]) -> bytes:
    """Return a healthy server's answer to a command of the limiter."""
    return GRANTED if command[0].startswith(b"EVAL") else OK


def drip(data: Iterable[int], pause: float = 0.03) -> Iterator[Step]:
    """Send single bytes, with a pause before each."""
    for byte in data:
        yield pause
        yield bytes([byte])


class FakeRedisServer:
    """Server that is used as a context manager.

    Args:
        answer: Answers each command.
        greeting: What is sent to each connection before it says anything.
        tls: Server's TLS settings; a handshake is made with them first.
    """

    def __init__(
        self, answer: Answer, greeting: Iterable[Step] = (), tls: ssl.SSLContext | None = None
    ) -> None:
        self.commands: list[tuple[int, list[bytes]]] = []
        """Number of the connection, and the command."""
        self.hangups = 0
        self.sent_bytes = 0
        self.connections = 0
        self._answer, self._greeting, self._tls = answer, list(greeting), tls
        self._stopped, self._changed = threading.Event(), threading.Condition()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis{'s' if tls else ''}://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def wait(self, is_true: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Return whether a statement about the counters is, or becomes, true in time."""
        with self._changed:
            return self._changed.wait_for(is_true, seconds)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # The listener is shut down.
            for number in itertools.count():
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(sock)
                with self._changed:
                    self.connections += 1
                    self._changed.notify_all()
                self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            stack.enter_context(sock)
            self._play(sock, self._greeting)
            stream = stack.enter_context(sock.makefile("rb"))
            while command := self._read_command(stream):
                with self._changed:
                    self.commands.append((number, command))
                    self._changed.notify_all()
                self._play(sock, self._answer(command))
        with self._changed:
            self.hangups += 1
            self._changed.notify_all()

    def _play(self, sock: socket.socket, steps: Iterable[Step]) -> None:
        for step in steps:
            if isinstance(step, bytes):
                sock.sendall(step)
                self.sent_bytes += len(step)
            elif self._pause(sock, step):
                return

    def _pause(self, sock: socket.socket, seconds: float) -> bool:
        """Pause, and return whether the server was stopped. The peer's end ends a pause."""
        if seconds < SILENCE:
            return self._stopped.wait(seconds)
        sock.settimeout(0.02)
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                if not sock.recv(65536):
                    break
        raise OSError("the peer is gone")

    @staticmethod
    def _read_command(stream: BinaryIO) -> list[bytes]:
        count = int(stream.readline()[1:] or 0)
        return [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(count)]
