"""HTTP proxy: its URL, the CONNECT request and the response to it."""

from __future__ import annotations

import re
from typing import Final, Self

from binance_usdm._http.addresses import is_loopback, is_valid_host_name
from binance_usdm._http.messages import TLS_ALERT, Origin
from binance_usdm._secrets import SecretHolder

PLAINTEXT_PROXY_PROBLEM: Final = (
    "proxy must be on this machine when base_url is http, since it would see the API key"
)
TLS_PROXY: Final = "the proxy's response to CONNECT is TLS"
"""Text of a `TunnelError` when the proxy's port is not the one for http."""
MAX_CONNECT_RESPONSE_BYTES: Final = 1 << 14
_DEFAULT_PORT: Final = 80
_MAX_PORT: Final = 65535
# It is compiled on first use, since few programs use a proxy.
_URL: Final = (
    r"http://"
    r"(?:(?P<login>[^\s@/?#\ud800-\udfff]+)@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_HEAD_END: Final = b"\r\n\r\n"


class TunnelError(OSError):
    """A proxy did not open the tunnel.

    The text is the proxy's status, or says that its response is not valid. It has no other word of
    the response, which may repeat the password.
    """


class Proxy(SecretHolder):
    """An HTTP proxy.

    Args:
        host: Name or IP address, without brackets.
        port: TCP port.
        authorization: The whole header line that identifies the user, or empty.
        near: Whether the proxy is on this machine, so that it may see what is sent without TLS.
    """

    __slots__ = ("authorization", "host", "is_loopback", "port")

    def __init__(
        self, host: str, port: int, authorization: bytes = b"", *, near: bool = True
    ) -> None:
        self.host: str = host
        self.port: int = port
        self.authorization: bytes = authorization
        self.is_loopback: bool = near

    @classmethod
    def from_url(cls, url: object) -> Self | str:
        """Return a proxy by its URL, or a problem. The problem does not repeat the URL.

        The URL may hold a password.
        """
        match = re.fullmatch(_URL, url) if isinstance(url, str) else None
        port = int(match["port"] or _DEFAULT_PORT) if match else 0
        if match is None or not 0 < port <= _MAX_PORT:
            return (
                "proxy must look like http://[user:pass@]host[:port], with @ in a login written as "
                "%40 and other special characters percent-encoded, too; "
                "for other proxies pass transport=httpx.HTTPTransport(proxy=...)"
            )
        host = match["host"]
        if not host.startswith("[") and not is_valid_host_name(host):
            return "proxy has no usable host; check the name or the IP address"
        authorization = _encode_authorization(match["login"] or "")
        return cls(host.strip("[]"), port, authorization, near=is_loopback(host))

    def connect_request(self, origin: Origin) -> bytes:
        """Return the bytes of the CONNECT request for an origin."""
        host = f"[{origin[1]}]" if ":" in origin[1] else origin[1]
        authority = f"{host}:{origin[2]}".encode()
        return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (
            authority,
            authority,
            self.authorization,
        )


def _encode_authorization(login: str) -> bytes:
    """Return the header line of a percent-encoded `user:password`, empty without one."""
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    decoded = unquote_to_bytes(login)
    if not decoded:
        return b""
    if b":" not in decoded:
        decoded += b":"
    return b"Proxy-Authorization: Basic %b\r\n" % b64encode(decoded)


class ConnectResponseReader:
    """Collector of a proxy's response to CONNECT, within a size.

    The response may repeat the password, so only its status is ever shown.
    """

    def __init__(self) -> None:
        self.established = False
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Take what the proxy sent, b"" for its end.

        Raises:
            TunnelError: The proxy did not open the tunnel.
        """
        self._head += data
        if self._head.startswith(TLS_ALERT):
            raise TunnelError(TLS_PROXY)
        status = _STATUS.match(self._head)
        if status and not status[1].startswith(b"2"):
            raise TunnelError(status[1].decode())
        is_too_large = len(self._head) > MAX_CONNECT_RESPONSE_BYTES
        head_end = self._head.find(_HEAD_END)
        if head_end < 0:
            if not data or is_too_large:
                raise TunnelError("the proxy's response to CONNECT is not valid")
            return
        # A server waits for the client's first bytes. So data after the head comes from the proxy,
        # and the tunnel cannot be trusted.
        has_more = len(self._head) > head_end + len(_HEAD_END)
        if status is None or has_more or is_too_large:
            raise TunnelError("the proxy's response to CONNECT is not valid")
        self.established = True
