# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""GET /fapi/v1/time: The exchange's clock."""

from __future__ import annotations

from typing import Final

from ...decoding import decode
from ...models import ServerTime
from ...types import Operation, Response, SupportsAsyncCall, SupportsCall

_read = ServerTime.read


class SyncMethods(SupportsCall):
    """What a blocking client can do with it."""

    __slots__ = ()

    def server_time(self) -> ServerTime:
        """The exchange's clock.

        Signed calls are accepted by this clock [gen].

        GET /fapi/v1/time, NONE, request weight 1.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no. A RateLimitError with status 0 is the client's own: the budget has no room in time.
        """
        return self._call(OPERATION, {}).parsed

    def server_time_detailed(self) -> Response[ServerTime]:
        """`server_time` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return self._call(OPERATION, {})


class AsyncMethods(SupportsAsyncCall):
    """What an asyncio client can do with it."""

    __slots__ = ()

    async def server_time(self) -> ServerTime:
        """The exchange's clock.

        Signed calls are accepted by this clock [gen].

        GET /fapi/v1/time, NONE, request weight 1.

        Raises:
            ConfigurationError: an argument is not allowed, or a key is needed and there is none; nothing was sent.
            TransportError: no complete reply came, or not in time.
            UnexpectedResponse: the reply is not as the spec describes it.
            APIError: the exchange said no. A RateLimitError with status 0 is the client's own: the budget has no room in time.
        """
        return (await self._call(OPERATION, {})).parsed

    async def server_time_detailed(self) -> Response[ServerTime]:
        """`server_time` with what came along: the value as `.parsed`, status, headers, used weight, time and attempts."""
        return await self._call(OPERATION, {})


def build_query() -> dict[str, str]:
    """The query parameters by wire name, checked and percent-encoded, in the order of the spec; raises `InvalidArgumentError`."""
    _pairs: dict[str, str] = {}
    return _pairs


def parse_body(body: bytes) -> ServerTime:
    """The typed value of a 200 reply; raises `ResponseMismatch`."""
    return _read(decode(body), None)


OPERATION: Final[Operation[ServerTime]] = Operation(
    id="server_time",
    method="GET",
    path="/fapi/v1/time",
    weight=1,
    security_type="NONE",
    key_header=None,
    signing=None,
    parameters=(),
    row_class=ServerTime,
    account_attribute=None,
    summary="The exchange's clock.",
    build_query=build_query,
    parse_body=parse_body,
)
