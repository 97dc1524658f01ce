"""Typed rows are immutable and exact; arguments are checked before they are encoded."""

from __future__ import annotations

import copy
import enum
import inspect
import json
import pickle
import string
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import binance_usdm_wire as wire
from binance_usdm_wire import (
    OPERATIONS,
    AccountBalance,
    InvalidArgumentError,
    ResponseMismatch,
    decoding,
    reading,
    writing,
)
from binance_usdm_wire import rows as wire_rows
from binance_usdm_wire.models import account_balance
from tests.support.spec_facts import (
    BALANCE_PATH,
    BALANCE_WEIGHT,
    TIME_PATH,
    TIME_WEIGHT,
    without_optional,
)

CANARY = "c4n4ry"
ROW: dict[str, Any] = {
    "accountAlias": "SgsR", "asset": "币安人生", "balance": "1.50", "crossWalletBalance": "0.00",
    "crossUnPnl": "-0.1",
    "availableBalance": "2", "maxWithdrawAmount": "0", "marginAvailable": False,
    "updateTime": 1617939110373,
}  # fmt: skip
LAST = 253402300799999  # 9999-12-31 23:59:59.999
always_the_same = settings(deadline=None, derandomize=True, database=None)


@pytest.fixture
def row() -> AccountBalance:
    return AccountBalance.from_dict(ROW | {"new": {"kept": 1}})


class Side(enum.StrEnum):
    BUY = CANARY


class Amount(Decimal):
    pass


# Rows

ODD = st.sampled_from([
    None, True, 0, -1, 2**63 - 1, 2**63, 10**20, 1.5, "", "1", "01", "1e5", "1e40", "1,2", "-0.0",
    "x", ":", "\ud800", [], {}, [1], {"a": 1}, "1" * 50,
])  # fmt: skip
FIELDS = st.sampled_from([*ROW, "new", "newer"])


@pytest.mark.promise("R17")
@always_the_same
@given(
    st.lists(st.one_of(st.dictionaries(FIELDS, ODD, max_size=3), ODD), max_size=4),
    st.lists(FIELDS, max_size=2),
)
def test_both_ways_to_read_rows_agree(changes: list[Any], missing: list[str]) -> None:
    """Reading records gives the same rows or mismatches as reading object by object."""
    rows: Any = [{**ROW, **change} if isinstance(change, dict) else change for change in changes]
    for name in missing:
        for row in rows[-1:]:
            if type(row) is dict:
                row.pop(name, None)
    body = json.dumps(rows).encode()
    read_objects = reading.array_reader(AccountBalance.read)
    by_object = outcome(lambda: read_objects(decoding.decode(body), None))
    assert outcome(lambda: AccountBalance.parse_rows(body)) == by_object


def outcome(read: Any) -> object:
    """Return the rows, with their types and looks, or the parts of a mismatch."""
    try:
        rows = read()
    except ResponseMismatch as mismatch:
        return mismatch.args
    return [(type(row), row, repr(row)) for row in rows]


