"""Tables of two days, read together by each library, have every digit of the rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from binance_usdm import AccountBalance
from binance_usdm.arrow import AMOUNT_TYPE, SCHEMA, make_schema, to_table
from binance_usdm_wire.decoding import decode
from tests.support.clients import ROW
from tests.support.postgres import PostgresServer

MOST = "9" * 20 + "." + "9" * 18
RECEIVED = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
AMOUNTS = (
    "balance",
    "cross_wallet_balance",
    "cross_un_pnl",
    "available_balance",
    "max_withdraw_amount",
)


def row(**members: Any) -> AccountBalance:
    return AccountBalance.from_dict({**ROW, **members})


FIRST_DAY = [
    row(balance="0.00000001", crossUnPnl="-0.00000001", updateTime=0),
    row(asset="BTC", balance="12.5", availableBalance="100"),
]
SECOND_DAY = [
    row(balance=MOST, crossWalletBalance=f"-{MOST}", maxWithdrawAmount="1E-18"),
    row(asset="币安人生", balance="0.123456789012345678", updateTime=253402300799999),
    row(**decode(b'{"lockedBalance": 0.10000000000000000001, "tags": ["a", 5]}')),
]
OF_SECOND_DAY = {"label": "desk-07", "received_at": RECEIVED}
Reader = Callable[[list[Path]], list[dict[str, Any]]]


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """The Parquet files of two days, whose amounts differ in digits and places."""
    tables = [to_table(FIRST_DAY), to_table(SECOND_DAY, label="desk-07", received_at=RECEIVED)]
    paths = [tmp_path / "2026-11-29.parquet", tmp_path / "2026-11-30.parquet"]
    for path, table in zip(paths, tables, strict=True):
        pyarrow.parquet.write_table(table, path)
    return paths


def expected() -> list[dict[str, Any]]:
    """Return the two days as a reader without loss has them."""
    expected = []
    for source, known in ((FIRST_DAY, {}), (SECOND_DAY, OF_SECOND_DAY)):
        for item in source:
            names = (*item.WIRE_NAMES, "additional_properties")
            values = {name: getattr(item, name) for name in names}
            values["updated_at"] = item.updated_at
            del values["update_time"]
            values["label"] = values["received_at"] = None
            expected.append(values | known)
    for values in expected:
        values["additional_properties"] = None
    expected[-1]["additional_properties"] = (
        '{"lockedBalance":0.10000000000000000001,"tags":["a",5]}'
    )
    return expected


def read_with_pyarrow(paths: list[Path]) -> list[dict[str, Any]]:
    table = pyarrow.parquet.read_table(paths)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def read_with_duckdb(paths: list[Path]) -> list[dict[str, Any]]:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    with duckdb.connect() as database:
        relation = database.sql(f"SELECT * FROM read_parquet({[str(path) for path in paths]})")
        kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
        assert {kinds[name] for name in AMOUNTS} == {"DECIMAL(38,18)"}
        assert {kinds["updated_at"], kinds["received_at"]} == {"TIMESTAMP WITH TIME ZONE"}
        texts = ", ".join(f"epoch_us({name})::VARCHAR" for name in ("updated_at", "received_at"))
        rest = ", ".join(name for name in relation.columns if not name.endswith("_at"))
        rows = relation.project(f"{rest}, {texts}").fetchall()
    names = [
        *(name for name in SCHEMA.names if not name.endswith("_at")),
        "updated_at",
        "received_at",
    ]
    return [restore_times(dict(zip(names, values, strict=True))) for values in rows]


def restore_times(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose times were microseconds as text."""
    for name in ("updated_at", "received_at"):
        text = values[name]
        if text is not None:
            values[name] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text))
    return values


def read_with_polars(paths: list[Path]) -> list[dict[str, Any]]:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = polars.read_parquet(paths)
    assert {table.schema[name] for name in AMOUNTS} == {polars.Decimal(38, 18)}
    rows: list[dict[str, Any]] = table.to_dicts()
    return rows


def read_with_pandas(paths: list[Path]) -> list[dict[str, Any]]:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    tables = [pandas.read_parquet(path, dtype_backend="pyarrow") for path in paths]
    table = pandas.concat(tables, ignore_index=True)
    assert {str(table[name].dtype) for name in AMOUNTS} == {"decimal128(38, 18)[pyarrow]"}
    rows: list[dict[str, Any]] = pyarrow.Table.from_pandas(table).to_pylist()
    return rows


READERS: list[Reader] = [read_with_pyarrow, read_with_duckdb, read_with_polars, read_with_pandas]


