"""Seeded faults in how the client understands replies: one small patch each, and the checks of layer C that notice it.

Nearly all stand in one place: around the function that makes a value or an error of a reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import pytest
from attrs import evolve

from binance_usdm import _call, _call_context, _errors
from binance_usdm._http.messages import Headers, HttpResponse
from binance_usdm._response import ParsedValue, find_account_mismatch, parse_response
from binance_usdm_wire import AccountBalance

Patch = pytest.MonkeyPatch
FaultPatch = Callable[[Patch], None]
Made = Any
"""A `Value`, or the error that a reply is."""


def sets(owner: Any, name: str, value: Any) -> FaultPatch:
    return lambda patch: patch.setattr(owner, name, value)


def reads(change: Callable[[Made, HttpResponse], Made]) -> FaultPatch:
    """What was read of a reply is changed on its way to the caller."""
    return sets(
        _call,
        "parse_response",
        lambda operation, reply, *rest: change(parse_response(operation, reply, *rest), reply),
    )


def rows(change: Callable[[list[Any]], list[Any]]) -> FaultPatch:
    return reads(lambda made, _: ParsedValue(change(made.parsed)) if _is_rows(made) else made)


def _is_rows(made: Made) -> bool:
    return isinstance(made, ParsedValue) and isinstance(made.parsed, list)


def row(change: Callable[[AccountBalance], dict[str, Any]]) -> FaultPatch:
    """Every row gets other members."""
    return rows(lambda found: [evolve(row, **change(row)) for row in found])


def amounts(change: Callable[[Decimal], Any]) -> FaultPatch:
    def changed(row: Any) -> dict[str, Any]:
        return {
            name: change(value)
            for name, value in _change_fields(row).items()
            if isinstance(value, Decimal)
        }

    return row(changed)


def _change_fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*row.WIRE_NAMES, "additional_properties")}


def _asked_for(change: Callable[[HttpResponse], HttpResponse]) -> FaultPatch:
    """The reply is changed before it is read."""
    return sets(
        _call,
        "parse_response",
        lambda operation, reply, *rest: parse_response(operation, change(reply), *rest),
    )


def account_check(patch: Patch) -> None:
    """Rows are not compared with the account that earlier responses named."""
    real = find_account_mismatch
    patch.setattr(
        _call_context,
        "find_account_mismatch",
        lambda operation, parsed, known: real(operation, parsed, {}),
    )


def _headers(change: Callable[[dict[str, str]], Mapping[str, str]]) -> FaultPatch:
    def changed(reply: HttpResponse) -> HttpResponse:
        headers = change({name.lower(): value for name, value in reply.headers.items()})
        return reply._replace(
            headers=Headers([(name.encode(), headers[name].encode("latin-1")) for name in headers])
        )

    return _asked_for(changed)


def mended(mend: Callable[[bytes], bytes]) -> FaultPatch:
    """A good reply that cannot be read is mended and read again."""

    def lenient(operation: Any, reply: HttpResponse, *rest: Any) -> Made:
        made = parse_response(operation, reply, *rest)
        if isinstance(made, ParsedValue) or reply.status != 200:
            return made
        again = parse_response(operation, reply._replace(body=mend(reply.body)), *rest)
        return again if isinstance(again, ParsedValue) else made

    return sets(_call, "parse_response", lenient)


def _replaced(pattern: bytes, by: bytes) -> FaultPatch:
    return mended(lambda body: re.sub(pattern, by, body))


def _loosely(body: bytes) -> bytes:
    """What Python's decoder takes: the last of two equal members, lone surrogates, NaN."""
    try:
        return json.dumps(json.loads(body.decode())).encode()
    except (ValueError, RecursionError):
        return body


