"""`client.budget()` and the error of a call that the budget does not allow, on both clients."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from binance_usdm import (
    AsyncClient,
    Budget,
    Client,
    ConfigurationError,
    IPBannedError,
    RateLimitError,
    TransportError,
    WeightLimiter,
)
from tests.support.clients import KEY, SECRET, BlockingFacade, RecordingHandler, error_response
from tests.support.spec_facts import BALANCE_WEIGHT

ClientOf = Callable[..., BlockingFacade]
NOW_MS = 1_700_000_000_000 // 60_000 * 60_000 + 20_000


def limiter_of(limit: int | None = 100, **options: Any) -> WeightLimiter:
    return WeightLimiter(limit, share=0.5, now=lambda: NOW_MS, monotonic=lambda: 7.0, **options)


def budget_of(client: BlockingFacade) -> Budget:
    budget = client.client.budget()
    return asyncio.run(budget) if inspect.iscoroutine(budget) else budget  # type: ignore[return-value]


def test_the_budget_counts_calls_and_the_exchange(make_client: ClientOf) -> None:
    """Used weight is what was taken here or what the exchange reports, and nothing is sent."""
    handler = RecordingHandler()
    client = make_client(handler, limiter=limiter_of())
    assert budget_of(client) == Budget(
        limit=50, used=0, held_until=None, is_banned=False, counted_by="this process"
    )
    client.balance()
    assert (budget_of(client).used, budget_of(client).left) == (BALANCE_WEIGHT, 50 - BALANCE_WEIGHT)
    client.client._limiter_queue.limiter.observe(48)
    assert (budget_of(client).used, budget_of(client).left) == (48, 2)
    client.client._limiter_queue.limiter.observe(70)
    assert (budget_of(client).used, budget_of(client).left) == (70, 0)
    assert len(handler.requests) == 1


def test_without_a_budget_the_use_is_counted(make_client: ClientOf) -> None:
    client = make_client(RecordingHandler(), limiter=None)
    client.balance()
    budget = budget_of(client)
    assert (budget.limit, budget.used, budget.left) == (None, BALANCE_WEIGHT, None)


def test_a_hold_has_its_end(make_client: ClientOf) -> None:
    """A cooldown leaves nothing until its end, which is a time in UTC."""
    client = make_client(RecordingHandler(), limiter=limiter_of())
    client.client._limiter_queue.limiter.start_cooldown(90, banned=False)
    budget = budget_of(client)
    held_until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=NOW_MS, seconds=90)
    assert (budget.held_until, budget.is_banned, budget.left) == (held_until, False, 0)


def test_a_ban_is_shown_to_every_client(make_client: ClientOf) -> None:
    """A ban that a client with another limiter met is in the budget of both."""
    handler = RecordingHandler(error_response(418, -1003, Retry_After="120"))
    banned = make_client(handler, limiter=limiter_of())
    other = make_client(handler, transport=banned.client._transport.transport)
    with pytest.raises(IPBannedError):
        banned.balance()
    third = make_client(handler, limiter=limiter_of(), transport=banned.client._transport.transport)
    for client in (banned, other, third):
        budget = budget_of(client)
        assert (budget.is_banned, budget.left) == (True, 0)
        assert budget.held_until is not None
        assert budget.held_until.tzinfo is UTC


class Custom:
    """A limiter with the methods that are needed, and no other."""

    def acquire(self, weight: int) -> float:
        return 0.0

    def observe(self, used_weight: int) -> None:
        pass

    def start_cooldown(self, seconds: float, *, banned: bool) -> None:
        pass


def test_a_limiter_without_a_budget_is_named(make_client: ClientOf) -> None:
    with pytest.raises(ConfigurationError, match="limiter has no method budget; add one to Custom"):
        budget_of(make_client(RecordingHandler(), limiter=Custom()))


class Unreachable(Custom):
    """A limiter that blocks and cannot be reached."""

    blocking = True

    def budget(self) -> Budget:
        raise TransportError("cannot reach the server")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_limiter_that_cannot_be_reached_names_the_account(kind: Any) -> None:
    client = kind(KEY, SECRET, limiter=Unreachable(), label="desk-07")
    with pytest.raises(TransportError, match=r"^desk-07: cannot reach the server"):
        budget_of(BlockingFacade(client, asyncio.Runner()))


@pytest.mark.parametrize(
    ("seconds", "advice"),
    [
        (41.0, "pass timeout=51, or call less often; client.budget() shows what is left"),
        (40.2, "pass timeout=51, or call less often; client.budget() shows what is left"),
        (7200.0, "call again after that time; client.budget() shows when"),
    ],
)
def test_a_call_without_room_says_when_there_is(
    make_client: ClientOf, seconds: float, advice: str
) -> None:
    """The error has the time until there is room, and a `timeout` that is long enough."""
    limiter = limiter_of()
    limiter.start_cooldown(seconds, banned=False)
    with pytest.raises(RateLimitError) as caught:
        make_client(RecordingHandler(), limiter=limiter).balance()
    error = caught.value
    assert (error.status, error.code, error.retry_after, error.hint) == (0, None, seconds, advice)
    waits = f"{seconds:.1f}".removesuffix(".0")
    assert f"deadline ({advice}); wait {waits} s, and timeout= had " in str(error)
