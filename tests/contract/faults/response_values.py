"""Seeded faults of the client in the values that it reads, and in bodies that it must reject."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final
from unicodedata import normalize

import pytest
from attrs import evolve

from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .response_checks import (
    ACCOUNTS,
    ALL_VALUES,
    ATTEMPTS,
    BODIES,
    COMPRESSED,
    CONTEXT,
    DELAYS,
    EXACT,
    HIDDEN,
    HOLDINGS,
    INVALID,
    JSON,
    MATRIX,
    MISDIRECTED,
    MOCK_FAULTS,
    OTHER,
    OTHER_PATHS,
    PAGES,
    SENT_SIZE,
    SHARED,
    SIZES,
    VALUES,
    WRONG,
)
from .response_patches import (
    change_amounts,
    change_outcome,
    change_response,
    change_row,
    change_rows,
    change_unexpected,
    repair_body,
    substitute,
)
from .seeded_fault import seed

fault = partial(seed, "responses")


def change_additional(change: Callable[[Any], Any]) -> Patch:
    return change_row(lambda row: {"additional_properties": change(row.additional_properties)})


def _share_additional(rows: list[Any]) -> list[Any]:
    shared = {name: value for row in rows for name, value in row.additional_properties.items()}
    return [evolve(row, additional_properties=shared) for row in rows]


def _cache_amounts(patch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {}

    def convert(to_decimals: Any, strings: list[str]) -> list[Any]:
        decimals = zip(strings, to_decimals(strings), strict=True)
        return [known.setdefault(string[:12], decimal) for string, decimal in decimals]

    points.TO_DECIMALS.wrap(convert)(patch)


def _decode_loosely(body: bytes) -> bytes:
    """Accept what Python does: the last of two equal fields, lone surrogates, NaN."""
    try:
        return json.dumps(json.loads(body.decode())).encode()
    except (ValueError, RecursionError):
        return body


def _skip_invalid_rows(body: bytes) -> bytes:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(rows, list):
        rows = [row for row in rows if isinstance(row, dict) and len(row) > 8]
    return json.dumps(rows).encode()


def _share_lists(patch: pytest.MonkeyPatch) -> None:
    known: dict[tuple[bytes, type], Any] = {}

    def change(outcome: Any, response: Any) -> Any:
        if not isinstance(outcome, points.ParsedValue):
            return outcome
        rows = outcome.parsed
        row_class = type(rows[0]) if isinstance(rows, list) and rows else type(rows)
        return known.setdefault((response.body, row_class), outcome)

    change_outcome(change)(patch)


def _ignore_size(init: Any, client: Any, *args: Any, **options: Any) -> None:
    init(client, *args, **options)
    points.forget_max_reply_bytes(client)


FAULTS: Final = (
    # Rows.
    fault("last of the rows dropped", *ALL_VALUES, ACCOUNTS, HOLDINGS)(
        change_rows(lambda rows: rows[:-1])
    ),
    fault("rows sorted", *VALUES)(
        change_rows(lambda rows: sorted(rows, key=lambda row: row.asset))
    ),
    fault("one row per asset", BODIES, SIZES)(
        change_rows(lambda rows: [*{getattr(row, "asset", row): row for row in rows}.values()])
    ),
    fault("empty rows dropped", *VALUES, HOLDINGS)(
        change_rows(lambda rows: [row for row in rows if row.balance])
    ),
    fault("equal bodies share one list", SHARED)(_share_lists),
    fault("size option not used", "size_option_is_used", COMPRESSED, SENT_SIZE)(
        points.INIT_CLIENT.wrap(_ignore_size)
    ),
    fault("first 500 rows only", SIZES)(change_rows(lambda rows: rows[:500])),
    fault("margin flag of the first row in all", *VALUES)(
        change_rows(
            lambda rows: [evolve(row, margin_available=rows[0].margin_available) for row in rows]
        )
    ),
    fault("unknown fields of all rows in each", JSON, SHARED)(change_rows(_share_additional)),
    fault("empty list read as None", BODIES, MATRIX)(
        change_outcome(
            lambda outcome, _: (
                points.ParsedValue(outcome.parsed or None)
                if isinstance(outcome, points.ParsedValue)
                else outcome
            )
        )
    ),
    fault("accounts not compared with earlier responses", MISDIRECTED, ACCOUNTS)(
        points.FIND_ACCOUNT_MISMATCH.wrap(
            lambda find, operation, parsed, known: find(operation, parsed, {})
        )
    ),
    fault("rows of two accounts accepted", MISDIRECTED, ACCOUNTS)(
        points.FIND_ACCOUNT_MISMATCH.replace(lambda *_: None)
    ),
    # Amounts.
    fault("zeros cut from amounts", *ALL_VALUES, CONTEXT)(
        change_amounts(lambda amount: amount.normalize())
    ),
    fault("amounts through a float", *ALL_VALUES)(
        change_amounts(lambda amount: Decimal(str(float(amount))))
    ),
    fault("amounts rounded to eight places", BODIES, EXACT, HOLDINGS, CONTEXT)(
        change_amounts(lambda amount: round(amount, 8) if abs(amount) < 10**18 else amount)
    ),
    fault("amounts in Python's default precision", EXACT, CONTEXT)(
        change_amounts(lambda amount: +amount)
    ),
    fault("amounts cached by their first digits", EXACT)(_cache_amounts),
    fault("amounts as strings", *ALL_VALUES, HOLDINGS)(change_amounts(str)),
    fault("no minus before zero", EXACT)(
        change_amounts(lambda amount: amount or amount.copy_abs())
    ),
    fault("losses read as gains", *VALUES, CONTEXT)(change_amounts(abs)),
    fault("two amounts swapped", *ALL_VALUES, HOLDINGS)(
        change_row(lambda row: {"balance": row.available_balance, "available_balance": row.balance})
    ),
    # Names, flags and times.
    fault("names in capitals", EXACT)(change_row(lambda row: {"asset": row.asset.upper()})),
    fault("names without spaces", EXACT)(change_row(lambda row: {"asset": row.asset.strip()})),
    fault("names cut after 20 letters", EXACT)(change_row(lambda row: {"asset": row.asset[:20]})),
    fault("names normalized", EXACT)(
        change_row(lambda row: {"asset": normalize("NFC", row.asset)})
    ),
    fault("every asset is margin", *VALUES)(change_row(lambda row: {"margin_available": True})),
    fault("times in seconds", *ALL_VALUES)(
        change_row(lambda row: {"update_time": row.update_time // 1000})
    ),
    fault("instants in whole seconds", *ALL_VALUES)(
        points.UPDATED_AT.wrap_getter(
            lambda get, row: get(evolve(row, update_time=row.update_time // 1000 * 1000))
        )
    ),
    fault("instants without a zone", *ALL_VALUES)(
        points.UPDATED_AT.wrap_getter(lambda get, row: (at := get(row)) and at.replace(tzinfo=None))
    ),
    # Unknown fields.
    fault("unknown fields dropped", JSON, MOCK_FAULTS)(change_additional(lambda fields: {})),
    fault("unknown numbers as floats", JSON)(
        change_additional(
            lambda fields: {
                name: float(value) if isinstance(value, Decimal) else value
                for name, value in fields.items()
            }
        )
    ),
    # Values that must be rejected.
    fault("invalid rows skipped", *INVALID, JSON, MATRIX, MOCK_FAULTS, ATTEMPTS, HIDDEN)(
        repair_body(_skip_invalid_rows)
    ),
    fault(
        "object read as no rows",
        DELAYS,
        *INVALID,
        MATRIX,
        MOCK_FAULTS,
        ATTEMPTS,
        HIDDEN,
        OTHER_PATHS,
    )(substitute(rb"^\{.*\}$", b"[]")),
    fault("null read as zero", *INVALID)(substitute(rb'("[a-z][A-Za-z]+": )null', rb'\1"0"')),
    fault("numbers accepted as amounts", *INVALID)(
        substitute(rb'("[a-z][A-Za-z]*(?:[bB]alance|Pnl|Amount)": )(-?[0-9.]+)', rb'\1"\2"')
    ),
    fault("long exponents accepted", WRONG)(substitute(rb'"1e40"', b'"1000"')),
    fault("exponents rejected", EXACT, HOLDINGS)(
        change_response(
            lambda response: response._replace(
                body=re.sub(rb'"[0-9.]+[eE][-+0-9]+"', b'"x"', response.body)
            )
        )
    ),
    fault("spaces around amounts accepted", WRONG)(
        substitute(rb'" ?([0-9]+)(?: |\\n)?"', rb'"\1"')
    ),
    fault("plus before amounts accepted", WRONG)(substitute(rb'"\+([0-9])', rb'"\1')),
    fault("strings accepted as times", WRONG)(substitute(rb'Time": "([0-9]+)"', rb'Time": \1')),
    fault("fractions cut from times", WRONG)(
        substitute(rb'Time": ([0-9]+)\.[0-9]+', rb'Time": \1')
    ),
    fault("times of any size accepted", *INVALID)(substitute(rb'Time": [0-9]{19,}', b'Time": 0')),
    fault("times before 1970 accepted", *INVALID)(substitute(rb'Time": -[0-9]+', b'Time": 0')),
    fault("0 and 1 accepted as flags", *INVALID)(
        substitute(rb'Available": [01]', b'Available": true')
    ),
    fault("missing flag read as false", *INVALID)(
        substitute(rb', "marginAvailable": (?!true|false)', b', "marginAvailable": false, "x": ')
    ),
    fault("field names in any case", WRONG)(
        repair_body(lambda body: re.sub(rb'"[A-Z][A-Z]+":', lambda name: name[0].lower(), body))
    ),
    fault("another path in the error", WRONG)(
        change_unexpected(lambda error: {"path": error.path[1:]})
    ),
    # Bodies that are not JSON.
    fault("last of two equal fields read", JSON)(repair_body(_decode_loosely)),
    fault("byte order mark skipped", JSON)(
        repair_body(lambda body: body.removeprefix(b"\xef\xbb\xbf"))
    ),
    fault("bytes after the JSON skipped", JSON, OTHER_PATHS)(
        repair_body(lambda body: body[: body.rfind(b"]") + 1])
    ),
    fault("invalid UTF-8 replaced", JSON)(
        repair_body(lambda body: body.decode(errors="replace").encode())
    ),
    fault("empty body read as no rows", PAGES, OTHER, JSON, MATRIX, MOCK_FAULTS)(
        repair_body(lambda body: body.strip() or b"[]")
    ),
    fault("page read as no rows", DELAYS, PAGES, JSON, MATRIX, ATTEMPTS, OTHER_PATHS)(
        substitute(rb"^<.*>\s*$", b"[]")
    ),
    fault("page not retried", DELAYS, JSON, ATTEMPTS)(
        change_unexpected(lambda error: {"retryable": False})
    ),
    # Changes that keep every promise.
    fault(
        "other words in an error",
        reason="the spec has no words for what it does not describe",
    )(change_unexpected(lambda error: {"found": "something"})),
    fault("another class for parsed values", reason="no caller sees it")(
        change_outcome(
            lambda outcome, _: (
                type("Value", (points.ParsedValue,), {})(outcome.parsed)
                if isinstance(outcome, points.ParsedValue)
                else outcome
            )
        )
    ),
)
