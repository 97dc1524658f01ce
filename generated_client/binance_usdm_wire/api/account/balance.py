# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""GET /fapi/v3/balance: Balances of the account, one row an asset."""

from __future__ import annotations

from typing import Final

from ...models.account_balance import AccountBalance
from ...types import Operation, Parameter, Response, Signing, SupportsAsyncCall, SupportsCall
from ...writing import integer_writer

_write_recv_window = integer_writer(1, 9223372036854775807)


class SyncMethods(SupportsCall):
    """Methods of a blocking client for this operation."""

    __slots__ = ()

    def balance(self, *, recv_window: int | None = None) -> list[AccountBalance]:
        """Balances of the account, one row an asset.

        Query account balance info. Every margin asset has a row, also one that was never
        touched: balance and unrealized profit zero, update time 0; its available balance may
        still be the whole account's free margin. The page does not speak of an empty list; the
        client reads it as an account that holds nothing. In multi-assets mode the available
        balance of one row is the free margin of the whole account expressed in that asset, so
        it may exceed the row's own balance, and adding it up over rows counts the same money
        again. The wallet balance can be negative; in multi-assets mode each asset has a
        threshold for its automatic exchange.

        Sends GET /fapi/v3/balance (USER_DATA, request weight 5).

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive:
                refused with -1021 when server time minus timestamp is larger. The exchange
                takes 5000 when it is not sent, and advises 5000 or less. No maximum is
                documented for futures.

        Returns:
            The account's assets.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return self._call(OPERATION, {"recv_window": recv_window}).parsed

    def balance_detailed(self, *, recv_window: int | None = None) -> Response[list[AccountBalance]]:
        """Call `balance` and return its value with the metadata of the response.

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive:
                refused with -1021 when server time minus timestamp is larger. The exchange
                takes 5000 when it is not sent, and advises 5000 or less. No maximum is
                documented for futures.

        Returns:
            The value as `.parsed`, with HTTP status, headers, used weight, duration and number of
            requests.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return self._call(OPERATION, {"recv_window": recv_window})


class AsyncMethods(SupportsAsyncCall):
    """Methods of an asyncio client for this operation."""

    __slots__ = ()

    async def balance(self, *, recv_window: int | None = None) -> list[AccountBalance]:
        """Balances of the account, one row an asset.

        Query account balance info. Every margin asset has a row, also one that was never
        touched: balance and unrealized profit zero, update time 0; its available balance may
        still be the whole account's free margin. The page does not speak of an empty list; the
        client reads it as an account that holds nothing. In multi-assets mode the available
        balance of one row is the free margin of the whole account expressed in that asset, so
        it may exceed the row's own balance, and adding it up over rows counts the same money
        again. The wallet balance can be negative; in multi-assets mode each asset has a
        threshold for its automatic exchange.

        Sends GET /fapi/v3/balance (USER_DATA, request weight 5).

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive:
                refused with -1021 when server time minus timestamp is larger. The exchange
                takes 5000 when it is not sent, and advises 5000 or less. No maximum is
                documented for futures.

        Returns:
            The account's assets.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return (await self._call(OPERATION, {"recv_window": recv_window})).parsed

    async def balance_detailed(
        self, *, recv_window: int | None = None
    ) -> Response[list[AccountBalance]]:
        """Call `balance` and return its value with the metadata of the response.

        Args:
            recv_window: How old the request may be when the exchange looks at it, in ms, inclusive:
                refused with -1021 when server time minus timestamp is larger. The exchange
                takes 5000 when it is not sent, and advises 5000 or less. No maximum is
                documented for futures.

        Returns:
            The value as `.parsed`, with HTTP status, headers, used weight, duration and number of
            requests.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return await self._call(OPERATION, {"recv_window": recv_window})


def build_query(*, recv_window: int | None = None) -> dict[str, str]:
    """Check the arguments and encode them as query parameters.

    Returns:
        Percent-encoded values by the parameters' names in the spec, in its order.

    Raises:
        InvalidArgumentError: The spec does not allow an argument.
    """
    _pairs: dict[str, str] = {}
    if recv_window is not None:
        _pairs["recvWindow"] = _write_recv_window("recv_window", recv_window)
    return _pairs


OPERATION: Final[Operation[list[AccountBalance]]] = Operation(
    id="balance",
    method="GET",
    path="/fapi/v3/balance",
    weight=5,
    security_type="USER_DATA",
    key_header="X-MBX-APIKEY",
    signing=Signing(
        timestamp_parameter="timestamp",
        signature_parameter="signature",
        window_parameter="recvWindow",
    ),
    parameters=(
        Parameter(
            name="recv_window",
            type=int,
            required=False,
            description=(
                "How old the request may be when the exchange looks at it, in ms, inclusive: "
                "refused with -1021 when server time minus timestamp is larger. The exchange "
                "takes 5000 when it is not sent, and advises 5000 or less. No maximum is "
                "documented for futures."
            ),
        ),
    ),
    row_class=AccountBalance,
    account_attribute="account_alias",
    summary="Balances of the account, one row an asset.",
    build_query=build_query,
    parse_body=AccountBalance.parse_rows,
)
