"""Calls with the options of a check, and parts of the requests that they send."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, Final

import httpx

from binance_usdm import RetryPolicy
from binance_usdm.contract._cases.raw_requests import SECRET, T0
from binance_usdm.contract._cases.signing import compute_signature
from binance_usdm.contract._client_layers.calls import RecordedCall, call_each
from binance_usdm.contract._client_layers.sdk import Respond, Sdk, SentRequest
from binance_usdm.contract._spec.operations import Operation

# Nothing waits between attempts.
RETRY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
ONE_ATTEMPT: Final = RetryPolicy(attempts=1, random=lambda: 0.0)
STEP_MS: Final = 7


def send_calls(
    sdk: Sdk, respond: Respond, operation: Operation, *arguments: dict[str, Any], **options: Any
) -> tuple[list[RecordedCall], list[SentRequest]]:
    """Call one client once with each arguments, and return the calls and all requests."""
    client, transport = sdk.connect(respond, **options)
    return call_each(client, operation, *arguments), transport.sent


def respond_in_turn(operation: Operation, *first: int | Exception) -> Respond:
    """Return a function that responds with statuses or raises errors, and then with an example.

    It accepts every request, so that what is wrong with one is left to the checks of that.
    """
    turns = iter(first)

    def respond(request: httpx.Request) -> httpx.Response:
        turn = next(turns, 200)
        if isinstance(turn, Exception):
            raise turn
        body = operation.example_bodies[0].encode() if turn == 200 else b""
        return httpx.Response(turn, headers={"Content-Type": "application/json"}, content=body)

    return respond


def ticking_clock() -> Callable[[], int]:
    """Return a clock that is later by `STEP_MS` each time."""
    return itertools.count(T0, STEP_MS).__next__


def lasting_parts(operation: Operation, sent: SentRequest) -> tuple[Any, ...]:
    """Return all of a request that does not change with its time."""
    changing = {f"{name}=" for name in (operation.timestamp, operation.signature) if name}
    path, _, query = sent.target.decode().partition("?")
    pairs = [pair for pair in query.split("&") if not pair.startswith(tuple(changing))]
    return (sent.method, sent.origin, path, pairs, sent.headers, sent.body)


def is_signed_with(operation: Operation, query: str, secret: str = SECRET) -> bool:
    """Return whether the signature at the end of a query is that of a secret."""
    payload, mark, digits = query.rpartition(f"{operation.signature}=")
    return bool(mark) and compare_digest(
        digits, compute_signature(payload.removesuffix("&"), secret)
    )
