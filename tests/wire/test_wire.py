"""JSON and amounts are read exactly or rejected.

An error names the place and the JSON type, never the value.
"""

from __future__ import annotations

import json
import pickle
import tracemalloc
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_usdm.mock import Exchange, running
from binance_usdm_wire import (
    OPERATIONS,
    AccountBalance,
    ResponseMismatch,
    ServerTime,
    decoding,
    reading,
)
from tests.support.command_line import run

CANARY = "c4n4ry"
ROW: dict[str, Any] = {
    "accountAlias": "SgsR", "asset": "USDT", "balance": "122607.35137903",
    "crossWalletBalance": "23.72469206", "crossUnPnl": "-0.00000000",
    "availableBalance": "23.72469206", "maxWithdrawAmount": "23.72469206", "marginAvailable": True,
    "updateTime": 1617939110373,
}  # fmt: skip
LARGEST = 2**63 - 1
always_the_same = settings(deadline=None, derandomize=True, database=None)
plain_decimals = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**63), 2**64 - 1)
fractions = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=9
)
colons = st.sampled_from([":", '"', "\\", "a:b", '{"a":1,"a":2}'])
scalars = st.one_of(st.none(), st.booleans(), integers, fractions, texts, colons)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
STRINGS = ("accountAlias", "asset")
AMOUNTS = [name for name, value in ROW.items() if type(value) is str and name not in STRINGS]
rows = st.fixed_dictionaries(
    dict.fromkeys(STRINGS, texts)
    | dict.fromkeys(AMOUNTS, plain_decimals)
    | {"marginAvailable": st.booleans(), "updateTime": st.integers(0, LARGEST)}
)


def encode(value: Any) -> str:
    """Return the JSON text of a value, with every Decimal as a number, digit for digit."""
    if isinstance(value, dict):
        fields = [f"{json.dumps(name)}:{encode(entry)}" for name, entry in value.items()]
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


def exactly(value: Any) -> str:
    """Return a string that differs for 1 and True, and for Decimal('1.0') and Decimal('1.00')."""
    return repr(value)


# JSON


@settings(always_the_same, max_examples=300)
@given(values)
def test_what_was_encoded_is_decoded_exactly(value: Any) -> None:
    """Types, digits and nesting survive."""
    assert exactly(decoding.decode(encode(value).encode())) == exactly(value)


@always_the_same
@given(st.dictionaries(texts, scalars, min_size=1), st.data())
def test_a_duplicate_field_is_rejected_everywhere(
    fields: dict[str, Any], data: st.DataObject
) -> None:
    """It may stand in an object, in an array or at any depth."""
    name = data.draw(st.sampled_from(sorted(fields)))
    doubled = encode(fields)[:-1] + f",{json.dumps(name)}:null}}"
    bodies = [doubled, f"[{doubled}]", f"[[{doubled}]]", f'[{{"a":1}},{doubled}]']
    for body in [*bodies, f'{{"outer":{doubled}}}']:
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
        (b'{"a":0.1000000000000000055511151231257827}',
         {"a": Decimal("0.1000000000000000055511151231257827")}),
        (b'{"a":"b:c","d":"\\u003a:"}', {"a": "b:c", "d": "::"}),
        (b' \r\n\t[ ] ', []),
        ('{"币安":"人生"}'.encode(), {"币安": "人生"}),
        (b'"\\ud83d\\ude42"', "🙂"),
    ],
    ids=str,
)  # fmt: skip
def test_no_digit_and_no_character_is_lost(body: bytes, value: Any) -> None:
    """Numbers that a float or 64 bits cannot hold become Decimals."""
    assert exactly(decoding.decode(body)) == exactly(value)


@pytest.mark.parametrize("depth", [500, 900, 950, 1000, 1020, 1024, 1025, 5000])
def test_any_depth_is_decoded_or_rejected(depth: int) -> None:
    """500 levels are decoded, and deeper ones rejected, whatever the version of Python."""
    body = b"[" * depth + b"]" * depth
    try:
        assert type(decoding.decode(body)) is list
        assert depth <= 500
    except ResponseMismatch:
        assert depth > 500


