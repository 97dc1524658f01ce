"""Connections to a Redis server, on which each operation has one time limit.

The time limits of redis-py count for each read. A server that sends single bytes, or answers
every command of a login late, would extend an operation many times over.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._concurrency.threads import WorkerPool
from binance_usdm._secrets import SecretHolder

from .scripts import Script

MAX_TIMEOUT_SECONDS: Final = 60
_MAX_RECEIVED_BYTES: Final = 16_384
"""Bound for one operation, a login included. The answers that it needs take 200 bytes."""
_CONNECTORS: Final = WorkerPool(16)
"""Threads that connect: a name look-up takes no time limit, and is left behind when it hangs."""


class _BoundedSocket:
    """A socket whose sends and receives share a deadline and a bound of received bytes.

    redis-py's connection uses it instead of the socket that it opened.
    """

    __slots__ = ("_bytes_left", "_deadline", "_has_deadline", "_socket")

    def __init__(self, sock: Any, deadline: float) -> None:
        self._socket = sock
        self.begin(deadline)

    def begin(self, deadline: float) -> None:
        """Begin an operation, which must end by an instant of `time.monotonic()`."""
        self._deadline = deadline
        self._bytes_left = _MAX_RECEIVED_BYTES
        self._has_deadline = True

    def settimeout(self, seconds: float | None) -> None:
        # redis-py looks with 0 whether there is something to read.
        self._has_deadline = seconds != 0
        self._socket.settimeout(seconds)

    def sendall(self, data: Any) -> None:
        self._limit_time()
        self._socket.sendall(data)

    def recv(self, *arguments: Any) -> bytes:
        self._limit_time()
        data: bytes = self._socket.recv(*arguments)
        self._count(len(data))
        return data

    def recv_into(self, *arguments: Any) -> int:
        self._limit_time()
        count: int = self._socket.recv_into(*arguments)
        self._count(count)
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def _limit_time(self) -> None:
        if self._has_deadline:
            self._socket.settimeout(seconds_left(self._deadline))

    def _count(self, received: int) -> None:
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise OSError("the answer is too long")


def seconds_left(deadline: float) -> float:
    """Return the time until a deadline. Raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class RedisConnections(SecretHolder):
    """Runs scripts on a server, each on a connection that no other thread uses meanwhile.

    A connection is kept for the next operation only after exactly one complete answer. After all
    else it is closed, so that a late answer is never taken for that of a later operation.
    Safe for threads, forks and signal handlers.

    Args:
        make_connection: Makes a connection of redis-py that is not open yet.
        timeout: Seconds for one operation, in which connecting and logging in are included.
    """

    __slots__ = ("_idle", "_make_connection", "_timeout")

    def __init__(self, make_connection: Callable[[], Any], timeout: float) -> None:
        self._make_connection = make_connection
        self._timeout = timeout
        self._idle: deque[Any] = deque()

    def run(self, script: Script, key: str, arguments: tuple[int | str, ...]) -> Any:
        """Run a script, and return the server's answer.

        Raises:
            Exception: The server did not answer in time, or with an error. redis-py has many
                classes of them. After TimeoutError the script may have been run.
        """
        from redis.exceptions import NoScriptError

        deadline = time.monotonic() + self._timeout
        # Looked up once: a connection that was in use during `close()` is not taken again.
        idle = self._idle
        connection = _take_idle(idle) or self._connect(deadline)
        try:
            connection._sock.begin(deadline)
            try:
                answer = _execute(connection, "EVALSHA", script.sha, 1, key, *arguments)
            except NoScriptError:
                answer = _execute(connection, "EVAL", script.source, 1, key, *arguments)
        except BaseException:
            connection.disconnect()
            raise
        idle.append(connection)
        return answer

    def close(self) -> None:
        """Close the idle connections, and those in use when their operation ends."""
        idle, self._idle = self._idle, deque()
        with contextlib.suppress(IndexError):
            while True:
                idle.pop().disconnect()

    def forget_server(self) -> None:
        """Close the connections: the next operation connects to what has the name by then."""
        self.close()

    def _connect(self, deadline: float) -> Any:
        connection = self._make_connection()
        connection.redis_connect_func = partial(_log_in, deadline)
        opened = _CONNECTORS.submit(partial(_open_connection, connection, deadline))
        if not opened.wait_blocking(deadline):
            raise TimeoutError
        opened.result()
        return connection


def _take_idle(idle: deque[Any]) -> Any:
    """Return the newest connection that is usable, or `None`. Closes those that are not."""
    process = os.getpid()
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return None
        # A forked process closes its copies of the other process's sockets.
        if connection.pid == process and not _has_input(connection):
            return connection
        connection.disconnect()


def _has_input(connection: Any) -> bool:
    """Return whether an idle connection has something to read: its end, or surplus bytes."""
    outer = sys.exception()
    try:
        return bool(connection.can_read())
    except Exception as error:  # noqa: BLE001 - redis-py has many classes of failures
        raise_if_handler_caused(error, outer)
        return True


def _open_connection(connection: Any, deadline: float) -> None:
    """Connect and log in, in a thread. Closes a connection that comes too late."""
    seconds_left(deadline)
    connection.connect()
    if time.monotonic() >= deadline:
        connection.disconnect()


def _log_in(deadline: float, connection: Any) -> None:
    connection._sock = _BoundedSocket(connection._sock, deadline)
    connection.on_connect()


def _execute(connection: Any, *command: int | str) -> Any:
    connection.send_packed_command(connection.pack_command(*command), check_health=False)
    return connection.read_response()


def raise_if_handler_caused(error: BaseException, outer: BaseException | None) -> None:
    """Raise what a signal handler raised, also when redis-py turned it into another error.

    Args:
        error: What redis-py raised.
        outer: Exception that was handled before, with which the chain of contexts goes on.
    """
    cause: BaseException | None = error
    while isinstance(cause, Exception) and cause is not outer:
        raise_if_from_handler(cause)
        cause = cause.__context__


def check_timeout(timeout: Any) -> str:
    """Return what is wrong with the time limit of an operation, "" if nothing is."""
    if isinstance(timeout, int | float) and 0 < timeout <= MAX_TIMEOUT_SECONDS:
        return ""
    return f"timeout must be seconds, above 0 and at most {MAX_TIMEOUT_SECONDS}"


def parse_url(url: str, timeout: float) -> RedisConnections | str:
    """Return connections to a server, or what is wrong, which does not repeat the URL."""
    try:
        from redis import ConnectionPool, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        return "RedisLimiter needs the package redis (extra redis): pip install redis"
    problem = check_timeout(timeout)
    if problem:
        return problem
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        "protocol": 2,
        "decode_responses": False,
    }
    try:
        pool = ConnectionPool.from_url(url, max_connections=2**31, **options)
        # This finds an option that does not exist. The connection is not opened.
        pool.make_connection()
    except (RedisError, ValueError, TypeError, AttributeError):
        return "url must be a Redis URL: redis://, rediss:// or unix://"
    for option, value in options.items():
        # An option in the URL wins over ours.
        if pool.connection_kwargs[option] is not value:
            return f"url must not set {option}"
    return RedisConnections(pool.make_connection, timeout)
