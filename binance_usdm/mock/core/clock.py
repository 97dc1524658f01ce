"""The exchange's clock: the system's, one moved by hand, and one that goes wrong on purpose. Knows nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

_PPM = 1_000_000


def system_time_ms() -> int:
    """The system's time in ms."""
    return time.time_ns() // _PPM


class ManualClock:
    """A clock that stands still until it is told to move, in ms."""

    def __init__(self, ms: int = 1_700_000_000_000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def advance(self, ms: int) -> None:
        """Move the clock, back if ``ms`` is negative."""
        self.ms += ms


class SkewedClock:
    """Another clock, in ms, with what can be wrong with one: ``offset_ms``, ``drift_ppm``, ``frozen``.

    Drift is counted from the moment it was set, in ms gained per 1,000 s (parts per million, negative when it loses).
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

    def reset(self) -> None:
        """Show the other clock's time again."""
        self.offset_ms = self.drift_ppm = self._drift_start_ms = 0
        self._frozen_at_ms: int | None = None

    def advance(self, ms: int) -> None:
        """Step forward, or back if ``ms`` is negative, also while frozen."""
        self.offset_ms += _require_int("ms", ms)
        if self._frozen_at_ms is not None:
            self._frozen_at_ms += ms

    def drift(self, ppm: int) -> None:
        """Gain so many millionths from now on; what was gained before stays."""
        now = self._base_time_ms()
        self.offset_ms += (now - self._drift_start_ms) * self.drift_ppm // _PPM
        self.drift_ppm, self._drift_start_ms = _require_int("ppm", ppm), now

    def freeze(self) -> None:
        """Stand still."""
        self._frozen_at_ms = self()

    def thaw(self) -> None:
        """Go on from where it stood."""
        if self._frozen_at_ms is not None:
            stood, self._frozen_at_ms = self._frozen_at_ms, None
            self.offset_ms += stood - self()

    def _base_time_ms(self) -> int:
        ms: object = self._base()
        if type(ms) is not int:  # it would go out as the exchange's time
            raise TypeError(f"the clock must return milliseconds as int, not {type(ms).__name__}")
        return ms


def _require_int(name: str, value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{name} must be a whole number")
    return value
