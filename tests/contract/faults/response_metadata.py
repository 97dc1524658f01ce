"""Seeded faults of the client in what comes beside a value, and what a response leaves behind."""

from __future__ import annotations

import logging
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest
from attrs import evolve

from binance_usdm import ServerError
from tests.contract import patch_points as points

from .response_attempts import change_response
from .response_checks import (
    ATTEMPTS,
    BUDGET_KNOWN,
    DURATION,
    EVENTS,
    GO_ON,
    HEADERS,
    LOGS,
    LONGER,
    OUTAGE,
    RECOVERY,
)
from .response_patches import change_outcome
from .response_values import fault

RETRIED: Final = (ATTEMPTS, EVENTS, DURATION)


def _last_of_each_header(make: Any, *, headers: Any, **values: Any) -> Any:
    last = {name.lower(): value for name, value in headers.raw}
    return make(headers=points.Headers([*last.items()]), **values)


def _received_in_seconds(make: Any, *, received_at_ms: int, **values: Any) -> Any:
    return make(received_at_ms=received_at_ms // 1000, **values)


def _without_retries(emit: Any, runner: Any, kind: str, *arguments: Any, **details: Any) -> None:
    if kind != "retry":
        emit(runner, kind, *arguments, **details)


def _log_target(build: Any, builder: Any, *arguments: Any) -> Any:
    request = build(builder, *arguments)
    logging.getLogger("binance_usdm").debug("GET %s", request.target.decode())
    return request


def _send_back(patch: pytest.MonkeyPatch) -> None:
    tags: list[str] = []

    def note(outcome: Any, response: Any) -> Any:
        tags[:] = [response.headers.get("etag", "")]
        return outcome

    def build(build_signed: Any, builder: Any, *arguments: Any) -> Any:
        request = build_signed(builder, *arguments)
        if not any(tags):
            return request
        return points.HttpRequest(request.target + b"&tag=1", request.template, request.secrets)

    change_outcome(note)(patch)
    points.BUILD_SIGNED.wrap(build)(patch)


def _stay_broken(patch: pytest.MonkeyPatch) -> None:
    broken: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    async def send(send_once: Any, runner: Any, attempt: Any, **options: Any) -> Any:
        result = await send_once(runner, attempt, **options)
        error = broken.setdefault(runner, result.outcome)
        return result._replace(outcome=error) if isinstance(error, ServerError) else result

    points.SEND_ONCE.wrap(send)(patch)


def _share_arguments(patch: pytest.MonkeyPatch) -> None:
    latest: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    async def send(sync_and_send: Any, runner: Any, attempt: Any) -> Any:
        latest[runner] = attempt.query
        await points.sleep(runner, 0.01)
        return await sync_and_send(runner, attempt._replace(query=latest[runner]))

    points.SYNC_AND_SEND.wrap(send)(patch)


FAULTS: Final = (
    fault("one value of a repeated header", HEADERS)(
        points.MAKE_RESPONSE.wrap(_last_of_each_header)
    ),
    fault("instant of the response in seconds", HEADERS)(
        points.MAKE_RESPONSE.wrap(_received_in_seconds)
    ),
    fault("duration not said", DURATION)(change_response(elapsed=0.0)),
    fault("retries are no events", DURATION, EVENTS)(points.EMIT.wrap(_without_retries)),
    fault("target in the log", LOGS)(points.BUILD_SIGNED.wrap(_log_target)),
    fault("tag of a response sent back", "responses_change_no_request")(_send_back),
    fault("first server error kept", RECOVERY, GO_ON, *RETRIED)(_stay_broken),
    fault("closed clients send", "closed_clients_send_nothing")(
        points.CHECK_CLOSED.replace(lambda runner: None)
    ),
    fault("retries without a quota", OUTAGE)(points.TAKE_QUOTA.replace(lambda quota, error: 1)),
    fault("used weight not in the budget", EVENTS, BUDGET_KNOWN)(
        points.BUDGET.change_result(lambda budget: evolve(budget, used=0))
    ),
    fault("bodies without a length rejected", "responses_are_read_in_every_framing")(
        points.END_OF_DATA.replace(lambda parser: parser.connection_lost(None))
    ),
    fault("arguments shared by calls", LONGER, "calls_at_the_same_time_get_their_own_responses")(
        _share_arguments
    ),
)
