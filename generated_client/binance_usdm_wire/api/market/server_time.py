# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""GET /fapi/v1/time: The exchange's clock."""

from __future__ import annotations

from typing import Final

from ...decoding import decode
from ...models.server_time import ServerTime
from ...types import Operation, Response, SupportsAsyncCall, SupportsCall

_read = ServerTime.read


class SyncMethods(SupportsCall):
    """Methods of a blocking client for this operation."""

    __slots__ = ()

    def server_time(self) -> ServerTime:
        """The exchange's clock.

        Test connectivity to the Rest API and get the current server time. Signed calls are
        accepted by this clock.

        Sends GET /fapi/v1/time (NONE, request weight 1).

        Returns:
            The exchange's time.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return self._call(OPERATION, {}).parsed

    def server_time_detailed(self) -> Response[ServerTime]:
        """Call `server_time` and return its value with the metadata of the response.

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
        return self._call(OPERATION, {})


class AsyncMethods(SupportsAsyncCall):
    """Methods of an asyncio client for this operation."""

    __slots__ = ()

    async def server_time(self) -> ServerTime:
        """The exchange's clock.

        Test connectivity to the Rest API and get the current server time. Signed calls are
        accepted by this clock.

        Sends GET /fapi/v1/time (NONE, request weight 1).

        Returns:
            The exchange's time.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response does not match the spec.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.
        """
        return (await self._call(OPERATION, {})).parsed

    async def server_time_detailed(self) -> Response[ServerTime]:
        """Call `server_time` and return its value with the metadata of the response.

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
        return await self._call(OPERATION, {})


def build_query() -> dict[str, str]:
    """Check the arguments and encode them as query parameters.

    Returns:
        Percent-encoded values by the parameters' names in the spec, in its order.

    Raises:
        InvalidArgumentError: The spec does not allow an argument.
    """
    _pairs: dict[str, str] = {}
    return _pairs


def parse_body(body: bytes) -> ServerTime:
    """Read the body of a 200 response.

    Raises:
        ResponseMismatch: The body does not match the spec.
    """
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
