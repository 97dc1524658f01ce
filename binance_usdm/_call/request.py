"""Build and sign requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from attrs import evolve

from binance_usdm._auth.credentials import Credentials
from binance_usdm._auth.signers import compute_signature
from binance_usdm._config.base_url import BaseUrl, parse_server_url
from binance_usdm._config.defaults import ENVIRONMENT_BY_BASE_URL
from binance_usdm._errors import ConfigurationError
from binance_usdm._http.messages import HttpRequest, RawHeaders, RequestTemplate
from binance_usdm._policy.clock import Clock
from binance_usdm._secrets import SecretHolder
from binance_usdm._version import __version__
from binance_usdm_wire import InvalidArgumentError, Operation

T = TypeVar("T")

_DEFAULT_HEADERS = {
    "User-Agent": f"binance-usdm/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_MAX_TEMPLATES: Final = 64


class _OperationTemplate(NamedTuple):
    """What all requests for one operation have in common."""

    path: bytes
    signature_prefix: bytes
    """Name of the signature parameter, as it stands after the other parameters."""
    route: RequestTemplate

    def __repr__(self) -> str:
        return "<_OperationTemplate>"


class RequestBuilder(SecretHolder):
    """Builds the requests of one client. No other object holds the client's credentials.

    Attributes:
        url: Base URL.
        origin: Origin of the base URL.
        partition: Number that differs between API keys. Connections are not shared across it.
    """

    __slots__ = ("_credentials", "_recv_window", "_templates", "origin", "partition", "url")

    def __init__(self, credentials: Credentials, url: BaseUrl, recv_window: int | None) -> None:
        self.url = url
        self.origin = url.origin
        self.partition = hash(credentials.api_key)
        self._credentials = credentials
        self._templates: dict[str, _OperationTemplate] = {}
        self._recv_window = recv_window

    def build_query(self, operation: Operation[Any], arguments: dict[str, Any]) -> str:
        """Return the query string of a call, without timestamp and signature.

        Raises:
            ConfigurationError: A credential is missing, or the spec does not allow an argument.
        """
        signing = operation.signing
        if operation.key_header is not None and self._credentials.api_key is None:
            raise ConfigurationError(f"{operation.id} needs an API key")
        if signing is not None and self._credentials.signer is None:
            raise ConfigurationError(
                f"{operation.id} is signed: it needs an API secret or a signer"
            )
        parameters = _write_arguments(operation.build_query, **arguments)
        window_name = signing.window_parameter if signing is not None else None
        if window_name is not None and self._recv_window is not None:
            parameters.setdefault(window_name, str(self._recv_window))
        return "&".join([f"{name}={text}" for name, text in parameters.items()])

    def bind_operation(self, operation: Operation[T], arguments: dict[str, Any]) -> Operation[T]:
        """Return the operation with the path and the weight of a call with these arguments.

        Raises:
            ConfigurationError: The spec does not allow an argument in the path.
        """
        if operation.build_path is None and operation.weigh is None:
            return operation
        path = operation.path
        weight = operation.weight
        if operation.build_path is not None:
            path = _write_arguments(operation.build_path, **arguments)
        if operation.weigh is not None:
            weight = _write_arguments(operation.weigh, arguments)
        return evolve(operation, path=path, weight=weight)

    def url_for(self, operation: Operation[Any]) -> BaseUrl:
        """Return the base URL of an operation.

        An operation with servers of its own has that of the client's environment. A client with a
        base URL that is no environment of the exchange sends everything there.
        """
        if operation.servers is None:
            return self.url
        environment = ENVIRONMENT_BY_BASE_URL.get(str(self.url))
        url = parse_server_url(operation.servers.get(environment or "", str(self.url)))
        # The spec's URL has been checked, and the client's own is one of the exchange's here.
        return url if isinstance(url, BaseUrl) else self.url

    def build_signed(self, operation: Operation[Any], query: str, clock: Clock) -> HttpRequest:
        """Return the request of one attempt, with a new timestamp and a signature over its query.

        Args:
            operation: The operation that is called.
            query: What `build_query` returned.
            clock: Function that returns the timestamp in ms.

        Raises:
            ConfigurationError: The clock or the signer returned a value that cannot be sent.
        """
        # Keep secrets out of tracebacks; see _secrets.py. Where something may raise, no local holds
        # a part of the template, which contains the key.
        signing = operation.signing
        signer = self._credentials.signer
        if signing is None:
            return self._complete(operation, query.encode("ascii"), b"")
        # build_query() has checked that there is one.
        assert signer is not None
        now_ms = clock()
        if type(now_ms) is not int:
            raise ConfigurationError("clock must return an integer of milliseconds")
        timestamp = f"{signing.timestamp_parameter}={now_ms}"
        payload = append_timestamp(query, timestamp).encode("ascii")
        return self._complete(operation, payload, compute_signature(signer, payload))

    def _complete(self, operation: Operation[Any], query: bytes, signature: bytes) -> HttpRequest:
        template = self._templates.get(operation.id)
        if template is None:
            template = self._make_template(operation)
            # A path with arguments is made anew for each call, and `get()` may have many paths.
            if operation.build_path is None:
                if len(self._templates) >= _MAX_TEMPLATES:
                    self._templates.clear()
                self._templates[operation.id] = template
        if signature:
            query += template.signature_prefix + signature
        target = template.path + b"?" + query if query else template.path
        secrets = (self._credentials.api_key or "", signature.decode("ascii"))
        return HttpRequest(target, template.route, secrets)

    def _make_template(self, operation: Operation[Any]) -> _OperationTemplate:
        url = self.url_for(operation)
        path = f"{url.path}{operation.path}".encode("ascii")
        prefix = b""
        if operation.signing is not None:
            prefix = f"&{operation.signing.signature_parameter}=".encode("ascii")
        headers = build_headers(url, operation.key_header, self._credentials.api_key)
        return _OperationTemplate(path, prefix, RequestTemplate.build(url.origin, headers))


def _write_arguments(write: Callable[..., T], /, *args: Any, **arguments: Any) -> T:
    """Call a function of the generated client, and raise its error as one of this package."""
    try:
        return write(*args, **arguments)
    except InvalidArgumentError as error:
        problem = str(error)
    # Raised here, so that the error has no context with the argument.
    raise ConfigurationError(problem)


def build_headers(url: BaseUrl, key_header: str | None, api_key: str | None) -> RawHeaders:
    """Return all headers of a request, with the API key if the operation needs it.

    Args:
        url: Base URL, for the Host header.
        key_header: Name of the header for the key, None if the operation needs no key.
        api_key: API key, or None.
    """
    headers = {"Host": url.host, **_DEFAULT_HEADERS}
    if key_header is not None and api_key is not None:
        headers[key_header] = api_key
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def append_timestamp(query: str, timestamp: str) -> str:
    """Return the payload that is signed: the query with the timestamp as its last parameter."""
    return f"{query}&{timestamp}" if query else timestamp