def _good_rows(body: bytes) -> bytes:
    """Rows that are objects with all members; the others are skipped."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    whole = (
        [row for row in found if isinstance(row, dict) and len(row) > 8]
        if isinstance(found, list)
        else found
    )
    return json.dumps(whole).encode()


def refusals(change: Callable[[Any], Made]) -> FaultPatch:
    return reads(lambda made, _: change(made) if isinstance(made, _errors.APIError) else made)


def _again(error: Any, kind: Any = None, **members: Any) -> Made:
    """The same refusal, of another class or with other members."""
    given = {name: getattr(error, name) for name in ("status", "code", "message", "retry_after")}
    return (kind or type(error))(**given | members)


def _taken_for(kind: Any, other: Any) -> FaultPatch:
    return refusals(lambda error: _again(error, other) if type(error) is kind else error)


def _raises(error: Exception, when: Callable[[Made, HttpResponse], bool]) -> FaultPatch:
    def change(made: Made, reply: HttpResponse) -> Made:
        if when(made, reply):
            raise error
        return made

    return reads(change)


def _field_named(reply: HttpResponse) -> HttpResponse:
    HTTPStatus(reply.status)  # ValueError for a status that Python has no name for
    return reply


def _unexpected(made: Made, reply: HttpResponse) -> bool:
    return isinstance(made, _errors.UnexpectedResponse)


def _merged(found: list[Any]) -> list[Any]:
    return [*{getattr(row, "asset", row): row for row in found}.values()]


def _in_seconds(row: AccountBalance) -> Any:
    return _UPDATED.fget(evolve(row, update_time=row.update_time // 1000 * 1000))


def _without_zone(row: AccountBalance) -> Any:
    at = _UPDATED.fget(row)
    return at and at.replace(tzinfo=None)


_UPDATED: Any = AccountBalance.updated_at
_SAME = "described_bodies_come_out_the_same"
_EXACT = "values_are_exact_in_every_place"
_OTHER = "other_bodies_are_refused"
_WRONG = "wrong_values_are_refused_with_their_place"
_STRICT = "texts_are_read_strictly"
_SIZES = "sizes_are_bounded"
_MATRIX = "every_reply_is_a_value_or_an_error"
_REFUSED = "refusals_are_told_apart"
_SAFE = "messages_are_made_safe"
_WAITS = "waits_are_understood"
_ALONG = "what_comes_along_is_told"
_SCRIPTED = "scripted_faults_are_told_apart"
_ACCOUNTS = "rows_of_another_account_are_refused"

FAULTS: Final[dict[str, tuple[FaultPatch, set[str]]]] = {
    # values
    "last of the rows lost": (
        rows(lambda found: found[:-1]),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED, _ACCOUNTS},
    ),
    "accounts not compared with earlier responses": (account_check, {_ACCOUNTS}),
    "rows of two accounts accepted": (
        sets(_call_context, "find_account_mismatch", lambda *_: None),
        {_ACCOUNTS},
    ),
    "rows in the order of their names": (
        rows(lambda found: sorted(found, key=lambda row: row.asset)),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG},
    ),
    "one row an asset": (rows(_merged), {_SAME, _SIZES}),
    "rows that hold nothing left out": (
        rows(lambda found: [row for row in found if row.balance]),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG},
    ),
    "first row alone when there are many": (rows(lambda found: found[:500]), {_SIZES}),
    "zeros cut from amounts": (
        amounts(lambda amount: amount.normalize()),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "amounts through a float": (
        amounts(lambda amount: Decimal(str(float(amount)))),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "amounts rounded to eight places": (
        amounts(lambda amount: round(amount, 8) if abs(amount) < 10**18 else amount),
        {_SAME, _EXACT},
    ),
    "amounts are texts": (amounts(str), {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED}),
    "no minus before zero": (amounts(lambda amount: amount or amount.copy_abs()), {_EXACT}),
    "losses are gains": (amounts(abs), {_SAME, _EXACT, _STRICT, _SIZES, _ALONG}),
    "two amounts swapped": (
        row(lambda row: {"balance": row.available_balance, "available_balance": row.balance}),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "names in capitals": (row(lambda row: {"asset": row.asset.upper()}), {_EXACT}),
    "names without blanks": (row(lambda row: {"asset": row.asset.strip()}), {_EXACT}),
    "every asset is margin": (
        row(lambda row: {"margin_available": True}),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG},
    ),
    "times in seconds": (
        row(lambda row: {"update_time": row.update_time // 1000}),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "instants in whole seconds": (
        sets(AccountBalance, "updated_at", property(_in_seconds)),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "instants without a zone": (
        sets(AccountBalance, "updated_at", property(_without_zone)),
        {_SAME, _EXACT, _STRICT, _SIZES, _ALONG, _SCRIPTED},
    ),
    "unknown members dropped": (
        row(lambda row: {"additional_properties": {}}),
        {_STRICT, _SCRIPTED},
    ),
    "unknown numbers are floats": (
        row(
            lambda row: {
                "additional_properties": {
                    name: float(value) if isinstance(value, Decimal) else value
                    for name, value in row.additional_properties.items()
                }
            }
        ),
        {_STRICT},
    ),
    # what cannot be read
    "rows that do not fit skipped": (
        mended(_good_rows),
        {_OTHER, _WRONG, _STRICT, _MATRIX, _SCRIPTED},
    ),
    "an object is no row": (_replaced(rb"^\{.*\}$", b"[]"), {_OTHER, _WRONG, _MATRIX, _SCRIPTED}),
    "null is zero": (_replaced(rb'("[a-z][A-Za-z]+": )null', rb'\1"0"'), {_OTHER, _WRONG}),
    "numbers are amounts": (
        _replaced(rb'("[a-z][A-Za-z]*(?:[bB]alance|Pnl|Amount)": )(-?[0-9.]+)', rb'\1"\2"'),
        {_OTHER, _WRONG},
    ),
    "amounts with a long exponent": (_replaced(rb'"1e40"', b'"1000"'), {_WRONG}),
    "amounts with an exponent rejected": (
        _asked_for(
            lambda reply: reply._replace(body=re.sub(rb'"[0-9.]+[eE][-+0-9]+"', b'"x"', reply.body))
        ),
        {_EXACT},
    ),
    "amounts between blanks": (_replaced(rb'" ?([0-9]+)(?: |\\n)?"', rb'"\1"'), {_WRONG}),
    "amounts with a plus": (_replaced(rb'"\+([0-9])', rb'"\1'), {_WRONG}),
    "times as texts": (_replaced(rb'Time": "([0-9]+)"', rb'Time": \1'), {_WRONG}),
    "times with a fraction": (_replaced(rb'Time": ([0-9]+)\.[0-9]+', rb'Time": \1'), {_WRONG}),
    "times of any size": (_replaced(rb'Time": [0-9]{19,}', b'Time": 0'), {_OTHER, _WRONG}),
    "times before 1970": (_replaced(rb'Time": -[0-9]+', b'Time": 0'), {_OTHER, _WRONG}),
    "zero and one are flags": (
        _replaced(rb'Available": [01]', b'Available": true'),
        {_OTHER, _WRONG},
    ),
    "a missing flag is false": (
        _replaced(rb', "marginAvailable": (?!true|false)', b', "marginAvailable": false, "x": '),
        {_OTHER, _WRONG},
    ),
    "the last of two equal members": (mended(_loosely), {_STRICT}),
    "a byte order mark is skipped": (
        mended(lambda body: body.removeprefix(b"\xef\xbb\xbf")),
        {_STRICT},
    ),
    "what follows the JSON is skipped": (
        mended(lambda body: body[: body.rfind(b"]") + 1]),
        {_STRICT},
    ),
    "bytes that are no UTF-8 replaced": (
        mended(lambda body: body.decode(errors="replace").encode()),
        {_STRICT},
    ),
    "an empty body is an empty list": (
        mended(lambda body: body.strip() or b"[]"),
        {_OTHER, _STRICT, _MATRIX, _SCRIPTED},
    ),
    "a page is an empty list": (_replaced(rb"^<.*>\s*$", b"[]"), {_STRICT, _MATRIX}),
    "another place in the error": (
        reads(
            lambda made, _: (
                _errors.UnexpectedResponse(
                    made.status, made.path[1:], made.expected, made.found, made.retryable
                )
                if isinstance(made, _errors.UnexpectedResponse)
                else made
            )
        ),
        {_WRONG},
    ),
    # statuses
    "any 2xx is good": (
        _asked_for(lambda reply: reply._replace(status=200) if 200 < reply.status < 300 else reply),
        {_MATRIX},
    ),
    "a status without a name crashes": (
        _asked_for(_field_named),
        {_MATRIX, _REFUSED, _SAFE, _WAITS},
    ),
    "a list as error crashes": (
        _raises(
            AttributeError("'list' has no get"),
            lambda made, reply: reply.status >= 400 and reply.body[:1] == b"[",
        ),
        {_MATRIX, _REFUSED},
    ),
    "an error of the decoder's own": (
        _raises(ValueError("no JSON"), _unexpected),
        {_OTHER, _WRONG, _STRICT, _SIZES, _MATRIX, _ALONG, _SCRIPTED},
    ),
    "nothing instead of an error": (
        reads(lambda made, reply: ParsedValue([]) if reply.status == 404 else made),
        {_MATRIX, _REFUSED, _SAFE, _WAITS, _SCRIPTED},
    ),
    "a page of an error is unexpected": (
        reads(
            lambda made, reply: (
                _errors.UnexpectedResponse(reply.status, (), "JSON", "a page")
                if reply.status >= 400 and reply.body[:1] == b"<"
                else made
            )
        ),
        {_MATRIX, _SCRIPTED},
    ),
    "a refusal in a 200 is unexpected": (
        reads(
            lambda made, reply: (
                _errors.UnexpectedResponse(200, (), "a value", "a refusal")
                if reply.status == 200 and isinstance(made, _errors.APIError)
                else made
            )
        ),
        {_MATRIX, _SCRIPTED},
    ),
    # refusals
    "codes not looked at": (
        sets(_errors, "ERROR_CLASS_BY_CODE", {}),
        {_MATRIX, _REFUSED, _WAITS, _ALONG, _SCRIPTED},
    ),
    "statuses not looked at": (
        sets(_errors, "ERROR_CLASS_BY_STATUS", {}),
        {_MATRIX, _REFUSED, _WAITS, _SCRIPTED},
    ),
    "a clock that is wrong is a bad request": (
        _taken_for(_errors.TimestampError, _errors.BadRequestError),
        {_MATRIX, _REFUSED, _ALONG},
    ),
    "a bad key is forbidden": (
        _taken_for(_errors.AuthenticationError, _errors.ForbiddenError),
        {_MATRIX, _REFUSED, _SCRIPTED},
    ),
    "the firewall is about the key": (
        _taken_for(_errors.ForbiddenError, _errors.AuthenticationError),
        {_MATRIX, _REFUSED, _SCRIPTED},
    ),
    "a fault of the exchange is a bad request": (
        _taken_for(_errors.ServerError, _errors.BadRequestError),
        {_MATRIX, _REFUSED, _SCRIPTED},
    ),
    "a ban is a limit": (
        _taken_for(_errors.IPBannedError, _errors.RateLimitError),
        {_MATRIX, _REFUSED, _WAITS, _SCRIPTED},
    ),
    "no difference at all": (
        refusals(lambda error: _again(error, _errors.APIError)),
        {_MATRIX, _REFUSED, _WAITS, _ALONG, _SCRIPTED},
    ),
    "the code is the status": (
        refusals(lambda error: _again(error, code=error.status)),
        {_MATRIX, _REFUSED, _ALONG, _SCRIPTED},
    ),
    "the status is the code": (
        refusals(lambda error: _again(error, status=error.code or error.status)),
        {_MATRIX, _REFUSED, _ALONG, _SCRIPTED},
    ),
    "no code is zero": (
        refusals(lambda error: _again(error, code=error.code or 0)),
        {_MATRIX, _REFUSED, _ALONG, _SCRIPTED},
    ),
    "message lost": (refusals(lambda error: _again(error, message="")), {_REFUSED, _SAFE, _WAITS}),
    "everything may be tried again": (sets(_errors.APIError, "retryable", True), {_REFUSED}),
    "an order limit may be tried again": (sets(_errors, "NON_RETRYABLE_CODES", set()), {_REFUSED}),
    # what comes along
    "Retry-After not read": (
        _headers(lambda headers: {**headers, "retry-after": ""}),
        {_WAITS, _SCRIPTED},
    ),
    "Retry-After in whole seconds": (
        _headers(
            lambda headers: {
                **headers,
                "retry-after": headers.get("retry-after", "").partition(".")[0],
            }
        ),
        {_WAITS},
    ),
    "Retry-After never as a date": (
        _headers(
            lambda headers: {
                **headers,
                "retry-after": re.sub("[A-Z].*", "", headers.get("retry-after", "")),
            }
        ),
        {_WAITS},
    ),
    "the end of a ban not read": (
        sets(_errors, "parse_ban_end_ms", lambda message: None),
        {_MATRIX, _REFUSED, _WAITS},
    ),
    "no wait when none was said": (
        sets(_call_context, "cooldown_seconds", lambda error, now: error.retry_after),
        {_WAITS},
    ),
    "used weight not read": (sets(_call, "parse_used_weight", lambda headers: None), {_ALONG}),
    "used weight is a text": (
        sets(_call, "parse_used_weight", lambda headers: headers.get("x-mbx-used-weight-1m")),
        {_ALONG},
    ),
    "compressed bodies not read": (
        _headers(lambda headers: {**headers, "content-encoding": ""}),
        {_ALONG, _SCRIPTED},
    ),
    "JSON only if it says so": (
        reads(
            lambda made, reply: (
                made
                if "json" in reply.headers.get("content-type", "json")
                else _errors.UnexpectedResponse(reply.status, (), "JSON", "another type")
            )
        ),
        {_MATRIX, _SCRIPTED},
    ),
    "a weight that is no number crashes": (
        _raises(
            ValueError("int"), lambda _, reply: reply.headers.get("x-mbx-used-weight-1m") == "x"
        ),
        {_ALONG},
    ),
}
"""Name -> how to plant it, and by which checks it is caught."""

EQUIVALENT: Final[dict[str, tuple[FaultPatch, str]]] = {
    "other words in an error": (
        reads(
            lambda made, _: (
                _errors.UnexpectedResponse(
                    made.status, made.path, made.expected, "something", made.retryable
                )
                if isinstance(made, _errors.UnexpectedResponse)
                else made
            )
        ),
        "the spec has no words for what it does not describe",
    ),
    "another name for a value of the client's own": (
        reads(
            lambda made, _: (
                type("Found", (ParsedValue,), {})(made.parsed)
                if isinstance(made, ParsedValue)
                else made
            )
        ),
        "no caller sees it",
    ),
}
"""Changes that keep every promise: name -> how to plant it, and why nothing is to be noticed."""
