"""Limiters against an exchange that counts by another clock, in any course of events.

hypothesis finds the course of events, and a failure prints its seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from binance_usdm._policy.redis import scripts as redis_scripts
from tests.policy.fake_time import MINUTE, TIME_OF_THE_WORLD, CountingExchange, FakeTime

LIMIT, SHARE = 100, 0.8
BUDGET = 80
WEIGHTS = st.integers(1, 40)
SHIFTS = st.integers(-900, 900)
"""From the local time of sending to the exchange's time of arrival, in ms.

It is the error of the clock and the latency together.
"""
PAUSES = st.one_of(st.integers(0, 3_000), st.integers(0, 70_000))


class SingleClientMachine(RuleBasedStateMachine):
    """One client, with several requests under way: no 429, and never more than the budget."""

    def __init__(self, make: Callable[[], FakeTime]) -> None:
        super().__init__()
        self.world, self.exchange = make(), CountingExchange(LIMIT)
        self.limiter = self.world.limiter(LIMIT, SHARE)

    @initialize(into=st.integers(0, MINUTE))
    def begin(self, into: int) -> None:
        self.world.advance(into)

    @rule(ms=PAUSES)
    def time_goes_on(self, ms: int) -> None:
        self.world.advance(ms)

    @rule(before=st.integers(-1_200, 1_200))
    def a_minute_ends(self, before: int) -> None:
        self.world.advance(
            MINUTE - self.world.ms % MINUTE + max(before, -(MINUTE - self.world.ms % MINUTE))
        )

    @rule(
        requests=st.lists(st.tuples(WEIGHTS, SHIFTS), min_size=1, max_size=8),
        late=st.integers(0, 4_000),
    )
    def requests(self, requests: list[tuple[int, int]], late: int) -> None:
        headers = []
        for weight, shift in requests:
            if self.limiter.acquire(weight) == 0:
                passed, header = self.exchange.arrive(weight, self.world.ms + shift)
                assert passed, "429"
                headers.append(header)
        self.world.advance(late)
        for header in reversed(headers):
            self.limiter.observe(header)

    @rule(weight=WEIGHTS, shift=SHIFTS)
    def whoever_waits_as_told_is_let_in(self, weight: int, shift: int) -> None:
        wait = self.limiter.acquire(weight)
        assert 0 <= wait <= 62
        if wait:
            self.world.advance(wait * 1000)
            assert self.limiter.acquire(weight) == 0
        passed, header = self.exchange.arrive(weight, self.world.ms + shift)
        assert passed, "429"
        self.limiter.observe(header)

    @invariant()
    def no_minute_has_more_than_the_budget(self) -> None:
        assert all(used <= BUDGET for used in self.exchange.used.values())


class AloneWhileTheWallClockIsSet(SingleClientMachine):
    """One client whose wall clock is set by hours and back, as a wrong time zone does."""

    @rule(hours=st.integers(-1, 1))
    def the_wall_clock_is_set(self, hours: int) -> None:
        self.world.set_wall(hours * 3_600_000)


class SharedLimiterMachine(RuleBasedStateMachine):
    """Other programs use the address, too: at most one 429 a minute.

    The requests follow each other, and every 429 is obeyed.
    """

    def __init__(self, make: Callable[[], FakeTime]) -> None:
        super().__init__()
        self.world, self.exchange = make(), CountingExchange(LIMIT)
        self.limiter = self.world.limiter(LIMIT, SHARE)
        self.error, self.shut_until = 0, 0

    @initialize(into=st.integers(0, MINUTE), error=st.integers(-450, 450))
    def begin(self, into: int, error: int) -> None:
        self.world.advance(into)
        self.error = error

    @property
    def there(self) -> int:
        """The exchange's time."""
        return self.world.ms + self.error

    @rule(ms=PAUSES)
    def time_goes_on(self, ms: int) -> None:
        self.world.advance(ms)

    @rule(weight=st.integers(1, 120))
    def others_spend(self, weight: int) -> None:
        self.exchange.used[self.there // MINUTE] += weight

    @rule(
        weight=WEIGHTS, there=st.integers(0, 450), back=st.integers(0, 450), patient=st.booleans()
    )
    def request(self, weight: int, there: int, back: int, patient: bool) -> None:
        wait = self.limiter.acquire(weight)
        if self.world.ms < self.shut_until:
            assert wait > 0, "sent although the exchange asked to wait"
        if wait and patient:
            self.world.advance(wait * 1000)
            wait = self.limiter.acquire(weight)
        if wait:
            return
        self.world.advance(there)
        arrived = self.there
        passed, header = self.exchange.arrive(weight, arrived)
        self.world.advance(back)
        self.limiter.observe(header)
        if not passed:
            seconds = -(-(MINUTE - arrived % MINUTE) // 1000)
            self.limiter.start_cooldown(seconds, banned=False)
            self.shut_until = self.world.ms + seconds * 1000

    @precondition(lambda self: self.exchange.used[self.there // MINUTE] > BUDGET)
    @rule(weight=WEIGHTS)
    def after_a_full_header_nothing_is_sent(self, weight: int) -> None:
        # Near an edge the minute of a header is not certain: the limiter's clock is off by `error`.
        if not 5_000 <= self.world.ms % MINUTE < MINUTE - 2_000:
            return
        self.limiter.observe(self.exchange.used[self.there // MINUTE])
        assert self.limiter.acquire(weight) > 0

    @invariant()
    def at_most_one_429_a_minute(self) -> None:
        assert all(refused <= 1 for refused in self.exchange.refused.values())


def run(machine: Any, make: Callable[[], FakeTime], examples: int) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: machine(make)),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.promise("R10")
@pytest.mark.parametrize(
    "machine", [SingleClientMachine, AloneWhileTheWallClockIsSet, SharedLimiterMachine]
)
def test_the_budget_of_a_process_keeps_its_promise_whatever_happens(machine: Any) -> None:
    run(machine, FakeTime, 50)


@pytest.mark.promise("R10")
@pytest.mark.parametrize("machine", [SingleClientMachine, SharedLimiterMachine])
def test_the_budget_in_redis_keeps_its_promise_whatever_happens(
    machine: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_scripts, "_NOW", TIME_OF_THE_WORLD)
    with redis.Redis.from_url(redis_url) as client:

        def make() -> FakeTime:
            client.flushall()
            return FakeTime(client)

        run(machine, make, 15)
