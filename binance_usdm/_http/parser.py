"""One reply of HTTP/1.1 from bytes, on llhttp, or why there is none. Opens no socket; knows no key, no signature and no exchange.

A request carries a key and a signature. So a failure is a value in here and in the transports, which becomes an error where nothing
shows the request: its traceback is short, it has no cause and no context.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TypeAlias

import httptools

from .messages import _NO_HEADERS, STALE, TOO_LARGE, Headers, HttpFailure, HttpResponse, HttpResult
from .proxy import TunnelError

MAX_HEADERS = 10_000  # those of a MiB of tiny ones would take a quarter of a second and 30 MiB

Phase: TypeAlias = tuple[str, str, str]
"""What is being done, and the kinds of its failures: too late, anything else."""
POOL: Phase = ("waiting for a connection", "PoolTimeout", "PoolTimeout")
CONNECT: Phase = ("connecting", "ConnectTimeout", "ConnectError")
PROXY_CONNECT: Phase = ("connecting through the proxy", "ConnectTimeout", "ConnectError")
WRITE: Phase = ("sending", "WriteTimeout", "WriteError")
READ: Phase = ("reading", "ReadTimeout", "ReadError")
_DISCONNECT_ERRORS = (ConnectionError, ssl.SSLEOFError)  # reset, broken pipe, and an end without TLS's goodbye


def failure_from_exception(error: Exception, phase: Phase) -> HttpFailure:
    doing, late, broken = phase
    if isinstance(error, TimeoutError):
        return HttpFailure(late, f"{doing} took too long")
    if isinstance(error, TunnelError):
        return HttpFailure("ProxyError", str(error))
    if isinstance(error, socket.gaierror):
        return HttpFailure(broken, f"{doing} failed: the name cannot be resolved")
    word = getattr(error, "verify_message", None) or getattr(error, "reason", None)  # what OpenSSL says
    word = word or errno.errorcode.get(getattr(error, "errno", 0), type(error).__name__)
    return HttpFailure(broken, f"{doing} failed: {word}")


class ResponseParser:
    """Collects one reply from bytes, within a size. Never raises: what is wrong with it is its `outcome`."""

    def __init__(self, limit: int) -> None:
        self.complete = False
        self.keep_alive = False  # done, and the connection may carry another exchange
        self.connection_was_stale = False  # it had died
        self.on_reused_connection = False  # the connection is a kept one
        self._limit, self._bytes_received, self._status = limit, 0, 0
        self._version_checked = False  # the next head begins with the version that is expected
        self._reads_until_close = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._response_headers = _NO_HEADERS
        self._body: list[bytes] = []
        self._failure: HttpFailure | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what the server sent; b"" is its orderly end."""
        parser, first = self._parser, not self._bytes_received
        self._bytes_received += len(data)
        if parser is None:
            self.keep_alive = False  # something came after the end
        elif not data:
            self._finish(None) if self._reads_until_close else self.connection_lost(None)
        elif self._bytes_received > self._limit:
            self._finish(HttpFailure(TOO_LARGE, f"the reply is larger than {self._limit} bytes"))
        else:
            try:
                self._parse(parser, data, first)
            except httptools.HttpParserError:
                self.keep_alive = False
                if not self.complete:
                    self._finish(HttpFailure("RemoteProtocolError", "the reply is not valid HTTP/1.1"))

    def connection_lost(self, error: Exception | None, phase: Phase = READ) -> None:
        """Note that the connection is of no use any more: an error befell it, or it ended too early."""
        self.keep_alive = False
        if self.complete:
            return
        self.connection_was_stale = (
            self.on_reused_connection
            and not self._bytes_received
            and (error is None or isinstance(error, _DISCONNECT_ERRORS))
        )
        if self.connection_was_stale:
            self._finish(HttpFailure(STALE, "the kept connection ended without a reply"))
        elif error is not None:
            self._finish(failure_from_exception(error, phase))
        else:
            where = "within the reply" if self._bytes_received else "without a reply"
            self._finish(HttpFailure("RemoteProtocolError", f"the server closed the connection {where}"))

    def result(self) -> HttpResult:
        body, self._body = self._body, []  # an idle connection remembers its last reply, but not the body
        return self._failure or HttpResponse(self._status, self._response_headers, b"".join(body))

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes, first: bool) -> None:
        # llhttp silently skips line ends before and after a message, and takes RTSP. So the first byte must be HTTP's, and a
        # last line end goes in by itself: one that follows the message can then be told from one that ends it.
        if first:
            self._version_checked = data.startswith(b"HTTP/1.1 ")
            if not (self._version_checked or data.startswith(b"H")):
                raise httptools.HttpParserError
        end = len(data) - data.endswith((b"\r", b"\n"))
        parser.feed_data(data[:end])  # it calls the methods below, and so may set `done`
        if self.complete:
            self.keep_alive = self.keep_alive and end == len(data)
        elif end < len(data):
            parser.feed_data(data[end:])

    def _finish(self, fault: HttpFailure | None) -> None:
        self.complete, self._failure = True, fault
        self._parser = None  # it refers back to this object: kept, each reply would wait for the cycle collector

    # llhttp calls these; what they raise stops it.

    def on_message_begin(self) -> None:
        if self.complete:
            raise httptools.HttpParserError  # a second reply
        self._status, self._headers = 0, []

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) == MAX_HEADERS:
            raise httptools.HttpParserError
        if not self._status:  # after a chunked body come trailers: dropped
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser is None:
            raise httptools.HttpParserError
        named, self._version_checked = self._version_checked, False
        if not named and self._parser.get_http_version() not in ("1.0", "1.1"):  # which costs as much as three headers
            raise httptools.HttpParserError
        self._status = self._parser.get_status_code()
        self._response_headers = Headers(self._headers)
        length, coding = (
            self._response_headers.get_bytes(b"content-length"),
            self._response_headers.get_bytes(b"transfer-encoding"),
        )
        framing_is_ambiguous = coding is not None and (length is not None or coding.strip().lower() != b"chunked")
        if framing_is_ambiguous or not (
            length is None or length.strip().isdigit()
        ):  # of two lengths, "5, 5" is left here
            raise httptools.HttpParserError
        if self._status < 100 or self._status == 101:  # an upgrade nobody asked for
            raise httptools.HttpParserError
        self._reads_until_close = length is None and coding is None and self._status >= 200

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._parser is not None and self._status >= 200:  # after 1xx the final reply is still to come
            self.keep_alive = self._parser.should_keep_alive()  # llhttp forgets it after this call
            self._finish(None)
