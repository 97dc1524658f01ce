"""uvicorn's HTTP/1.1 protocol, changed for the mock."""

from __future__ import annotations

import asyncio
import socket
from functools import cache
from typing import Any, Final

from .delivery import TRANSPORT_EXTENSION

HEAD_LIMIT_BYTES: Final = 64 * 1024
"""Largest head of a request: request line and headers."""
REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""Time from the first byte of a request, or from connecting, to the request's end."""
_SHUTDOWN_GRACE_SECONDS: Final = 0.5
_HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@cache
def protocol_class() -> type[Any]:
    """Return uvicorn's protocol class, changed for the mock.

    It passes its transport to applications, limits the head of a request and the time for it, and
    does not let a slow delivery delay the shutdown.
    """
    # The extra "mock", which only a server needs.
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        # Bytes since the last progress in a request's body: of its head, of what stands between
        # the pieces of its body, or of its trailers.
        _head_bytes = 0
        _is_head_too_large = False
        _unfinished_since: float | None = None
        _timer: asyncio.TimerHandle | None = None

        # The signature is uvicorn's.
        def connection_made(  # type: ignore[override]
            self, transport: asyncio.Transport
        ) -> None:
            super().connection_made(transport)
            # asyncio does this for sockets whose protocol is TCP, but those of create_server have
            # protocol 0. Without it every response takes 40 ms more.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._unfinished_since = self.loop.time()
            self._close_if_unfinished()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._timer is not None:
                self._timer.cancel()

        def _close_if_unfinished(self) -> None:
            timeout = REQUEST_TIMEOUT_SECONDS
            now = self.loop.time()
            if self._unfinished_since is not None and now - self._unfinished_since >= timeout:
                self.transport.close()
            else:
                # One timer for each connection, since one for each request would cost more.
                self._timer = self.loop.call_later(timeout / 4, self._close_if_unfinished)

        def data_received(self, data: bytes) -> None:
            self._head_bytes += len(data)
            super().data_received(data)
            if self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
                self._is_head_too_large = True
                self.send_400_response("")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._unfinished_since = self.loop.time()
            # Any, since the types of uvicorn do not have this extension.
            extensions: Any = {TRANSPORT_EXTENSION: self.transport}
            self.scope["extensions"] = extensions

        def on_headers_complete(self) -> None:
            if self._head_bytes > HEAD_LIMIT_BYTES:
                # Some of the bytes may be of the body.
                sizes = (len(name) + len(value) for name, value in self.headers)
                self._is_head_too_large = len(self.url) + sum(sizes) > HEAD_LIMIT_BYTES
                if self._is_head_too_large:
                    raise ValueError("the head of the request is too large")
            self._head_bytes = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._head_bytes = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._head_bytes = 0
            self._unfinished_since = None
            super().on_message_complete()

        def send_400_response(self, msg: str) -> None:
            if not self._is_head_too_large:
                super().send_400_response(msg)
                return
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

        def shutdown(self) -> None:
            super().shutdown()
            self.loop.call_later(_SHUTDOWN_GRACE_SECONDS, self.transport.abort)

    return Protocol
