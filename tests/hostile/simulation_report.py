"""Judge a simulated day of trouble by what the exchange wrote down: pure functions of a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.hostile.recording_exchange import Arrival

BUDGET = 1920
"""Weight that a default limiter may use in a UTC minute."""
MINUTE_MS = 60_000
MAX_AGE_MS = 5_000
"""The exchange's own recvWindow: an older request is rejected with -1021."""
MAX_AHEAD_MS = 1_000
STALE_CODE = -1021


@dataclass(frozen=True)
class Expectation:
    """What must have happened in a run, and what a busy machine may add.

    Args:
        rate_limits: Number of 429 responses.
        bans: Number of bans, each with at least one 418.
        restarts: Number of restarts of the exchange.
        reaction_ms: How long after a 429 or 418 left requests may still be signed, as the client
            has not read it yet.
        lateness_seconds: How long after its deadline a call may end.
    """

    rate_limits: int
    bans: int
    restarts: int
    reaction_ms: int
    lateness_seconds: float


@dataclass
class Record:
    """What is judged: the exchange's requests, the ends of calls, and what is left at the end."""

    arrivals: Sequence[Arrival]
    outcomes: Counter[str] = field(default_factory=Counter)
    overruns: list[float] = field(default_factory=list)
    """Seconds from the deadline to the end, of each call that ended after it."""
    foreign_errors: list[str] = field(default_factory=list)
    leftovers: Counter[str] = field(default_factory=Counter)


class Cooldown(NamedTuple):
    """A time in which nothing may be sent, in ms of the exchange's clock."""

    begins_at_ms: int
    ends_at_ms: int
    status: int


