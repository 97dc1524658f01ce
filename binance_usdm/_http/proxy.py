"""Where a connection goes: which host is this machine, and how a proxy is asked for a tunnel by CONNECT. Opens no socket."""

from __future__ import annotations

import re
from typing import Self

from binance_usdm._secrets import SecretHolder

from .addresses import is_loopback, is_valid_host_name
from .messages import Origin

PLAINTEXT_PROXY_PROBLEM = (
    "proxy must be on this machine when base_url is http: it would see the key"
)
MAX_CONNECT_RESPONSE_BYTES = 1 << 14
_URL = (  # compiled when there is one
    r"http://(?:(?P<login>[^\s@/?#\ud800-\udfff]+)@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?"
)
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


class TunnelError(OSError):
    """A proxy did not do as it was asked; the text holds no word of its own."""


class Proxy(SecretHolder):
    """An HTTP proxy, and what it is told of its user: a whole header line, or nothing."""

    __slots__ = ("authorization", "host", "is_loopback", "port")

    def __init__(
        self, host: str, port: int, authorization: bytes = b"", *, near: bool = True
    ) -> None:
        self.host, self.port, self.authorization = host, port, authorization
        self.is_loopback = near  # on this machine: it may see what is sent without TLS

    @classmethod
    def from_url(cls, url: object) -> Self | str:
        """A proxy by its URL, or a complaint that does not repeat it: it may hold a password."""
        match = re.fullmatch(_URL, url) if isinstance(url, str) else None
        if match is None or not 0 < int(match["port"] or 80) < 65536:
            return (
                "proxy must look like http://[user:pass@]host[:port], with @ in a login written as "
                "%40 and other special characters percent-encoded too; "
                "for other proxies pass transport=httpx.HTTPTransport(proxy=...)"
            )
        if not match["host"].startswith("[") and not is_valid_host_name(match["host"]):
            return "proxy has no usable host: check the name or the IP address"
        from base64 import b64encode
        from urllib.parse import unquote_to_bytes

        login = unquote_to_bytes(match["login"] or "")
        basic = b64encode(login if b":" in login else login + b":")
        line = b"Proxy-Authorization: Basic %b\r\n" % basic if login else b""
        return cls(
            match["host"].strip("[]"),
            int(match["port"] or 80),
            line,
            near=is_loopback(match["host"]),
        )

    def connect_request(self, origin: Origin) -> bytes:
        host = f"[{origin[1]}]" if ":" in origin[1] else origin[1]
        place = f"{host}:{origin[2]}".encode()
        return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (place, place, self.authorization)


class ConnectResponseReader:
    """Collects what a proxy says to CONNECT, within a size. Its words may echo the password: only the status is ever told."""

    established = False
    _head = b""

    def feed(self, data: bytes) -> None:
        """Take what the proxy sent; b"" is its end. Raises TunnelError."""
        self._head += data
        status, end = _STATUS.match(self._head), self._head.find(b"\r\n\r\n") + 4
        if status and not status[1].startswith(b"2"):
            raise TunnelError(status[1].decode())
        # behind the tunnel nobody speaks unasked: what follows the head is the proxy's own
        self.established = (
            status is not None and end == len(self._head) <= MAX_CONNECT_RESPONSE_BYTES
        )
        if not self.established and (
            end > 3 or not data or len(self._head) > MAX_CONNECT_RESPONSE_BYTES
        ):
            raise TunnelError("no valid answer")