def test_usual_rows_are_read_as_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need no `from_dict`, are frozen, and share no dict of unknown fields."""
    rows = [ROW, ROW | {"asset": "BTC"}]
    expected = [AccountBalance.from_dict(row) for row in rows]
    monkeypatch.setattr(AccountBalance, "from_dict", None)
    balances = AccountBalance.parse_rows(json.dumps(rows).encode())
    assert balances == expected
    with pytest.raises(AttributeError):
        balances[0].balance = Decimal(2)  # type: ignore[misc]
    assert [row.additional_properties for row in balances] == [{}, {}]
    assert balances[0].additional_properties is not balances[1].additional_properties
    assert pickle.loads(pickle.dumps(balances)) == copy.deepcopy(balances) == balances


@pytest.fixture
def reader() -> wire_rows.RowReader[AccountBalance]:
    """A reader of rows that has not met an unknown field yet."""
    return wire_rows.RowReader(
        account_balance._Record, (), account_balance._make_rows, AccountBalance.read
    )


@pytest.mark.parametrize("value", ["0.5", "", True, None, 0, -(2**63), 2**63 - 1])
def test_a_new_field_becomes_part_of_records(
    reader: wire_rows.RowReader[AccountBalance], monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    """After rows with one unknown field, rows with and without it need no `from_dict`."""
    sources = [ROW | {"new": value}, ROW]
    body = json.dumps(sources).encode()
    expected = reader.parse(body)
    assert [row.to_dict() for row in expected] == sources
    monkeypatch.setattr(AccountBalance, "from_dict", None)
    assert outcome(lambda: reader.parse(body)) == outcome(lambda: expected)
    assert [row.to_dict() for row in reader.parse(json.dumps([ROW]).encode())] == [ROW]


NEW = ["1.0", "1e2", "1.5", "-0.0", "[]", '{"new": 1}', '":"', str(2**63), str(10**20), '"\\ud800"',
       '1, "new": 1', '1, "newer": 2', '1, "asset": "USDT"']  # fmt: skip


@pytest.mark.promise("R17")
@pytest.mark.parametrize("new", NEW)
@pytest.mark.parametrize("learned", ["1", '"x"'])
def test_a_record_with_a_new_field_is_exact(
    reader: wire_rows.RowReader[AccountBalance], learned: str, new: str
) -> None:
    """Whatever its value is, the result is that of reading object by object."""
    row = json.dumps(ROW).removesuffix("}")
    read_objects = reading.array_reader(AccountBalance.read)
    for value in (learned, new, new, learned, '2, "newer": 1', '2, "newer": 1'):
        body = f'[{row}, "new": {value}}}]'.encode()
        by_object = outcome(lambda: read_objects(decoding.decode(body), None))  # noqa: B023
        assert outcome(lambda: reader.parse(body)) == by_object  # noqa: B023


def test_the_number_of_new_fields_is_bounded(
    reader: wire_rows.RowReader[AccountBalance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response with ever new fields does not make a record for each."""
    makes: list[str] = []
    defstruct = msgspec.defstruct

    def count(name: str, *args: Any, **options: Any) -> Any:
        makes.append(name)
        return defstruct(name, *args, **options)

    monkeypatch.setattr(msgspec, "defstruct", count)
    for number in range(50):
        [row] = reader.parse(json.dumps([ROW | {f"new{number}": number}]).encode())
        assert row.additional_properties == {f"new{number}": number}
    assert len(makes) == wire_rows._MAX_EXTENSIONS


def test_a_row_is_immutable(row: AccountBalance) -> None:
    """No attribute can be set, added or deleted, and arguments are keyword-only."""
    for name in ("balance", "additional_properties", "new_attribute"):
        with pytest.raises(AttributeError):
            setattr(row, name, Decimal(1))
        with pytest.raises(AttributeError):
            delattr(row, name)
    assert not hasattr(row, "__dict__")
    make: Any = AccountBalance
    # Positions would change with the spec.
    with pytest.raises(TypeError, match="positional"):
        make(*ROW.values())


def test_equal_rows_have_equal_hashes(row: AccountBalance) -> None:
    """Rows compare by value, unknown fields included."""
    same = AccountBalance.from_dict(ROW | {"new": {"kept": 1}})
    assert same == row
    assert {same, row} == {row}
    assert AccountBalance.from_dict(ROW) != row
    assert AccountBalance.from_dict(ROW | {"asset": "BNB"}) != AccountBalance.from_dict(ROW)


def test_a_row_survives_pickling_and_copying(row: AccountBalance) -> None:
    """pickle, copy and attrs.evolve give an equal row."""
    for again in (
        pickle.loads(pickle.dumps(row)),
        copy.copy(row),
        copy.deepcopy(row),
        attrs.evolve(row),
    ):
        assert again == row
        assert again.to_dict() == row.to_dict()
    assert attrs.evolve(row, balance=Decimal("2.50")).to_dict()["balance"] == "2.50"


def test_reading_a_row_leaves_its_source_alone() -> None:
    """`from_dict` copies what it keeps."""
    source = ROW | {"new": 1}
    AccountBalance.from_dict(source)
    assert source == ROW | {"new": 1}


def test_the_wire_names_are_those_of_the_source(row: AccountBalance) -> None:
    """WIRE_NAMES has the attributes in the order of the spec."""
    assert without_optional(list(AccountBalance.WIRE_NAMES.values())) == list(ROW)
    fields = [one.name for one in attrs.fields(AccountBalance)]
    assert [*AccountBalance.WIRE_NAMES, "additional_properties"] == fields