def weight_by_minute(arrivals: Sequence[Arrival]) -> Counter[int]:
    """Return the weight of each UTC minute of the exchange's clock, over all its starts."""
    weights: Counter[int] = Counter()
    for arrival in arrivals:
        weights[arrival.at_ms // MINUTE_MS] += arrival.weight
    return weights


def find_cooldowns(arrivals: Sequence[Arrival]) -> list[Cooldown]:
    """Return the times in which nothing may be sent, in the order in which they begin."""
    return sorted(
        Cooldown(
            arrival.response_at_ms, arrival.response_at_ms + arrival.retry_after_ms, arrival.status
        )
        for arrival in arrivals
        if arrival.status in (418, 429)
    )


def find_sent_in_cooldown(
    arrivals: Sequence[Arrival], reaction_ms: int
) -> tuple[list[Arrival], list[Arrival]]:
    """Return the requests of a cooldown: those that were on the wire already, and the others.

    A request was on the wire when it had been signed before the client could have read the 429 or
    418. The client's timestamp says when that was; a request without one counts as signed when it
    arrived.
    """
    on_wire: list[Arrival] = []
    forbidden: list[Arrival] = []
    cooldowns = find_cooldowns(arrivals)
    for arrival in arrivals:
        signed_at_ms = arrival.timestamp_ms or arrival.at_ms
        since = [
            signed_at_ms - cooldown.begins_at_ms
            for cooldown in cooldowns
            if cooldown.begins_at_ms < arrival.at_ms < cooldown.ends_at_ms
        ]
        if since and max(since) > reaction_ms:
            forbidden.append(arrival)
        elif since:
            on_wire.append(arrival)
    return on_wire, forbidden


def find_stale(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the requests that were too old or too new on arrival, or rejected as such."""
    return [
        arrival
        for arrival in arrivals
        if arrival.code == STALE_CODE
        or not -MAX_AHEAD_MS
        <= arrival.at_ms - (arrival.timestamp_ms or arrival.at_ms)
        <= MAX_AGE_MS
    ]


def count_bans(arrivals: Sequence[Arrival]) -> int:
    """Return how many bans there were; responses of one ban end at one time, to the second."""
    count = ends_at_ms = 0
    for cooldown in find_cooldowns(arrivals):
        if cooldown.status == 418 and cooldown.begins_at_ms > ends_at_ms:
            count += 1
            ends_at_ms = cooldown.ends_at_ms
    return count


def count_served_after_trouble(arrivals: Sequence[Arrival]) -> int:
    """Return how many requests got a good response after the last cooldown and the last restart."""
    last_start = max((arrival.start for arrival in arrivals), default=0)
    last_end_ms = max((cooldown.ends_at_ms for cooldown in find_cooldowns(arrivals)), default=0)
    return sum(
        arrival.status == 200 and arrival.start == last_start and arrival.at_ms >= last_end_ms
        for arrival in arrivals
    )


def find_problems(record: Record, expected: Expectation) -> list[str]:
    """Return what is broken, one line each."""
    return [
        *find_broken_promises(record, expected),
        *find_missing_trouble(record.arrivals, expected),
    ]


def find_broken_promises(record: Record, expected: Expectation) -> Iterator[str]:
    """Yield what the clients did that they must not do."""
    arrivals = record.arrivals
    for minute, weight in sorted(weight_by_minute(arrivals).items()):
        if weight > BUDGET:
            yield f"weight {weight} in minute {minute}, above the budget of {BUDGET}"
    _, forbidden = find_sent_in_cooldown(arrivals, expected.reaction_ms)
    if forbidden:
        yield f"{len(forbidden)} requests were sent during a ban or a cooldown: {forbidden[:3]}"
    stale = find_stale(arrivals)
    if stale:
        yield f"{len(stale)} requests with a stale timestamp: {stale[:3]}"
    late = [seconds for seconds in record.overruns if seconds > expected.lateness_seconds]
    if late:
        yield f"{len(late)} calls ended after their deadline, by up to {max(late):.3f} s"
    for error in record.foreign_errors:
        yield f"a call raised no error of the package: {error}"
    for name, count in record.leftovers.items():
        if count:
            yield f"left at the end: {count} {name}"


def find_missing_trouble(arrivals: Sequence[Arrival], expected: Expectation) -> Iterator[str]:
    """Yield what did not happen of the trouble that was planned: the run proves that much less."""
    starts = len({arrival.start for arrival in arrivals})
    rate_limits = sum(arrival.status == 429 for arrival in arrivals)
    bans = count_bans(arrivals)
    if rate_limits != expected.rate_limits:
        yield f"{rate_limits} responses with status 429, not {expected.rate_limits}"
    if bans != expected.bans:
        yield f"{bans} bans, not {expected.bans}"
    if starts != expected.restarts + 1:
        yield f"requests to {starts} starts of the exchange, not {expected.restarts + 1}"
    if not count_served_after_trouble(arrivals):
        yield "no good response after the last trouble"


def describe(record: Record, expected: Expectation) -> list[str]:
    """Return the figures of a run, one line each."""
    arrivals = record.arrivals
    on_wire, forbidden = find_sent_in_cooldown(arrivals, expected.reaction_ms)
    reactions = [
        (arrival.timestamp_ms or arrival.at_ms) - cooldown.begins_at_ms
        for arrival in on_wire
        for cooldown in find_cooldowns(arrivals)
        if cooldown.begins_at_ms < arrival.at_ms < cooldown.ends_at_ms
    ]
    ages = [arrival.at_ms - arrival.timestamp_ms for arrival in arrivals if arrival.timestamp_ms]
    statuses = Counter(arrival.status for arrival in arrivals)
    return [
        f"requests {len(arrivals)}, by status {dict(sorted(statuses.items()))}",
        f"weight by minute {[weight for _, weight in sorted(weight_by_minute(arrivals).items())]}"
        f", budget {BUDGET}",
        f"during a ban or a cooldown {len(forbidden)}, and {len(on_wire)} that were on the wire, "
        f"signed at most {max(reactions, default=0)} ms after the 429 or 418 had left",
        f"stale {len(find_stale(arrivals))}; age on arrival {min(ages, default=0)} to "
        f"{max(ages, default=0)} ms",
        f"calls {record.outcomes.total()}; {len(record.overruns)} ended after the deadline, by up "
        f"to {max(record.overruns, default=0):.3f} s (tolerance {expected.lateness_seconds} s)",
        *(f"  {count:6} {outcome}" for outcome, count in record.outcomes.most_common()),
        f"left at the end: {dict(record.leftovers)}",
    ]
