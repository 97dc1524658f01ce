"""A request of one attempt: stamped, signed over exactly the bytes that are sent, and complete. Sends nothing, decides nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from binance_usdm_wire import BadArgument, Operation

from . import _config as config
from ._auth.credentials import Credentials
from ._auth.signers import signature
from ._errors import ConfigurationError
from ._http.messages import Call, RawHeaders, Route
from ._policy.clock import Clock
from ._secrets import Sealed
from ._version import __version__

_ASKED = {"User-Agent": f"binance-usdm/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}


class _Form(NamedTuple):
    """What all requests for one operation have in common."""

    path: bytes
    before_signature: bytes
    """Behind the other parameters."""
    route: Route

    def __repr__(self) -> str:
        return "<_Form>"


class Requests(Sealed):
    """Makes the requests of one client: the only place that holds its credentials."""

    __slots__ = ("_credentials", "_forms", "_recv_window", "url")

    def __init__(self, credentials: Credentials, url: config.BaseUrl, recv_window: int | None) -> None:
        self.url = url
        self._credentials = credentials
        self._forms: dict[str, _Form] = {}
        self._recv_window = recv_window

    def query(self, operation: Operation[Any], arguments: dict[str, Any]) -> str:
        """The parameters a caller decides on, as they are sent; raises ConfigurationError for what the spec does not allow."""
        signing = operation.signing
        if operation.key_header is not None and self._credentials.api_key is None:
            raise ConfigurationError(f"{operation.id} needs an API key")
        if signing is not None and self._credentials.signer is None:
            raise ConfigurationError(f"{operation.id} is signed: it needs an API secret or a signer")
        try:
            query = operation.query(**arguments)
        except BadArgument as error:
            complaint = str(error)
        else:
            if signing is not None and signing.window is not None and self._recv_window is not None:
                query.setdefault(signing.window, str(self._recv_window))
            return "&".join([f"{name}={text}" for name, text in query.items()])
        raise ConfigurationError(complaint)

    def made(
        self, operation: Operation[Any], query: str, clock: Clock, *, deadline: float, max_reply_bytes: int, fresh: bool
    ) -> Call:
        """The call of one attempt: stamped by `clock`, signed."""
        # where something may raise no local holds a part of the form: some tracebacks show locals, and it has the key
        form = self._forms.get(operation.id) or self._form(operation)
        signing, signer = operation.signing, self._credentials.signer
        if signing is None:
            text, mark = query.encode("ascii"), b""
        else:
            assert signer is not None  # as query() has seen
            now = clock()
            if type(now) is not int:
                raise ConfigurationError("clock must return whole milliseconds, as an int")
            payload = stamped(query, f"{signing.timestamp}={now}").encode("ascii")
            mark = signature(signer, payload)
            text = payload + form.before_signature + mark
        return Call(
            form.path + b"?" + text if text else form.path, form.route, deadline=deadline, max_reply_bytes=max_reply_bytes,
            fresh=fresh, key=self._credentials.api_key or "", signature=mark,
        )  # fmt: skip

    def _form(self, operation: Operation[Any]) -> _Form:
        path = f"{self.url.path}{operation.path}".encode("ascii")
        before = b"" if operation.signing is None else f"&{operation.signing.signature}=".encode("ascii")
        route = Route.to(self.url.origin, headers(self.url, operation.key_header, self._credentials.api_key))
        form = self._forms[operation.id] = _Form(path, before, route)
        return form


def headers(url: config.BaseUrl, key_header: str | None, api_key: str | None) -> RawHeaders:
    """All headers, ready to be sent; the key only where the operation wants it."""
    key = {key_header: api_key} if key_header is not None and api_key is not None else {}
    asked = {"Host": url.host, **_ASKED, **key}
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in asked.items()]


def stamped(query: str, stamp: str) -> str:
    """What is signed."""
    return f"{query}&{stamp}" if query else stamp
