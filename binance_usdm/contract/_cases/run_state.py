"""What a run of layers has done, how long it may take, and whom it reports progress to."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .assumptions import Assumption
from .coverage import Coverage


def _report_nothing() -> None:
    return None


@dataclass
class Run:
    """A run of one or more layers.

    Attributes:
        seed: Seed of random cases. `None` derives it from the cases, the same in every run.
        ends_at: Instant of the monotonic clock, in seconds, after which no new case begins.
        on_step: Called before each case and check.
        checks: How often each check has run, by its name.
        steps: How many cases and checks have begun.
        is_complete: Whether nothing was left out for lack of time.
        assumptions: The assumptions that the finding of a check rests on, by the check's name.
        coverage: Takes every request that schemathesis sends, with its response.
    """

    seed: int | None = None
    ends_at: float = math.inf
    on_step: Callable[[], None] = _report_nothing
    checks: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    is_complete: bool = True
    assumptions: dict[str, tuple[Assumption, ...]] = field(default_factory=dict)
    coverage: Coverage | None = None

    def observe(self, response: Any) -> None:
        """Take a response of schemathesis, with its request."""
        if self.coverage is not None:
            url = urlsplit(response.request.url)
            headers = {name: ", ".join(values) for name, values in response.headers.items()}
            parts = (response.request.method, url.path, url.query)
            self.coverage.observe(*parts, response.status_code, headers, response.content)

    def begin_step(self) -> bool:
        """Return whether there is time for another case or check."""
        if time.monotonic() >= self.ends_at:
            self.is_complete = False
            return False
        self.steps += 1
        self.on_step()
        return True


_current: ContextVar[Run | None] = ContextVar("_current", default=None)


def current_run() -> Run:
    """Return the run that the caller is a part of; outside of one, a new one without limits."""
    return _current.get() or Run()


@contextmanager
def as_current(run: Run) -> Iterator[Run]:
    """Let the layers that are called within the context belong to a run."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)
