"""Timestamps, clock syncs, and calls whose clock sync fails.

No test sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import time_machine
from attrs import evolve
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from binance_usdm import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    Event,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from binance_usdm._call.events import Attempt
from binance_usdm._concurrency.gates import GateSet, TaskGate, run_to_end
from binance_usdm._events import logger
from binance_usdm._policy import shared
from binance_usdm._policy.clock import ExchangeClock, local_time_ms
from binance_usdm._policy.clock_samples import ClockSample
from binance_usdm.mock import Exchange
from binance_usdm_wire import OPERATIONS
from binance_usdm_wire.api.account import balance
from binance_usdm_wire.api.account.balance import OPERATION
from tests.support.clients import KEY, NOW, SECRET, BlockingFacade, RecordingHandler, error_response
from tests.support.incidents import Incidents
from tests.support.raw_server import READ, STAY_SILENT, RawServer, response_bytes
from tests.support.spec_facts import TIME_PATH
from tests.support.timing import best_duration

ClientOf = Callable[..., BlockingFacade]
Answer = Callable[[], httpx.Response]
HOUR, MINUTE = 3_600_000, 60_000
TIME = b'{"serverTime": %d}'


class FakeMachineClocks:
    """The exchange's true time, and the monotonic and wall clock of a machine, all in ms.

    The monotonic clock stands still in suspend.
    """

    def __init__(self, offset: float = 0.0, drift: float = 0.0) -> None:
        self.true, self._monotonic, self._wall = float(NOW), 5_000.0, NOW + offset
        self._rate = 1 + drift
        self.clock = ExchangeClock(
            wall=lambda: int(self._wall * 1e6), monotonic=lambda: self._monotonic / 1e3
        )

    def advance(self, ms: float) -> None:
        self.true += ms
        self._monotonic += ms * self._rate
        self._wall += ms * self._rate

    def set_wall(self, by: float) -> None:
        self._wall += by

    def suspend(self, ms: float) -> None:
        self.true += ms
        self._wall += ms

    def take_sample(self, there: float, back: float) -> ClockSample:
        sent = self.clock.monotonic()
        self.advance(there)
        answer = int(self.true)
        self.advance(back)
        return self.clock.sample(sent, self.clock.monotonic(), answer)

    @property
    def wrong(self) -> float:
        return abs(self.clock() - self.true)


class DelayedExchange:
    """The mock exchange, whose requests and responses take some time, and a log of what arrives."""

    def __init__(self, world: FakeMachineClocks, *delays: tuple[float, float]) -> None:
        self.world, self.exchange = world, Exchange(clock=lambda: int(world.true))
        self.delays: Iterator[tuple[float, float]] = itertools.chain(
            delays, itertools.repeat((5.0, 5.0))
        )
        # The responses to the next requests for the time.
        self.faults: list[Answer] = []
        self._came: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        there, back = next(self.delays)
        self.world.advance(there)
        self._came.append(request.url.path.rpartition("/")[2])
        reply = (
            self.faults.pop(0)()
            if self._came[-1] == "time" and self.faults
            else self.exchange(request)
        )
        self.world.advance(back)
        return reply

    def log(self) -> list[str]:
        """Return what has arrived since the last call."""
        came, self._came = self._came, []
        return came


@pytest.fixture
def far(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[DelayedExchange, BlockingFacade, list[Event]]]:
    """A mock exchange with fake clocks, a client and its events."""

    def make(
        *delays: tuple[float, float], offset: float = 0.0, drift: float = 0.0, **options: Any
    ) -> tuple[DelayedExchange, BlockingFacade, list[Event]]:
        world, events = FakeMachineClocks(offset, drift), Incidents()
        monkeypatch.setattr(shared, "ExchangeClock", lambda: world.clock)
        server = DelayedExchange(world, *delays)
        return (
            server,
            make_client(server, **keys(server.exchange), on_event=events.append, **options),
            events,
        )

    return make


FarOf = Callable[..., tuple[DelayedExchange, BlockingFacade, list[Event]]]
CALL, TIMED = ["balance"], ["time", "balance"]


def keys(exchange: Exchange) -> dict[str, Any]:
    return {"api_key": exchange.api_key, "api_secret": exchange.api_secret}


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


# R6: -1021


@pytest.mark.promise("R6", "R5", "R18")
@pytest.mark.parametrize("retry", [RetryPolicy.off(), RetryPolicy()], ids=["off", "on"])
@pytest.mark.parametrize("skew", [90_000, -90_000], ids=["behind", "ahead"])
def test_a_wrong_clock_costs_one_reading_and_one_attempt(
    make_client: ClientOf, skew: int, retry: RetryPolicy
) -> None:
    exchange, events = Exchange(clock=lambda: time.time_ns() // 1_000_000 + skew), Incidents()
    client = make_client(exchange, **keys(exchange), retry=retry, on_event=events.append)
    assert client.balance_detailed().attempts == 2
    assert client.balance_detailed().attempts == 1
    assert [(logged.operation, logged.code) for logged in exchange.requests] == [
        ("balance", -1021), ("server_time", None), ("balance", None), ("balance", None),
    ]  # fmt: skip
    stamps = [int(dict(logged.query)["timestamp"]) for logged in exchange.requests if logged.query]
    assert stamps[1] - stamps[0] == pytest.approx(skew, abs=1_000)
    signed = [dict(logged.query)["signature"] for logged in exchange.requests if logged.query]
    assert signed[0] != signed[1]
    (event,) = events
    assert (event.kind, event.operation, event.attempt) == ("clock_synced", "balance", 1)
    assert event.offset_ms == pytest.approx(skew, abs=1_000)
    assert event.error_ms is not None
    assert 0 <= event.error_ms < 1_000


class FailingTimeServer:
    """Takes no timestamp at all; its own time is right."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.rpartition("/")[2])
        if self.paths[-1] == "time":
            return httpx.Response(200, content=TIME % (time.time_ns() // 1_000_000))
        return error_response(400, -1021)


@pytest.mark.promise("R6")
@pytest.mark.parametrize(
    "retry", [RetryPolicy.off(), RetryPolicy(random=lambda: 0.0)], ids=["off", "on"]
)
def test_an_exchange_that_takes_no_timestamp_is_asked_twice(
    make_client: ClientOf, retry: RetryPolicy
) -> None:
    exchange = FailingTimeServer()
    client = make_client(exchange, retry=retry)
    with pytest.raises(TimestampError):
        client.balance()
    assert exchange.paths == ["balance", "time", "balance"]
    with pytest.raises(TimestampError):
        client.balance()
    assert exchange.paths[3:] == ["balance", "time", "balance"]


@pytest.mark.promise("R6")
def test_a_clock_of_the_users_own_is_never_corrected(make_client: ClientOf) -> None:
    exchange, events = Exchange(), Incidents()
    clock = itertools.count(NOW)
    client = make_client(
        exchange,
        **keys(exchange),
        clock=lambda: next(clock),
        retry=RetryPolicy(),
        on_event=events.append,
    )
    for _ in range(2):
        with pytest.raises(TimestampError):
            client.balance()
    assert [logged.operation for logged in exchange.requests] == ["balance", "balance"]
    assert events == []


@pytest.mark.promise("R6", "R7")
def test_the_clock_is_synced_before_the_first_call(far: FarOf) -> None:
    """The clock is synced before the first signed call, and not before the next ones."""
    server, client, events = far(clock="exchange", offset=-90_000)
    client.server_time()
    assert (server.log(), events) == (["time"], [])  # the user's own call is no reading
    assert client.balance_detailed().attempts == 1
    assert (server.log(), kinds(events)) == (TIMED, ["clock_synced"])
    client.balance()
    assert server.log() == CALL
    assert len(events) == 1


@pytest.mark.promise("R7")
def test_clients_of_one_exchange_share_its_time(make_client: ClientOf) -> None:
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + 90_000)
    transport = exchange.transport
    for attempts in (2, 1):
        client = make_client(None, transport=transport, **keys(exchange))
        assert client.balance_detailed().attempts == attempts
    other = make_client(
        None, transport=transport, **keys(exchange), base_url="https://elsewhere.invalid"
    )
    assert other.balance_detailed().attempts == 2


@pytest.mark.promise("R6")
def test_nothing_but_minus_1021_makes_a_client_read_the_time(far: FarOf) -> None:
    server, client, events = far(offset=500)
    for _ in range(3):
        client.balance()
        server.world.advance(HOUR)
    assert (server.log(), events) == (CALL * 3, [])


# R7: precision of a sample

DELAYS = st.floats(0, 2_000)
DRIFTS = st.floats(-200e-6, 200e-6)


@pytest.mark.promise("R7")
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    offset=st.floats(-86_400_000, 86_400_000), drift=DRIFTS, round_trip=DELAYS,
    part=st.floats(0, 1), before=st.floats(0, 1_000)
)  # fmt: skip
@example(offset=0, drift=0, round_trip=2_000, part=0, before=0)
@example(offset=0, drift=0, round_trip=2_000, part=1, before=0.999)
def test_a_reading_is_wrong_by_half_of_its_round_trip_at_most(
    offset: float, drift: float, round_trip: float, part: float, before: float
) -> None:
    world = FakeMachineClocks(offset, drift)
    world.advance(before)
    reading = world.take_sample(there=round_trip * part, back=round_trip * (1 - part))
    world.clock.finish_sync(reading, None)
    assert reading.error_bound_ms == pytest.approx(round_trip / 2, rel=1e-3, abs=0.01)
    drifted, ahead = 0.4, reading.server_time_ms - world.true  # what 200 ppm do in two seconds
    # serverTime is an integer of ms.
    assert -reading.error_bound_ms - 1 - drifted <= ahead <= reading.error_bound_ms + drifted
    assert world.wrong <= reading.error_bound_ms + 2 + drifted  # and so is a stamp
    assert reading.offset_ms == pytest.approx(-offset, abs=reading.error_bound_ms + 1 + 1)


