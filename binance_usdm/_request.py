"""Build and sign requests."""

from __future__ import annotations

from typing import Any, NamedTuple

from binance_usdm_wire import InvalidArgumentError, Operation

from . import _config as config
from ._auth.credentials import Credentials
from ._auth.signers import compute_signature
from ._errors import ConfigurationError
from ._http.messages import HttpRequest, RawHeaders, RequestTemplate
from ._policy.clock import Clock
from ._secrets import SecretHolder
from ._version import __version__

_DEFAULT_HEADERS = {
    "User-Agent": f"binance-usdm/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


class _OperationTemplate(NamedTuple):
    """What all requests for one operation have in common."""

    path: bytes
    signature_prefix: bytes
    """Behind the other parameters."""
    route: RequestTemplate

    def __repr__(self) -> str:
        return "<_OperationTemplate>"


class RequestBuilder(SecretHolder):
    """Makes the requests of one client: the only place that holds its credentials.

    `origin` is where all of them go. `partition` keeps connections of one API key apart from those of another; it is no key.
    """

    __slots__ = ("_credentials", "_recv_window", "_templates", "origin", "partition", "url")

    def __init__(
        self, credentials: Credentials, url: config.BaseUrl, recv_window: int | None
    ) -> None:
        self.url = url
        self.origin = url.origin
        self.partition = hash(credentials.api_key)
        self._credentials = credentials
        self._templates: dict[str, _OperationTemplate] = {}
        self._recv_window = recv_window

    def build_query(self, operation: Operation[Any], arguments: dict[str, Any]) -> str:
        """The parameters a caller decides on, as they are sent; raises ConfigurationError for what the spec does not allow."""
        signing = operation.signing
        if operation.key_header is not None and self._credentials.api_key is None:
            raise ConfigurationError(f"{operation.id} needs an API key")
        if signing is not None and self._credentials.signer is None:
            raise ConfigurationError(
                f"{operation.id} is signed: it needs an API secret or a signer"
            )
        try:
            query = operation.build_query(**arguments)
        except InvalidArgumentError as error:
            complaint = str(error)
        else:
            if (
                signing is not None
                and signing.window_parameter is not None
                and self._recv_window is not None
            ):
                query.setdefault(signing.window_parameter, str(self._recv_window))
            return "&".join([f"{name}={text}" for name, text in query.items()])
        raise ConfigurationError(complaint)

    def build_signed(self, operation: Operation[Any], query: str, clock: Clock) -> HttpRequest:
        """Return the request of one attempt, with the time of `clock` and a signature over the bytes that are sent.

        Raises ConfigurationError when the clock or the signer returns what cannot be sent.
        """
        # Where something may raise, no local holds a part of the template: some tracebacks show locals, and it has the key.
        signing, signer = operation.signing, self._credentials.signer
        if signing is None:
            return self._complete(operation, query.encode("ascii"), b"")
        assert signer is not None  # as build_query() has seen
        now = clock()
        if type(now) is not int:
            raise ConfigurationError("clock must return whole milliseconds, as an int")
        payload = append_timestamp(query, f"{signing.timestamp_parameter}={now}").encode("ascii")
        return self._complete(operation, payload, compute_signature(signer, payload))

    def _complete(self, operation: Operation[Any], query: bytes, signature: bytes) -> HttpRequest:
        template = self._templates.get(operation.id) or self._template(operation)
        if signature:
            query += template.signature_prefix + signature
        target = template.path + b"?" + query if query else template.path
        return HttpRequest(
            target, template.route, (self._credentials.api_key or "", signature.decode("ascii"))
        )

    def _template(self, operation: Operation[Any]) -> _OperationTemplate:
        path = f"{self.url.path}{operation.path}".encode("ascii")
        prefix = (
            b""
            if operation.signing is None
            else f"&{operation.signing.signature_parameter}=".encode("ascii")
        )
        route = RequestTemplate.build(
            self.url.origin,
            build_headers(self.url, operation.key_header, self._credentials.api_key),
        )
        form = self._templates[operation.id] = _OperationTemplate(path, prefix, route)
        return form


def build_headers(url: config.BaseUrl, key_header: str | None, api_key: str | None) -> RawHeaders:
    """All headers, ready to be sent; the key only where the operation wants it."""
    key = {key_header: api_key} if key_header is not None and api_key is not None else {}
    asked = {"Host": url.host, **_DEFAULT_HEADERS, **key}
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in asked.items()]


def append_timestamp(query: str, stamp: str) -> str:
    """What is signed."""
    return f"{query}&{stamp}" if query else stamp
