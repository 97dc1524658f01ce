"""Seeded faults of the client in what people read of an error, and in what a call leaves behind."""

from __future__ import annotations

import re
from typing import Any, Final

import httpx
import pytest

from tests.contract import patch_points as points

from .response_checks import (
    CLOSED,
    DELAYS,
    DURATION,
    ENTRIES,
    EVENTS,
    FRAMINGS,
    JSON,
    LONGER,
    MISDIRECTED,
    OPTIONS,
    PAGES,
    RECORDS,
    RECOVERY,
    TEXTS,
    UNKNOWN_PAGES,
)
from .response_values import fault


def _without_weight_left(emit: Any, runner: Any, *arguments: Any, **details: Any) -> None:
    emit(runner, *arguments, **details | {"weight_left": None})


def _in_ms(emit: Any, runner: Any, *arguments: Any, **details: Any) -> None:
    details |= {"seconds": 1000 * details.get("seconds", 0.0) + 1000}
    emit(runner, *arguments, **details)


def _add_waits(retry_delay: Any, context: Any, error: Any, attempts: int) -> Any:
    delay = retry_delay(context, error, attempts)
    return None if delay is None else delay + (getattr(error, "retry_after", None) or 0.0)


def _forget_first(start: Any, limiter: Any, seconds: float, *, banned: bool) -> None:
    limiter.clear_cooldown()
    start(limiter, seconds, banned=banned)


def _swap_rows(patch: pytest.MonkeyPatch) -> None:
    points.UNKNOWN_FIELDS.change_result(lambda fields: fields[::-1])(patch)
    # Other tests of this process may have made as many extensions as a reader makes.
    points.MAX_EXTENSIONS.replace(1_000_000)(patch)


def _never_close(patch: pytest.MonkeyPatch) -> None:
    async def aclose(response: Any) -> None:
        return None

    patch.setattr(httpx.Response, "close", lambda response: None)
    patch.setattr(httpx.Response, "aclose", aclose)


FAULTS: Final = (
    fault("wait not in the text", TEXTS)(
        points.DESCRIBE_ERROR.change_result(lambda text: re.sub("; wait [^;]*", "", text))
    ),
    fault("entry not in the text", TEXTS)(
        points.DESCRIBE_ERROR.change_result(lambda text: text.rpartition("; see")[0])
    ),
    fault("statuses without an entry", ENTRIES)(
        points.ERROR_ADDRESS.change_result(
            lambda address: re.sub("http-(4|5).*", r"http-\1xx", address)
        )
    ),
    fault("challenges not recognized by headers", PAGES)(
        points.RECOGNIZE_CHALLENGE.replace(lambda body, headers: "")
    ),
    fault("pages not shown", UNKNOWN_PAGES)(points.PAGE_EXCERPT.replace(lambda *arguments: "")),
    fault("long pages shown", UNKNOWN_PAGES)(points.MAX_EXCERPT_LENGTH.replace(600)),
    fault("rest of the budget not in events", EVENTS)(points.EMIT.wrap(_without_weight_left)),
    fault("events in milliseconds", EVENTS, DURATION)(points.EMIT.wrap(_in_ms)),
    fault("limits logged at DEBUG", RECORDS)(
        points.LOG_LEVEL_BY_KIND.replace({**points.LOG_LEVEL_BY_KIND.value, "cooldown": 10})
    ),
    fault("both waits before a retry", DURATION)(points.RETRY_DELAY.wrap(_add_waits)),
    fault("delays without an end", DELAYS)(points.MAX_DELAY_SECONDS.replace(60.0)),
    fault("retries not given back", RECOVERY)(
        points.RETURN_QUOTA.replace(lambda quota, spent: None)
    ),
    fault("retries given back only by those who took them", RECOVERY)(
        points.RETURN_QUOTA.wrap(
            lambda release, quota, spent: release(quota, spent) if spent else None
        )
    ),
    fault("the latest limit holds", LONGER)(points.START_LIMIT.wrap(_forget_first)),
    fault("unknown fields of another row", JSON)(_swap_rows),
    fault("connection of another account kept", MISDIRECTED)(
        points.DISCARD_CONNECTION.replace(lambda lease: None)
    ),
    fault("connections kept for ever", OPTIONS)(
        points.IS_EXPIRED.replace(lambda idle, expiry: False)
    ),
    fault("connections without a bound", OPTIONS)(
        points.ACQUIRE_SLOT.replace(lambda slots, token: True)
    ),
    fault("few headers read", FRAMINGS)(points.MAX_HEADERS.replace(50)),
    fault("responses of transports not closed", CLOSED)(_never_close),
)
