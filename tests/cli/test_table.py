"""Tables on a terminal: every digit, however narrow it is."""

import io
from decimal import Decimal

import pytest

from binance_usdm._cli.table import RENDERERS, TableData

ROW = {
    "asset": "USDT",
    "balance": "122607.35137903",
    "marginAvailable": True,
    "updateTime": 1617939110373,
}
SHOWN = TableData(list(ROW), [ROW, {**ROW, "asset": "BNB", "extra": None}], is_single_object=False)


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_a_terminal_of_any_width_shows_every_digit(
    width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    out = io.StringIO()
    RENDERERS["table"](SHOWN, out)
    assert out.getvalue().count("122607.35137903") == 2
    assert out.getvalue().count("1617939110373") == 2
    assert "…" not in out.getvalue()
    assert ("field" in out.getvalue()) == (width == "40")


def test_without_rich_the_table_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    table, plain = io.StringIO(), io.StringIO()
    RENDERERS["table"](SHOWN, table)
    RENDERERS["text"](SHOWN, plain)
    assert table.getvalue() == plain.getvalue() != ""


def test_markup_in_a_name_stays_text() -> None:
    out = io.StringIO()
    RENDERERS["table"](
        TableData(["asset"], [{"asset": "[red]X[/red]"}], is_single_object=False), out
    )
    assert "[red]X[/red]" in out.getvalue()


def test_members_that_come_later_get_a_column() -> None:
    out = io.StringIO()
    RENDERERS["csv"](SHOWN, out)
    assert out.getvalue().splitlines() == [
        "asset,balance,marginAvailable,updateTime,extra",
        "USDT,122607.35137903,true,1617939110373,",
        "BNB,122607.35137903,true,1617939110373,",
    ]


def test_json_stays_json_in_an_encoding_that_cannot_hold_it() -> None:
    page = io.BytesIO()
    with io.TextIOWrapper(page, encoding="cp1252", errors="backslashreplace") as out:
        RENDERERS["json"](
            TableData(
                ["asset"], [{"asset": "é币🙂\\u", "ratio": Decimal("1.50")}], is_single_object=True
            ),
            out,
        )
        out.flush()
        assert (
            page.getvalue()
            == b'{\n  "asset": "\\u00e9\\u5e01\\ud83d\\ude42\\\\u",\n  "ratio": 1.50\n}\n'
        )


def test_a_single_object_that_was_left_out_is_null() -> None:
    out = io.StringIO()
    RENDERERS["json"](TableData(["asset"], [], is_single_object=True), out)
    assert out.getvalue() == "null\n"


def test_a_table_can_be_drawn_in_ascii() -> None:
    page = io.BytesIO()
    with io.TextIOWrapper(page, encoding="ascii", errors="backslashreplace") as out:
        RENDERERS["table"](TableData(["asset"], [{"asset": "币"}], is_single_object=False), out)
        out.flush()
        assert b"\\u5e01" in page.getvalue()
