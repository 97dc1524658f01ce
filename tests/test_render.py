"""Tables on a terminal: every digit, however narrow it is."""

import io

import pytest

from binance_usdm._render import RENDERERS, Rows

ROW = {"asset": "USDT", "balance": "122607.35137903", "marginAvailable": True, "updateTime": 1617939110373}
SHOWN = Rows(list(ROW), [ROW, {**ROW, "asset": "BNB", "extra": None}], single=False)


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_a_terminal_of_any_width_shows_every_digit(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    out = io.StringIO()
    RENDERERS["table"](SHOWN, out)
    assert out.getvalue().count("122607.35137903") == 2
    assert out.getvalue().count("1617939110373") == 2
    assert "…" not in out.getvalue()
    assert ("member" in out.getvalue()) == (width == "40")


def test_without_rich_the_table_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    table, plain = io.StringIO(), io.StringIO()
    RENDERERS["table"](SHOWN, table)
    RENDERERS["plain"](SHOWN, plain)
    assert table.getvalue() == plain.getvalue() != ""


def test_markup_in_a_name_stays_text() -> None:
    out = io.StringIO()
    RENDERERS["table"](Rows(["asset"], [{"asset": "[red]X[/red]"}], single=False), out)
    assert "[red]X[/red]" in out.getvalue()


def test_members_that_come_later_get_a_column() -> None:
    out = io.StringIO()
    RENDERERS["csv"](SHOWN, out)
    assert out.getvalue().splitlines() == [
        "asset,balance,marginAvailable,updateTime,extra",
        "USDT,122607.35137903,true,1617939110373,",
        "BNB,122607.35137903,true,1617939110373,",
    ]
