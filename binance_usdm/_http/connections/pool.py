"""Connection pool: at most `max_connections` connections per origin, first come, first served.

A caller takes a `Lease`: first a slot, in order of arrival, then an idle or a new connection.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, Generic, TypeVar

from binance_usdm._concurrency.gates import CLOSED, Gate
from binance_usdm._errors import ConfigurationError
from binance_usdm._http.messages import HttpFailure, Origin
from binance_usdm._secrets import clear_frames, describe_value

from .failures import CONNECT, PROXY_CONNECT, Trust
from .lease import TRANSPORT_CLOSED, Lease
from .origin_pool import Connection, OriginPool
from .proxy import PLAINTEXT_PROXY_PROBLEM, Proxy
from .tls import check_ssl_context, ssl_context_problem, tls_context

MAX_CONNECTIONS = 100
"""Connections to one origin, idle ones included. Further callers wait, each until its deadline."""
KEEPALIVE_EXPIRY_SECONDS = 30.0
"""Age at which an idle connection is closed. Most load balancers forget one after 60 s or more."""
_EXPIRY_CHECK_SECONDS: Final = 1.0

_C = TypeVar("_C", bound=Connection)


class ConnectionPool(Generic[_C]):
    """Options, origins and idle connections of a transport, blocking or not.

    Args:
        proxy: URL of an HTTP proxy, or a parsed one.
        max_connections: Connections to one origin, idle ones included.
        keepalive_expiry: Seconds after which an idle connection is closed.
        share_connections: Whether idle connections are reused across partitions.
        ssl_context: TLS settings of all connections. `None` uses those of the process.

    Raises:
        ConfigurationError: An argument is invalid.
    """

    def __init__(
        self,
        proxy: str | Proxy | None = None,
        *,
        max_connections: int = MAX_CONNECTIONS,
        keepalive_expiry: float = KEEPALIVE_EXPIRY_SECONDS,
        share_connections: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        # Keep secrets out of tracebacks, since a URL may hold a password; see _secrets.py.
        try:
            is_parsed = proxy is None or isinstance(proxy, Proxy)
            parsed_proxy = proxy if is_parsed else Proxy.from_url(proxy)
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del proxy
        if isinstance(parsed_proxy, str):
            raise ConfigurationError(parsed_proxy)
        _validate_options(max_connections, keepalive_expiry, share_connections, ssl_context)
        self._proxy = parsed_proxy
        self._ssl_context = ssl_context
        self._connect_phase = PROXY_CONNECT if parsed_proxy else CONNECT
        self.is_closed: bool = False
        self.keepalive_expiry = keepalive_expiry
        self.is_partitioned: bool = not share_connections
        self._max_connections = max_connections
        self._origin_pools: dict[tuple[int, Origin], OriginPool[_C]] = {}
        self._next_expiry_check_at = 0.0

    @property
    def proxy_address(self) -> tuple[str, int] | None:
        """The proxy's host and port, None without a proxy.

        The exchange counts weight by the address that requests come from.
        """
        return None if self._proxy is None else (self._proxy.host, self._proxy.port)

    def lease(
        self,
        origin: Origin,
        partition: Hashable,
        *,
        deadline: float,
        max_response_bytes: int,
        needs_new_connection: bool,
    ) -> Lease[_C]:
        """Return a lease for one request. It takes nothing yet.

        Args:
            origin: Where the request goes.
            partition: Idle connections are reused within a partition only, unless the pool shares
                them.
            deadline: Instant of `time.monotonic()` that bounds waiting, connecting, sending and
                reading together.
            max_response_bytes: Bound of a response in bytes, with all its heads.
            needs_new_connection: Whether no idle connection may be used.
        """
        return Lease(
            self,
            origin,
            partition,
            deadline=deadline,
            max_response_bytes=max_response_bytes,
            needs_new_connection=needs_new_connection,
        )

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings for a new connection.

        Raises:
            OSError: The caller's settings no longer verify the server.
        """
        if self._ssl_context is None:
            return tls_context()
        return check_ssl_context(self._ssl_context)

    @property
    def trust(self) -> Trust:
        """Where the certificate authorities come from, for messages."""
        return "system" if self._ssl_context is None else "ssl_context"

    def rejection(self, origin: Origin) -> HttpFailure | None:
        """Return why no request to this origin can be sent, or None."""
        if self.is_closed:
            return TRANSPORT_CLOSED
        if self._proxy and not (self._proxy.is_loopback or origin[0]):
            return HttpFailure("LocalProtocolError", PLAINTEXT_PROXY_PROBLEM, is_retryable=False)
        return None

    def origin_pool(self, origin: Origin) -> OriginPool[_C]:
        """Return slots and idle connections of an origin, those of this process."""
        # Connections from before a fork belong to the parent, and so do their responses. They stay
        # under its process number, unclosed: an event loop's poller is shared with the parent,
        # which would get no more events of a socket that is closed here.
        key = (os.getpid(), origin)
        origin_pool = self._origin_pools.get(key)
        if origin_pool is None:
            origin_pool = self._origin_pools.setdefault(key, OriginPool(self._max_connections))
        return origin_pool

    def _own_origin_pools(self) -> Iterator[OriginPool[_C]]:
        process = os.getpid()
        return (pool for (owner, _), pool in list(self._origin_pools.items()) if owner == process)

    def close_idle(self, origin_pool: OriginPool[_C]) -> None:
        """Close all idle connections of an origin."""
        for connection in origin_pool.pop_all():
            connection.abort()

    def close_expired(self) -> None:
        """Close idle connections that are too old, of every origin, about once a second."""
        now = time.monotonic()
        if now < self._next_expiry_check_at:
            return
        self._next_expiry_check_at = now + _EXPIRY_CHECK_SECONDS
        for origin_pool in self._own_origin_pools():
            for connection in origin_pool.pop_expired(self.keepalive_expiry):
                connection.abort()

    def _close_all(self) -> None:
        """Close all idle connections, and end every wait for a slot."""
        self.is_closed = True
        for origin_pool in self._own_origin_pools():
            self.close_idle(origin_pool)
            for gate in list(origin_pool.slots.waiters.values()):
                gate.open(CLOSED)


