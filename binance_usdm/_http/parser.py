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

from .messages import _NONE, STALE, TOO_LARGE, Failure, Fields, Outcome, Reply
from .proxy import TunnelError

MAX_HEADERS = 10_000  # those of a MiB of tiny ones would take a quarter of a second and 30 MiB

Phase: TypeAlias = tuple[str, str, str]
"""What is being done, and the kinds of its failures: too late, anything else."""
QUEUE: Phase = ("waiting for a connection", "PoolTimeout", "PoolTimeout")
CONNECT: Phase = ("connecting", "ConnectTimeout", "ConnectError")
VIA: Phase = ("connecting through the proxy", "ConnectTimeout", "ConnectError")
WRITE: Phase = ("sending", "WriteTimeout", "WriteError")
READ: Phase = ("reading", "ReadTimeout", "ReadError")
_GONE = (ConnectionError, ssl.SSLEOFError)  # reset, broken pipe, and an end without TLS's goodbye


def failed(error: Exception, phase: Phase) -> Failure:
    doing, late, broken = phase
    if isinstance(error, TimeoutError):
        return Failure(late, f"{doing} took too long")
    if isinstance(error, TunnelError):
        return Failure("ProxyError", str(error))
    if isinstance(error, socket.gaierror):
        return Failure(broken, f"{doing} failed: the name cannot be resolved")
    word = getattr(error, "verify_message", None) or getattr(error, "reason", None)  # what OpenSSL says
    word = word or errno.errorcode.get(getattr(error, "errno", 0), type(error).__name__)
    return Failure(broken, f"{doing} failed: {word}")


class ReplyParser:
    """Collects one reply from bytes, within a size. Never raises: what is wrong with it is its `outcome`."""

    def __init__(self, limit: int) -> None:
        self.done = False
        self.reusable = False  # done, and the connection may carry another exchange
        self.stale = False  # it had died
        self.reused = False  # the connection is a kept one
        self._limit, self._seen, self._status = limit, 0, 0
        self._named = False  # the next head begins with the version that is expected
        self._until_eof = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._fields = _NONE
        self._body: list[bytes] = []
        self._fault: Failure | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what the server sent; b"" is its orderly end."""
        parser, first = self._parser, not self._seen
        self._seen += len(data)
        if parser is None:
            self.reusable = False  # something came after the end
        elif not data:
            self._end(None) if self._until_eof else self.lose(None)
        elif self._seen > self._limit:
            self._end(Failure(TOO_LARGE, f"the reply is larger than {self._limit} bytes"))
        else:
            try:
                self._parse(parser, data, first)
            except httptools.HttpParserError:
                self.reusable = False
                if not self.done:
                    self._end(Failure("RemoteProtocolError", "the reply is not valid HTTP/1.1"))

    def lose(self, error: Exception | None, phase: Phase = READ) -> None:
        """Note that the connection is of no use any more: an error befell it, or it ended too early."""
        self.reusable = False
        if self.done:
            return
        self.stale = self.reused and not self._seen and (error is None or isinstance(error, _GONE))
        if self.stale:
            self._end(Failure(STALE, "the kept connection ended without a reply"))
        elif error is not None:
            self._end(failed(error, phase))
        else:
            where = "within the reply" if self._seen else "without a reply"
            self._end(Failure("RemoteProtocolError", f"the server closed the connection {where}"))

    def outcome(self) -> Outcome:
        body, self._body = self._body, []  # an idle connection remembers its last reply, but not the body
        return self._fault or Reply(self._status, self._fields, b"".join(body))

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes, first: bool) -> None:
        # llhttp silently skips line ends before and after a message, and takes RTSP. So the first byte must be HTTP's, and a
        # last line end goes in by itself: one that follows the message can then be told from one that ends it.
        if first:
            self._named = data.startswith(b"HTTP/1.1 ")
            if not (self._named or data.startswith(b"H")):
                raise httptools.HttpParserError
        end = len(data) - data.endswith((b"\r", b"\n"))
        parser.feed_data(data[:end])  # it calls the methods below, and so may set `done`
        if self.done:
            self.reusable = self.reusable and end == len(data)
        elif end < len(data):
            parser.feed_data(data[end:])

    def _end(self, fault: Failure | None) -> None:
        self.done, self._fault = True, fault
        self._parser = None  # it refers back to this object: kept, each reply would wait for the cycle collector

    # llhttp calls these; what they raise stops it.

    def on_message_begin(self) -> None:
        if self.done:
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
        named, self._named = self._named, False
        if not named and self._parser.get_http_version() not in ("1.0", "1.1"):  # which costs as much as three headers
            raise httptools.HttpParserError
        self._status = self._parser.get_status_code()
        self._fields = Fields(self._headers)
        length, coding = self._fields.line(b"content-length"), self._fields.line(b"transfer-encoding")
        ambiguous = coding is not None and (length is not None or coding.strip().lower() != b"chunked")
        if ambiguous or not (length is None or length.strip().isdigit()):  # of two lengths, "5, 5" is left here
            raise httptools.HttpParserError
        if self._status < 100 or self._status == 101:  # an upgrade nobody asked for
            raise httptools.HttpParserError
        self._until_eof = length is None and coding is None and self._status >= 200

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._parser is not None and self._status >= 200:  # after 1xx the final reply is still to come
            self.reusable = self._parser.should_keep_alive()  # llhttp forgets it after this call
            self._end(None)