@pytest.mark.promise("R7")
@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    drift=DRIFTS,
    there=DELAYS,
    back=DELAYS,
    age=st.floats(0, 15 * MINUTE),
    step=st.floats(-HOUR, HOUR),
)
def test_between_readings_the_monotonic_clock_carries_the_time_on(
    drift: float, there: float, back: float, age: float, step: float
) -> None:
    world = FakeMachineClocks(drift=drift)
    world.clock.finish_sync(world.take_sample(there, back), None)
    world.set_wall(step)
    world.advance(age)
    assert world.wrong <= (there + back) / 2 + 2 + 0.9 + age * 200e-6


@pytest.mark.promise("R7", "R18")
@pytest.mark.parametrize(
    ("delays", "readings", "error"),
    [
        ([(20, 20)], 1, 20), ([(99, 99)], 1, 99), ([(0, 201), (10, 10)], 2, 10),
        ([(300, 300), (200, 300), (20, 20)], 3, 20),
        ([(300, 300), (101, 101), (200, 300)], 3, 101),
        ([(150, 150), (600, 600), (600, 600)], 3, 150),
    ],
)  # fmt: skip
def test_the_best_of_up_to_three_samples_is_taken(
    far: FarOf, delays: list[tuple[float, float]], readings: int, error: float
) -> None:
    server, client, events = far(*delays, clock="exchange", offset=-90_000)
    client.balance()
    assert server.log() == [*["time"] * readings, "balance"]
    assert kinds(events) == ["clock_synced"]
    assert events[0].error_ms == pytest.approx(error)
    assert events[0].offset_ms == pytest.approx(90_000, abs=error + 1)


