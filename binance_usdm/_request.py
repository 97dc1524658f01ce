"""A request of one attempt: stamped, signed over exactly the bytes that are sent, and complete. Sends nothing, decides nothing."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple, Self

from binance_usdm_wire import BadArgument, Operation

from . import _config as config
from ._clock import Clock
from ._errors import ConfigurationError
from ._http1 import RawHeaders
from ._proxy import Origin
from ._signing import Sealed, signature

ONLY_GET = "only GET without a body can be sent"
_TARGET = re.compile(rb"/[\x21-\x7e]*").fullmatch
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch  # RFC 9110 5.5
_FRAMING = {b"content-length", b"transfer-encoding"}


class Route(NamedTuple):
    """Where requests go, and their headers, checked: the same for many requests, so it is made once."""

    origin: Origin
    headers: RawHeaders
    lines: bytes
    fault: str
    """Why nothing can be sent this way."""

    @classmethod
    def to(cls, origin: Origin, headers: RawHeaders) -> Self:
        fault = ""
        if any(name.lower() in _FRAMING for name, _ in headers):
            fault = ONLY_GET
        elif not all(_NAME(name) and _VALUE(value) for name, value in headers):
            fault = "a header holds a character that is not allowed there"
        return cls(origin, headers, b"".join([b"%b: %b\r\n" % header for header in headers]), fault)

    def __repr__(self) -> str:
        return "<Route>"  # its headers hold a key


class Call(Sealed):
    """One request, complete, and its bounds: `deadline` is an instant of time.monotonic()."""

    __slots__ = ("deadline", "fresh", "hidden", "max_reply_bytes", "method", "route", "target")

    def __init__(
        self, method: str, target: bytes, route: Route, *, deadline: float, max_reply_bytes: int, fresh: bool,
        hidden: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.method, self.target, self.route = method, target, route
        self.deadline, self.max_reply_bytes = deadline, max_reply_bytes
        self.fresh = fresh  # on a connection of its own
        self.hidden = hidden  # what no text about it may show

    @property
    def fault(self) -> str:
        """Why it cannot be sent, "" if it can."""
        if self.method != "GET":
            return ONLY_GET
        return self.route.fault or (
            "" if _TARGET(self.target) else "the request target holds a character that must be escaped"
        )

    @property
    def head(self) -> bytes:
        return b"GET %b HTTP/1.1\r\n%b\r\n" % (self.target, self.route.lines)

    def left(self, steps: int = 1) -> float:
        """Seconds for the next one of so many equal steps."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left / steps


class _Form(NamedTuple):
    """What all requests for one operation have in common."""

    before_query: bytes
    """The target so far."""
    before_signature: bytes
    """Behind the other parameters."""
    route: Route

    def __repr__(self) -> str:
        return "<_Form>"


class Requests(Sealed):
    """Makes the requests of one client: the only place that holds its credentials."""

    __slots__ = ("_credentials", "_forms", "_recv_window", "url")

    def __init__(self, credentials: config.Credentials, url: config.BaseUrl, recv_window: int | None) -> None:
        self.url = url
        self._credentials = credentials
        self._forms: dict[str, _Form] = {}
        self._recv_window = recv_window

    def query(self, operation: Operation[Any], arguments: dict[str, Any]) -> dict[str, str]:
        """The parameters a caller decides on; raises ConfigurationError for what the spec does not allow."""
        if operation.key_header is not None and self._credentials.api_key is None:
            raise ConfigurationError(f"{operation.id} needs an API key")
        if operation.signing is not None and self._credentials.signer is None:
            raise ConfigurationError(f"{operation.id} is signed: it needs an API secret or a signer")
        try:
            query = operation.query(**arguments)
        except BadArgument as error:
            complaint = str(error)
        else:
            if operation.signing is not None and operation.signing.window is not None and self._recv_window is not None:
                query.setdefault(operation.signing.window, str(self._recv_window))
            return query
        raise ConfigurationError(complaint)

    def made(self, operation: Operation[Any], query: dict[str, str], clock: Clock, **bounds: Any) -> Call:
        """The call of one attempt, within `bounds`."""
        # where something may raise no local holds a part of the form: some tracebacks show locals, and it has the key
        form = self._forms.get(operation.id) or self._form(operation)
        signing, signer = operation.signing, self._credentials.signer
        made = b""
        if signing is None or signer is None:
            text = _encoded(query)
        else:
            now = clock()
            if type(now) is not int:
                raise ConfigurationError("clock must return whole milliseconds, as an int")
            payload = _encoded({**query, signing.timestamp: str(now)})
            made = signature(signer, payload)
            text = payload + form.before_signature + made
        target = form.before_query + b"?" + text if text else form.before_query
        hidden = (self._credentials.api_key or "", made.decode("ascii"))
        return Call(operation.method, target, form.route, hidden=hidden, **bounds)

    def _form(self, operation: Operation[Any]) -> _Form:
        path = f"{self.url.path}{operation.path}".encode("ascii")
        name = b"" if operation.signing is None else f"&{operation.signing.signature}=".encode("ascii")
        headers = config.headers(self.url, operation.key_header, self._credentials.api_key)
        form = self._forms[operation.id] = _Form(path, name, Route.to(self.url.origin, headers))
        return form


def _encoded(query: dict[str, str]) -> bytes:
    return "&".join([f"{name}={text}" for name, text in query.items()]).encode("ascii")
