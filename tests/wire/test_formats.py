"""The lines of docs/rows.md give exact values in other formats.

Packages that are not installed are replaced by what they do with the values they get.
"""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from binance_usdm_wire import AccountBalance
from tests.support.clients import ROW
from tests.support.paths import ROOT
from tests.support.spec_facts import OPTIONAL_ROW_FIELDS

PAGE = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8")
LINES = dict(re.findall(r"^\| (.+?) \| `(.+)` \|$", PAGE, re.MULTILINE))
BODY = json.dumps([ROW | {"balance": "1.50"}, ROW | {"asset": "BTC"}]).encode()
UNKNOWN = b'"new": 0.10000000000000000000000000000001, "accountAlias"'


@pytest.fixture
def rows() -> list[AccountBalance]:
    """Return two rows; the first has a number that the spec does not describe."""
    return AccountBalance.parse_rows(BODY.replace(b'"accountAlias"', UNKNOWN, 1))


def evaluate(format_name: str, rows: list[AccountBalance], **packages: Any) -> Any:
    """Return the value of the line for a format."""
    [line] = [line for name, line in LINES.items() if name.startswith(format_name)]
    return eval(line, {"rows": rows, "attrs": attrs, "json": json, "csv": csv, **packages})


def test_the_page_has_eight_lines() -> None:
    """Each line has a test below."""
    names = ["JSON text", "`json`", "orjson", "FastAPI", "pandas", "Arrow", "polars", "csv"]
    assert [name.split(",")[0] for name in LINES] == names


def test_json_lines_keep_every_digit(rows: list[AccountBalance]) -> None:
    """JSON text has unknown decimals as numbers, `json` has them as strings."""
    numbers = json.loads(evaluate("JSON text", rows), parse_float=Decimal)
    assert numbers == [row.to_dict() for row in rows]
    strings = json.loads(evaluate("`json`", rows))
    assert strings[0].pop("new") == "0.10000000000000000000000000000001"
    del numbers[0]["new"]
    assert strings == numbers


def test_the_line_for_arrow_keeps_every_digit(rows: list[AccountBalance]) -> None:
    """Amounts are decimals, and what the spec does not describe is JSON text."""
    pytest.importorskip("pyarrow")
    import binance_usdm.arrow

    [first, _] = evaluate("Arrow", rows, binance_usdm=binance_usdm).to_pylist()
    assert first["balance"] == Decimal("1.50")
    assert "0.10000000000000000000000000000001" in str(first)


def test_fragments_and_responses_get_text(rows: list[AccountBalance]) -> None:
    """orjson and FastAPI get JSON text, in which they change nothing."""
    orjson = SimpleNamespace(Fragment=str, dumps=list)
    assert evaluate("orjson", rows, orjson=orjson) == [row.to_json() for row in rows]
    fastapi = SimpleNamespace(Response=lambda text, media_type: (text, media_type))
    text = evaluate("JSON text", rows)
    assert evaluate("FastAPI", rows, fastapi=fastapi) == (text, "application/json")


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_data_frames_get_exact_values(rows: list[AccountBalance], package: str) -> None:
    """They get dicts of str, Decimal, bool and int, with the unknown fields in one more."""
    module = SimpleNamespace(DataFrame=lambda dicts, **options: (dicts, options))
    dicts, options = evaluate(package, rows, **{package: module})
    assert options == ({"infer_schema_length": None} if package == "polars" else {})
    known = list(AccountBalance.WIRE_NAMES)
    assert [list(each) for each in dicts] == [[*known, "additional_properties"]] * 2
    types = [str, str, *[Decimal] * 5, bool, int, dict]
    optional = {
        name for name, wire in AccountBalance.WIRE_NAMES.items() if wire in OPTIONAL_ROW_FIELDS
    }
    for values in dicts:
        assert [type(value) for name, value in values.items() if name not in optional] == types
    assert str(dicts[0]["balance"]) == "1.50"
    unknown = {"new": Decimal("0.10000000000000000000000000000001")}
    assert [each["additional_properties"] for each in dicts] == [unknown, {}]


def test_csv_lines_keep_every_digit(rows: list[AccountBalance]) -> None:
    """Each cell is the string of the value."""
    out = io.StringIO()
    evaluate("csv", rows, sys=SimpleNamespace(stdout=out))
    cells = list(csv.reader(io.StringIO(out.getvalue())))
    assert cells == [list(map(str, row.to_dict().values())) for row in rows]
