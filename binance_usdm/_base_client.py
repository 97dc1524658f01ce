"""Base class of the clients: constructor and choice of the transport."""

from __future__ import annotations

import ssl
from collections.abc import Collection
from typing import Any, Literal, Unpack

from ._auth.credentials import Credentials, validate_credentials
from ._auth.signers import Signer
from ._call.call import CallRunner
from ._call.context import ErrorLabel
from ._call.request import RequestBuilder
from ._concurrency.gates import GateSet
from ._config import defaults, validation
from ._config.base_url import BaseUrl, parse_base_url
from ._config.factories import ClientFactories
from ._config.mock_environment import choose_proxy, is_mock_url
from ._config.options import (
    NoOptions,
    TransportT,
    is_foreign_name,
    unknown_option_problem,
    validate_label,
)
from ._errors import ConfigurationError
from ._events import Observer
from ._http.connections.proxy import PLAINTEXT_PROXY_PROBLEM, Proxy
from ._http.connections.tls import ssl_context_problem
from ._http.messages import DEFAULT_MAX_RESPONSE_BYTES
from ._policy.clock import Clock
from ._policy.limiter import Limiter, WeightLimiter
from ._policy.limiter_queue import LimiterQueue
from ._policy.retry import Retry, RetryQuota
from ._policy.shared import get_shared_state
from ._secrets import Problem, clear_frames


