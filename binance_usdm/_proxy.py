"""How a proxy is asked for a tunnel: CONNECT and what it answers. Opens no socket; knows nothing of what goes through."""

import re
from typing import TypeAlias

MAX_TUNNEL_HEAD = 1 << 14
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")

Origin: TypeAlias = tuple[bool, str, int]  # TLS, host, port


class TunnelError(OSError):
    """A proxy did not do as it was asked; the text holds no word of its own."""


class Proxy:
    """An HTTP proxy, and what it is told of its user: a whole header line, or nothing."""  # no repr: it holds a password

    __slots__ = ("authorization", "host", "port")

    def __init__(self, host: str, port: int, authorization: bytes = b"") -> None:
        self.host, self.port, self.authorization = host, port, authorization

    def request(self, origin: Origin) -> bytes:
        host = f"[{origin[1]}]" if ":" in origin[1] else origin[1]
        place = f"{host}:{origin[2]}".encode()
        return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (place, place, self.authorization)


class Tunnel:
    """Collects what a proxy says to CONNECT, within a size. Its words may echo the password: only the status is ever told."""

    open = False
    _head = b""

    def feed(self, data: bytes) -> None:
        """Take what the proxy sent; b"" is its end. Raises TunnelError."""
        self._head += data
        status, end = _STATUS.match(self._head), self._head.find(b"\r\n\r\n") + 4
        if status and not status[1].startswith(b"2"):
            raise TunnelError(status[1].decode())
        # behind the tunnel nobody speaks unasked: what follows the head is the proxy's own
        self.open = status is not None and end == len(self._head) <= MAX_TUNNEL_HEAD
        if not self.open and (end > 3 or not data or len(self._head) > MAX_TUNNEL_HEAD):
            raise TunnelError("no valid answer")