@pytest.mark.promise("R9")
@pytest.mark.parametrize("own", [True, False])
def test_who_cannot_ask_for_the_time_fails_those_only_who_could_not_either(own: bool) -> None:
    world, deadline, why = (
        FakeMachineClocks(),
        time.monotonic() + 10,
        TransportError("it cannot be had"),
    )

    async def scenario() -> tuple[object, object]:
        begun = asyncio.Event()

        async def cannot(_: float) -> ClockSample | UsdmError:
            begun.set()
            await asyncio.sleep(0.01)
            if own:
                raise why
            return why

        async def can(_: float) -> ClockSample:
            return world.take_sample(5, 5)

        gates = GateSet(TaskGate)
        first = asyncio.create_task(world.clock.sync(cannot, deadline, None, gates))
        await begun.wait()
        second = asyncio.create_task(world.clock.sync(can, deadline, None, gates))
        await asyncio.sleep(0)
        assert not second.done()  # it waits for the first
        return await first, await second

    first, second = asyncio.run(scenario())
    assert first is why
    assert isinstance(second, ClockSample if own else TransportError)


def measure(client: Any, attempt: Attempt) -> object:
    coroutine = client._measure_server_time(attempt, time.monotonic() + 5)
    return run_to_end(coroutine) if isinstance(client, Client) else asyncio.run(coroutine)


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("why", "own"),
    [
        (RateLimitError(0, None, "no budget before the deadline", 60.0), True),
        (IPBannedError(418, -1003, "banned", 60.0), False),
        (TransportError("the limiter's server is away"), False),
    ],
    ids=str,
)  # fmt: skip
def test_a_lack_of_time_is_the_callers_own_and_a_ban_is_everybodys(
    make_client: ClientOf, why: UsdmError, own: bool
) -> None:
    class Limits:
        def acquire(self, weight: int) -> float:
            raise why

        def observe(self, used_weight: int) -> None: ...
        def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    client: Any = make_client(RecordingHandler(), limiter=Limits()).client
    attempt = Attempt(OPERATIONS["balance"], "", 1, time.monotonic() + 5)
    with contextlib.ExitStack() as stack:
        ended = stack.enter_context(pytest.raises(type(why))) if own else None
        failure = measure(client, attempt)
    assert (ended.value if ended else failure) is why


@pytest.mark.promise("R9")
def test_a_client_that_is_closed_fails_nobody_else(make_client: ClientOf) -> None:
    client: Any = make_client().client
    client._gates.close()
    attempt = Attempt(OPERATIONS["balance"], "", 1, time.monotonic() + 5)
    with pytest.raises(TransportError, match="client is closed; create a new client"):
        measure(client, attempt)


