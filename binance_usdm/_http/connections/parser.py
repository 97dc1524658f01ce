"""Parse HTTP/1.1 responses from bytes.

A request may carry secrets. So a failure is a value here and in the transports. It becomes an
exception where no frame of the traceback holds the request.
"""

from __future__ import annotations

import httptools

from binance_usdm._http.messages import (
    NO_HEADERS,
    STALE,
    TLS_ALERT,
    TOO_LARGE,
    Headers,
    HttpFailure,
    HttpResponse,
    HttpResult,
)

from .failures import READ, Phase, failure_from_exception, is_disconnect

MAX_HEADERS = 10_000
"""Header fields of one response. A MiB of tiny ones would take 0.25 s and 30 MiB to collect."""
_SUPPORTED_VERSIONS = ("1.0", "1.1")
_CHANGE_SCHEME = "change scheme or port of base_url"
_TLS_RESPONSE = f"the response is TLS and not HTTP; the port expects https: {_CHANGE_SCHEME}"
_NO_RESPONSE_HINT = f"; a port that expects https does so: then {_CHANGE_SCHEME}"


class ResponseParser:
    """Collector of one response, within a size.

    What is wrong with the response is its `result()`, not an exception. `feed()` raises only what
    a signal handler raised while llhttp was calling back.

    The parser is in one of three states: nothing was received (`is_untouched`), the response is
    being received, or it is complete (`complete`), well or with a failure.

    Args:
        limit: Bound of the response in bytes, with all its heads.
        over_tls: Whether the connection uses TLS.
    """

    def __init__(self, limit: int, *, over_tls: bool = True) -> None:
        self.complete: bool = False
        # Whether the response is complete and the connection may carry another request.
        self.keep_alive: bool = False
        self.connection_was_stale: bool = False
        self.on_reused_connection = False
        self._limit = limit
        self._over_tls = over_tls
        self._bytes_received = 0
        self._status = 0
        # Whether the head that is being received begins with the expected version.
        self._version_checked = False
        self._reads_until_close = False
        self._is_malformed = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._response_headers = NO_HEADERS
        self._body: list[bytes] = []
        self._failure: HttpFailure | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was received yet, neither a byte nor the end."""
        return not self.complete and not self._bytes_received

    def feed(self, data: bytes) -> None:
        """Take what the server sent, b"" for the orderly end of the connection."""
        parser = self._parser
        is_first = not self._bytes_received
        self._bytes_received += len(data)
        if parser is None:
            # Something came after the end of the response.
            self.keep_alive = False
        elif not data:
            self._end_of_data()
        elif self._bytes_received > self._limit:
            self._finish(HttpFailure(TOO_LARGE, f"the response is larger than {self._limit} bytes"))
        else:
            self._parse(parser, data, is_first)
            if self._is_malformed:
                self._reject(is_tls=is_first and data.startswith(TLS_ALERT))

    def connection_lost(self, error: Exception | None, phase: Phase = READ) -> None:
        """Note that the connection cannot be used any more.

        Args:
            error: What happened to it, `None` for an end.
            phase: What was being done.
        """
        self.keep_alive = False
        if self.complete:
            return
        is_disconnected = error is None or is_disconnect(error)
        has_data = self._bytes_received > 0
        self.connection_was_stale = self.on_reused_connection and not has_data and is_disconnected
        if self.connection_was_stale:
            text = "the server closed the idle connection before it responded"
            self._finish(HttpFailure(STALE, text))
        elif error is not None:
            failure = failure_from_exception(error, phase)
            hint = "" if has_data or not is_disconnected else self._hint_without_response()
            self._finish(failure._replace(text=failure.text + hint))
        else:
            text = "the server closed the connection within the response"
            if not has_data:
                text = "the server closed the connection without a response"
                text += self._hint_without_response()
            self._finish(HttpFailure("RemoteProtocolError", text))

    def result(self) -> HttpResult:
        """Return the response, or why there is none."""
        # An idle connection keeps its last parser, but not the body.
        body = self._body
        self._body = []
        return self._failure or HttpResponse(self._status, self._response_headers, b"".join(body))

    def _hint_without_response(self) -> str:
        return "" if self._over_tls else _NO_RESPONSE_HINT

    def _end_of_data(self) -> None:
        if self._reads_until_close:
            self._finish(None)
        else:
            self.connection_lost(None)

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes, is_first: bool) -> None:
        try:
            self._feed_llhttp(parser, data, is_first)
        except httptools.HttpParserCallbackError as error:
            # Our callbacks raise nothing, so a signal handler raised this.
            raise (error.__context__ or error) from None
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_malformed = True

    def _feed_llhttp(
        self, parser: httptools.HttpResponseParser, data: bytes, is_first: bool
    ) -> None:
        # llhttp accepts RTSP, and skips newlines before a message. So the first byte must be
        # HTTP's.
        if is_first:
            self._version_checked = data.startswith(b"HTTP/1.1 ")
            if not (self._version_checked or data.startswith(b"H")):
                self._is_malformed = True
                return
        # llhttp skips newlines after a message, too. So a last newline is fed separately, to
        # distinguish one that ends the message from one that follows it.
        end = len(data) - data.endswith((b"\r", b"\n"))
        # This calls the methods below, and so may complete the response.
        parser.feed_data(data[:end])
        if self.complete:
            self.keep_alive = self.keep_alive and end == len(data)
        elif end < len(data) and not self._is_malformed:
            parser.feed_data(data[end:])

    def _reject(self, *, is_tls: bool) -> None:
        """End a malformed response. One that was complete before stays, without its connection."""
        self.keep_alive = False
        if not self.complete:
            text = _TLS_RESPONSE if is_tls else "the response is not valid HTTP/1.1"
            self._finish(HttpFailure("RemoteProtocolError", text))

    def _finish(self, failure: HttpFailure | None) -> None:
        self.complete = True
        self._failure = failure
        # It refers back to this object. If it were kept, each response would wait for the cycle
        # collector.
        self._parser = None

    # llhttp calls the methods below. They raise nothing, since httptools would wrap it.

    def on_message_begin(self) -> None:
        if self.complete:
            # This is a second response.
            self._is_malformed = True
            return
        self._status = 0
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers, which follow a chunked body, are dropped.
        if self._status or self.complete:
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
        # Asking llhttp for the version costs as much as three headers.
        if not self._version_checked and parser.get_http_version() not in _SUPPORTED_VERSIONS:
            self._is_malformed = True
        self._version_checked = False
        status = parser.get_status_code()
        headers = Headers(self._headers)
        length = headers.get_bytes(b"content-length")
        coding = headers.get_bytes(b"transfer-encoding")
        # No request asks for an upgrade, which 101 confirms.
        if not _is_framing_clear(length, coding) or status < 100 or status == 101:
            self._is_malformed = True
        self._status = status
        self._response_headers = headers
        self._reads_until_close = length is None and coding is None and status >= 200

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self._body.append(data)

    def on_message_complete(self) -> None:
        # After a 1xx response the final one follows.
        if self._parser is not None and self._status >= 200 and not self._is_malformed:
            # llhttp forgets this after the callback.
            self.keep_alive = self._parser.should_keep_alive()
            self._finish(None)


def _is_framing_clear(length: bytes | None, coding: bytes | None) -> bool:
    """Return whether length and coding leave no doubt where a response ends (RFC 9112, 6.3).

    Two equal lengths ("5, 5") are rejected.
    """
    if coding is not None:
        return length is None and coding.strip().lower() == b"chunked"
    return length is None or length.strip().isdigit()
