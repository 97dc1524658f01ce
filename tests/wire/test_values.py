"""The wire's values and arguments: rows that do not change, exact times, and query text that is checked before it is written."""

from __future__ import annotations

import copy
import enum
import inspect
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import binance_usdm_wire as wire
from binance_usdm_wire import (
    OPERATIONS,
    AccountBalance,
    InvalidArgumentError,
    ResponseMismatch,
    reading,
    writing,
)

CANARY = "c4n4ry"
ROW: dict[str, Any] = {
    "accountAlias": "SgsR", "asset": "币安人生", "balance": "1.50", "crossWalletBalance": "0.00", "crossUnPnl": "-0.1",
    "availableBalance": "2", "maxWithdrawAmount": "0", "marginAvailable": False, "updateTime": 1617939110373,
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

ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**20,
        1.5,
        "",
        "1",
        "01",
        "1e5",
        "x",
        "\ud800",
        [],
        {},
        [1],
        {"a": 1},
        "1" * 50,
        Decimal(1),
    ]
)
MEMBERS = st.sampled_from([*ROW, "new", "newer"])


@pytest.mark.promise("R17")
@always_the_same
@given(
    st.lists(st.one_of(st.dictionaries(MEMBERS, ODD, max_size=3), ODD), max_size=4),
    st.lists(MEMBERS, max_size=2),
)
def test_rows_are_read_in_columns_as_they_are_one_by_one(
    changes: list[Any], gone: list[str]
) -> None:
    rows: Any = [{**ROW, **change} if isinstance(change, dict) else change for change in changes]
    for name in gone:
        for row in rows[-1:]:
            if type(row) is dict:
                row.pop(name, None)
    by_row, by_column = [
        outcome(lambda read=read: read(rows, "here"))
        for read in (reading.array_reader(AccountBalance.read), AccountBalance.read_rows)
    ]
    assert by_column == by_row


def outcome(read: Any) -> object:
    try:
        found = read()
    except ResponseMismatch as mismatch:
        return mismatch.args
    return [(type(row), row, repr(row)) for row in found]


def test_good_rows_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [ROW, ROW | {"asset": "BTC"}]
    expected = [AccountBalance.from_dict(row) for row in rows]
    monkeypatch.setattr(AccountBalance, "from_dict", None)
    found = AccountBalance.read_rows(rows, None)
    assert found == expected
    with pytest.raises(AttributeError):
        found[0].balance = Decimal(2)  # type: ignore[misc]
    assert [row.additional_properties for row in found] == [{}, {}]
    assert found[0].additional_properties is not found[1].additional_properties
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found


def test_a_row_does_not_change_and_has_no_room_for_more(row: AccountBalance) -> None:
    for name in ("balance", "additional_properties", "something_else"):
        with pytest.raises(AttributeError):
            setattr(row, name, Decimal(1))
        with pytest.raises(AttributeError):
            delattr(row, name)
    assert not hasattr(row, "__dict__")
    make: Any = AccountBalance
    with pytest.raises(TypeError, match="positional"):
        make(*ROW.values())  # positions would change with the spec


def test_equal_rows_are_equal_and_stand_for_each_other_in_a_set(row: AccountBalance) -> None:
    same = AccountBalance.from_dict(ROW | {"new": {"kept": 1}})
    assert same == row
    assert {same, row} == {row}
    assert AccountBalance.from_dict(ROW) != row
    assert AccountBalance.from_dict(ROW | {"asset": "BNB"}) != AccountBalance.from_dict(ROW)


def test_a_row_survives_pickling_and_copying(row: AccountBalance) -> None:
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
    source = ROW | {"new": 1}
    AccountBalance.from_dict(source)
    assert source == ROW | {"new": 1}


def test_the_wire_names_are_those_of_the_source(row: AccountBalance) -> None:
    assert list(AccountBalance.WIRE_NAMES.values()) == list(ROW)
    fields = [one.name for one in attrs.fields(AccountBalance)]
    assert [*AccountBalance.WIRE_NAMES, "additional_properties"] == fields


@always_the_same
@given(st.integers(1, LAST) | st.sampled_from([1, 999, 1000, LAST]))
def test_a_time_is_exact_to_the_millisecond_and_aware(ms: int) -> None:
    at = AccountBalance.from_dict(ROW | {"updateTime": ms}).updated_at
    assert at is not None
    assert at.utcoffset() == timedelta(0)
    assert (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1) == ms


def test_a_time_of_zero_is_no_time() -> None:
    assert AccountBalance.from_dict(ROW | {"updateTime": 0}).updated_at is None
    with pytest.raises(OverflowError):
        _ = AccountBalance.from_dict(ROW | {"updateTime": LAST + 1}).updated_at


# Arguments


@always_the_same
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_text_is_written_as_percent_encoded_utf_8(value: str) -> None:
    written = writing.write_string("asset", value)
    assert unquote_to_bytes(written) == value.encode()
    plain = set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    )  # RFC 3986, 2.3
    assert written == "".join(
        chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in value.encode()
    )


def test_reserved_and_chinese_characters_are_encoded_as_published() -> None:
    assert writing.write_string("asset", "币安") == "%E5%B8%81%E5%AE%89"
    assert writing.write_string("asset", " &=+/?#%~") == "%20%26%3D%2B%2F%3F%23%25~"


