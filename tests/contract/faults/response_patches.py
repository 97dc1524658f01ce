"""Change what the client reads from a response: before it is read, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from attrs import evolve

from binance_usdm import APIError, UnexpectedResponse
from binance_usdm_wire import AccountBalance
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

Outcome: TypeAlias = Any
"""A `ParsedValue`, or the error that the client raises."""
ErrorClass: TypeAlias = type[APIError]


def change_outcome(change: Callable[[Outcome, points.HttpResponse], Outcome]) -> Patch:
    """Change the value or error that was read from a response."""

    def parse(parse_response: Any, operation: Any, response: Any, *rest: Any) -> Outcome:
        return change(parse_response(operation, response, *rest), response)

    return points.PARSE_RESPONSE.wrap(parse)


def change_rows(change: Callable[[list[Any]], list[Any]]) -> Patch:
    def changed(outcome: Outcome, _: Any) -> Outcome:
        rows = outcome.parsed if isinstance(outcome, points.ParsedValue) else None
        # The rows of a path that the spec does not describe are dictionaries.
        if isinstance(rows, list) and not any(isinstance(row, dict) for row in rows):
            return points.ParsedValue(change(rows))
        return outcome

    return change_outcome(changed)


def change_row(change: Callable[[AccountBalance], Mapping[str, Any]]) -> Patch:
    """Change attributes of every row."""
    return change_rows(lambda rows: [evolve(row, **change(row)) for row in rows])


def change_amounts(change: Callable[[Decimal], Any]) -> Patch:
    def changed(row: Any) -> dict[str, Any]:
        values = {name: getattr(row, name) for name in row.WIRE_NAMES}
        return {name: change(values[name]) for name in values if type(values[name]) is Decimal}

    return change_row(changed)


def change_error(change: Callable[[Any], Outcome]) -> Patch:
    """Change the error that an error response is."""
    return change_outcome(
        lambda outcome, _: change(outcome) if isinstance(outcome, APIError) else outcome
    )


def copy_error(error: Any, error_class: ErrorClass | None = None, **changes: Any) -> APIError:
    """Return the same error with another class or other attributes."""
    names = ("status", "code", "message", "retry_after")
    values = {name: getattr(error, name) for name in names} | changes
    return (error_class or type(error))(**values)


def change_class(error_class: ErrorClass, other: ErrorClass) -> Patch:
    return change_error(
        lambda error: copy_error(error, other) if type(error) is error_class else error
    )


def change_unexpected(change: Callable[[UnexpectedResponse], dict[str, Any]]) -> Patch:
    """Change attributes of the error for a response that the spec does not describe."""
    names = ("status", "path", "expected", "found", "retryable")

    def changed(outcome: Outcome, _: Any) -> Outcome:
        if not isinstance(outcome, UnexpectedResponse):
            return outcome
        values = {name: getattr(outcome, name) for name in names}
        error = UnexpectedResponse(**values | change(outcome))
        points.keep_hint(error, outcome)
        return error

    return change_outcome(changed)


def raise_error(error: Exception, when: Callable[[Outcome, Any], bool]) -> Patch:
    def changed(outcome: Outcome, response: Any) -> Outcome:
        if when(outcome, response):
            raise error
        return outcome

    return change_outcome(changed)


def change_response(change: Callable[[Any], Any]) -> Patch:
    """Change a response before it is read."""
    return points.PARSE_RESPONSE.wrap(
        lambda parse, operation, response, *rest: parse(operation, change(response), *rest)
    )


def change_header(name: str, change: Callable[[str], str]) -> Patch:
    """Change the value of a response header, which is empty when it was not sent."""

    def changed(response: Any) -> Any:
        headers = {key.lower(): value for key, value in response.headers.items()}
        headers[name] = change(headers.get(name, ""))
        raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        return response._replace(headers=points.Headers(raw))

    return change_response(changed)


def repair_body(repair: Callable[[bytes], bytes]) -> Patch:
    """Repair a body that cannot be read, and read it again."""

    def parse(parse_response: Any, operation: Any, response: Any, *rest: Any) -> Outcome:
        outcome = parse_response(operation, response, *rest)
        if isinstance(outcome, points.ParsedValue) or response.status != 200:
            return outcome
        repaired = response._replace(body=repair(response.body))
        second = parse_response(operation, repaired, *rest)
        return second if isinstance(second, points.ParsedValue) else outcome

    return points.PARSE_RESPONSE.wrap(parse)


def substitute(pattern: bytes, replacement: bytes) -> Patch:
    """Repair a body with a regular expression."""
    return repair_body(lambda body: re.sub(pattern, replacement, body))