class BaseClient(CallRunner, ClientFactories[TransportT]):
    """Base class of both clients."""

    # Tests replace methods of an instance, which needs a `__dict__`.
    __slots__ = ("__dict__", "__weakref__", "_owns_transport")
    _default_transport_class: Any

    @staticmethod
    def _httpx_adapter_class() -> Any:
        """Return the class that adapts a transport of httpx. It is imported only when needed."""
        raise NotImplementedError

    # Type checkers allow neither `positional` nor `unknown`. They are here so that a typo is named
    # without the frame of a TypeError, which would show the arguments.
    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *positional: *tuple[()],
        signer: Signer | None = None,
        base_url: str = defaults.MAINNET,
        allow_http_hosts: Collection[str] = (),
        recv_window: int | None = defaults.DEFAULT_RECV_WINDOW,
        timeout: float = defaults.DEFAULT_TIMEOUT,
        retry: Retry = defaults.DEFAULT_RETRY,
        clock: Clock | Literal["auto", "exchange"] = defaults.DEFAULT_CLOCK,
        limiter: Limiter | Literal["shared"] | None = defaults.DEFAULT_LIMITER,
        max_reply_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        transport: TransportT | None = None,
        on_event: Observer | None = None,
        label: str | None = None,
        **unknown: Unpack[NoOptions],
    ) -> None:
        # Keep secrets out of tracebacks; see _secrets.py.
        try:
            problem = unknown_option_problem(type(self).__name__, positional, unknown)
            credentials = validate_credentials(api_key, api_secret, signer)
            url = parse_base_url(base_url, allow_http_hosts)
            self._owns_transport = transport is None
            checked_transport = self._choose_transport(transport, proxy, ssl_context, url)
            if label is not None and label in (api_key, api_secret):
                problem = Problem("label must not be the API key or secret: it is shown")
                label = None
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del api_key, api_secret, positional, signer, base_url, proxy, transport, unknown
        self._label = validate_label(label)
        self._error_label = ErrorLabel(self._label)
        with self._error_label:
            for value in (problem, credentials, url, checked_transport):
                if isinstance(value, Problem):
                    raise ConfigurationError(str(value))
            assert isinstance(credentials, Credentials)
            assert isinstance(url, BaseUrl)
            validation.validate_options(max_reply_bytes, retry, clock, limiter, on_event)
            window = validation.validate_recv_window(recv_window)
            self._timeout = validation.validate_timeout(timeout)
            self._transport = checked_transport
            self._share_state(url)
            if limiter == defaults.DEFAULT_LIMITER:
                limiter = self._shared.limiter
            elif limiter is None:
                limiter = WeightLimiter(limit=None)
            bind_base_url = getattr(limiter, "bind_base_url", None)
            if bind_base_url is not None:
                bind_base_url(str(url), is_test=url.is_test)
        self._limiter_queue = LimiterQueue(limiter, self._transport.run_in_thread)
        self._gates = GateSet(self._transport.make_gate)
        self._request_builder = RequestBuilder(credentials, url, window)
        self._max_reply_bytes = max_reply_bytes
        self._clock_mode = clock if isinstance(clock, str) else None
        self._clock = self._shared.clock if isinstance(clock, str) else clock
        self._retry = retry
        self._retry_quota = RetryQuota()
        self._account_by_attribute = {}
        self._on_event = on_event

    def _share_state(self, url: BaseUrl) -> None:
        """Set the clock and limiter that clients with the same base URL and proxy share."""
        proxy_address = adapted_transport = None
        if type(self._transport) is self._default_transport_class:
            proxy_address = self._transport.proxy_address
        else:
            adapted_transport = self._transport.transport
        # No limit is known for a mock exchange, and a run of tests makes more calls than a program.
        target = str(url), proxy_address, not is_mock_url(str(url))
        self._shared = get_shared_state(target, adapted_transport)

    @classmethod
    def _choose_transport(
        cls, transport: Any, proxy: str | None, ssl_context: Any, url: BaseUrl | Problem
    ) -> Any:
        """Return the transport to use, or a `Problem` with it, the proxy or the context."""
        if transport is None:
            return cls._make_transport(proxy, ssl_context, url)
        if proxy is not None:
            return Problem("proxy and transport are both set; configure the proxy on the transport")
        if ssl_context is not None:
            return Problem("ssl_context and transport are both set; configure TLS on the transport")
        default = cls._default_transport_class
        if type(transport) is default:
            return transport
        # A subclass of the default transport is adapted as well: its additions may ignore deadline
        # and bounds.
        adapter = cls._httpx_adapter_class()
        httpx_class = adapter.transport_class
        if isinstance(transport, (default, httpx_class)):
            return adapter(transport)
        return cls._transport_problem(transport, httpx_class)

    @classmethod
    def _transport_problem(cls, transport: Any, httpx_class: type) -> Problem:
        default_name = cls._default_transport_class.__name__
        httpx_name = httpx_class.__name__
        given_name = type(transport).__qualname__
        if isinstance(transport, type):
            given_name = f"the class {transport.__qualname__}; pass an instance"
        return Problem(
            f"transport must be of type {default_name} or httpx.{httpx_name} for {cls.__name__}, "
            f"such as httpx.{httpx_name.replace('Base', 'HTTP')}(), not {given_name}"
        )

    @classmethod
    def _make_transport(cls, proxy: str | None, ssl_context: Any, url: BaseUrl | Problem) -> Any:
        if ssl_context is not None and (problem := ssl_context_problem(ssl_context)) is not None:
            return Problem(problem)
        proxy = choose_proxy(proxy, str(url))
        if proxy is None:
            return cls._default_transport_class(None, ssl_context=ssl_context)
        parsed_proxy = Proxy.from_url(proxy)
        if not isinstance(parsed_proxy, Proxy):
            return Problem(parsed_proxy)
        is_plaintext = isinstance(url, BaseUrl) and not url.origin[0]
        if is_plaintext and not parsed_proxy.is_loopback:
            return Problem(PLAINTEXT_PROXY_PROBLEM)
        return cls._default_transport_class(parsed_proxy, ssl_context=ssl_context)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not is_foreign_name(type(self), name)]

    def __repr__(self) -> str:
        # The attribute is missing when the constructor failed.
        requests = getattr(self, "_request_builder", None)
        label = getattr(self, "_label", None)
        shown = "" if label is None else f", label={label!r}"
        return f"{type(self).__name__}(base_url='{requests.url if requests else ''}'{shown})"
