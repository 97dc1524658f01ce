"""Bodies of responses in scenarios: a JSON value, a string, or bytes in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from binance_usdm.mock.core.response import dump_json
from binance_usdm.mock.core.strict_json import dumps, loads
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.spec.rows import BALANCE_OPERATION, change_row, default_row
from binance_usdm.mock.state.accounts import Account

Validate = Callable[[Any], object]
_FORMS: Final = ("rows", "value", "text", "base64")


def require_one_of(entry: Mapping[str, Any], *names: str) -> str:
    """Return which of some fields an object has.

    Raises:
        ValueError: It has none or several.
    """
    found = [name for name in names if name in entry]
    if len(found) != 1:
        raise ValueError(f"send exactly one of {', '.join(names)}")
    return found[0]


def parse_stub_body(entry: Mapping[str, Any]) -> bytes:
    """Return the body of a stub.

    Raises:
        ValueError: The entry has no body, or several.
    """
    return _parse_plain(entry, require_one_of(entry, *_FORMS[1:]))


def parse_reply_body(spec: ApiSpec, entry: Mapping[str, Any], account: Account) -> bytes:
    """Return the body of an operation.

    Args:
        spec: Spec that a value must keep.
        entry: Entry of `replies`.
        account: Account of the rows that do not say theirs.

    Raises:
        ValueError: The operation is unknown, the entry has no body or several, or the spec forbids
            the value.
    """
    operation = spec.require_operation(entry["operation"])
    form = require_one_of(entry, *_FORMS)
    if form == "rows":
        if operation.id != BALANCE_OPERATION:
            raise ValueError(f"rows are for the operation {BALANCE_OPERATION}")
        rows = [_parse_row(spec, row, account) for row in entry["rows"]]
        spec.validate_body(operation, rows)
        return dumps(rows)
    if form == "value":
        spec.validate_body(operation, entry["value"])
    return _parse_plain(entry, form)


def _parse_row(spec: ApiSpec, row: Mapping[str, Any], account: Account) -> dict[str, Any]:
    fields = {name: value for name, value in row.items() if name != "asset"}
    if not {"accountAlias", "account_alias"} & fields.keys():
        fields["account_alias"] = account.alias
    return change_row(spec, default_row(spec, row["asset"]), fields)


def _parse_plain(entry: Mapping[str, Any], form: str) -> bytes:
    if form == "value":
        return dumps(entry["value"])
    if form == "text":
        return str(entry["text"]).encode()
    return decode_base64(entry["base64"])


def decode_base64(text: str) -> bytes:
    """Return the bytes of base64.

    Raises:
        ValueError: The string is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("base64 is not valid") from None


def show_body(body: bytes, validate: Validate = lambda value: None) -> dict[str, Any]:
    """Return a body as one of `value`, `text` and `base64`, from which the same bytes are made.

    Args:
        body: The body.
        validate: Function that raises a ValueError for a JSON value that `value` cannot have.
    """
    try:
        exact = loads(body)
        validate(exact)
        value = json.loads(body)
        # Numbers can be written in ways that one of the two does not keep.
        if dumps(exact) == dump_json(value) == body:
            return {"value": value}
    except (ValueError, RecursionError):
        pass
    return show_text(body)


def show_text(body: bytes) -> dict[str, Any]:
    """Return a body as `text` or `base64`."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
