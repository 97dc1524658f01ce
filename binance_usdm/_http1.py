"""One request and one reply of HTTP/1.1 as bytes, on llhttp. Opens no socket; knows no key, no signature and no exchange.

A request carries a key and a signature. So a failure is a value in here and in the transports, and is raised once, at the
door: its traceback is short, it has no cause and no context, and no local of those frames shows the request.
"""

import errno
import functools
import re
import socket
import ssl
import time
from typing import Any, NamedTuple, Self, TypeAlias

import httptools
import httpx

from ._proxy import Origin, TunnelError

MAX_REPLY_BYTES = 1 << 20  # where a client asks for no other bound; 500 assets are about 120 kB
MAX_HEADERS = 10_000  # those of a MiB of tiny ones would take a quarter of a second and 30 MiB
_TARGET = re.compile(rb"/[\x21-\x7e]*")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 5.5
_FRAMING = {b"content-length", b"transfer-encoding"}

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Outcome: TypeAlias = httpx.Response | httpx.TransportError
Phase: TypeAlias = tuple[str, type[httpx.TransportError], type[httpx.TransportError]]
QUEUE: Phase = ("waiting for a connection", httpx.PoolTimeout, httpx.PoolTimeout)
CONNECT: Phase = ("connecting", httpx.ConnectTimeout, httpx.ConnectError)
VIA: Phase = ("connecting through the proxy", httpx.ConnectTimeout, httpx.ConnectError)
WRITE: Phase = ("sending", httpx.WriteTimeout, httpx.WriteError)
READ: Phase = ("reading", httpx.ReadTimeout, httpx.ReadError)
_GONE = (ConnectionError, ssl.SSLEOFError)  # reset, broken pipe, and an end without TLS's goodbye


class ReplyTooLarge(httpx.RemoteProtocolError):
    """The server sent more for one reply than is accepted; the rest was not read."""


class StaleConnection(httpx.RemoteProtocolError):
    """A kept connection ended before a byte of the reply came.

    The request was very likely not handled: a GET may be sent again, on a connection of its own.
    """


class Route(NamedTuple):
    """Where requests go, and their header lines, checked: the same for many requests, so it is made once."""

    origin: Origin
    lines: bytes
    fault: str = ""
    """Why nothing can be sent this way."""

    @classmethod
    def of(cls, url: httpx.URL, headers: httpx.Headers) -> Self:
        tls, fault, raw = url.scheme == "https", "", headers.raw
        if any(name.lower() in _FRAMING for name, _ in raw):
            fault = "only GET without a body can be sent"
        elif not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in raw):
            fault = "a header holds a character that is not allowed there"
        origin = (tls, url.raw_host.decode(), url.port or (443 if tls else 80))
        return cls(origin, b"".join([b"%b: %b\r\n" % header for header in raw]), fault)

    def __repr__(self) -> str:
        return "<Route>"  # its lines hold a key


class Call:
    """One request, ready to send."""  # no repr: printing a call shows nothing of it

    __slots__ = ("deadline", "fresh", "head", "max_reply_bytes", "origin")

    def __init__(self, origin: Origin, head: bytes, deadline: float, max_reply_bytes: int, fresh: bool) -> None:
        self.origin, self.head, self.deadline, self.max_reply_bytes = origin, head, deadline, max_reply_bytes
        self.fresh = fresh  # on a connection of its own

    def left(self, steps: int = 1) -> float:
        """Seconds for the next one of so many equal steps."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left / steps


def prepared(request: httpx.Request, closed: bool) -> Call | httpx.TransportError:
    """Check and serialise. Errors are returned: a raised one would take this frame along, with the request in it."""
    if closed:
        return httpx.ConnectError("the client is closed")
    extensions = request.extensions
    origin, lines, fault = extensions.get("route") or Route.of(request.url, request.headers)
    target = extensions.get("target")
    if target is None:
        target = request.url.raw_path
    if request.method != "GET" or not isinstance(request.stream, httpx.ByteStream) or any(request.stream):
        fault = "only GET without a body can be sent"
    elif not _TARGET.fullmatch(target):
        fault = "the request target holds a character that must be escaped"
    if fault:
        return httpx.LocalProtocolError(fault)
    head = b"GET %b HTTP/1.1\r\n%b\r\n" % (target, lines)
    return Call(origin, head, extensions["deadline"], extensions["max_reply_bytes"], extensions["fresh"])


def translated(error: Exception, phase: Phase) -> httpx.TransportError:
    doing, late, failed = phase
    if isinstance(error, TimeoutError):
        return late(f"{doing} took too long")
    if isinstance(error, TunnelError):
        return httpx.ProxyError(str(error))
    if isinstance(error, socket.gaierror):
        return failed(f"{doing} failed: the name cannot be resolved")
    word = getattr(error, "verify_message", None) or getattr(error, "reason", None)  # what OpenSSL says
    return failed(f"{doing} failed: {word or errno.errorcode.get(getattr(error, 'errno', 0), type(error).__name__)}")


def delivered(outcome: Outcome) -> httpx.Response:
    if isinstance(outcome, httpx.Response):
        return outcome
    raise outcome


class Received(httpx.Response):
    """As httpx's own, which decodes every header and sets up what a client adds; here all that waits until somebody asks."""

    _request, next_request, default_encoding = None, None, "utf-8"
    is_closed = is_stream_consumed = False
    _num_bytes_downloaded = 0

    def __init__(self, status_code: int, raw: RawHeaders, fields: RawHeaders, body: bytes) -> None:
        self.status_code, self._raw, self.fields, self.stream = status_code, raw, fields, httpx.ByteStream(body)

    def close(self) -> None:
        self.is_closed = True  # nothing is left to be read

    async def aclose(self) -> None:
        self.is_closed = True

    @functools.cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]
        return httpx.Headers(self._raw)

    @functools.cached_property
    def extensions(self) -> dict[str, Any]:  # type: ignore[override]
        return {}

    @functools.cached_property
    def history(self) -> list[httpx.Response]:  # type: ignore[override]
        return []


