"""Clocks for the mock: system, manual, skewed."""

from __future__ import annotations

import time
from collections.abc import Callable

_PPM = 1_000_000
_NS_PER_MS = 1_000_000


def system_time_ms() -> int:
    """Return the system's time in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // _NS_PER_MS


class ManualClock:
    """Clock that stands still until it is moved.

    Args:
        ms: Time that it shows first, in milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, ms: int = 1_700_000_000_000) -> None:
        self.ms: int = ms

    def __call__(self) -> int:
        return self.ms

    def advance(self, ms: int) -> None:
        """Move the clock forward by `ms` milliseconds, or back if negative."""
        self.ms += ms


class SkewedClock:
    """Clock with an offset and a drift against another clock, which can be frozen.

    `offset_ms` is how far it is ahead. `drift_ppm` is what it gains since the drift was set, in
    parts per million: ms per 1,000 s, negative when it loses.

    Args:
        base: Function that returns the other clock's time in ms. Called for every request.
    """

    def __init__(self, base: Callable[[], int] = system_time_ms) -> None:
        self._base = base
        self.reset()

    def __call__(self) -> int:
        if self._frozen_at_ms is not None:
            return self._frozen_at_ms
        now = self._base_time_ms()
        gained = (now - self._drift_start_ms) * self.drift_ppm // _PPM if self.drift_ppm else 0
        return now + self.offset_ms + gained

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen_at_ms is not None

    @property
    def total_offset_ms(self) -> int:
        """Milliseconds that it is ahead of the other clock now, with what it gained."""
        return self() - self._base_time_ms()

    @property
    def is_changed(self) -> bool:
        """Whether it shows another time than the other clock."""
        return bool(self.offset_ms or self.drift_ppm or self.frozen)

    def reset(self) -> None:
        """Show the other clock's time again."""
        self.offset_ms: int = 0
        self.drift_ppm: int = 0
        self._drift_start_ms = 0
        self._frozen_at_ms: int | None = None

    @property
    def settings(self) -> tuple[int, int, int, int | None]:
        """Offset, drift, start of the drift and frozen time, to be restored later."""
        return self.offset_ms, self.drift_ppm, self._drift_start_ms, self._frozen_at_ms

    @settings.setter
    def settings(self, settings: tuple[int, int, int, int | None]) -> None:
        self.offset_ms, self.drift_ppm, self._drift_start_ms, self._frozen_at_ms = settings

    def advance(self, ms: int) -> None:
        """Step forward by `ms` milliseconds, or back if negative. Moves a frozen clock too.

        Raises:
            ValueError: `ms` is not an integer.
        """
        self.offset_ms += _require_int("ms", ms)
        if self._frozen_at_ms is not None:
            self._frozen_at_ms += ms

    def drift(self, ppm: int) -> None:
        """Gain `ppm` parts per million from now on. What was gained before stays.

        Raises:
            ValueError: `ppm` is not an integer.
        """
        now = self._base_time_ms()
        self.offset_ms += (now - self._drift_start_ms) * self.drift_ppm // _PPM
        self.drift_ppm = _require_int("ppm", ppm)
        self._drift_start_ms = now

    def freeze(self) -> None:
        """Stop the clock at its present time."""
        self._frozen_at_ms = self()

    def thaw(self) -> None:
        """Let the clock go on from the time at which it was frozen."""
        if self._frozen_at_ms is not None:
            frozen_at_ms = self._frozen_at_ms
            self._frozen_at_ms = None
            self.offset_ms += frozen_at_ms - self()

    def _base_time_ms(self) -> int:
        ms: object = self._base()
        # A fraction would be sent as the exchange's time.
        if type(ms) is not int:
            raise TypeError(f"the clock must return milliseconds as int, not {type(ms).__name__}")
        return ms


def _require_int(name: str, value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{name} must be an integer")
    return value
