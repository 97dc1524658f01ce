"""Seeded faults of the client in values and errors as objects of Python."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from attrs import evolve

from binance_usdm import APIError, UnexpectedResponse
from tests.contract import patch_points as points

from .response_checks import (
    COMPARED,
    ENTRIES,
    HIDDEN,
    HINTS,
    HOLDINGS,
    KEPT,
    LABELS,
    OTHER_PATHS,
    PAGES,
    PLAIN,
    SECRETS,
    SHARED,
    TRANSPORT,
    UNKNOWN_PAGES,
)
from .response_patches import change_outcome, change_rows
from .response_values import fault


def _plain_as_detailed(patch: pytest.MonkeyPatch) -> None:
    def call(client: Any, **arguments: Any) -> Any:
        return client.balance_detailed(**arguments)

    points.SYNC_BALANCE.replace(call)(patch)
    points.ASYNC_BALANCE.replace(call)(patch)


def _plain_without_errors(patch: pytest.MonkeyPatch) -> None:
    def call(client: Any, **arguments: Any) -> Any:
        try:
            return client.balance_detailed(**arguments).parsed
        except APIError:
            return []

    async def call_async(client: Any, **arguments: Any) -> Any:
        try:
            return (await client.balance_detailed(**arguments)).parsed
        except APIError:
            return []

    points.SYNC_BALANCE.replace(call)(patch)
    points.ASYNC_BALANCE.replace(call_async)(patch)


def _share_unknown_fields(patch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {}

    def share(row: Any) -> Any:
        fields = row.additional_properties
        return evolve(row, additional_properties=known.setdefault(repr(fields), fields))

    change_rows(lambda rows: [share(row) for row in rows])(patch)


def _keep_secrets(parse: Any, operation: Any, response: Any, secrets: Any, size: int) -> Any:
    outcome = parse(operation, response, secrets, size)
    if isinstance(outcome, APIError):
        outcome.request_secrets = tuple(secrets)  # type: ignore[attr-defined]
    return outcome


def _decode_as_python(decode: Any, body: bytes) -> Any:
    decode(body)
    return json.loads(body)


def _cite(outcome: Any, response: Any) -> Any:
    if not isinstance(outcome, UnexpectedResponse):
        return outcome
    text = response.body[:400].decode(errors="replace")
    rest = (outcome.path, outcome.expected, text, outcome.retryable)
    return UnexpectedResponse(outcome.status, *rest)


def _add_hint(patch: pytest.MonkeyPatch) -> None:
    hints = dict(points.HINT_BY_CODE.value)
    hints[-1022] += f"; {hints[-1021]}"
    points.HINT_BY_CODE.replace(hints)(patch)


FAULTS: Final = (
    fault("plain methods return the response", PLAIN)(_plain_as_detailed),
    fault("plain methods read an error as no rows", PLAIN)(_plain_without_errors),
    fault("equal unknown fields shared", SHARED)(_share_unknown_fields),
    fault("only a balance is a holding", HOLDINGS)(points.HOLDINGS.replace(("balance",))),
    fault("what is available is a holding", HOLDINGS)(
        points.HOLDINGS.replace((*points.HOLDINGS.value, "available_balance"))
    ),
    fault("rows compared by asset and balance", COMPARED)(
        points.EQUAL_ROWS.replace(
            lambda row, other: (row.asset, row.balance) == (other.asset, other.balance)
        )
    ),
    fault("rows can be changed", COMPARED)(points.SET_IN_ROW.replace(object.__setattr__)),
    fault("hint of another code added", HINTS)(_add_hint),
    fault("all errors in one entry", ENTRIES, HINTS)(
        points.ERROR_ADDRESS.replace(lambda status, code: "docs/errors.md#http-400")
    ),
    fault("secrets kept in the error", SECRETS)(points.PARSE_RESPONSE.wrap(_keep_secrets)),
    fault("page not sanitized in the hint", UNKNOWN_PAGES, SECRETS)(
        points.PAGE_EXCERPT.replace(lambda text, secrets: text[:120])
    ),
    fault("body cited in the error", PAGES, HIDDEN, SECRETS)(change_outcome(_cite)),
    fault("secrets of a transport's error shown", TRANSPORT)(
        points.ERROR_FROM_FAILURE.wrap(
            lambda make, failure, host, secrets, *rest: make(failure, host, (), *rest)
        )
    ),
    fault("floats of other paths", OTHER_PATHS)(points.DECODE_OTHER_PATH.wrap(_decode_as_python)),
    fault("label not in the error", LABELS)(points.LEAVE_LABEL.replace(lambda *arguments: None)),
    fault("copied errors forget the wait", KEPT)(
        points.REDUCE_ERROR.replace(lambda error: (type(error), error.args[:3]))
    ),
)