@pytest.mark.promise("R7")
def test_a_later_sample_that_fails_leaves_the_former_one(far: FarOf) -> None:
    server, client, events = far((300, 300), clock="exchange")
    server.faults = [
        lambda: httpx.Response(200, content=TIME % server.world.true),
        lambda: error_response(500),
    ]
    server.delays = iter([(300, 0), (5, 5), (5, 5)])
    client.balance()
    assert server.log() == ["time", "time", "balance"]
    assert kinds(events) == ["clock_synced"]
    assert events[0].error_ms == pytest.approx(150)


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    ("happens", "log"),
    [
        (lambda world: world.advance(15 * MINUTE - 1_000), CALL),
        (lambda world: world.advance(15 * MINUTE + 1), TIMED),
        (lambda world: world.set_wall(HOUR), TIMED),
        (lambda world: world.set_wall(-HOUR), TIMED),
        (lambda world: world.set_wall(501), TIMED),
        (lambda world: world.set_wall(-501), TIMED),
        (lambda world: world.set_wall(499), CALL),
        (lambda world: world.set_wall(-499), CALL),
        (lambda world: world.suspend(8 * HOUR), TIMED),
        (lambda world: world.suspend(501), TIMED),
        (lambda world: world.suspend(400), CALL),
    ],
    ids=["young", "old", "hour on", "hour back", "501 on", "501 back", "slewed on", "slewed back",
        "asleep", "dozed", "nodded"],
)  # fmt: skip
def test_the_time_is_read_again_by_age_and_after_a_jump(
    far: FarOf, happens: Callable[[FakeMachineClocks], None], log: list[str]
) -> None:
    server, client, _ = far(clock="exchange")
    client.balance()
    assert server.log() == TIMED
    happens(server.world)
    assert client.balance_detailed().attempts == 1
    assert server.log() == log
    client.balance()
    assert server.log() == CALL