@always_the_same
@given(st.integers(1, LAST) | st.sampled_from([1, 999, 1000, LAST]))
def test_a_time_is_exact_to_the_millisecond(ms: int) -> None:
    """The datetime is aware, in UTC, and has all milliseconds."""
    at = AccountBalance.from_dict(ROW | {"updateTime": ms}).updated_at
    assert at is not None
    assert at.utcoffset() == timedelta(0)
    assert (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1) == ms


def test_a_time_of_zero_is_none() -> None:
    """Zero means never touched. A time beyond the year 9999 raises OverflowError."""
    assert AccountBalance.from_dict(ROW | {"updateTime": 0}).updated_at is None
    with pytest.raises(OverflowError):
        _ = AccountBalance.from_dict(ROW | {"updateTime": LAST + 1}).updated_at


# Arguments


@always_the_same
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_string_is_percent_encoded_utf_8(value: str) -> None:
    """All bytes but the unreserved characters of RFC 3986, 2.3, are encoded."""
    encoded = writing.write_string("asset", value)
    assert unquote_to_bytes(encoded) == value.encode()
    unreserved = set(f"{string.ascii_letters}{string.digits}-._~".encode())
    expected = [chr(byte) if byte in unreserved else f"%{byte:02X}" for byte in value.encode()]
    assert encoded == "".join(expected)


def test_special_characters_are_encoded_as_published() -> None:
    """Chinese and reserved characters have the encodings of RFC 3986."""
    assert writing.write_string("asset", "币安") == "%E5%B8%81%E5%AE%89"
    assert writing.write_string("asset", " &=+/?#%~") == "%20%26%3D%2B%2F%3F%23%25~"


@pytest.mark.promise("R17")
@always_the_same
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_an_amount_is_written_without_exponent(value: Decimal) -> None:
    """Digits are kept, and neither an exponent nor a plus sign is added."""
    encoded = writing.write_decimal("price", value)
    assert Decimal(encoded) == value
    assert not {"e", "E", "+", " "} & set(encoded)


