"""Scripts on a Redis server by a client of redis-py that the user made: with Sentinel, for example.

Finding the server, logging in and following a failover is up to the client.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from binance_usdm._concurrency.threads import WorkerPool
from binance_usdm._secrets import SecretHolder

from .connections import check_timeout, seconds_left
from .scripts import Script

if TYPE_CHECKING:
    import redis

    RedisClient: TypeAlias = redis.Redis | redis.RedisCluster

_CALLERS: Final = WorkerPool(16)
"""Threads that run commands: a client may look for its server longer than an operation lasts."""
_EXPECTED: Final = (
    "client must be a blocking client of redis-py: redis.Redis, Sentinel(...).master_for(name) or "
    "redis.RedisCluster"
)


class ClientConnections(SecretHolder):
    """Runs scripts by a client of redis-py, each in a thread that is left behind after its time.

    Args:
        client: The client. It stays open.
        timeout: Seconds for one operation.
    """

    __slots__ = ("_client", "_timeout")

    def __init__(self, client: Any, timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    def run(self, script: Script, key: str, arguments: tuple[int | str, ...]) -> Any:
        """Run a script, and return the server's answer.

        Raises:
            Exception: The server did not answer in time, or with an error. redis-py has many
                classes of them. After TimeoutError the script may be run later.
        """
        deadline = time.monotonic() + self._timeout
        job = _CALLERS.submit(partial(self._evaluate, script, key, arguments, deadline))
        if not job.wait_blocking(deadline):
            raise TimeoutError
        return job.result()

    def close(self) -> None:
        """Do nothing: whoever made the client closes it."""

    def forget_server(self) -> None:
        """Close idle connections, which may lead to a server that became a replica."""
        pool = getattr(self._client, "connection_pool", None)
        if pool is None:
            return
        try:
            pool.disconnect(inuse_connections=False)
        except TypeError:
            # A pool that blocks has no such argument.
            pool.disconnect()

    def _evaluate(
        self, script: Script, key: str, arguments: tuple[int | str, ...], deadline: float
    ) -> Any:
        from redis.exceptions import NoScriptError

        seconds_left(deadline)
        try:
            return self._client.evalsha(script.sha, 1, key, *arguments)
        except NoScriptError:
            return self._client.eval(script.source, 1, key, *arguments)


def wrap_client(client: Any, timeout: float) -> ClientConnections | str:
    """Return what runs scripts by a client, or what is wrong with it."""
    try:
        import redis
    except ImportError:
        return _EXPECTED
    problem = check_timeout(timeout)
    if problem:
        return problem
    if not isinstance(client, redis.Redis | redis.RedisCluster):
        return f"{_EXPECTED}, not {type(client).__module__}.{type(client).__qualname__}"
    if _can_hang(client):
        return (
            "client must have a time limit, or a silent server takes all threads: make it with "
            "socket_timeout=0.5, for example"
        )
    return ClientConnections(client, timeout)


def _can_hang(client: Any) -> bool:
    """Return whether a command of a client has no time limit. No connection is opened."""
    pool = getattr(client, "connection_pool", None)
    if pool is None:
        # In a cluster each node has a pool, all of them with the same options.
        options = client.get_connection_kwargs()
        return "socket_timeout" in options and options["socket_timeout"] is None
    connection = pool.connection_class(**pool.connection_kwargs)
    return getattr(connection, "socket_timeout", 0) is None