@pytest.mark.promise("R7")
@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_is_set_makes_no_wrong_timestamp(
    make_client: ClientOf, hours: int
) -> None:
    began, ticks = time.time_ns() // 1_000_000, time.monotonic_ns()
    exchange = Exchange(clock=lambda: began + (time.monotonic_ns() - ticks) // 1_000_000)
    client = make_client(exchange, **keys(exchange), clock="exchange")
    client.balance()
    before = time.monotonic()
    with time_machine.travel(began / 1000 + hours * 3600, tick=True):
        assert abs(time.monotonic() - before) < 60  # else this is no test: both clocks have moved
        assert client.balance_detailed().attempts == 1
    assert [logged.operation for logged in exchange.requests] == ["server_time", "balance"] * 2
    assert {logged.status for logged in exchange.requests} == {200}


class ClockStateMachine(RuleBasedStateMachine):
    """Whatever happens to the clocks of a machine, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = FakeMachineClocks(offset=12_345.0, drift=100e-6)
        self.clock = self.world.clock
        self.age = self.jump = self.slept = 0.0
        self.since_failure = 1e9

    @rule(ms=st.one_of(st.floats(0, 1_000), st.floats(0, 20 * MINUTE)))
    def time_passes(self, ms: float) -> None:
        self.world.advance(ms)
        self.age += ms
        self.since_failure += ms

    @rule(by=st.one_of(st.floats(-600, 600), st.floats(-HOUR, HOUR)))
    def the_wall_clock_is_set(self, by: float) -> None:
        self.world.set_wall(by)
        self.jump += by

    @rule(ms=st.one_of(st.floats(0, 600), st.floats(0, 8 * HOUR)))
    def the_machine_sleeps(self, ms: float) -> None:
        self.world.suspend(ms)
        self.jump += ms
        self.slept += ms

    @rule(there=DELAYS, back=DELAYS)
    def the_time_is_read(self, there: float, back: float) -> None:
        assert self.clock.try_start_sync(10)
        assert not self.clock.try_start_sync(10)
        self.clock.finish_sync(self.world.take_sample(there, back), None)
        self.age = self.jump = self.slept = 0.0
        self.since_failure = 1e9
        assert self.clock.last_sync_error is None

    @rule(ms=DELAYS)
    def the_time_cannot_be_read(self, ms: float) -> None:
        kept, failure = self.clock.latest_sample, TransportError("down")
        assert self.clock.try_start_sync(10)
        self.time_passes(ms)
        self.clock.finish_sync(None, failure)
        self.since_failure = 0.0
        assert self.clock.latest_sample is kept
        assert self.clock.last_sync_error is not None

    @precondition(lambda self: self.clock.latest_sample is None)
    @invariant()
    def without_a_reading_it_is_the_wall_clock(self) -> None:
        assert self.clock() == self.world.clock._wall() // 1_000_000

    @precondition(lambda self: self.clock.latest_sample is not None and not self.slept)
    @invariant()
    def awake_it_is_as_right_as_it_said(self) -> None:
        assert self.clock.latest_sample is not None
        assert self.world.wrong <= self.clock.latest_sample.error_bound_ms + 2 + self.age * 200e-6

    @precondition(lambda self: self.clock.latest_sample is not None)
    @invariant()
    def it_is_due_when_old_or_after_a_jump_and_at_no_other_time(self) -> None:
        due = self.clock.needs_sync(first=True)
        if self.since_failure > 31_000 and (self.age > 15 * MINUTE + 1 or abs(self.jump) > 501):
            assert due
        if self.age < 15 * MINUTE * (1 - 200e-6) and abs(self.jump) < 499:
            assert not due
        assert self.clock.needs_sync(first=False) == due


@pytest.mark.promise("R7")
def test_whatever_happens_to_the_clocks_the_time_is_right_or_due() -> None:
    run_state_machine_as_test(
        ClockStateMachine,
        settings=settings(max_examples=30, stateful_step_count=30, deadline=None, derandomize=True),
    )


# R8: both edges of what the exchange takes


@pytest.mark.promise("R8")
@pytest.mark.parametrize(
    ("ahead", "window", "taken"),
    [
        (999, None, True), (1000, None, False), (-5000, None, True), (-5001, None, False),
        (-7, 7, True), (-8, 7, False), (999, 1, True),
    ],
)  # fmt: skip
def test_the_edges_are_where_the_exchange_says(
    make_client: ClientOf, ahead: int, window: int | None, taken: bool
) -> None:
    exchange = Exchange(clock=lambda: NOW)
    client = make_client(exchange, **keys(exchange), clock=lambda: NOW + ahead, recv_window=window)
    if taken:
        assert client.balance()
    else:
        with pytest.raises(TimestampError):
            client.balance()


@pytest.mark.promise("R8", "R7")
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    round_trip=st.floats(0, 996), part=st.floats(0, 1), late=st.just(4_097.0) | st.floats(0, 4_097),
    drift=DRIFTS,
    fraction=st.floats(0, 1),
)  # fmt: skip
@example(round_trip=996, part=1, late=0, drift=0, fraction=0)  # as far ahead as can be
@example(round_trip=996, part=0, late=4_097, drift=0, fraction=0.99)  # as late as can be
def test_with_an_error_bound_of_half_a_second_every_timestamp_is_taken(
    far: FarOf, round_trip: float, part: float, late: float, drift: float, fraction: float
) -> None:
    assume(abs(round_trip / 2 - 100) > 0.1)  # one sample or three, who knows
    samples = [(round_trip * part, round_trip * (1 - part))] * (1 if round_trip / 2 < 100 else 3)
    server, client, events = far(*samples, (late, 0.0), clock="exchange", offset=-1e6, drift=drift)
    server.world.advance(fraction)
    assert client.balance_detailed().attempts == 1
    assert kinds(events) == ["clock_synced"]


@pytest.mark.promise("R8")
@pytest.mark.parametrize("error", [-900.0, 900.0])
def test_an_error_of_900_ms_is_within_both_edges_and_a_second_is_not(
    far: FarOf, error: float
) -> None:
    server, client, _ = far()
    server.delays = itertools.repeat((0.0, 0.0))
    for wrong, attempts in ((error, 1), (1_001.0 if error > 0 else -5_002.0, 2)):
        reading = server.world.take_sample(0, 0)
        server.world.clock.finish_sync(
            reading._replace(
                server_time_ms=reading.server_time_ms + wrong, error_bound_ms=abs(wrong)
            ),
            None,
        )
        assert client.balance_detailed().attempts == attempts


# R9: when the time cannot be read


def raising(error: Exception) -> Answer:
    def answer() -> httpx.Response:
        raise error

    return answer


def saying(body: bytes, status: int = 200) -> Answer:
    return lambda: httpx.Response(status, content=body)


NO_TIME: dict[str, tuple[Answer, type[UsdmError]]] = {
    "down": (raising(httpx.ConnectError("refused")), TransportError),
    "hangs": (raising(httpx.ReadTimeout("late")), TransportError),
    "500": (saying(b"", 500), ServerError),
    "page": (saying(b"<html>"), UnexpectedResponse),
    "empty": (saying(b""), UnexpectedResponse),
    "negative": (saying(TIME % -1), UnexpectedResponse),
    "text": (saying(b'{"serverTime": "1762412880142"}'), UnexpectedResponse),
    "fraction": (saying(b'{"serverTime": 1762412880142.5}'), UnexpectedResponse),
    "null": (saying(b'{"serverTime": null}'), UnexpectedResponse),
    "nothing in it": (saying(b"{}"), UnexpectedResponse),
    "list": (saying(b"[]"), UnexpectedResponse),
    "limited": (lambda: error_response(429, -1003, Retry_After="60"), RateLimitError),
    "banned": (lambda: error_response(418, -1003, Retry_After="60"), IPBannedError),
}


@pytest.mark.promise("R9", "R18")
@pytest.mark.parametrize("how", NO_TIME)
def test_no_time_no_first_call(far: FarOf, how: str) -> None:
    fault, kind = NO_TIME[how]
    server, client, events = far(clock="exchange")
    server.faults = [fault]
    with pytest.raises(UsdmError) as caught:
        client.balance()
    assert type(caught.value) is kind
    assert server.log() == ["time"]
    assert events[-1].kind == "clock_sync_failed"
    assert (type(events[-1].error), str(events[-1].error)) == (kind, str(caught.value))
    if how not in {"limited", "banned"}:
        client.balance()
        assert server.log() == TIMED


@pytest.mark.promise("R9", "R6", "R18")
@pytest.mark.parametrize("how", NO_TIME)
def test_no_time_after_minus_1021_is_that_error_and_told(far: FarOf, how: str) -> None:
    fault, kind = NO_TIME[how]
    server, client, events = far(offset=-90_000)
    server.faults = [fault]
    with pytest.raises(TimestampError) as caught:
        client.balance()
    assert caught.value.code == -1021
    assert server.log() == ["balance", "time"]
    assert events[-1].kind == "clock_sync_failed"
    assert type(events[-1].error) is kind
    assert server.world.clock.latest_sample is None


@pytest.mark.promise("R9", "R7", "R18")
@pytest.mark.parametrize("how", [how for how in NO_TIME if how not in {"limited", "banned"}])
def test_no_newer_time_leaves_the_former_and_the_call_is_made(far: FarOf, how: str) -> None:
    fault, kind = NO_TIME[how]
    server, client, events = far(clock="exchange", offset=-90_000)
    client.balance()
    reading = server.world.clock.latest_sample
    server.world.advance(16 * MINUTE)
    server.faults = [fault]
    assert client.balance_detailed().attempts == 1
    assert server.log() == [*TIMED, *TIMED]
    assert kinds(events) == ["clock_synced", "clock_sync_failed"]
    assert type(events[-1].error) is kind
    assert server.world.clock.latest_sample is reading


@pytest.mark.promise("R9")
def test_a_refresh_that_failed_is_not_tried_again_for_30_seconds(far: FarOf) -> None:
    server, client, events = far(clock="exchange")
    client.balance()
    server.world.advance(16 * MINUTE)
    server.log()
    server.faults = [NO_TIME["500"][0]] * 10
    for _ in range(5):
        client.balance()
    assert server.log() == [*TIMED, *CALL * 4]
    assert kinds(events) == ["clock_synced", "clock_sync_failed"]
    server.world.advance(31_000)
    client.balance()
    assert server.log() == TIMED


@pytest.mark.promise("R9")
def test_a_real_server_that_says_no_time_does_not_outlast_the_call() -> None:
    """The reading shares the call's deadline; the signed request is not sent."""
    seen: list[str] = []

    async def silent(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        await asyncio.sleep(5)
        raise AssertionError("slept through the deadline")

    async def call() -> None:
        transport = httpx.MockTransport(silent)
        async with AsyncClient(
            KEY, SECRET, clock="exchange", transport=transport, timeout=0.05
        ) as client:
            with pytest.raises(TransportError):
                await client.balance()

    began = time.monotonic()
    asyncio.run(call())
    assert time.monotonic() - began < 1
    assert set(seen) == {TIME_PATH}


@pytest.mark.promise("R9")
def test_what_could_not_be_read_keeps_nothing_of_the_caller_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The shared clock keeps the error for the process, and not the frames of a caller."""

    class Held:
        pass

    def caller(held: Held) -> None:
        client = Client(KEY, SECRET, clock="exchange", transport=transport)
        with pytest.raises(TransportError):
            client.balance()

    # pytest keeps the records, and with them the error.
    monkeypatch.setattr(logger, "disabled", True)
    transport = httpx.MockTransport(lambda _: raising(httpx.ConnectError("down"))())
    held = Held()
    watched = weakref.ref(held)
    caller(held)
    del held
    gc.collect()
    assert watched() is None


# R14: many callers, one sync


class BarrierExchange:
    """An exchange 90 s ahead that holds its first responses until `callers` calls wait.

    Threads may share it.
    """

    def __init__(self, callers: int) -> None:
        self.barrier = threading.Barrier(callers)
        self.exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + 90_000)
        self._first = threading.Semaphore(callers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != TIME_PATH and self._first.acquire(blocking=False):
            self.barrier.wait(5)
        return self.exchange(request)

    @property
    def readings(self) -> int:
        return sum(logged.operation == "server_time" for logged in self.exchange.requests)


@pytest.mark.promise("R14", "R6")
def test_eight_threads_with_a_wrong_clock_share_one_reading() -> None:
    crowd, events = BarrierExchange(8), Incidents()
    with (
        Client(
            **keys(crowd.exchange), transport=httpx.MockTransport(crowd), on_event=events.append
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        attempts = [
            response.attempts
            for response in pool.map(lambda _: client.balance_detailed(), range(8))
        ]
    assert attempts == [2] * 8
    assert (crowd.readings, len(crowd.exchange.requests)) == (1, 17)
    assert set(kinds(events)) == {"clock_synced"}


async def gather_calls(exchange: Exchange, tasks: int, clock: Any, **options: Any) -> list[Any]:
    """So many calls at once, each of whose requests takes a moment."""

    async def handle(request: httpx.Request) -> httpx.Response:
        reply = exchange(request)
        await asyncio.sleep(0.01)
        return reply

    transport = httpx.MockTransport(handle)
    async with AsyncClient(
        **keys(exchange),
        transport=transport,
        clock=clock,
        limiter=None,
        retry=RetryPolicy.off(),
        **options,
    ) as client:
        return await asyncio.gather(
            *(client.balance_detailed() for _ in range(tasks)), return_exceptions=True
        )


@pytest.mark.promise("R14", "R6")
@pytest.mark.parametrize(("clock", "requests"), [("auto", 201), ("exchange", 101)])
def test_a_hundred_tasks_share_one_reading(clock: str, requests: int) -> None:
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + 90_000)
    responses = asyncio.run(gather_calls(exchange, 100, clock))
    assert [response.attempts for response in responses] == [2 if clock == "auto" else 1] * 100
    log = [logged.operation for logged in exchange.requests]
    assert (log.count("server_time"), len(log)) == (1, requests)


@pytest.mark.promise("R14", "R9")
def test_a_reading_that_failed_is_the_failure_of_all_who_waited_for_it() -> None:
    exchange = Exchange()
    exchange.fail("error-500", times=1, operation="server_time")
    events = Incidents()
    results = asyncio.run(gather_calls(exchange, 20, "exchange", on_event=events.append))
    assert {type(result) for result in results} == {ServerError}
    assert [logged.operation for logged in exchange.requests] == ["server_time"]
    assert [(event.kind, type(event.error)) for event in events] == [
        ("clock_sync_failed", ServerError)
    ] * 20


@pytest.mark.promise("R14", "R9")
def test_each_of_those_who_waited_in_vain_has_a_traceback_of_its_own() -> None:
    exchange = Exchange()
    exchange.fail("error-500", times=1, operation="server_time")
    results = asyncio.run(gather_calls(exchange, 20, "exchange"))
    assert max(len(traceback.extract_tb(result.__traceback__)) for result in results) < 10


@pytest.mark.promise("R14")
@pytest.mark.parametrize("clock", ["auto", "exchange"])
@pytest.mark.parametrize("how", ["cancelled", "out of time"])
def test_a_cancelled_sync_lets_others_go_on(how: str, clock: Any) -> None:
    """The end of the caller who syncs is not a result: another caller syncs at once."""
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + 90_000)
    reading = asyncio.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        first = request.url.path == TIME_PATH and not reading.is_set()
        reply = exchange(request)
        if first:
            reading.set()
            await asyncio.sleep(5)
        return reply

    async def calls() -> float:
        transport = httpx.MockTransport(handle)
        timeout = 0.2 if how == "out of time" else 5
        async with (
            AsyncClient(
                **keys(exchange), transport=transport, clock=clock, timeout=timeout
            ) as hasty,
            AsyncClient(**keys(exchange), transport=transport, clock=clock, timeout=5) as patient,
        ):
            first = asyncio.create_task(hasty.balance())
            await reading.wait()
            others = [asyncio.create_task(patient.balance_detailed()) for _ in range(5)]
            await asyncio.sleep(0.02)
            began = time.monotonic()
            if how == "cancelled":
                first.cancel()
            with contextlib.suppress(asyncio.CancelledError, TransportError, TimestampError):
                await first
            await asyncio.gather(*others)
            return time.monotonic() - began

    assert asyncio.run(calls()) < 1


@pytest.mark.promise("R14")
@pytest.mark.parametrize("clock", ["auto", "exchange"])
def test_a_sync_without_time_lets_others_go_on(clock: Any) -> None:
    """When the thread that syncs runs out of time, another one syncs."""
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + 90_000)
    reading = threading.Event()

    def handle(request: httpx.Request) -> httpx.Response:
        reply = exchange(request)
        if request.url.path == TIME_PATH and not reading.is_set():
            reading.set()
            # A transport waits as long.
            time.sleep(max(request.extensions["deadline"] - time.monotonic(), 0.0))
            raise httpx.ReadTimeout("late")
        return reply

    transport = httpx.MockTransport(handle)
    with (
        Client(**keys(exchange), transport=transport, clock=clock, timeout=0.2) as hasty,
        Client(**keys(exchange), transport=transport, clock=clock, timeout=5) as patient,
        ThreadPoolExecutor(4) as pool,
    ):
        first = pool.submit(hasty.balance)
        assert reading.wait(2)
        others = [pool.submit(patient.balance_detailed) for _ in range(3)]
        assert isinstance(first.exception(5), TransportError | TimestampError | None)
        assert [other.result(5).status_code for other in others] == [200] * 3


@pytest.mark.promise("R14", "R9")
def test_a_caller_who_gives_up_while_reading_puts_nobody_off() -> None:
    """Nothing failed, so the next caller need not wait before it syncs."""
    exchange, hang = Exchange(), [False]

    async def handle(request: httpx.Request) -> httpx.Response:
        reply = exchange(request)
        if hang[0] and request.url.path == TIME_PATH:
            await asyncio.sleep(5)
        return reply

    async def calls() -> None:
        transport = httpx.MockTransport(handle)
        async with AsyncClient(**keys(exchange), transport=transport, clock="exchange") as client:
            await client.balance()
            clock = client._shared.clock
            assert clock.latest_sample is not None
            age = 16.0 * MINUTE
            clock.latest_sample = clock.latest_sample._replace(
                server_time_ms=clock.latest_sample.server_time_ms - age,
                monotonic_ms=clock.latest_sample.monotonic_ms - age,
                wall_ms=clock.latest_sample.wall_ms - age,
            )
            hang[0] = True
            task = asyncio.create_task(client.balance())
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            hang[0] = False
            await client.balance()

    asyncio.run(calls())
    assert [logged.operation for logged in exchange.requests] == [
        "server_time",
        "balance",
        "server_time",
        *["server_time", "balance"],
    ]


@pytest.mark.promise("R14", "R9", "R1")
def test_nobody_waits_for_anothers_reading_beyond_his_own_deadline(make_client: ClientOf) -> None:
    exchange = Exchange()
    client = make_client(exchange, **keys(exchange), clock="exchange", timeout=0.1)
    # Another caller, which has more time, syncs.
    assert client.client._shared.clock.try_start_sync(30)

    def call() -> None:
        with pytest.raises(TransportError, match="clock sync timed out"):
            client.balance()

    assert best_duration(call, 0.2) < 0.2
    assert not exchange.requests


@pytest.mark.promise("R14")
def test_the_time_is_read_anew_when_whoever_read_it_has_vanished() -> None:
    """A claim ends with its caller's deadline, whatever became of the caller."""
    world = FakeMachineClocks()
    assert world.clock.try_start_sync(10)
    world.advance(9_999)
    assert not world.clock.try_start_sync(10)
    world.advance(1)
    assert world.clock.try_start_sync(10)


@pytest.mark.promise("R9", "R18")
@pytest.mark.parametrize("clock", ["auto", "exchange"])
def test_a_reading_that_hangs_is_told_by_both_clients_alike(
    make_client: ClientOf, clock: str
) -> None:
    """On a socket, the call raises its own error and emits why the sync failed."""
    late = response_bytes(b'{"code": -1021, "msg": "late"}', status="400 Bad Request")
    script: list[Any] = [STAY_SILENT] if clock == "exchange" else [READ, late, STAY_SILENT]
    events = Incidents()
    with RawServer(script) as server, pytest.raises(UsdmError) as caught:
        make_client(base_url=server.url, clock=clock, timeout=0.1, on_event=events.append).balance()
    assert type(caught.value) in {TransportError, TimestampError}
    assert [(event.kind, type(event.error)) for event in events] == [
        ("clock_sync_failed", DeadlineExceeded)
    ]


@pytest.mark.promise("R14")
def test_every_round_is_another_one_for_those_who_wait() -> None:
    clock = ExchangeClock()
    assert clock.sync_count == 0
    for number in range(1, 4):
        assert clock.try_start_sync(1)
        assert not clock.try_start_sync(1)
        clock.finish_sync(None, TransportError("down"))
        assert clock.sync_count == number
    assert clock.try_start_sync(1)
    clock.finish_sync(None, None)  # broken off
    assert clock.sync_count == 3


@pytest.mark.parametrize("slow", ["observer", "parser"])
@pytest.mark.parametrize("is_synced", [False, True])
def test_a_response_has_the_time_of_its_arrival(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch, is_synced: bool, slow: str
) -> None:
    """Neither a slow observer nor a slow parser moves the time of a response."""
    world = FakeMachineClocks(offset=90_000)
    monkeypatch.setattr(shared, "ExchangeClock", lambda: world.clock)
    server = DelayedExchange(world)

    def parse_slowly(body: bytes) -> Any:
        world.advance(7_000 if slow == "parser" else 0)
        return OPERATION.parse_body(body)

    def observe(event: Event) -> None:
        if slow == "observer" and event.kind == "answered":
            world.advance(7_000)

    monkeypatch.setattr(balance, "OPERATION", evolve(OPERATION, parse_body=parse_slowly))
    client = make_client(
        server,
        **keys(server.exchange),
        clock="exchange" if is_synced else lambda: int(world.true),
        on_event=observe,
    )
    response = client.balance_detailed()
    arrived_at_ms = world.true - 7_000 + (0 if is_synced else 90_000)
    assert world.true > NOW + 7_000
    assert response.received_at_ms == pytest.approx(arrived_at_ms, abs=1)


def test_local_time_is_whole_milliseconds() -> None:
    assert type(local_time_ms()) is int
    assert abs(local_time_ms() - time.time() * 1000) < 1000


@pytest.mark.promise("R7", "R8", "R9")
@pytest.mark.parametrize(("way", "is_taken"), [(490, True), (510, False)])
def test_a_reading_that_may_be_off_by_more_than_half_a_second_is_refused(
    far: FarOf, way: int, is_taken: bool
) -> None:
    server, client, _ = far(clock="exchange")
    server.delays = itertools.repeat((way, way))
    if is_taken:
        assert client.balance()
    else:
        with pytest.raises(TransportError, match=f"the exchange's time is known to {way} ms only"):
            client.balance()
        assert server.log() == ["time"] * 3
