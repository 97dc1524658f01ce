"""The mock exchange as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol
from urllib.parse import quote, unquote_to_bytes

from binance_usdm.mock.core.response import IMMEDIATE, Reply, html_response, json_ok_response
from binance_usdm.mock.state.accounts import normalize_ip
from binance_usdm.mock.state.redaction import log_internal_error

from .delivery import Message, Receive, Send, response_head, send_response

Application = Callable[[Message, Receive, Send], Awaitable[None]]
Handler = Callable[[str, bytes, Iterable[tuple[bytes, bytes]], bytes, str], Reply]
"""Respond to a request: method, raw path with query, header pairs, body, client IP address."""

LOOPBACK: Final = "127.0.0.1"
HEALTH_PATH: Final = "/__health"
"""Path for health checks, which is not one of the exchange."""
_HEALTH_PATH_BYTES: Final = HEALTH_PATH.encode()
_HEALTH_METHODS: Final = ("GET", "HEAD")
_HEALTHY: Final = json_ok_response(b'{"status":"ok"}')
# Far above what any request to the exchange needs.
_EXCHANGE_BODY_LIMIT: Final = 1024 * 1024
# What RFC 3986, 3.3 allows in a path, and "%".
_PATH_CHARACTERS: Final = "/%:@!$&'()*+,;=~"
_BODY_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding"})


class AdminHandler(Protocol):
    """Admin API: responds to paths below `prefix`, with bodies of at most `body_limit` bytes."""

    @property
    def prefix(self) -> str: ...
    @property
    def body_limit(self) -> int: ...

    def handle(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        address: str,
    ) -> Reply: ...


def make_asgi_app(handle: Handler, admin: AdminHandler | None = None) -> Application:
    """Return an ASGI 3 application.

    Path and query are passed on byte for byte. `GET` of `HEALTH_PATH` is responded to with 200 and is
    not logged. A body above 1 MiB is rejected with 413, and the
    request is not logged. An exception, such as one of a custom verifier, is logged on
    `binance_usdm.mock`, and the response is a 500.

    Args:
        handle: Function that responds to a request of the exchange.
        admin: Admin API. Without one its paths are paths of the exchange.
    """
    return _AsgiApp(handle, admin)


class _AsgiApp:
    def __init__(self, handle: Handler, admin: AdminHandler | None) -> None:
        self._handle = handle
        self._admin = admin
        self._admin_paths = (admin.prefix.encode(), f"{admin.prefix}/".encode()) if admin else None
        self._body_limit = max(_EXCHANGE_BODY_LIMIT, admin.body_limit if admin else 0)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _handle_lifespan(scope["type"], receive, send)
            return
        body = await self._read_body(receive) if _may_have_body(scope) else b""
        if body is None:
            return
        try:
            reply = self._dispatch(scope, body)
        # A custom verifier or clock may raise anything.
        except Exception as error:  # noqa: BLE001
            log_internal_error(error)
            reply = html_response(500, "Internal server error")
        head = announced, headers = response_head(reply)
        # Nearly every response is sent here, in two messages.
        if reply.delivery is IMMEDIATE and announced == len(reply.body):
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})
        else:
            await send_response(reply, head, scope, receive, send)

    def _dispatch(self, scope: Message, body: bytes) -> Reply:
        path = _path_in_app(scope)
        method, query, headers = scope["method"], scope["query_string"], scope["headers"]
        if path == _HEALTH_PATH_BYTES and method in _HEALTH_METHODS:
            return _HEALTHY
        if self._admin is not None and self._is_admin(path):
            client = (scope.get("client") or ("",))[0]
            return self._admin.handle(method, path.decode("latin-1"), query, headers, body, client)
        if len(body) > _EXCHANGE_BODY_LIMIT:
            return html_response(413, "Request entity too large")
        target = path + b"?" + query if query else path
        return self._handle(method, target, headers, body, _client_address(scope))

    def _is_admin(self, path: bytes) -> bool:
        if self._admin_paths is None:
            return False
        prefix, folder = self._admin_paths
        return path == prefix or path.startswith(folder)

    async def _read_body(self, receive: Receive) -> bytes | None:
        """Return the request's body, or None if the client disconnected before its end.

        Reading ends above the limit.
        """
        body = bytearray()
        has_more = True
        while has_more and len(body) <= self._body_limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        return bytes(body)


def _path_in_app(scope: Message) -> bytes:
    """Return the raw path of a request without the path at which the application is mounted.

    `path` begins with `root_path` in newer frameworks and servers, and `raw_path` in older ones
    too, whose `path` does not. In some it begins with neither.
    """
    path: bytes = scope.get("raw_path") or quote(scope["path"], _PATH_CHARACTERS).encode()
    root_path: str = scope.get("root_path", "").rstrip("/")
    if not root_path:
        return path
    # The raw path may be percent-encoded, the root path is not.
    segments = path.split(b"/")
    count = root_path.count("/") + 1
    if unquote_to_bytes(b"/".join(segments[:count])) == root_path.encode():
        return b"/".join([b"", *segments[count:]]) or b"/"
    return path


def _may_have_body(scope: Message) -> bool:
    """Return whether a request may have a body.

    A request of HTTP/1 announces it (RFC 9112, 6.3), one of other versions need not.
    """
    for name, _ in scope["headers"]:
        if name in _BODY_HEADERS:
            return True
    return not scope.get("http_version", "").startswith("1.")


def _client_address(scope: Message) -> str:
    """Return the client's IP address, or the loopback address if there is none.

    A test without a socket has none.
    """
    try:
        return normalize_ip((scope.get("client") or (LOOPBACK,))[0])
    except ValueError:
        # A test client may have any name.
        return LOOPBACK


async def _handle_lifespan(scope_type: str, receive: Receive, send: Send) -> None:
    if scope_type != "lifespan":
        raise ValueError(f"the mock exchange supports the ASGI scope http, not {scope_type}")
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
