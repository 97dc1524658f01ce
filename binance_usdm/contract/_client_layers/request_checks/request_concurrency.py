"""Check of calls that run at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import (
    RecordedCall,
    call_method,
    close,
    sample_arguments,
)
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    is_signed_with,
    respond_in_turn,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._client_layers.servers.recording_server import LoopbackServer
from binance_usdm.contract._spec.operations import Operation

WINDOWS: Final = ("3001", "3002")
TIMEOUT_SECONDS: Final = 5.0


@dataclass
class MeetingLimiter:
    """A limiter at which calls of several threads wait for each other before they send."""

    barrier: threading.Barrier = field(
        default_factory=lambda: threading.Barrier(len(WINDOWS), timeout=TIMEOUT_SECONDS)
    )

    def acquire(self, weight: int) -> float:
        # A client that makes one call after the other is no mistake.
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait()
        return 0.0

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def observe(self, used_weight: int) -> None: ...


def concurrent_calls_are_apart(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Calls of one client at the same time send their own arguments each, with their signature."""
    if operation.window is None:
        return
    calls = [
        RecordedCall(sample_arguments(operation, f"{operation.window}={window}"))
        for window in WINDOWS
    ]
    with LoopbackServer(respond_in_turn(operation)) as server:
        _call_at_once(sdk, operation, calls, server.url)
    errors = [call.error for call in calls]
    assert errors == [None] * len(calls), f"{errors}"
    queries = [each.query for each in server.requests]
    names = [f"{operation.window}={window}&" for window in WINDOWS]
    counts = [sum(name in query for query in queries) for name in names]
    # A window that is not sent as it was given is found by other checks.
    are_apart = sum(counts) != len(calls) or counts == [1] * len(calls)
    assert are_apart, f"requests with the window of each call: {counts}"
    signed = {is_signed_with(operation, query) for query in queries}
    assert len(signed) == 1, "one of two requests has not its signature"


CHECKS: Final = (concurrent_calls_are_apart,)


def _call_at_once(sdk: Sdk, operation: Operation, calls: list[RecordedCall], url: str) -> None:
    """Call a client in tasks, or in threads when its methods block."""

    def make_client(limiter: Any) -> Any:
        return sdk.client(KEY, SECRET, base_url=url, clock=lambda: T0, limiter=limiter)

    async def call_all() -> None:
        client = make_client(None)
        if hasattr(client, "aclose"):
            await asyncio.gather(*(call_method(client, operation, call) for call in calls))
            await close(client)
            return
        client = make_client(MeetingLimiter())
        threads = [
            threading.Thread(target=asyncio.run, args=(call_method(client, operation, call),))
            for call in calls
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await close(client)

    asyncio.run(call_all())
