"""A loopback server that sends scripted bytes, valid or not.

A script has the steps of one connection. After the last step the server closes it.

- `bytes`: send them.
- `float`: wait for this number of seconds.
- `READ`: wait for the head of a request.
- `READ_FIRST_BYTE`: wait for its first byte only.
- `STAY_SILENT`: send nothing until the peer ends the connection.
- `RESET`: close with RST instead of FIN.
- `CLOSE_WITHOUT_CLOSE_NOTIFY`: close without the end that TLS requires.
- A function: it gets the last head and returns the step.

A script is a list of steps, or a function that returns an iterable of them, which may be endless.
The n-th connection gets the n-th script. The last script serves all later ones.
"""

import contextlib
import enum
import itertools
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeAlias


class Action(enum.Enum):
    """The steps that are neither bytes nor a wait."""

    READ = enum.auto()
    STAY_SILENT = enum.auto()
    READ_FIRST_BYTE = enum.auto()
    RESET = enum.auto()
    CLOSE_WITHOUT_CLOSE_NOTIFY = enum.auto()


READ, STAY_SILENT, READ_FIRST_BYTE, RESET, CLOSE_WITHOUT_CLOSE_NOTIFY = Action
Step: TypeAlias = bytes | float | Action | Callable[[bytes], bytes]
Script: TypeAlias = Sequence[Step] | Callable[[], Iterable[Step]]


def repeat(*steps: Step) -> Script:
    """Repeat the steps as long as the peer stays."""
    return lambda: itertools.cycle(steps)


def response_bytes(body: bytes = b"[]", *fields: bytes, status: str = "200 OK") -> bytes:
    """Return a valid response with Content-Length."""
    head = [b"HTTP/1.1 " + status.encode(), b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class RawServer:
    """Listens on a free loopback port while used as a context manager."""

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        # Heads, in the order of their arrival.
        self.requests: list[bytes] = []
        # Ports from which clients connected.
        self.peers: list[int] = []
        # Connections that the peer ended.
        self.hangups = 0
        # Connections that this server closed.
        self.ended = 0
        self._scripts, self._tls, self._stopped = scripts, tls, threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=1024)
        self._open: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in it
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    @property
    def connections(self) -> int:
        return len(self.peers)

    def wait(self, true: Callable[[], bool], seconds: float = 2.0) -> bool:
        """Tell whether a statement about the counters is or becomes true in time."""
        with self._changed:
            return self._changed.wait_for(true, seconds)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _count(
        self,
        *,
        hangups: int = 0,
        ended: int = 0,
        peers: Sequence[int] = (),
        requests: Sequence[bytes] = (),
    ) -> None:
        with self._changed:
            self.peers += peers
            self.hangups += hangups
            self.ended += ended
            self.requests += requests
            self._changed.notify_all()

    def _accept(self) -> None:
        # The listener is shut down.
        with contextlib.suppress(OSError):
            for number in itertools.count():
                sock, address = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._count(peers=[address[1]])
                self._start(self._serve, sock, self._scripts[min(number, len(self._scripts) - 1)])

    def _serve(self, sock: socket.socket, script: Script) -> None:
        # A test that waits longer has failed.
        sock.settimeout(5)
        # The peer is gone, perhaps before TLS began, or refuses the certificate.
        with contextlib.suppress(OSError):
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            self._open.append(sock)
            with sock:
                if isinstance(sock, ssl.SSLSocket):
                    sock.do_handshake()
                self._play(sock, script() if callable(script) else script)
        self._count(ended=1)

    def _play(self, sock: socket.socket, steps: Iterable[Step]) -> None:
        head = b""
        for step in steps:
            said = step(head) if callable(step) else step
            if self._stopped.is_set() or said is CLOSE_WITHOUT_CLOSE_NOTIFY:
                return
            if isinstance(said, bytes):
                sock.sendall(said)
            elif isinstance(said, float):
                self._stopped.wait(said)
            elif said is READ_FIRST_BYTE:
                sock.recv(1)
            elif said is RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            elif not (head := self._heard(sock, head_only=said is READ)):
                return
        if isinstance(sock, ssl.SSLSocket):
            sock.settimeout(0.1)
            # This server was shut down meanwhile.
            with contextlib.suppress(ValueError):
                sock.unwrap()

    def _heard(self, sock: socket.socket, *, head_only: bool) -> bytes:
        data = b""
        # A reset is an end, too.
        with contextlib.suppress(OSError):
            while got := sock.recv(65536):
                data += got
                if head_only and data.endswith(b"\r\n\r\n"):
                    self._count(requests=[data])
                    return data
        self._count(hangups=1)
        return b""


@contextlib.contextmanager
def full_queue() -> Iterator[tuple[str, int]]:
    """Yield the address of a listener whose queue is full, so that it drops every SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        place: tuple[str, int] = listener.getsockname()
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(place)
        yield place