NOT_FINITE = [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")]


@pytest.mark.parametrize(
    ("writer", "accepted", "rejected"),
    [
        (
            writing.write_string,
            [("x", "x")],
            ["", None, 1, True, b"x", Side.BUY, CANARY + "\ud800", "\udfff", [CANARY]],
        ),
        (writing.write_boolean, [(True, "true"), (False, "false")], [1, 0, "true", None, CANARY]),
        (
            writing.integer_writer(1, 9),
            [(1, "1"), (9, "9")],
            [0, 10, True, 1.0, Decimal(1), "1", None, CANARY, 4711],
        ),
        (
            writing.write_decimal,
            [(Decimal("1E+3"), "1000"), (Decimal("0E-8"), "0.00000000"), (Decimal("-0.0"), "-0.0")],
            [*NOT_FINITE, 1, 1.5, "1", None, True, Amount(4711), CANARY],
        ),
        (
            writing.pattern_writer("^[A-Z]+$", "a string of capital letters"),
            [("USDT", "USDT")],
            ["", "usdt", "USDT\n", "A B", None, CANARY, CANARY + "\ud800"],
        ),
        (
            writing.choice_writer("BUY", "b c"),
            [("BUY", "BUY"), ("b c", "b%20c")],
            ["SELL", "", "buy", None, 1, [], CANARY, Side.BUY],
        ),
    ],
    ids=["string", "boolean", "integer", "decimal", "pattern", "choice"],
)
def test_an_error_never_shows_the_argument(
    writer: Any, accepted: list[tuple[Any, str]], rejected: list[Any]
) -> None:
    """A writer encodes what the spec allows and rejects the rest without its value."""
    assert [(value, writer("name", value)) for value, _ in accepted] == accepted
    for value in rejected:
        with pytest.raises(InvalidArgumentError) as caught:
            writer("name", value)
        error: BaseException | None = caught.value
        assert str(error) == f"name must be {caught.value.expected}, not {caught.value.found}"
        while error is not None:
            shown = f"{error} {error!r} {error.args} {vars(error)}"
            assert CANARY not in shown
            assert "4711" not in shown
            assert "^" not in shown
            error = error.__context__
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_argument_that_is_none_is_not_sent() -> None:
    """Any other value of recv_window must be a positive 64-bit integer."""
    query = OPERATIONS["balance"].build_query
    assert query() == query(recv_window=None) == {}
    assert query(recv_window=2**63 - 1) == {"recvWindow": "9223372036854775807"}
    expected = r"^recv_window must be an integer from 1 to 9223372036854775807, not "
    for invalid in (0, -1, 2**63, True, 5.0, "5000"):
        with pytest.raises(InvalidArgumentError, match=expected):
            query(recv_window=invalid)
    with pytest.raises(TypeError):
        query(recvWindow=1)


# The package


def test_operations_have_what_a_call_needs() -> None:
    """Method, path, weight, key header and signature come from the spec."""
    balance = OPERATIONS["balance"]
    time = OPERATIONS["server_time"]
    assert (balance.method, balance.path, balance.weight) == (
        "GET",
        BALANCE_PATH,
        BALANCE_WEIGHT,
    )
    assert balance.key_header == "X-MBX-APIKEY"
    assert balance.signing == wire.Signing(
        timestamp_parameter="timestamp",
        signature_parameter="signature",
        window_parameter="recvWindow",
    )
    parameters = [(one.name, one.type, one.required) for one in balance.parameters]
    assert parameters == [("recv_window", int, False)]
    assert (time.method, time.path, time.weight) == (
        "GET",
        TIME_PATH,
        TIME_WEIGHT,
    )
    assert (time.key_header, time.signing) == (None, None)


def test_both_clients_have_the_same_methods() -> None:
    """Names and signatures are equal; those of the asyncio client are coroutines."""
    blocking = dict(inspect.getmembers(wire.SyncOperations, inspect.isfunction))
    waiting = dict(inspect.getmembers(wire.AsyncOperations, inspect.isfunction))
    assert set(blocking) == {"_call", *OPERATIONS, *(f"{name}_detailed" for name in OPERATIONS)}
    assert list(blocking) == list(waiting)
    for name, method in blocking.items():
        assert str(inspect.signature(method)) == str(inspect.signature(waiting[name]))
    assert all(map(inspect.iscoroutinefunction, waiting.values()))


def test_a_client_must_define_call() -> None:
    """The generated methods do not send requests themselves."""
    with pytest.raises(NotImplementedError):
        wire.SyncOperations().balance()


def test_all_is_complete_and_sorted() -> None:
    """Every name of `__all__` exists."""
    assert wire.__all__ == sorted(wire.__all__)
    assert all(hasattr(wire, name) for name in wire.__all__)


@pytest.mark.promise("R17")
def test_only_short_amounts_are_cached() -> None:
    """Amounts of any length are exact, and the cache is bounded."""
    cache = wire_rows._decimal_by_string
    cache.clear()
    long = "1" * 30 + "." + "0" * 30
    assert [format(amount, "f") for amount in wire_rows.to_decimals([long, "-0.50"])] == [
        long,
        "-0.50",
    ]
    assert long not in cache
    [first] = wire_rows.to_decimals(["123456.00000001"])
    [second] = wire_rows.to_decimals(["123456.00000001"])
    assert first is second
    for number in range(10_000):
        wire_rows.to_decimals([f"{number}.5"])
    assert 0 < len(cache) <= 4096
    many = [f"{number}.25" for number in range(10_000)]
    assert [str(amount) for amount in wire_rows.to_decimals(many)] == many
    assert len(cache) <= 4096


@pytest.mark.parametrize("amount", [1.123456789, "1", 1, Decimal("NaN"), Decimal("Infinity"), True])
def test_an_inexact_amount_is_not_written(row: AccountBalance, amount: Any) -> None:
    """`to_dict` raises for an amount that is not a finite Decimal."""
    with pytest.raises(ValueError, match="finite Decimal"):
        attrs.evolve(row, balance=amount).to_dict()


@pytest.mark.promise("R17")
def test_an_unknown_field_never_hides_a_known_one(row: AccountBalance) -> None:
    """`to_dict` prefers the attribute to an additional property of the same name."""
    crowded = attrs.evolve(row, additional_properties={"balance": "999", "new": 1})
    assert (crowded.to_dict()["balance"], crowded.to_dict()["new"]) == (ROW["balance"], 1)
