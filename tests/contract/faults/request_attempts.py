"""Seeded faults of the client in attempts, waits and clock."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve

from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "requests")


def change_attempt(change: Any) -> Patch:
    """Change each attempt before it is sent."""

    async def send(send_once: Any, runner: Any, attempt: Any, **options: Any) -> Any:
        return await send_once(runner, change(attempt), **options)

    return points.SEND_ONCE.wrap(send)


def change_retries(change: Any) -> Patch:
    """Change each attempt but the first one."""
    return change_attempt(lambda attempt: change(attempt) if attempt.number > 1 else attempt)


async def _freeze_clock(send_once: Any, runner: Any, attempt: Any, **options: Any) -> Any:
    """Take the timestamp before the call waits."""
    times: list[int] = []
    clock = points.replace_clock(runner, lambda: times[0])
    times.append(clock())
    try:
        return await send_once(runner, attempt, **options)
    finally:
        points.replace_clock(runner, clock)


def _keep_time_over_reconnect(patch: pytest.MonkeyPatch) -> None:
    times: dict[float, int] = {}

    async def send(send_once: Any, runner: Any, attempt: Any, *, needs_new_connection: bool) -> Any:
        clock = points.replace_clock(runner, lambda: times[attempt.deadline])
        if not needs_new_connection:
            times[attempt.deadline] = clock()
        try:
            return await send_once(runner, attempt, needs_new_connection=needs_new_connection)
        finally:
            points.replace_clock(runner, clock)

    points.SEND_ONCE.wrap(send)(patch)


async def _send_over_nothing_new(send: Any, runner: Any, attempt: Any) -> Any:
    return await points.SEND_ONCE.value(runner, attempt, needs_new_connection=False)


async def _reconnect_always(send: Any, runner: Any, attempt: Any) -> Any:
    return await points.SEND_ONCE.value(runner, attempt, needs_new_connection=True)


def _keep_first_signature(patch: pytest.MonkeyPatch) -> None:
    signatures: dict[int, tuple[Any, bytes]] = {}

    def sign(compute_signature: Any, signer: Any, payload: bytes) -> bytes:
        # The signer is kept, so that no other one gets its identity.
        kept = signatures.setdefault(id(signer), (signer, compute_signature(signer, payload)))
        return kept[1]

    points.COMPUTE_SIGNATURE.wrap(sign)(patch)


def _take_weight_after_sending(patch: pytest.MonkeyPatch) -> None:
    async def send(send_over: Any, runner: Any, lease: Any, ticket: Any, *rest: Any) -> Any:
        outcome = await send_over(runner, lease, ticket, *rest)
        acquire(points.limiter_of(runner), ticket.weight)
        return outcome

    acquire = points.ACQUIRE_WEIGHT.value
    points.ACQUIRE_WEIGHT.replace(lambda queue, weight: 0.0)(patch)
    points.SEND_OVER.wrap(send)(patch)


async def _observe_nothing(queue: Any, used_weight: int, deadline: float) -> None: ...


def _wait_as_told_only(retry_delay: Any, context: Any, error: Any, number: int) -> Any:
    delay = points.own_delay(context, error, number)
    told = getattr(error, "retry_after", None)
    return delay if delay is None or told is None else told


async def _raise_at_once(syncer: Any, attempt: Any, error: Any, sent_at: float) -> None:
    raise error


def _correct_custom_clocks(init: Any, client: Any, *args: Any, **options: Any) -> None:
    init(client, *args, **options)
    points.correct_custom_clock(client)


ATTEMPT: Final = "each_attempt_has_its_timestamp"
SAME: Final = "attempts_send_the_same"
WEIGHT: Final = "each_request_takes_its_weight"
WAIT: Final = "requests_are_built_after_waits"
RETRY_AFTER: Final = "retry_after_is_a_floor"
RECONNECT: Final = "ended_connection_is_replaced"
CORRECTED: Final = "late_clock_is_corrected"
ROUND_TRIP: Final = "time_of_the_round_trip_is_added"
READ_FIRST: Final = "exchange_clock_is_read_first"
LEFT_ALONE: Final = "good_clock_is_left_alone"
ONCE: Final = "clock_is_corrected_once"

FAULTS: Final = (
    # What is sent again.
    fault("arguments dropped in retries", SAME)(
        change_retries(lambda attempt: attempt._replace(query=""))
    ),
    fault(
        "first signature kept",
        SAME,
        ATTEMPT,
        RECONNECT,
        "wire_conformance",
        "positive_data_acceptance",
        "private_keys_sign",
        "concurrent_calls_are_apart",
    )(_keep_first_signature),
    fault("lost responses not retried", SAME)(points.IS_LOSS_RETRYABLE.replace(False)),
    fault("one timestamp on both connections", RECONNECT, WAIT)(_keep_time_over_reconnect),
    fault("ended connection not replaced", RECONNECT)(
        points.SEND_ATTEMPT.wrap(_send_over_nothing_new)
    ),
    fault(
        "new connection for each request",
        RECONNECT,
        "connections_are_kept_apart",
        "proxy_is_used",
        "transport_options_are_kept",
    )(points.SEND_ATTEMPT.wrap(_reconnect_always)),
    # Weight and waits.
    fault("timestamp from before the wait", WAIT)(points.SEND_ONCE.wrap(_freeze_clock)),
    fault("retries without weight", WEIGHT, ONCE)(
        change_retries(
            lambda attempt: attempt._replace(operation=evolve(attempt.operation, weight=0))
        )
    ),
    fault("each call of weight 1", WEIGHT, ONCE)(
        points.BIND_OPERATION.change_result(lambda operation: evolve(operation, weight=1))
    ),
    fault("reading the time without weight", ONCE)(
        points.SERVER_TIME_OPERATION.replace(evolve(points.SERVER_TIME_OPERATION.value, weight=0))
    ),
    fault("weight taken after sending", WEIGHT, WAIT)(_take_weight_after_sending),
    fault("used weight not reported", WEIGHT)(points.OBSERVE_WEIGHT.replace(_observe_nothing)),
    fault("Retry-After not waited for", RETRY_AFTER)(points.RETRY_DELAY.replace(points.own_delay)),
    fault("Retry-After instead of a longer delay", RETRY_AFTER)(
        points.RETRY_DELAY.wrap(_wait_as_told_only)
    ),
    # Clock.
    fault("offset in the wrong direction", CORRECTED, READ_FIRST, ROUND_TRIP)(
        points.SAMPLE_CLOCK.wrap(
            lambda sample, clock, sent_at, received_at, ms: sample(
                clock, sent_at, received_at, 2 * points.local_time(clock) - ms
            )
        )
    ),
    fault("half of the round trip subtracted", ROUND_TRIP)(
        points.SAMPLE_CLOCK.wrap(
            lambda sample, clock, sent_at, received_at, ms: sample(
                clock, sent_at, received_at, ms - round(1e3 * (received_at - sent_at))
            )
        )
    ),
    fault("time read and not used", CORRECTED, READ_FIRST, ROUND_TRIP)(
        points.READ_CLOCK.replace(points.local_time)
    ),
    fault("time not read after a late timestamp", CORRECTED, ONCE)(
        points.CORRECT_CLOCK.replace(_raise_at_once)
    ),
    fault("time read before each call", CORRECTED, READ_FIRST, LEFT_ALONE)(
        points.NEEDS_CLOCK_SYNC.replace(lambda clock, *, first: True)
    ),
    fault("time never read first", READ_FIRST, ROUND_TRIP)(
        points.NEEDS_CLOCK_SYNC.replace(lambda clock, *, first: False)
    ),
    fault(
        "clock of the caller corrected", LEFT_ALONE, READ_FIRST, "window_is_respected", ROUND_TRIP
    )(points.INIT_CLIENT.wrap(_correct_custom_clocks)),
)