@pytest.mark.parametrize("read", READERS)
def test_two_days_keep_every_digit(days: list[Path], read: Reader) -> None:
    """Both files read together have all amounts, times and texts of the rows."""
    found = read(days)
    assert [{name: values[name] for name in SCHEMA.names} for values in found] == [
        {name: values[name] for name in SCHEMA.names} for values in expected()
    ]
    for values in found:
        assert {type(values[name]) for name in AMOUNTS} == {Decimal}
        assert {values[name].as_tuple().exponent for name in AMOUNTS} == {-18}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def test_two_days_in_postgresql(days: list[Path], postgres: PostgresServer, tmp_path: Path) -> None:
    """A table of numeric columns that COPY fills has every digit, and adds them up exactly."""
    table = pyarrow.parquet.read_table(days)
    csv = tmp_path / "balances.csv"
    pyarrow.csv.write_csv(table, csv)
    columns = ", ".join(
        f"{field.name} {'numeric(38, 18)' if field.type == AMOUNT_TYPE else 'text'}"
        for field in SCHEMA
    )
    postgres.run(f"CREATE TABLE balance ({columns})")
    postgres.run("COPY balance FROM STDIN (FORMAT csv, HEADER true)", csv.read_text("utf-8"))
    names = ", ".join(AMOUNTS)
    found = postgres.run(f"COPY (SELECT asset, {names} FROM balance) TO STDOUT (FORMAT csv)")
    rows = [
        [asset, *map(Decimal, amounts)]
        for asset, *amounts in (line.split(",") for line in found.splitlines())
    ]
    assert rows == [[item["asset"], *(item[name] for name in AMOUNTS)] for item in expected()]
    (total,) = postgres.run("COPY (SELECT sum(cross_un_pnl) FROM balance) TO STDOUT").split()
    assert Decimal(total) == Decimal("-1.00000001")


def test_schema_is_constant() -> None:
    """The schema has every attribute of a row and follows neither values nor their number."""
    described = {name.replace("update_time", "updated_at") for name in AccountBalance.WIRE_NAMES}
    assert set(SCHEMA.names) == {*described, "additional_properties", "label", "received_at"}
    assert {name for name in AMOUNTS if SCHEMA.field(name).type == AMOUNT_TYPE} == set(AMOUNTS)
    annotations = AccountBalance.__annotations__
    assert {name for name in annotations if annotations[name] == "Decimal"} == set(AMOUNTS)
    for rows in ([], FIRST_DAY, SECOND_DAY):
        assert to_table(rows).schema.equals(SCHEMA)
    assert to_table([]).num_rows == 0


@pytest.mark.parametrize("name", AMOUNTS)
@pytest.mark.parametrize(
    "amount", ["1" + "0" * 20, "-1" + "0" * 20, "1E+20", "0.0000000000000000001", "1.5E-19"]
)
def test_amount_that_does_not_fit_raises(name: str, amount: str) -> None:
    """One digit too many is an error with row and field, without the amount."""
    wire_name = AccountBalance.WIRE_NAMES[name]
    with pytest.raises(
        ValueError, match=rf"^row 1: {name} does not fit into decimal128\(38, 18\)"
    ) as caught:
        to_table([row(), row(**{wire_name: amount})])
    assert amount not in str(caught.value)


def test_wider_type_is_chosen_for_all() -> None:
    """A wider type of amounts holds what the default does not."""
    wide = pyarrow.decimal256(76, 38)
    table = to_table([row(balance="1" + "0" * 37 + "." + "0" * 37 + "1")], amount_type=wide)
    assert table.schema.equals(make_schema(wide))
    assert table["balance"].to_pylist() == [Decimal("1" + "0" * 37 + "." + "0" * 37 + "1")]
    with pytest.raises(ValueError, match=r"^amount_type must be a decimal type"):
        to_table([], amount_type=pyarrow.float64())


def test_trailing_zeros_fit() -> None:
    """Zeros beyond the last place are no digits that get lost."""
    table = to_table([row(balance="5." + "0" * 30, crossUnPnl="-0.00000000")])
    assert table["balance"].to_pylist() == [Decimal(5)]
    assert table["cross_un_pnl"].to_pylist() == [Decimal(0)]


@pytest.mark.parametrize("broken", [Decimal("NaN"), Decimal("Infinity")])
def test_replaced_amount_raises(broken: Decimal) -> None:
    """What is not a finite amount is an error."""
    with pytest.raises(ValueError, match=r"^row 0: balance does not fit"):
        to_table([attrs.evolve(row(), balance=broken)])


def test_time_that_does_not_fit_raises() -> None:
    """A time after the year 9999, and one without a time zone, are errors."""
    with pytest.raises(ValueError, match=r"^row 0: update_time is after the year 9999"):
        to_table([row(updateTime=253402300800000)])
    with pytest.raises(ValueError, match=r"^received_at must have a time zone"):
        to_table([row()], received_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_other_rows_are_rejected() -> None:
    """Dicts and other objects are no rows."""
    with pytest.raises(TypeError, match=r"^row 0 must be an AccountBalance, not dict"):
        to_table([row().to_dict()])  # type: ignore[list-item]


def test_without_pyarrow_it_says_what_to_install() -> None:
    """Importing the module without the extra names the package, and the core does not need it."""
    code = (
        "import sys; sys.modules['pyarrow'] = None; import binance_usdm; binance_usdm.Client\n"
        "try: import binance_usdm.arrow\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout
        == "binance_usdm.arrow needs the package pyarrow (extra arrow): pip install pyarrow\n"
    )