@pytest.mark.promise("R17")
@always_the_same
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_an_amount_is_written_without_exponent(value: Decimal) -> None:
    written = writing.write_decimal("price", value)
    assert Decimal(written) == value
    assert not {"e", "E", "+", " "} & set(written)


@pytest.mark.parametrize(
    ("writer", "written", "refused"),
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
            [
                Decimal("NaN"),
                Decimal("sNaN"),
                Decimal("Infinity"),
                1,
                1.5,
                "1",
                None,
                True,
                Amount(4711),
                CANARY,
            ],
        ),
        (
            writing.pattern_writer("^[A-Z]+$"),
            [("USDT", "USDT")],
            ["", "usdt", "USDT\n", "A B", None, CANARY, CANARY + "\ud800"],
        ),
        (
            writing.choice_writer("BUY", "b c"),
            [("BUY", "BUY"), ("b c", "b%20c")],
            ["SELL", "", "buy", None, 1, [], CANARY, Side.BUY],
        ),
    ],
    ids=["text", "boolean", "integer", "decimal", "matching", "one_of"],
)
def test_an_argument_is_written_or_refused_without_showing_it(
    writer: Any, written: list[tuple[Any, str]], refused: list[Any]
) -> None:
    assert [(value, writer("name", value)) for value, _ in written] == written
    for value in refused:
        with pytest.raises(InvalidArgumentError) as caught:
            writer("name", value)
        error: BaseException | None = caught.value
        assert str(error) == f"name must be {caught.value.expected}, not {caught.value.found}"
        while error is not None:
            shown = f"{error} {error!r} {error.args} {vars(error)}"
            assert CANARY not in shown
            assert "4711" not in shown
            error = error.__context__
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_argument_that_is_none_is_not_sent() -> None:
    query = OPERATIONS["balance"].build_query
    assert query() == query(recv_window=None) == {}
    assert query(recv_window=2**63 - 1) == {"recvWindow": "9223372036854775807"}
    for wrong in (0, -1, 2**63, True, 5.0, "5000"):
        with pytest.raises(
            InvalidArgumentError,
            match=r"^recv_window must be an integer from 1 to 9223372036854775807, not ",
        ):
            query(recv_window=wrong)
    with pytest.raises(TypeError):
        query(recvWindow=1)


# The package


def test_operations_say_what_a_call_needs() -> None:
    balance, time = OPERATIONS["balance"], OPERATIONS["server_time"]
    assert (balance.method, balance.path, balance.weight, balance.key_header) == (
        "GET",
        "/fapi/v3/balance",
        5,
        "X-MBX-APIKEY",
    )
    assert balance.signing == wire.Signing(
        timestamp_parameter="timestamp",
        signature_parameter="signature",
        window_parameter="recvWindow",
    )
    assert [(one.name, one.type, one.required) for one in balance.parameters] == [
        ("recv_window", int, False)
    ]
    assert (time.method, time.path, time.weight, time.key_header, time.signing) == (
        "GET",
        "/fapi/v1/time",
        1,
        None,
        None,
    )


def test_both_clients_have_the_same_methods() -> None:
    blocking, waiting = (
        {
            name: str(inspect.signature(method))
            for name, method in inspect.getmembers(kind, inspect.isfunction)
        }
        for kind in (wire.SyncOperations, wire.AsyncOperations)
    )
    assert blocking == waiting
    assert set(blocking) == {"_call", *OPERATIONS, *(f"{name}_detailed" for name in OPERATIONS)}
    assert all(
        inspect.iscoroutinefunction(method)
        for _, method in inspect.getmembers(wire.AsyncOperations, inspect.isfunction)
    )


def test_a_client_without_a_transport_says_so() -> None:
    with pytest.raises(NotImplementedError):
        wire.SyncOperations().balance()


def test_the_door_is_complete_and_sorted() -> None:
    assert wire.__all__ == sorted(wire.__all__)
    assert all(hasattr(wire, name) for name in wire.__all__)


@pytest.mark.promise("R17")
def test_amounts_of_any_length_are_read_and_only_short_ones_are_remembered() -> None:
    long = "1" * 30 + "." + "0" * 30
    assert format(reading.read_decimal(long, None), "f") == long
    assert long not in reading._DECIMAL_CACHE
    assert reading.read_decimal("123456.00000001", None) is reading.read_decimal(
        "123456.00000001", None
    )
    for number in range(10_000):
        reading.read_decimal(f"{number}.5", None)
    assert len(reading._DECIMAL_CACHE) <= 4096


@pytest.mark.parametrize("amount", [1.123456789, "1", 1, Decimal("NaN"), Decimal("Infinity"), True])
def test_a_row_made_by_hand_never_writes_a_guess(row: AccountBalance, amount: Any) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        attrs.evolve(row, balance=amount).to_dict()


@pytest.mark.promise("R17")
def test_an_unknown_member_never_hides_a_known_one(row: AccountBalance) -> None:
    crowded = attrs.evolve(row, additional_properties={"balance": "999", "new": 1})
    assert (crowded.to_dict()["balance"], crowded.to_dict()["new"]) == (ROW["balance"], 1)
