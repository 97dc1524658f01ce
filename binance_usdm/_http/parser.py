"""Parse HTTP/1.1 responses from bytes.

A request may carry secrets. So a failure is a value here and in the transports, and becomes an error where no frame of a
traceback shows the request.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Final, TypeAlias

import httptools

from .messages import (
    _NO_HEADERS,
    STALE,
    TOO_LARGE,
    DeadlinePassed,
    Headers,
    HttpFailure,
    HttpResponse,
    HttpResult,
)
from .proxy import TunnelError

MAX_HEADERS = 10_000  # those of a MiB of tiny ones would take a quarter of a second and 30 MiB

Phase: TypeAlias = tuple[str, str, str]
"""What is being done, and the kinds of its failures: too late, anything else."""
POOL: Phase = ("waiting for a connection", "PoolTimeout", "PoolTimeout")
CONNECT: Phase = ("connecting", "ConnectTimeout", "ConnectError")
PROXY_CONNECT: Phase = ("connecting through the proxy", "ConnectTimeout", "ConnectError")
WRITE: Phase = ("sending", "WriteTimeout", "WriteError")
READ: Phase = ("reading", "ReadTimeout", "ReadError")

_PROXY_HINTS: Final = {
    "403": "the proxy refuses this host",
    "407": "check user and password of proxy=",
}


def is_disconnect(error: BaseException) -> bool:
    """Return whether an error says that the peer or the path closed the connection."""
    if (
        isinstance(error, OSError) and error.errno == errno.ETIMEDOUT
    ):  # Nothing acknowledged what was sent.
        return True
    return isinstance(
        error, ConnectionError | ssl.SSLEOFError
    )  # Reset, broken pipe, an end without close_notify.


def failure_from_exception(error: Exception, phase: Phase) -> HttpFailure:
    """Return the failure of a phase that an exception ended."""
    doing, late_kind, error_kind = phase
    if isinstance(error, DeadlinePassed):
        return HttpFailure(late_kind, f"{doing} took too long")
    if isinstance(error, TunnelError):
        hint = _PROXY_HINTS.get(str(error))
        return HttpFailure(
            "ProxyError", str(error) if hint is None else f"{error}: {hint}", hint is None
        )
    if isinstance(error, socket.gaierror):
        return HttpFailure(error_kind, f"{doing} failed: the name cannot be resolved")
    if isinstance(error, ssl.SSLCertVerificationError):
        return HttpFailure(
            error_kind, f"{doing} failed: {error.verify_message}; {_trust_hint()}", False
        )
    word = getattr(error, "reason", None)  # what OpenSSL says
    code = getattr(error, "errno", None)
    word = (
        word
        or errno.errorcode.get(code or 0)
        or (str(error) if type(error) is OSError else type(error).__name__)
    )
    return HttpFailure(error_kind, f"{doing} failed: {word}")


def _trust_hint() -> str:
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = os.environ.get(variable)
        if path and not os.path.exists(path):
            return f"{variable} names a file or folder that does not exist"
    return "the server's certificate is not trusted: SSL_CERT_FILE names the certificate authorities to trust"


class ResponseParser:
    """Collects one response from bytes, within a size. What is wrong with it is its `result()`, not an exception.

    An exception of a signal handler that comes while llhttp calls back is raised by `feed`.
    """

    def __init__(self, limit: int) -> None:
        self.complete = False
        self.keep_alive = (
            False  # The response is complete, and the connection may carry another request.
        )
        self.connection_was_stale = False
        self.on_reused_connection = False
        self._limit, self._bytes_received, self._status = limit, 0, 0
        self._version_checked = False  # The next head begins with the expected version.
        self._reads_until_close = False
        self._is_malformed = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._response_headers = _NO_HEADERS
        self._body: list[bytes] = []
        self._failure: HttpFailure | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing came yet, neither a byte nor the end."""
        return not self.complete and not self._bytes_received

    def feed(self, data: bytes) -> None:
        """Take what the server sent; b"" is its orderly end."""
        parser, is_first = self._parser, not self._bytes_received
        self._bytes_received += len(data)
        if parser is None:
            self.keep_alive = False  # Something came after the end.
        elif not data:
            self._finish(None) if self._reads_until_close else self.connection_lost(None)
        elif self._bytes_received > self._limit:
            self._finish(HttpFailure(TOO_LARGE, f"the response is larger than {self._limit} bytes"))
        else:
            try:
                self._parse(parser, data, is_first)
            except httptools.HttpParserCallbackError as error:
                # Our callbacks raise nothing: this came from a signal handler.
                raise (error.__context__ or error) from None
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self._is_malformed = True
            if self._is_malformed:
                self.keep_alive = False
                if not self.complete:
                    self._finish(
                        HttpFailure("RemoteProtocolError", "the response is not valid HTTP/1.1")
                    )

    def connection_lost(self, error: Exception | None, phase: Phase = READ) -> None:
        """Note that the connection is of no use any more: an error befell it, or it ended too early."""
        self.keep_alive = False
        if self.complete:
            return
        is_disconnected = error is None or is_disconnect(error)
        self.connection_was_stale = (
            self.on_reused_connection and not self._bytes_received and is_disconnected
        )
        if self.connection_was_stale:
            self._finish(
                HttpFailure(STALE, "the server closed the idle connection before it responded")
            )
        elif error is not None:
            self._finish(failure_from_exception(error, phase))
        else:
            where = "within the response" if self._bytes_received else "without a response"
            self._finish(
                HttpFailure("RemoteProtocolError", f"the server closed the connection {where}")
            )

    def result(self) -> HttpResult:
        """Return the response, or why there is none."""
        body, self._body = (
            self._body,
            [],
        )  # An idle connection keeps its last parser, but not the body.
        return self._failure or HttpResponse(self._status, self._response_headers, b"".join(body))

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes, is_first: bool) -> None:
        # llhttp silently skips line ends before and after a message, and takes RTSP. So the first byte must be HTTP's, and a
        # last line end goes in by itself: one that follows the message can then be told from one that ends it.
        if is_first:
            self._version_checked = data.startswith(b"HTTP/1.1 ")
            if not (self._version_checked or data.startswith(b"H")):
                self._is_malformed = True
                return
        end = len(data) - data.endswith((b"\r", b"\n"))
        parser.feed_data(
            data[:end]
        )  # It calls the methods below, and so may complete the response.
        if self.complete:
            self.keep_alive = self.keep_alive and end == len(data)
        elif end < len(data) and not self._is_malformed:
            parser.feed_data(data[end:])

    def _finish(self, failure: HttpFailure | None) -> None:
        self.complete, self._failure = True, failure
        self._parser = None  # It refers back to this object: kept, each response would wait for the cycle collector.

    # llhttp calls these. They raise nothing: httptools would wrap it.

    def on_message_begin(self) -> None:
        if self.complete:
            self._is_malformed = True  # a second response
            return
        self._status, self._headers = 0, []

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status or self.complete:  # After a chunked body come trailers: dropped.
            return
        if len(self._headers) == MAX_HEADERS:
            self._is_malformed = True
            return
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None:
            self._is_malformed = True
            return
        is_version_checked, self._version_checked = self._version_checked, False
        # Asking for the version costs as much as three headers.
        if not is_version_checked and parser.get_http_version() not in ("1.0", "1.1"):
            self._is_malformed = True
        self._status = parser.get_status_code()
        self._response_headers = Headers(self._headers)
        length = self._response_headers.get_bytes(b"content-length")
        coding = self._response_headers.get_bytes(b"transfer-encoding")
        if (
            not _framing_is_clear(length, coding) or self._status < 100 or self._status == 101
        ):  # an unwanted upgrade
            self._is_malformed = True
        self._reads_until_close = length is None and coding is None and self._status >= 200

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self._body.append(data)

    def on_message_complete(self) -> None:
        # After a 1xx the final response is still to come.
        if self._parser is not None and self._status >= 200 and not self._is_malformed:
            self.keep_alive = self._parser.should_keep_alive()  # llhttp forgets it after this call.
            self._finish(None)


def _framing_is_clear(length: bytes | None, coding: bytes | None) -> bool:
    """Return whether length and coding leave no doubt where a response ends (RFC 9112, 6.3)."""
    if coding is not None:
        return length is None and coding.strip().lower() == b"chunked"
    return length is None or length.strip().isdigit()  # Of two lengths, "5, 5" is left here.
