"""A client of a server on this machine, and a server whose first connection stirs."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Final, NamedTuple

from binance_usdm import RetryPolicy, reset_shared_state
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase
from binance_usdm.contract._client_layers.servers.scripted_server import (
    PATIENCE_SECONDS,
    ScriptedConnection,
    ScriptedServer,
    encode_response,
)

POLICY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
TIMEOUT: Final = 0.1
# Time for bytes that were sent to arrive within this machine.
ARRIVAL: Final = 0.02


class Stir(NamedTuple):
    """What happens to a connection after its first request.

    Attributes:
        sent: What the server sends as the response.
        later: What it sends when the client has it, or `None` for the end of the connection.
    """

    sent: bytes
    later: bytes | None


class Caller:
    """A client of a server, whose connections are closed at the end."""

    def __init__(
        self, case: ResponseCase, server: ScriptedServer, scheme: str = "http", **options: Any
    ) -> None:
        url = f"{scheme}://{server.address}"
        options = {"timeout": TIMEOUT, "retry": POLICY, "clock": lambda: T0, **options}
        self._case = case
        self.client = case.sdk.client(KEY, SECRET, base_url=url, **options)

    def call(self) -> Any:
        return self._case.call(self.client)

    def cancel(self) -> Any:
        """Cancel a call of asyncio that has no response, and return the response if it has one."""

        async def call() -> Any:
            try:
                async with asyncio.timeout(0.8 * TIMEOUT):
                    return await self._case.begin_call(self.client)
            except TimeoutError:
                return None

        return self._case.run(call())

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *exception: object) -> None:
        self._case.close(self.client)
        # A limit or ban would hold back the clients of a later server with the same port.
        reset_shared_state()


def response_of(case: ResponseCase, *headers: tuple[bytes, bytes]) -> bytes:
    return encode_response(200, encode(case.operation.richest_example), JSON, *headers)


def serve_stir(
    stir: Stir,
    second: bytes,
    is_read: threading.Event,
    has_stirred: threading.Event,
    connection: ScriptedConnection,
) -> None:
    """Serve a first connection that stirs, and others as usual."""
    if connection.number > 1:
        while connection.receive():
            connection.send(second)
        return
    connection.receive()
    connection.send(stir.sent)
    is_read.wait(PATIENCE_SECONDS)
    try:
        if stir.later is None:
            connection.close()
            return
        connection.send(stir.later)
    finally:
        has_stirred.set()
    while connection.receive():
        connection.send(second)
