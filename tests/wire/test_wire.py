"""The wire reads: JSON exactly or not at all, amounts without loss; what does not fit is named by place and kind, never by value."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_usdm_wire import (
    OPERATIONS,
    AccountBalance,
    ResponseMismatch,
    ServerTime,
    decoding,
    reading,
)

CANARY = "c4n4ry"
ROW: dict[str, Any] = {
    "accountAlias": "SgsR", "asset": "USDT", "balance": "122607.35137903", "crossWalletBalance": "23.72469206", "crossUnPnl": "-0.00000000",
    "availableBalance": "23.72469206", "maxWithdrawAmount": "23.72469206", "marginAvailable": True, "updateTime": 1617939110373,
}  # fmt: skip
LARGEST = 2**63 - 1
always_the_same = settings(deadline=None, derandomize=True, database=None)
plain_decimals = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**63), 2**64 - 1) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=9
)
scalars = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.sampled_from([":", '"', "\\", "a:b", '{"a":1,"a":2}'])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
rows = st.fixed_dictionaries(
    dict.fromkeys(("accountAlias", "asset"), texts)
    | dict.fromkeys(
        (
            name
            for name, value in ROW.items()
            if name not in ("accountAlias", "asset") and type(value) is str
        ),
        plain_decimals,
    )
    | {"marginAvailable": st.booleans(), "updateTime": st.integers(0, LARGEST)}
)


def encode(value: Any) -> str:
    """JSON text with every Decimal as a number, digit for digit."""
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(name)}:{encode(entry)}" for name, entry in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


def exactly(value: Any) -> str:
    """Tells 1 from True and Decimal('1.0') from Decimal('1.00')."""
    return repr(value)


# JSON


@settings(always_the_same, max_examples=300)
@given(values)
def test_what_was_encoded_is_decoded_exactly(value: Any) -> None:
    assert exactly(decoding.decode(encode(value).encode())) == exactly(value)


@always_the_same
@given(st.dictionaries(texts, scalars, min_size=1), st.data())
def test_a_member_twice_is_refused_wherever_it_stands(
    members: dict[str, Any], data: st.DataObject
) -> None:
    again = data.draw(st.sampled_from(sorted(members)))
    doubled = encode(members)[:-1] + f",{json.dumps(again)}:null}}"
    for body in (
        doubled,
        f"[{doubled}]",
        f"[[{doubled}]]",
        f'{{"outer":{doubled}}}',
        f'[{{"a":1}},{doubled}]',
    ):
        with pytest.raises(ResponseMismatch, match="an object with a duplicate field"):
            decoding.decode(body.encode())


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"1.50", Decimal("1.50")),
        (b'[{"a":0.00}]', [{"a": Decimal("0.00")}]),
        (b'[{"a":[0.10]}]', [{"a": [Decimal("0.10")]}]),
        (b'{"a":{"b":{"c":-0.10}}}', {"a": {"b": {"c": Decimal("-0.10")}}}),
        (b'{"a":1e3}', {"a": Decimal("1E+3")}),
        (b'{"a":1E-300}', {"a": Decimal("1E-300")}),
        (b'{"a":-9223372036854775808}', {"a": -(2**63)}),
        (b'{"a":18446744073709551615}', {"a": 2**64 - 1}),
        (b'[[18446744073709551615]]', [[2**64 - 1]]),
        (b'{"a":18446744073709551616}', {"a": Decimal(2**64)}),
        (b'{"a":0.1000000000000000055511151231257827}', {"a": Decimal("0.1000000000000000055511151231257827")}),
        (b'{"a":"b:c","d":"\\u003a:"}', {"a": "b:c", "d": "::"}),
        (b' \r\n\t[ ] ', []),
        ('{"币安":"人生"}'.encode(), {"币安": "人生"}),
        (b'"\\ud83d\\ude42"', "🙂"),
    ],
    ids=str,
)  # fmt: skip
def test_no_digit_and_no_character_is_lost(body: bytes, value: Any) -> None:
    assert exactly(decoding.decode(body)) == exactly(value)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"NaN", b'{"a":NaN}', b"[Infinity]", b"-Infinity", b'{"a":{"b":-Infinity}}', b"[1,]", b"{'a':1}", b"[1] x", b"[1", b"01",
        b"+1", b".5", b"1.", b'"\t"', b"\xef\xbb\xbf[]", "[]".encode("utf-16"), "[]".encode("utf-32-le"), b'"\xff"', b'"\\ud800"',
        b'{"a":{"b":"\\udc00"}}', b"[" * 40_000, b'{"a":1,"\\u0061":2}', b"1e999999999999999999999", b"[\x00]",
        b"<html>", b'{"a":1e400}',
    ],
)  # fmt: skip
def test_what_is_no_json_text_is_refused_without_showing_it(body: bytes) -> None:
    with pytest.raises(
        ResponseMismatch,
        match=r"^response: expected a JSON text, found (invalid JSON|an object with a duplicate field|NaN or Inf)",
    ) as caught:
        decoding.decode(body)
    assert caught.value.path == ()
    assert caught.value.__context__ is None


@pytest.mark.parametrize("depth", [500, 900, 950, 1000, 1020, 1024, 1025, 5000])
def test_depth_is_decoded_or_refused_and_never_an_error_of_another_kind(depth: int) -> None:
    body = b"[" * depth + b"]" * depth
    try:
        assert type(decoding.decode(body)) is list
    except ResponseMismatch:
        assert depth > 500


# Amounts


@always_the_same
@given(plain_decimals)
def test_an_amount_is_the_same_text_again(written: str) -> None:
    amount = reading.read_decimal(written, None)
    with localcontext(prec=1):
        assert format(amount, "f") == written
        assert reading.read_decimal(written, None).compare_total(amount) == 0


@pytest.mark.parametrize(
    "refused",
    [
        "", " ", "1 ", " 1", "1\n", "+1", "1.", ".5", "-", "-.5", "--1", "01", "-00", "00.1", "1_0", "1,0", "1e3", "1E3", "1.0e-8",
        "0x1", "NaN", "nan",
        "sNaN", "Infinity", "-inf", "１", "1．0", "٣", "1٣", "1.٣", "1\u00a0", "\u22121", "1\x00", "½", "1.0.0", CANARY,
    ],
)  # fmt: skip
def test_a_text_that_would_not_come_back_the_same_is_no_amount(refused: str) -> None:
    with pytest.raises(
        ResponseMismatch,
        match=r"^field balance: expected a decimal string, found a string that is not a decimal number$",
    ):
        reading.read_decimal(refused, "balance")


@pytest.mark.parametrize("value", [1, 1.5, True, None, Decimal(1), [], {}, b"1", reading.MISSING])
def test_only_a_text_is_an_amount(value: Any) -> None:
    with pytest.raises(ResponseMismatch, match=r"^row 3: expected a decimal string, found "):
        reading.read_decimal(value, 3)


# Readers


@pytest.mark.parametrize(
    ("reader", "taken", "refused"),
    [
        (reading.read_string, ["", "é"], [1, None, b"x", reading.MISSING, [""]]),
        (reading.read_boolean, [True, False], [0, 1, "true", None]),
        (reading.integer_reader(0, 9), [0, 9], [-1, 10, True, False, 1.0, "1", None, Decimal(1)]),
        (
            reading.pattern_reader("^[0-9]+$"),
            ["0", "42"],
            ["", "4x", "x4", "42\n", "\n42", "४", 42, None],
        ),
        (
            reading.array_reader(reading.read_boolean),
            [[], [True]],
            [[0], (True,), {}, None, "", [[True]]],
        ),
        (reading.nullable_reader(reading.read_boolean), [None, True], [reading.MISSING, 0, "null"]),
        (reading.optional_reader(reading.read_boolean), [True], [None, 0]),
    ],
    ids=["text", "boolean", "integer", "matching", "array_of", "nullable", "optional"],
)
def test_a_reader_converts_nothing(reader: Any, taken: list[Any], refused: list[Any]) -> None:
    assert [exactly(reader(value, None)) for value in taken] == [exactly(value) for value in taken]
    for value in refused:
        with pytest.raises(ResponseMismatch):
            reader(value, None)


def test_an_optional_member_may_be_missing_and_nothing_else_may() -> None:
    assert reading.optional_reader(reading.read_boolean)(reading.MISSING, "a") is None
    with pytest.raises(ResponseMismatch, match=r"^field a: expected a boolean, found nothing$"):
        reading.read_boolean(reading.MISSING, "a")


# Rows


@always_the_same
@given(st.lists(rows, max_size=3))
def test_a_reply_round_trips_to_the_same_text(reply: list[dict[str, Any]]) -> None:
    parsed = OPERATIONS["balance"].parse_body(json.dumps(reply).encode())
    assert json.dumps([row.to_dict() for row in parsed], sort_keys=True) == json.dumps(
        reply, sort_keys=True
    )


@always_the_same
@given(rows, st.dictionaries(texts, values, max_size=3))
def test_members_that_the_spec_does_not_know_are_kept(
    row: dict[str, Any], more: dict[str, Any]
) -> None:
    source = more | row
    balance = AccountBalance.from_dict(MappingProxyType(source))
    assert balance.to_dict() == source
    assert balance.additional_properties == {
        name: value for name, value in more.items() if name not in row
    }


@pytest.mark.parametrize("name", ROW)
@pytest.mark.parametrize(
    "wrong",
    [reading.MISSING, None, 0.5, [], {}, [CANARY], {CANARY: CANARY}, f"1{CANARY}", 10**30, -1],
)
def test_a_member_that_does_not_fit_is_named_by_row_and_field_and_never_shown(
    name: str, wrong: Any
) -> None:
    if name in ("accountAlias", "asset") and isinstance(wrong, str):
        return  # any text is one
    row = {
        key: value for key, value in (ROW | {name: wrong}).items() if value is not reading.MISSING
    }
    with pytest.raises(ResponseMismatch) as caught:
        OPERATIONS["balance"].parse_body(json.dumps([ROW, row]).encode())
    error = caught.value
    assert error.path == (1, name)
    assert str(error) == f"row 1, field {name}: expected {error.expected}, found {error.found}"
    shown = [
        str(error),
        repr(error),
        repr(error.args),
        repr(error.__context__),
        pickle.dumps(error).decode("latin-1"),
    ]
    assert not [form for form in shown if CANARY in form or "0.5" in form or str(10**30) in form]


@pytest.mark.parametrize(("body", "said"), [
    (b"{}", "response: expected an array, found an object"),
    (b"null", "response: expected an array, found null"),
    (b'[{}, 5]', "row 0, field accountAlias: expected a string, found nothing"),
    (b"[5]", "row 0: expected an object, found a number"),
])  # fmt: skip
def test_a_reply_of_another_shape_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(ResponseMismatch) as caught:
        OPERATIONS["balance"].parse_body(body)
    assert str(caught.value) == said


def test_a_single_object_has_no_row() -> None:
    assert OPERATIONS["server_time"].parse_body(b'{"serverTime":1499827319559}') == ServerTime(
        server_time=1499827319559
    )
    with pytest.raises(
        ResponseMismatch,
        match=r"^field serverTime: expected an integer from 0 to 9223372036854775807, found a string$",
    ):
        OPERATIONS["server_time"].parse_body(b'{"serverTime":"1499827319559"}')


def test_a_mismatch_survives_copying_between_processes() -> None:
    error = ResponseMismatch((1, "asset"), "a string", "null")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.path, str(again)) == (ResponseMismatch, error.path, str(error))
