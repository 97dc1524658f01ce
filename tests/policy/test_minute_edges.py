"""The last millisecond and the last unit of weight of a budget, a minute or a clock step."""

from __future__ import annotations

import re

import pytest

from binance_usdm import ConfigurationError, WeightLimiter

pytestmark = pytest.mark.promise("R10")
MINUTE = 60_000
NOON = 1_762_430_400_000  # a full minute


class Hands:
    """A wall clock (ms) and a monotonic one (s), moved by hand."""

    def __init__(self, wall: int = NOON + 30_000) -> None:
        self.wall, self.elapsed = wall, 1000.0

    def limiter(self, limit: int = 100, share: float = 1.0) -> WeightLimiter:
        return WeightLimiter(limit, share, now=lambda: self.wall, monotonic=lambda: self.elapsed)

    def passes(self, milliseconds: int, step: int = 0) -> None:
        """Time passes, and the wall clock is set by `step` on top."""
        self.elapsed += milliseconds / 1000
        self.wall += milliseconds + step


HOUR = 60 * MINUTE


def test_the_smallest_budget_is_one() -> None:
    for limit, share in ((1, 1.0), (1, 1), (2, 0.5)):
        assert Hands().limiter(limit, share).acquire(1) == 0
    for limit, share in ((1, 0.99), (1, 0), (1, 1.01)):
        with pytest.raises(
            ConfigurationError,
            match=r"^share must be above 0 and at most 1, and leave a budget of at least 1, not (a|the) [a-z0-9 ]+$",
        ):
            WeightLimiter(limit, share)
    with pytest.raises(
        ConfigurationError, match=r"^limit must be an integer, at least 1, not the integer 0$"
    ):
        WeightLimiter(0)


def test_nothing_weighs_nothing() -> None:
    assert Hands().limiter().acquire(0) == 0


def test_a_budget_tells_how_large_it_is() -> None:
    assert repr(WeightLimiter(1000, 0.5)) == "WeightLimiter(budget=500)"
    assert re.fullmatch(r"WeightLimiter\(budget=inf\)", repr(WeightLimiter(None)))


@pytest.mark.parametrize(
    ("passed", "free"), [(0, False), (62_000, False), (62_001, True), (10 * MINUTE, True)]
)
@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_count_survives_a_clock_step(passed: int, free: bool, step: int) -> None:
    """A count survives a step of the clock as long as its minute can last."""
    hands = Hands()
    limiter = hands.limiter()
    assert limiter.acquire(100) == 0
    hands.passes(passed, step)
    assert (limiter.acquire(1) == 0) is free


@pytest.mark.parametrize("passed", [0, 10 * MINUTE])
def test_a_step_of_the_clock_uses_nothing_up(passed: int) -> None:
    hands = Hands()
    limiter = hands.limiter(1)
    hands.passes(passed, HOUR)
    assert limiter.acquire(1) == 0


def test_a_count_taken_along_to_a_minutes_edge_is_in_both_minutes() -> None:
    hands = Hands()
    limiter = hands.limiter()
    assert limiter.acquire(100) == 0
    hands.passes(0, HOUR + 29_500)  # half a second before the next minute
    assert limiter.acquire(1) == pytest.approx((500 + MINUTE + 1000) / 1000)


@pytest.mark.parametrize(
    ("difference", "set_"), [(1000, False), (1001, True), (-1000, False), (-1001, True)]
)
def test_a_second_of_difference_is_no_step_of_the_clock(difference: int, set_: bool) -> None:
    """A step takes the count along into the next minute; time that passes does not."""
    hands = Hands(NOON + 50_000)
    limiter = hands.limiter()
    assert limiter.acquire(100) == 0
    hands.passes(20_000, difference)
    assert (limiter.acquire(1) > 0) is set_


@pytest.mark.parametrize(("header", "free"), [(50, True), (49, False)])
def test_a_late_header_needs_half_of_the_count(header: int, free: bool) -> None:
    """Right after a minute's end a header is the earlier minute's, down to half of its count."""
    hands = Hands(NOON + 57_000)
    limiter = hands.limiter(102)
    assert limiter.acquire(100) == 0
    hands.passes(6_000)  # three seconds into the next minute
    assert limiter.acquire(1) == 0
    limiter.observe(header)
    assert (limiter.acquire(101) == 0) is free


def test_a_header_after_one_call_of_weight_one_is_that_minutes() -> None:
    hands = Hands(NOON + 57_000)
    limiter = hands.limiter(10)
    assert limiter.acquire(1) == 0
    hands.passes(6_000)
    limiter.observe(9)
    assert limiter.acquire(10) == 0


def test_minutes_that_are_over_are_forgotten() -> None:
    hands = Hands()
    limiter = hands.limiter()
    for _ in range(50):
        limiter.acquire(1)
        hands.passes(MINUTE)
    assert len(limiter._used_by_minute) <= 4
