"""Claims about both limiters, with a fake time that stands still until it is moved."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from binance_usdm import ConfigurationError, IPBannedError, WeightLimiter
from binance_usdm._policy.weight_budget import CLOCK_TOLERANCE_MS
from tests.policy.fake_time import MINUTE, FakeTime
from tests.support.timing import best_duration


def taken(limiter: Any, weight: int = 10) -> int:
    """How much fits in now."""
    total = 0
    while limiter.acquire(weight) == 0:
        total += weight
    return total


@pytest.mark.promise("R10")
def test_a_minute_holds_the_share_of_the_limit_and_no_more(world: FakeTime) -> None:
    world.advance(20_000)
    limiter = world.limiter(limit=100, share=0.8)
    assert (taken(limiter, 30), taken(limiter, 1)) == (60, 20)


@pytest.mark.promise("R10")
def test_the_wait_ends_when_the_next_minute_is_sure_to_have_begun(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(20_000)
    taken(limiter)
    wait = limiter.acquire(10)
    assert wait == pytest.approx((40_000 + CLOCK_TOLERANCE_MS) / 1000)
    world.advance(wait * 1000 - 1)
    assert limiter.acquire(10) == pytest.approx(0.001)
    world.advance(1)
    assert taken(limiter) == 80


def test_a_refused_acquire_takes_nothing(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(20_000)
    taken(limiter, 30)
    assert [limiter.acquire(30) > 0 for _ in range(5)] == [True] * 5
    assert limiter.acquire(20) == 0


@pytest.mark.promise("R10")
@pytest.mark.parametrize("at", [-999, -1, 0, 999])
def test_a_request_near_a_minutes_edge_must_fit_into_both_minutes(world: FakeTime, at: int) -> None:
    limiter = world.limiter()
    world.advance(MINUTE + at)
    assert limiter.acquire(80) == 0
    assert limiter.acquire(10) == pytest.approx(
        (MINUTE + CLOCK_TOLERANCE_MS - min(at, 0) - max(at, 0)) / 1000
    )
    world.advance(CLOCK_TOLERANCE_MS - at)
    assert limiter.acquire(10) > 0, "it was charged to the minute that began"


@pytest.mark.promise("R10")
def test_a_spent_minute_reaches_into_the_next(
    world: FakeTime,
) -> None:
    """A minute that is spent keeps its last requests out of the first second of the next one."""
    limiter = world.limiter()
    world.advance(MINUTE - 20_000)
    taken(limiter)
    world.advance(20_000 + 400)
    assert limiter.acquire(10) == pytest.approx(0.6)


@pytest.mark.promise("R10")
def test_requests_of_the_first_second_are_charged_to_the_minute_before_too(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(MINUTE - 20_000)
    assert limiter.acquire(70) == 0
    world.advance(20_000 + 400)
    assert limiter.acquire(10) == 0
    assert limiter.acquire(10) == pytest.approx(0.6)
    world.advance(600)
    assert taken(limiter) == 70


@pytest.mark.promise("R10")
def test_what_the_exchange_says_counts_when_it_is_more(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(20_000)
    assert limiter.acquire(10) == 0
    limiter.observe(50)
    assert taken(limiter) == 30


@pytest.mark.promise("R10")
def test_our_own_count_counts_when_it_is_more(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(20_000)
    assert limiter.acquire(50) == 0
    limiter.observe(10)
    assert taken(limiter) == 30


def test_a_header_that_is_less_lowers_no_count_of_the_minute_before_either(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(MINUTE - 20_000)
    assert limiter.acquire(70) == 0
    world.advance(20_000 + 400)
    assert limiter.acquire(5) == 0
    limiter.observe(60)
    assert limiter.acquire(10) == pytest.approx(0.6)


@pytest.mark.parametrize("late", [0, 900, 4_900])
def test_a_late_header_fills_no_new_minute(world: FakeTime, late: int) -> None:
    """A header of a full minute that comes late does not fill the next minute."""
    limiter = world.limiter()
    world.advance(MINUTE - 30_000)
    assert limiter.acquire(10) == 0
    limiter.observe(70)
    world.advance(30_000 + late)
    limiter.observe(80)
    world.advance(5_000)
    assert taken(limiter) == 80


@pytest.mark.parametrize("at", [-900, 0, 2_000])
def test_a_header_that_fell_speaks_of_the_minute_that_began(world: FakeTime, at: int) -> None:
    limiter = world.limiter()
    world.advance(MINUTE - 30_000)
    assert limiter.acquire(10) == 0
    limiter.observe(70)
    world.advance(30_000 + at)
    limiter.observe(30)
    world.advance(10_000)
    assert taken(limiter) == 50


@pytest.mark.promise("R10")
def test_a_header_cannot_speak_of_a_minute_in_which_nothing_was_sent(world: FakeTime) -> None:
    limiter = world.limiter()
    world.advance(MINUTE + CLOCK_TOLERANCE_MS)
    assert limiter.acquire(10) == 0
    limiter.observe(70)
    assert taken(limiter) == 10


def test_a_weight_that_never_fits_is_an_error_and_not_a_wait(world: FakeTime) -> None:
    for weight in (81, -1):
        with pytest.raises(ConfigurationError, match=f"weight {weight} exceeds the budget of 80"):
            world.limiter().acquire(weight)


@pytest.mark.promise("R11")
def test_after_a_429_everybody_waits_what_is_left(world: FakeTime) -> None:
    limiter = world.limiter()
    limiter.start_cooldown(30, banned=False)
    assert limiter.acquire(1) == pytest.approx(30)
    world.advance(10_000)
    assert limiter.acquire(1) == pytest.approx(20)
    world.advance(20_000)
    assert limiter.acquire(1) == 0


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize("banned", [False, True])
def test_a_later_shorter_wait_shortens_nothing(world: FakeTime, banned: bool) -> None:
    limiter = world.limiter()
    limiter.start_cooldown(30, banned=banned)
    for less in (1.0, 0.0, -5.0, math.nan):
        limiter.start_cooldown(less, banned=banned)
    world.advance(29_990)
    if banned:
        with pytest.raises(IPBannedError):
            limiter.acquire(1)
    else:
        assert limiter.acquire(1) == pytest.approx(0.01)


@pytest.mark.promise("R12")
def test_during_a_ban_every_acquire_is_a_new_error_that_names_its_end(world: FakeTime) -> None:
    limiter = world.limiter()
    limiter.start_cooldown(120, banned=True)
    world.advance(50_000)
    errors = []
    for _ in range(2):
        with pytest.raises(IPBannedError) as caught:
            limiter.acquire(1)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    error = errors[0]
    assert (error.status, error.code) == (418, -1003)
    assert error.retry_after == pytest.approx(70)
    assert error.banned_until is not None
    assert error.banned_until.timestamp() * 1000 == error.ban_end_ms == world.now() + 70_000
    world.advance(70_000)
    assert limiter.acquire(1) == 0


@pytest.mark.promise("R12")
def test_a_ban_lasts_three_days_at_most(world: FakeTime) -> None:
    limiter = world.limiter()
    limiter.start_cooldown(math.inf, banned=True)
    with pytest.raises(IPBannedError) as caught:
        limiter.acquire(1)
    assert caught.value.retry_after == pytest.approx(3 * 24 * 3600)


@pytest.mark.promise("R12")
def test_a_ban_is_told_in_less_than_five_milliseconds(world: FakeTime) -> None:
    limiter = world.limiter()
    limiter.start_cooldown(120, banned=True)

    def ask() -> None:
        with pytest.raises(IPBannedError):
            limiter.acquire(1)

    assert best_duration(ask, 0.005) < 0.005


def test_a_clock_set_back_stops_for_a_minute(
    world: FakeTime,
) -> None:
    """A wall clock that is set back stops no call for longer than a minute."""
    limiter = world.limiter()
    world.advance(20_000)
    taken(limiter)
    world.set_wall(-3_600_000)
    wait = limiter.acquire(10) or 0.0
    assert wait <= (MINUTE + 2 * CLOCK_TOLERANCE_MS) / 1000
    world.advance(1000 * wait)
    assert taken(limiter) <= 80
    assert limiter.acquire(10) <= (MINUTE + 2 * CLOCK_TOLERANCE_MS) / 1000


@pytest.mark.promise("R10")
@pytest.mark.parametrize("by", [-3_600_000, 3_600_000, -7 * MINUTE])
def test_setting_the_wall_clock_frees_nothing_in_a_process(by: int) -> None:
    world = FakeTime()
    limiter = world.limiter()
    world.advance(20_000)
    taken(limiter)
    for wall in (by, 0, by):
        world.set_wall(wall)
        assert limiter.acquire(10) == pytest.approx(40 + CLOCK_TOLERANCE_MS / 1000)
    world.advance(40_000 + CLOCK_TOLERANCE_MS)
    assert taken(limiter) == 80


@pytest.mark.promise("R11", "R12")
@pytest.mark.parametrize("by", [-3_600_000, 3_600_000])
def test_a_set_clock_changes_no_cooldown(
    by: int,
) -> None:
    """In a process, setting the wall clock neither ends nor prolongs a cooldown or a ban."""
    world = FakeTime()
    limiter = world.limiter()
    limiter.start_cooldown(60, banned=False)
    limiter.start_cooldown(30, banned=True)
    world.set_wall(by)
    with pytest.raises(IPBannedError) as caught:
        limiter.acquire(1)
    assert caught.value.retry_after == pytest.approx(30)
    world.advance(30_000)
    assert limiter.acquire(1) == pytest.approx(30)
    world.advance(30_000)
    assert limiter.acquire(1) == 0


def test_without_a_limit_there_is_no_budget_but_waits_and_bans_are_kept() -> None:
    world = FakeTime()
    limiter = WeightLimiter(None, now=world.now, monotonic=world.monotonic)
    assert all(limiter.acquire(10**6) == 0 for _ in range(10))
    limiter.observe(10**9)
    assert limiter.acquire(1) == 0
    limiter.start_cooldown(5, banned=False)
    assert limiter.acquire(1) == 5
    limiter.start_cooldown(9, banned=True)
    with pytest.raises(IPBannedError):
        limiter.acquire(1)


@pytest.mark.parametrize("limit", [0, -1, 2400.0, True, "2400"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="limit"):
        WeightLimiter(limit)


@pytest.mark.parametrize("share", [0, -0.5, 1.1, math.nan, "0.8", 0.0001])
def test_a_share_that_leaves_nothing_or_takes_too_much_is_refused(share: Any) -> None:
    with pytest.raises(ConfigurationError, match="share"):
        WeightLimiter(2400, share)


@pytest.mark.promise("R10", "R14")
def test_eight_threads_take_exactly_the_budget() -> None:
    class Slow(dict[int, int]):
        """Lets another thread run between reading a count and writing it."""

        def get(self, minute: int, default: Any = None) -> Any:
            count = super().get(minute, default)
            time.sleep(0)
            return count

    world = FakeTime()
    world.advance(20_000)
    limiter = world.limiter(limit=2_000, share=0.8)
    limiter._used_by_minute = Slow()
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: taken(limiter, 5), range(8)))
    assert sum(counts) == 1_600


def test_old_minutes_are_forgotten() -> None:
    world = FakeTime()
    limiter = world.limiter()
    for _ in range(500):
        limiter.acquire(1)
        world.advance(7_001)
        limiter.observe(3)
    assert len(limiter._used_by_minute) <= 3


def test_by_default_time_is_this_machines() -> None:
    limiter = WeightLimiter(2400)
    limiter.start_cooldown(100, banned=True)
    with pytest.raises(IPBannedError) as caught:
        limiter.acquire(1)
    assert caught.value.banned_until is not None
    assert caught.value.banned_until.timestamp() == pytest.approx(time.time() + 100, abs=1)


def spend_all(limiter: WeightLimiter, weight: int, clock: list[int]) -> float:
    """Take weight in units as soon as it can be had. Returns the seconds until the last one."""
    started = clock[0]
    while weight:
        wait = limiter.acquire(1)
        if wait:
            clock[0] += max(1, round(wait * 1000))
        else:
            weight -= 1
    return (clock[0] - started) / 1000


@pytest.mark.promise("R10")
def test_a_forecast_is_when_the_weight_can_be_had() -> None:
    """It is never too long, and exact without a cooldown that goes on in the next minute."""
    random = Random(1)
    for _ in range(500):
        clock = [1_700_000_000_000 + random.randrange(180_000)]
        limiter = WeightLimiter(
            limit=random.randrange(2, 12),
            share=1.0,
            now=lambda clock=clock: clock[0],  # type: ignore[misc]
            monotonic=lambda clock=clock: clock[0] / 1000,  # type: ignore[misc]
        )
        for _ in range(random.randrange(12)):
            limiter.acquire(1)
            clock[0] += random.choice([0, 0, 1, 900, 30_000])
        cooldown = random.choice([0, 0, 0, 0.5, 5, 70])
        limiter.start_cooldown(cooldown, banned=False)
        weight = random.randrange(1, 36)
        forecast = limiter.forecast(weight)
        began = clock[0]
        seconds = spend_all(limiter, weight, clock)
        assert forecast <= seconds + 0.002
        ends_in_this_minute = began // MINUTE == (began + cooldown * 1000 + 1000) // MINUTE
        if ends_in_this_minute and began % MINUTE > CLOCK_TOLERANCE_MS:
            assert forecast == pytest.approx(seconds, abs=0.002)


@pytest.mark.promise("R12")
def test_a_forecast_during_a_ban_is_the_ban() -> None:
    """Whoever asks hears it at once."""
    limiter = WeightLimiter()
    limiter.start_cooldown(60, banned=True)
    with pytest.raises(IPBannedError):
        limiter.forecast(1)


@pytest.mark.promise("R10")
@pytest.mark.parametrize(("weight", "seconds"), [(4, 0.0), (5, 0.6), (10, 0.6), (11, 60.6)])
def test_a_forecast_counts_the_minute_that_ended(weight: int, seconds: float) -> None:
    """Just after a minute's end, what is sent may still be charged to it."""
    clock = [MINUTE * 1000 - 20_000]
    limiter = WeightLimiter(
        limit=10, share=1.0, now=lambda: clock[0], monotonic=lambda: clock[0] / 1000
    )
    assert limiter.acquire(6) == 0
    clock[0] = MINUTE * 1000 + CLOCK_TOLERANCE_MS - 600
    assert limiter.forecast(weight) == pytest.approx(seconds)