# Amounts


@always_the_same
@given(plain_decimals)
def test_an_amount_is_the_same_string_again(written: str) -> None:
    """The caller's decimal context has no influence on reading."""
    amount = reading.read_decimal(written, None)
    with localcontext(prec=1):
        assert format(amount, "f") == written
        assert reading.read_decimal(written, None).compare_total(amount) == 0


@pytest.mark.promise("R17")
@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("5.0E7", "50000000"), ("0E-8", "0.00000000"), ("1e-7", "0.0000001"),
        ("-1.5E+3", "-1500"), ("-0E-8", "-0.00000000"), ("0e+8", "0"), ("1.2345e2", "123.45"),
        ("1e-07", "0.0000001"), ("1e0", "1"), ("1e39", "1" + "0" * 39), ("0.1e40", "1" + "0" * 39),
        ("1e-39", "0." + "0" * 38 + "1"), ("1." + "2" * 39 + "e+1", "12." + "2" * 38),
    ],
)  # fmt: skip
def test_an_exponent_is_read_exactly(written: str, plain: str) -> None:
    """The value is exact, and `to_dict` writes it in plain digits."""
    with localcontext(prec=1):
        amount = reading.read_decimal(written, None)
    assert amount.compare_total(Decimal(plain)) == 0
    assert amount == Decimal(written)
    assert reading.format_decimal(amount) == plain
    row = AccountBalance.from_dict(ROW | {"balance": written})
    assert row.to_dict() == ROW | {"balance": plain}
    assert AccountBalance.from_dict(row.to_dict()) == row


@pytest.mark.promise("R17")
@always_the_same
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?[eE][+-]?[0-9]{1,2}", fullmatch=True))
def test_exponents_have_40_digits_at_most(written: str) -> None:
    """Its value is exact when the plain form has 40 digits, and a mismatch when it has more."""
    plain = format(Decimal(written), "f")
    if len(plain.replace(".", "").replace("-", "")) > 40:
        with pytest.raises(ResponseMismatch):
            reading.read_decimal(written, None)
    else:
        assert reading.format_decimal(reading.read_decimal(written, None)) == plain


@pytest.mark.promise("R17")
def test_huge_exponents_take_no_memory() -> None:
    """A short string never becomes a long amount."""
    tracemalloc.start()
    try:
        for exponent in ("999999999", "-999999999", "99", "-99", "9" * 5000):
            with pytest.raises(ResponseMismatch):
                reading.read_decimal(f"1e{exponent}", None)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.promise("R17")
def test_one_exponent_leaves_other_rows_exact() -> None:
    """A response with an exponent in one amount is read as a whole."""
    source = [ROW, ROW | {"crossUnPnl": "0E-8", "availableBalance": "5.0E7"}, ROW]
    parsed = OPERATIONS["balance"].parse_body(json.dumps(source).encode())
    plain = {"crossUnPnl": "0.00000000", "availableBalance": "50000000"}
    assert [row.to_dict() for row in parsed] == [ROW, ROW | plain, ROW]


def test_the_command_prints_exponents_plainly() -> None:
    """JSON, CSV and text show the digits of an amount that came with an exponent."""
    exchange = Exchange()
    exchange.seed("balance", [ROW | {"balance": "5.0E7", "crossUnPnl": "0E-8"}])
    environment = {
        "BINANCE_API_KEY": exchange.api_key,
        "BINANCE_API_SECRET": exchange.api_secret,
    }
    with running(exchange) as url:
        for form in ("--json", "--csv", "--asset=USDT"):
            done = run("balance", "--base-url", url, form, **environment)
            assert done.returncode == 0, done.stderr
            assert "50000000" in done.stdout
            assert "0.00000000" in done.stdout
            assert "5.0E7" not in done.stdout
            assert "0E-8" not in done.stdout


@pytest.mark.parametrize("value", [1, 1.5, True, None, Decimal(1), [], {}, b"1", reading.MISSING])
def test_only_a_string_is_an_amount(value: Any) -> None:
    """JSON numbers are rejected: a float may have lost digits already."""
    with pytest.raises(ResponseMismatch, match=r"^row 3: expected a decimal string, found "):
        reading.read_decimal(value, 3)


