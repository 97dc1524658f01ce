"""Seeded faults of the client in what follows from a response: attempts, deadline, limits."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from attrs import evolve

from binance_usdm import RateLimitError
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .response_checks import (
    ATTEMPTS,
    BROKEN,
    BUDGET,
    BUDGET_KNOWN,
    CLOSED,
    DEADLINE,
    DELAYS,
    DESCRIBED_WAIT,
    EVENTS,
    HOLDS,
    LONGER,
    METADATA,
    MISDIRECTED,
    OTHER_PATHS,
    OUTAGE,
    PERMANENT,
    SENT_SIZE,
    TOLD,
    TRANSPORT,
    WITHOUT_RETRIES,
)
from .response_values import fault


class _Unreferable:
    """A transport that no mapping of weak references takes, so nobody shares its state."""

    __slots__ = ()


def add_attempts(number: int) -> Patch:
    """Change how many attempts a policy allows."""
    return points.POLICY_DELAY.wrap(
        lambda delay, policy, error, attempt: delay(
            evolve(policy, attempts=max(policy.attempts + number, 1)), error, attempt
        )
    )


def change_response(**changes: Any) -> Patch:
    """Change the metadata of every response."""
    return points.MAKE_RESPONSE.wrap(lambda make, **values: make(**values | changes))


async def _with_new_deadline(send: Any, runner: Any, attempt: Any) -> Any:
    return await send(runner, points.renew_deadline(runner, attempt))


async def _fail_at_once(*arguments: Any, **options: Any) -> None:
    raise RateLimitError(0, None, "held", 100.0)


async def _ignore(*arguments: Any, **options: Any) -> None:
    return None


async def _start_as_limit(start: Any, queue: Any, seconds: float, **options: Any) -> None:
    await start(queue, seconds, **options | {"banned": False})


async def _start_half(start: Any, queue: Any, seconds: float, **options: Any) -> None:
    await start(queue, seconds / 2, **options)


def _share_by_host(share: Any, target: Any, transport: Any, *, host: str | None) -> Any:
    return share((host, *target[1:]), transport)


FAULTS: Final = (
    # The policy without retries makes another attempt, too.
    fault(
        "one attempt too many",
        DELAYS,
        CLOSED,
        ATTEMPTS,
        BROKEN,
        *WITHOUT_RETRIES,
        TRANSPORT,
        OTHER_PATHS,
        OUTAGE,
        DESCRIBED_WAIT,
        PERMANENT,
    )(add_attempts(1)),
    fault("one attempt too few", DELAYS, ATTEMPTS, BROKEN, TRANSPORT, EVENTS, OUTAGE)(
        add_attempts(-1)
    ),
    fault("every error retried", DELAYS, MISDIRECTED, ATTEMPTS, SENT_SIZE, EVENTS)(
        points.POLICY_DELAY.replace(
            lambda policy, error, attempt: 0.0 if attempt < policy.attempts else None
        )
    ),
    fault("attempts not counted", ATTEMPTS, BROKEN)(change_response(attempts=1)),
    fault("attempts counted from zero", ATTEMPTS, BROKEN, METADATA)(change_response(attempts=0)),
    fault("a deadline for each attempt", "one_deadline_bounds_all_attempts")(
        points.SYNC_AND_SEND.wrap(_with_new_deadline)
    ),
    fault("waits beyond the deadline skipped", DEADLINE, EVENTS)(
        points.RETRY_DELAY.change_result(lambda delay: delay if not delay or delay < 3 else 0.0)
    ),
    fault("time left not said", DEADLINE)(
        points.NOTE_TIME_LEFT.replace(lambda error, delay, left: error)
    ),
    fault("limits hold one client", HOLDS)(
        points.SHARED_STATE.wrap(lambda share, target, transport: share(target, _Unreferable()))
    ),
    fault("limits hold all hosts", HOLDS)(
        points.SHARED_STATE.wrap(partial(_share_by_host, host="everywhere"))
    ),
    fault("bans hold clients with a budget only", HOLDS)(
        points.RAISE_IF_STOPPED.replace(points.raise_if_closed)
    ),
    fault("bans of another limiter hold nobody", HOLDS)(
        points.HOLD_ADDRESS.wrap(points.hold_own_limiter)
    ),
    fault("limits not told to the limiter", EVENTS, LONGER, HOLDS, TOLD, BUDGET_KNOWN)(
        points.START_COOLDOWN.replace(_ignore)
    ),
    fault("bans told as limits", LONGER, HOLDS, TOLD)(points.START_COOLDOWN.wrap(_start_as_limit)),
    fault("half of a limit's time waited", LONGER, HOLDS, TOLD, BUDGET_KNOWN)(
        points.START_COOLDOWN.wrap(_start_half)
    ),
    fault("held calls fail at once", LONGER, "calls_wait_for_a_short_limit")(
        points.WAIT_FOR_ROOM.replace(_fail_at_once)
    ),
    fault("used weight not told to the limiter", EVENTS, TOLD, BUDGET, BUDGET_KNOWN)(
        points.OBSERVE_WEIGHT.replace(_ignore)
    ),
    fault("budget not kept", BUDGET)(
        points.TAKE_WEIGHT.wrap(lambda acquire, limiter, weight: acquire(limiter, 0))
    ),
)