def _validate_options(
    max_connections: object,
    keepalive_expiry: object,
    share_connections: object,
    ssl_context: object,
) -> None:
    """Raise ConfigurationError for an option that is invalid."""
    if type(max_connections) is not int or max_connections < 1:
        raise ConfigurationError(
            f"max_connections must be an integer, at least 1, not {describe_value(max_connections)}"
        )
    # The comparison is false for NaN, too.
    if type(keepalive_expiry) not in (int, float) or not keepalive_expiry >= 0:  # type: ignore[operator]
        raise ConfigurationError(
            f"keepalive_expiry must be a number of seconds, at least 0, not {describe_value(keepalive_expiry)}"
        )
    if type(share_connections) is not bool:
        raise ConfigurationError(
            f"share_connections must be True or False, not {describe_value(share_connections)}"
        )
    if ssl_context is not None and (problem := ssl_context_problem(ssl_context)) is not None:
        raise ConfigurationError(problem)


async def send_complete(
    transport: Any, request: Any, lease: Lease[Any], make_gate: Callable[[], Gate]
) -> Any:
    """Send a request that needs no late decision: take a slot and a connection, send, release.

    Waits for a slot in order of arrival, then for the connection, then for the response. A
    cancelled or interrupted caller closes its connection and gives the slot back.

    Args:
        transport: The transport that made the lease.
        request: The complete `HttpRequest`.
        lease: A new lease.
        make_gate: Makes the gate to wait with.

    Returns:
        The `HttpResult`.
    """
    if (rejection := transport.rejection(lease.origin)) is not None:
        return rejection
    holders = lease.holders
    token = lease.token
    try:
        failure = None
        if not lease.try_acquire_slot():
            failure = await lease.wait_for_slot(make_gate())
        if failure is None and not lease.try_take_idle():
            failure = await transport.connect(lease)
        if failure is not None:
            return failure
        return await transport.send(lease, request)
    finally:
        # This is a single C call, so no interrupt can come before it.
        holders.discard(token)
        lease.release()
