"""A call as a plan: what is sent when, what comes of it, what then. Shared by both clients; neither blocks nor awaits."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from typing import Any, Generic, Self, TypeVar

import httpx

from binance_usdm_wire import BadArgument, Operation, Response

from . import _config as config
from ._clock import Clock, local_time
from ._errors import ConfigurationError, DeadlineExceeded, TransportError, UsdmError
from ._limits import Limiter
from ._reply import Reply, Value, read, used_weight
from ._retry import RetryPolicy, never
from ._signing import Sealed, Signer, signature
from ._transport import SyncTransport
from ._transport_asyncio import AsyncTransport

T = TypeVar("T")
TransportT = TypeVar("TransportT", httpx.BaseTransport, httpx.AsyncBaseTransport)

_EMPTY = httpx.ByteStream(b"")


class Request(httpx.Request):
    """A request whose repr tells nothing of its query."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


Step = Request | float
Outcome = Reply | UsdmError | None
Plan = Generator[Step, Outcome, Response[T]]
"""A call as a plan: yields a request to send or seconds to wait, is sent what came of it, returns the response or raises."""


class Caller(Sealed, Generic[TransportT]):
    """What both clients share: the configuration and the plan of a call. Neither blocks nor awaits."""

    __slots__ = (
        "__weakref__",
        "_clock", "_closed", "_credentials", "_headers", "_limiter", "_prefix", "_reads_target", "_recv_window", "_retry",
        "_timeout", "_transport", "_url",
    )  # fmt: skip
    _transport: TransportT
    _interface: type[httpx.BaseTransport] | type[httpx.AsyncBaseTransport]

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        signer: Signer | None = None,
        base_url: str = config.MAINNET,
        recv_window: int | None = None,
        timeout: float = config.DEFAULT_TIMEOUT,
        retry: RetryPolicy = never,
        clock: Clock = local_time,
        limiter: Limiter | None = None,
        proxy: str | None = None,
        transport: TransportT | None = None,
    ) -> None:
        credentials = config.credentials(api_key, api_secret, signer)
        url = config.origin(base_url)
        chosen: TransportT | str
        if transport is None:
            chosen = self._own(proxy, clear=isinstance(url, httpx.URL) and url.scheme == "http")
        elif proxy is not None:
            chosen = "give a proxy or a transport, not both"
        elif isinstance(transport, self._interface):
            chosen = transport
        else:
            chosen = f"transport must be an httpx.{self._interface.__name__}"
        # the traceback of an error below may be printed with its local variables
        del api_key, api_secret, signer, base_url, proxy, transport
        if isinstance(credentials, str) or isinstance(url, str) or isinstance(chosen, str):
            raise ConfigurationError(next(made for made in (credentials, url, chosen) if isinstance(made, str)))
        methods: tuple[Any, ...] = (
            () if limiter is None else (getattr(limiter, "acquire", None), getattr(limiter, "observe", None))
        )
        if not all(map(callable, (retry, clock, *methods))):
            raise ConfigurationError("retry and clock must be functions, limiter an object with acquire and observe")
        self._closed = False
        self._credentials = credentials
        self._url = url
        self._prefix = url.raw_path.rstrip(b"/")
        self._headers: dict[str | None, httpx.Headers] = {}
        self._recv_window = config.positive_ms(recv_window)
        self._timeout = config.positive_seconds(timeout)
        self._retry = retry
        self._clock = clock
        self._limiter = limiter
        self._transport = chosen
        self._reads_target = isinstance(chosen, (SyncTransport, AsyncTransport))

    @staticmethod
    def _own(proxy: str | None, clear: bool) -> TransportT | str:
        """The default transport, or a complaint about the proxy that does not repeat it; `clear`: it would see the key."""
        raise NotImplementedError

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from BINANCE_API_KEY, BINANCE_API_SECRET and, if set, BINANCE_BASE_URL; `options` are the constructor's and win.

        Raises ConfigurationError naming the variable that is missing or empty.
        """
        signed_by: list[str] = [] if options.get("signer") is not None else [config.ENV_API_SECRET]
        for name in (config.ENV_API_KEY, *signed_by):
            if not os.environ.get(name):
                raise ConfigurationError(f"the environment variable {name} is not set")
        variables = {"api_key": config.ENV_API_KEY, "api_secret": config.ENV_API_SECRET}
        if "base_url" not in options and os.environ.get(config.ENV_BASE_URL):
            variables["base_url"] = config.ENV_BASE_URL
            options["base_url"] = os.environ[config.ENV_BASE_URL]
        try:
            return cls(os.environ[config.ENV_API_KEY], *(os.environ[name] for name in signed_by), **options)
        except ConfigurationError as error:
            option, _, complaint = str(error).partition(" ")
            complaint = f"{variables.get(option, option)} {complaint}"
        del options  # a URL may hold a password
        raise ConfigurationError(complaint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url='{getattr(self, '_url', '')}')"  # also of one whose constructor failed

    def _plan(self, operation: Operation[T], arguments: dict[str, Any]) -> Plan[T]:
        started = time.monotonic()
        deadline = started + self._timeout
        query = self._query(operation, arguments)
        if self._closed:
            raise TransportError("the client is closed")
        attempt = 0
        while True:
            attempt += 1
            if self._limiter is not None and (wait := self._limiter.acquire(operation.weight)) > 0:
                if time.monotonic() + wait >= deadline:
                    raise DeadlineExceeded("the weight budget has no room before the deadline; nothing was sent")
                yield wait
            outcome = yield self._stamped(operation, query, deadline)
            result: Value | UsdmError
            if isinstance(outcome, Reply):
                result = read(operation, outcome)
                weight = used_weight(outcome.headers)
                if self._limiter is not None and weight is not None:
                    self._limiter.observe(weight)
                if isinstance(result, Value):
                    return Response(
                        parsed=result.parsed, status_code=outcome.status, headers=outcome.headers, used_weight=weight,
                        elapsed=time.monotonic() - started, attempts=attempt,
                    )  # fmt: skip
            else:
                result = outcome or TransportError("nothing came of the request")
            pause = self._retry(result, attempt)
            if pause is None or time.monotonic() + pause >= deadline:
                raise result
            yield max(pause, 0.0)

    def _query(self, operation: Operation[T], arguments: dict[str, Any]) -> dict[str, str]:
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

    def _stamped(self, operation: Operation[T], query: dict[str, str], deadline: float) -> Request:
        """A request made for one attempt: stamped with the time and signed over exactly the bytes that are sent."""
        signing, signer = operation.signing, self._credentials.signer
        sent: bytes
        if signing is None or signer is None:
            sent = _encoded(query)
        else:
            now = self._clock()
            if type(now) is not int:
                raise ConfigurationError("clock must return whole milliseconds, as an int")
            payload = _encoded({**query, signing.timestamp: str(now)})
            sent = b"%b&%b=%b" % (payload, signing.signature.encode("ascii"), signature(signer, payload))
        headers = self._headers.get(operation.key_header)
        if headers is None:
            headers = config.headers(self._url, operation.key_header, self._credentials.api_key)
            self._headers[operation.key_header] = headers
        target = b"?".join([self._prefix + operation.path.encode("ascii"), *([sent] if sent else [])])
        extensions: dict[str, Any] = {"deadline": deadline}
        if self._reads_target:  # parsing a URL costs more than all the rest of a request
            url, extensions["target"] = self._url, target
        else:
            left = max(deadline - time.monotonic(), 0.001)
            extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), left)
            url = self._url.copy_with(raw_path=target)
        return Request(operation.method, url, headers=headers, stream=_EMPTY, extensions=extensions)


def _encoded(query: dict[str, str]) -> bytes:
    return "&".join([f"{name}={text}" for name, text in query.items()]).encode("ascii")
