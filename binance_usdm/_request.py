"""A request of one attempt: stamped, signed over exactly the bytes that are sent, and complete. Sends nothing, decides nothing."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import httpx

from binance_usdm_wire import BadArgument, Operation

from . import _config as config
from ._clock import Clock
from ._errors import ConfigurationError
from ._http1 import Route
from ._signing import Sealed, signature

_EMPTY = httpx.ByteStream(b"")


class Request(httpx.Request):
    """A request whose repr tells nothing of its query; `hidden` is what no text of the exchange may show."""

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        headers: httpx.Headers,
        extensions: dict[str, Any],
        hidden: tuple[str, ...] = (),
    ) -> None:
        # all is ready: what httpx's own would do is parse and copy it again
        self.method, self.url, self.headers, self.extensions, self.hidden = method, url, headers, extensions, hidden
        self.stream = _EMPTY

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class _Form(NamedTuple):
    """What all requests for one operation have in common."""

    start: bytes
    """The target as far as the query."""
    headers: httpx.Headers
    route: Route
    last: bytes
    """What comes before the signature."""

    def __repr__(self) -> str:
        return "<_Form>"


class Requests(Sealed):
    """Makes the requests of one client: the only place that holds its credentials."""

    __slots__ = ("_credentials", "_direct", "_forms", "_recv_window", "url")

    def __init__(
        self, credentials: config.Credentials, url: httpx.URL, recv_window: int | None, *, direct: bool
    ) -> None:
        self.url = url
        self._credentials = credentials
        self._forms: dict[str, _Form] = {}
        self._recv_window = recv_window
        self._direct = direct  # the transport reads our extensions

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

    def made(self, operation: Operation[Any], query: dict[str, str], clock: Clock, **extensions: Any) -> Request:
        """A request for one attempt; `extensions` go to the transport, `deadline` (time.monotonic()) among them."""
        form = self._forms.get(operation.id) or self._form(
            operation
        )  # its parts show the key: no local, where something may raise
        signing, signer = operation.signing, self._credentials.signer
        proof = b""
        if signing is None or signer is None:
            sent = _encoded(query)
        else:
            now = clock()
            if type(now) is not int:
                raise ConfigurationError("clock must return whole milliseconds, as an int")
            payload = _encoded({**query, signing.timestamp: str(now)})
            proof = signature(signer, payload)
            sent = payload + form.last + proof
        target, headers = form.start + b"?" + sent if sent else form.start, form.headers
        if self._direct:  # parsing a URL costs more than all the rest of a request
            url, extensions["target"], extensions["route"] = self.url, target, form.route
        else:
            left = max(extensions["deadline"] - time.monotonic(), 0.001)
            extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), left)
            url, headers = self.url.copy_with(raw_path=target), headers.copy()  # whoever gets them may change them
        return Request(
            operation.method, url, headers, extensions, (self._credentials.api_key or "", proof.decode("ascii"))
        )

    def _form(self, operation: Operation[Any]) -> _Form:
        headers = config.headers(self.url, operation.key_header, self._credentials.api_key)
        start = self.url.raw_path.rstrip(b"/") + operation.path.encode("ascii")
        last = b"" if operation.signing is None else f"&{operation.signing.signature}=".encode("ascii")
        form = self._forms[operation.id] = _Form(start, headers, Route.of(self.url, headers), last)
        return form


def _encoded(query: dict[str, str]) -> bytes:
    return "&".join([f"{name}={text}" for name, text in query.items()]).encode("ascii")
