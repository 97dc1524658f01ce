"""Judge calls that were interrupted, cancelled or closed: pure functions of a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_CALL_WEIGHT = 5
MAX_REQUESTS = 9
"""Requests of one call at most: three attempts, one after a clock sync, each perhaps over a stale
connection, and the samples of the sync."""
LATENESS_SECONDS = 1.0
"""How long after its deadline a call may end, on a machine that has little else to do."""
SHOWN = 5


@dataclass
class Record:
    """What is judged of a run. Lists of strings hold one line for each event."""

    outcomes: list[str] = field(default_factory=list)
    disturbances: list[str] = field(default_factory=list)
    """The kinds of what disturbed the calls."""
    changed: list[str] = field(default_factory=list)
    """What a handler raised, or a cancellation, that did not come out as itself."""
    foreign_errors: list[str] = field(default_factory=list)
    wrong_values: list[str] = field(default_factory=list)
    """Values that belong to another call."""
    overruns: list[float] = field(default_factory=list)
    """Seconds from the deadline to the end, of each call that ended after it."""
    weight_taken: int = 0
    """What the calls took from their limiters."""
    weight_arrived: int = 0
    """What the exchange counted."""
    reconnections: int = 0
    calm_weight_taken: int = 0
    calm_weight_arrived: int = 0
    calm_failures: list[str] = field(default_factory=list)
    """Calls that failed after the last disturbance."""
    calm_calls: int = 0
    leftovers: Counter[str] = field(default_factory=Counter)


def find_problems(
    record: Record, disturbances: tuple[str, ...], lateness_seconds: float = LATENESS_SECONDS
) -> list[str]:
    """Return what is broken, one line each.

    Args:
        record: What happened.
        disturbances: Kinds that must have occurred, as a run without them proves nothing.
        lateness_seconds: How long after its deadline a call may end.
    """
    return [
        *_find_broken_calls(record, lateness_seconds),
        *_find_lost_weight(record),
        *_find_leftovers(record),
        *_find_missing_disturbances(record, disturbances),
    ]


def _find_broken_calls(record: Record, lateness_seconds: float) -> Iterator[str]:
    groups = (
        ("raised by a handler or cancelled, and came out as something different", record.changed),
        ("raised no error of the package", record.foreign_errors),
        ("returned the value of another call", record.wrong_values),
        ("failed when all was calm again", record.calm_failures),
    )
    for words, events in groups:
        if events:
            yield f"{len(events)} calls {words}: {'; '.join(events[:SHOWN])}"
    late = [seconds for seconds in record.overruns if seconds > lateness_seconds]
    if late:
        yield f"{len(late)} calls ended after their deadline, by up to {max(late):.3f} s"


def _find_lost_weight(record: Record) -> Iterator[str]:
    if record.weight_taken < record.weight_arrived:
        yield (
            f"the exchange counted weight {record.weight_arrived}, "
            f"the limiters {record.weight_taken} only"
        )
    unused = record.weight_taken - record.weight_arrived
    disturbed = len(record.disturbances) + record.reconnections
    if unused > disturbed * MAX_CALL_WEIGHT * MAX_REQUESTS:
        yield f"weight {unused} was taken and not used, in spite of {disturbed} disturbances only"
    if record.calm_weight_taken != record.calm_weight_arrived:
        yield (
            f"when all was calm again the limiters counted weight {record.calm_weight_taken}, "
            f"the exchange {record.calm_weight_arrived}"
        )


def _find_leftovers(record: Record) -> Iterator[str]:
    for name, count in record.leftovers.items():
        if count:
            yield f"left at the end: {count} {name}"


def _find_missing_disturbances(record: Record, wanted: tuple[str, ...]) -> Iterator[str]:
    kinds = {*record.disturbances}
    for kind in wanted:
        if kind not in kinds:
            yield f"nothing was disturbed by: {kind}"
    if "value" not in record.outcomes:
        yield "no call returned a value"
    if not record.calm_calls:
        yield "no call was made when all was calm again"


def describe(record: Record) -> list[str]:
    """Return the figures of a run, one line each."""
    outcomes = Counter(record.outcomes)
    return [
        f"disturbances {dict(Counter(record.disturbances).most_common())}",
        f"calls {outcomes.total()}; {len(record.overruns)} ended after the deadline, by up to "
        f"{max(record.overruns, default=0):.3f} s",
        *(f"  {count:6} {outcome}" for outcome, count in outcomes.most_common()),
        f"changed {len(record.changed)}, foreign errors {len(record.foreign_errors)}, "
        f"values of other calls {len(record.wrong_values)}",
        f"weight taken {record.weight_taken}, arrived {record.weight_arrived}, "
        f"reconnections {record.reconnections}; when calm {record.calm_weight_taken} and "
        f"{record.calm_weight_arrived}, {record.calm_calls} calls, "
        f"{len(record.calm_failures)} failed",
        f"left at the end: {dict(record.leftovers)}",
    ]
