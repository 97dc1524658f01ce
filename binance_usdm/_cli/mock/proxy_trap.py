"""A proxy that refuses every request and says which host it was for."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

_LINE_LIMIT: Final = 8192
_TIMEOUT_SECONDS: Final = 5.0


class ProxyTrap:
    """The hosts that a program tried to reach through the proxy.

    Args:
        url: URL of the proxy.

    Attributes:
        hosts: Host and port of each attempt, the first one first. They were not reached.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.hosts: list[str] = []
        self._end_program: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def set_program(self, end_program: Callable[[], object]) -> None:
        """Set the function that ends the program. It is called now if there was an attempt."""
        with self._lock:
            self._end_program = end_program
            has_left = bool(self.hosts)
        if has_left:
            end_program()

    def add_attempt(self, host: str) -> None:
        """Note an attempt to reach a host, and end the program."""
        with self._lock:
            if host not in self.hosts:
                self.hosts.append(host)
            end_program = self._end_program
        end_program()


@contextmanager
def start_trap() -> Iterator[ProxyTrap]:
    """Serve the trap in a thread on a free port of the loopback address."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = _TIMEOUT_SECONDS

        def handle(self) -> None:
            try:
                line = self.rfile.readline(_LINE_LIMIT)
            except OSError:
                return
            host = parse_target(line)
            if host is None:
                return
            # First, since the program may end before it reads the response.
            trap.add_attempt(host)
            text = f"mock run --sealed: {host} is not the mock exchange\n".encode()
            head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
            try:
                self.wfile.write(head.encode() + text)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing about a broken connection."""

    with Server(("127.0.0.1", 0), Handler) as server:
        trap = ProxyTrap(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield trap
        finally:
            server.shutdown()
            thread.join()


def parse_target(line: bytes) -> str | None:
    """Return the host and port that a request to a proxy is for, `None` if it is not a request.

    Args:
        line: First line of the request.
    """
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    method, target, _ = words
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        # Not netloc, which may have a password.
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or not host.isprintable():
        return "a host that is not valid"
    return host if port is None else f"{host}:{port}"