class ReplyParser:
    """Collects one reply from bytes, within a size. Never raises: what is wrong with it is its `outcome`."""

    def __init__(self, limit: int) -> None:
        self.done = False
        self.reusable = False  # done, and the connection may carry another exchange
        self.stale = False  # it had died
        self.reused = False  # the connection is a kept one
        self._limit, self._seen, self._status, self._until_eof = limit, 0, 0, False
        self._headers: RawHeaders = []
        self._fields: RawHeaders = []
        self._body: list[bytes] = []
        self._fault: httpx.TransportError | None = None
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
            self._end(ReplyTooLarge(f"the reply is larger than {self._limit} bytes"))
        else:
            try:
                self._parse(parser, data, first)
            except httptools.HttpParserError:
                self.reusable = False
                if not self.done:
                    self._end(httpx.RemoteProtocolError("the reply is not valid HTTP/1.1"))

    def lose(self, error: Exception | None, phase: Phase = READ) -> None:
        """Note that the connection is of no use any more: an error befell it, or it ended too early."""
        self.reusable = False
        if self.done:
            return
        self.stale = self.reused and not self._seen and (error is None or isinstance(error, _GONE))
        if self.stale:
            self._end(StaleConnection("the kept connection ended without a reply"))
        elif error is not None:
            self._end(translated(error, phase))
        else:
            where = "within the reply" if self._seen else "without a reply"
            self._end(httpx.RemoteProtocolError(f"the server closed the connection {where}"))

    def outcome(self) -> Outcome:
        body, self._body = self._body, []  # an idle connection remembers its last reply, but not the body
        return self._fault or Received(self._status, self._headers, self._fields, b"".join(body))

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes, first: bool) -> None:
        # llhttp silently skips line ends before and after a message, and takes RTSP. So the first byte must be HTTP's,
        # and the last line ends go in singly: one that follows the message can then be told from one that ends it.
        text = data.rstrip(b"\r\n")
        if first and not data.startswith(b"H"):
            raise httptools.HttpParserError
        if text:
            parser.feed_data(text)
        for index in range(len(text), len(data)):
            if self.done:
                self.reusable = False
                break
            parser.feed_data(data[index : index + 1])

    def _end(self, fault: httpx.TransportError | None) -> None:
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
        if self._parser is None or self._parser.get_http_version() not in ("1.0", "1.1"):
            raise httptools.HttpParserError
        self._status = self._parser.get_status_code()
        self._fields = [(name.lower(), value) for name, value in self._headers]
        framing = [(name, value.strip().lower()) for name, value in self._fields if name in _FRAMING]
        coded = any(name == b"transfer-encoding" and value != b"chunked" for name, value in framing)
        if coded or len(framing) > 1 or self._status < 100 or self._status == 101:  # an upgrade nobody asked for
            raise httptools.HttpParserError
        self._until_eof = not framing and self._status >= 200

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._parser is not None and self._status >= 200:  # after 1xx the final reply is still to come
            self.reusable = self._parser.should_keep_alive()  # llhttp forgets it after this call
            self._end(None)
