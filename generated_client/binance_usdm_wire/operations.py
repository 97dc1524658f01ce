# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""The methods that a client gets, one pair for each operation. A client mixes one class in and supplies `_call`."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from .api.account import balance as _balance
from .api.market import server_time as _server_time
from .models import AccountBalance, ServerTime
from .types import Operation, Response

T = TypeVar("T")

OPERATIONS: Final[dict[str, Operation[Any]]] = {
    "balance": _balance.OPERATION,
    "server_time": _server_time.OPERATION,
}
"""Every operation of the spec by its id, in the order of the spec."""


class SyncOperations:
    """Methods of a blocking client."""

    __slots__ = ()

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError

    def balance(self, *, recv_window: int | None = None) -> list[AccountBalance]:
        """Balances of the account, one row an asset.

        Every margin asset has a row, also one that was never touched: balance and unrealized profit zero, update
        time 0; its available balance may still be the whole account's free margin [seen]. The page does not speak
        of an empty list; the client reads it as an account that holds nothing. In multi-assets mode the available
        balance of one row is the free margin of the whole account expressed in that asset, so it may exceed the
        row's own balance, and adding it up over rows counts the same money again [seen]. The wallet balance can be
        negative [err]; in multi-assets mode each asset has a threshold for its automatic exchange [info].

        GET /fapi/v3/balance, USER_DATA, request weight 5.

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive: refused with -1021 [err]
                when server time minus timestamp is larger. The exchange takes 5000 when it is not sent, and advises
                5000 or less [gen]. No maximum is documented for futures.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no.
        """
        return self._call(_balance.OPERATION, {"recv_window": recv_window}).parsed

    def balance_detailed(self, *, recv_window: int | None = None) -> Response[list[AccountBalance]]:
        """`balance` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return self._call(_balance.OPERATION, {"recv_window": recv_window})

    def server_time(self) -> ServerTime:
        """The exchange's clock.

        Signed calls are accepted by this clock [gen].

        GET /fapi/v1/time, NONE, request weight 1.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no.
        """
        return self._call(_server_time.OPERATION, {}).parsed

    def server_time_detailed(self) -> Response[ServerTime]:
        """`server_time` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return self._call(_server_time.OPERATION, {})


class AsyncOperations:
    """Methods of an asyncio client."""

    __slots__ = ()

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError

    async def balance(self, *, recv_window: int | None = None) -> list[AccountBalance]:
        """Balances of the account, one row an asset.

        Every margin asset has a row, also one that was never touched: balance and unrealized profit zero, update
        time 0; its available balance may still be the whole account's free margin [seen]. The page does not speak
        of an empty list; the client reads it as an account that holds nothing. In multi-assets mode the available
        balance of one row is the free margin of the whole account expressed in that asset, so it may exceed the
        row's own balance, and adding it up over rows counts the same money again [seen]. The wallet balance can be
        negative [err]; in multi-assets mode each asset has a threshold for its automatic exchange [info].

        GET /fapi/v3/balance, USER_DATA, request weight 5.

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive: refused with -1021 [err]
                when server time minus timestamp is larger. The exchange takes 5000 when it is not sent, and advises
                5000 or less [gen]. No maximum is documented for futures.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no.
        """
        return (await self._call(_balance.OPERATION, {"recv_window": recv_window})).parsed

    async def balance_detailed(self, *, recv_window: int | None = None) -> Response[list[AccountBalance]]:
        """`balance` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return await self._call(_balance.OPERATION, {"recv_window": recv_window})

    async def server_time(self) -> ServerTime:
        """The exchange's clock.

        Signed calls are accepted by this clock [gen].

        GET /fapi/v1/time, NONE, request weight 1.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no.
        """
        return (await self._call(_server_time.OPERATION, {})).parsed

    async def server_time_detailed(self) -> Response[ServerTime]:
        """`server_time` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return await self._call(_server_time.OPERATION, {})
