"""Runs the scripts of one budget on a Redis server, and notes when the server fails."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from binance_usdm._events import logger
from binance_usdm._policy.budget_name import BudgetName
from binance_usdm._secrets import SecretHolder

from .clients import ClientConnections, wrap_client
from .connections import RedisConnections, parse_url, raise_if_handler_caused
from .scripts import FOREIGN_BUDGET, is_answer, make_scripts

RETRY_SERVER_AFTER_SECONDS: Final = 1.0
"""How long calls go on without a server that failed, so that not each of them waits for it."""


class ScriptRunner(SecretHolder):
    """Base class of the limiter: one budget on one server.

    Args:
        connections: Runs a script.
        name: Name of the budget, `None` for that of the base URL.
        fail_open: Whether calls go on when the server gives no answer.
    """

    __slots__ = ("_connections", "_fail_open", "_is_down", "_name", "_retry_at", "_scripts")

    def __init__(
        self, connections: RedisConnections | ClientConnections, name: str | None, fail_open: bool
    ) -> None:
        self._connections = connections
        self._fail_open = fail_open
        self._is_down = False
        self._name = BudgetName(name)
        self._retry_at = float("-inf")
        self._scripts = make_scripts()

    @property
    def _key(self) -> str:
        # A cluster keeps what is in braces in one place.
        return f"binance-usdm:{{{self._name.text}}}"

    def close(self) -> None:
        """Close the idle connections, and those in use when their operation ends.

        Later calls open new ones. A client that was passed stays as it is.
        """
        self._connections.close()

    def _run_script(self, name: str, *arguments: int | str) -> list[int] | str:
        """Run a script. Returns the server's two numbers, or the name of the failure.

        The numbers are the ms to wait (below 0: a ban) and the weight used.

        Raises:
            ConfigurationError: The budget is that of another base URL.
        """
        if self._fail_open and time.monotonic() < self._retry_at:
            return "it failed a moment ago"
        failure = "InvalidResponse"
        answer: object = None
        outer = sys.exception()
        try:
            arguments = (*arguments, self._name.base_url)
            answer = self._connections.run(self._scripts[name], self._key, arguments)
        # An unfit answer makes redis-py raise much, RecursionError for example.
        except Exception as error:  # noqa: BLE001
            raise_if_handler_caused(error, outer)
            # The error refers to connections, and these to the password: only its class goes on.
            failure = type(error).__name__
        if is_answer(answer):
            self._is_down = False
            if answer[1] == FOREIGN_BUDGET:
                raise self._name.foreign_budget_error()
            return answer
        self._note_failure(failure)
        return failure

    def _note_failure(self, failure: str) -> None:
        # The server may be a replica now, or about to end. The next call connects to the one that
        # has its name by then.
        self._connections.forget_server()
        self._retry_at = time.monotonic() + RETRY_SERVER_AFTER_SECONDS
        if self._fail_open and not self._is_down:
            logger.warning(
                "the shared weight budget cannot be reached (%s); this process counts for itself",
                failure,
            )
        self._is_down = True


def make_connections(
    url: Any, client: Any, timeout: float
) -> RedisConnections | ClientConnections | str:
    """Return what runs scripts, or what is wrong with the arguments. No connection is opened."""
    if client is None:
        return parse_url(url, timeout)
    if url is not None:
        return "url and client are both set; pass one of them"
    return wrap_client(client, timeout)