# Readers


@pytest.mark.parametrize(
    ("reader", "accepted", "rejected"),
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
    ids=["string", "boolean", "integer", "pattern", "array", "nullable", "optional"],
)
def test_a_reader_converts_nothing(reader: Any, accepted: list[Any], rejected: list[Any]) -> None:
    """A value of another type is rejected, also where Python would convert it."""
    assert [exactly(reader(value, None)) for value in accepted] == list(map(exactly, accepted))
    for value in rejected:
        with pytest.raises(ResponseMismatch):
            reader(value, None)


def test_only_an_optional_field_may_be_missing() -> None:
    """Its value is None; any other missing field is a mismatch."""
    assert reading.optional_reader(reading.read_boolean)(reading.MISSING, "a") is None
    with pytest.raises(ResponseMismatch, match=r"^field a: expected a boolean, found nothing$"):
        reading.read_boolean(reading.MISSING, "a")


# Rows


@always_the_same
@given(st.lists(rows, max_size=3))
def test_rows_round_trip_exactly(response: list[dict[str, Any]]) -> None:
    """`to_dict` of all rows is the JSON of the response."""
    parsed = OPERATIONS["balance"].parse_body(json.dumps(response).encode())
    written = json.dumps([row.to_dict() for row in parsed], sort_keys=True)
    assert written == json.dumps(response, sort_keys=True)


@always_the_same
@given(rows, st.dictionaries(texts, values, max_size=3))
def test_json_text_has_every_digit(row: dict[str, Any], more: dict[str, Any]) -> None:
    """`to_json` is the JSON text of `to_dict`, numbers and nesting included."""
    balance = AccountBalance.from_dict(more | row)
    written = balance.to_json()
    assert exactly(decoding.decode(written.encode())) == exactly(balance.to_dict())
    assert AccountBalance.from_dict(decoding.decode(written.encode())) == balance


@pytest.mark.promise("R17")
@pytest.mark.parametrize(
    "number",
    ["1.50", "-0.0", "0.10000000000000000000000000000001", "123456789012345678901234567890",
     "18446744073709551615", "1E-300", "1E+5", "[1.50,{\"b\":-2.50}]",
     "[" * 499 + "1.0" + "]" * 499],
)  # fmt: skip
def test_unknown_numbers_are_written_unchanged(number: str) -> None:
    """`json.dumps` rejects some of `to_dict`; `to_json` writes all as they were sent."""
    body = f'{{"serverTime":1617939110373,"new":{number}}}'
    clock = ServerTime.from_dict(decoding.decode(body.encode()))
    assert clock.to_json() == body
    odd = attrs.evolve(clock, additional_properties={"new": Decimal("NaN")})
    with pytest.raises(ValueError, match="non-finite"):
        odd.to_json()


@always_the_same
@given(rows, st.dictionaries(texts, values, max_size=3))
def test_unknown_fields_are_kept(row: dict[str, Any], more: dict[str, Any]) -> None:
    """They are in `additional_properties` and in `to_dict`."""
    source = more | row
    balance = AccountBalance.from_dict(MappingProxyType(source))
    assert balance.to_dict() == source
    unknown = {name: value for name, value in more.items() if name not in row}
    assert balance.additional_properties == unknown


def test_a_single_object_has_no_row_number() -> None:
    """A mismatch in it names the field only."""
    parse_body = OPERATIONS["server_time"].parse_body
    expected = ServerTime(server_time=1499827319559)
    assert parse_body(b'{"serverTime":1499827319559}') == expected
    with pytest.raises(ResponseMismatch) as caught:
        parse_body(b'{"serverTime":"1499827319559"}')
    assert str(caught.value) == (
        "field serverTime: expected an integer from 0 to 9223372036854775807, found a string"
    )


def test_a_mismatch_survives_pickling() -> None:
    """Its parts and its message are the same in another process."""
    error = ResponseMismatch((1, "asset"), "a string", "null")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.path, str(again)) == (ResponseMismatch, error.path, str(error))
