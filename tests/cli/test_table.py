"""Output of the command: aligned text on any terminal, CSV, TSV and JSON, each with every digit."""

import io
import json
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from binance_usdm._cli.output.formats import RENDERERS, TableData
from binance_usdm._cli.output.table import display_width, format_table
from binance_usdm.mock import Exchange, running
from tests.support.terminal import Terminal

ROW = {
    "asset": "USDT",
    "balance": "122607.35137903",
    "marginAvailable": True,
    "updateTime": 1617939110373,
}
SHOWN = TableData(list(ROW), [ROW, {**ROW, "asset": "BNB", "extra": None}], is_single_object=False)
NAMES = ("USDT", "币安人生", "e\u0301ab", "ｗｉｄｅ", "한글", "각", "a\u20dd", "🙂", "-1")


class FakeTerminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def render(output_format: str, data: TableData, out: io.StringIO | None = None) -> str:
    """Return what is written to a stream, by default to a pipe."""
    out = out or io.StringIO()
    RENDERERS[output_format](data, out)
    return out.getvalue()


def table_of(*names: str) -> TableData:
    rows = [{"asset": name, "balance": "1.5"} for name in names]
    return TableData(["asset", "balance"], rows, is_single_object=False)


@pytest.fixture
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", request.param)


@pytest.mark.parametrize(
    ("columns", "line_count"),
    [("200", 3), ("54", 3), ("53", 9), ("32", 9), ("31", 17), ("20", 17), ("1", 17)],
    indirect=["columns"],
)
@pytest.mark.parametrize("term", ["dumb", "xterm-256color", ""])
def test_a_terminal_shows_every_digit(
    columns: None, line_count: int, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that does not fit becomes a line a field, then two; no value is cut or wrapped."""
    monkeypatch.setenv("TERM", term)
    lines = render("table", SHOWN, FakeTerminal()).splitlines()
    assert len(lines) == line_count
    words = [word for line in lines for word in line.split()]
    assert words.count("122607.35137903") == 2
    assert words.count("1617939110373") == 2


@pytest.mark.parametrize("columns", ["0", "", "-5", "wide", "１２", "99999999999"], indirect=True)
def test_an_unusable_width_cuts_nothing(columns: None) -> None:
    """COLUMNS that is not a width leaves the table as it is on 80 columns or wider."""
    assert render("table", SHOWN, FakeTerminal()) == render("table", SHOWN)


@pytest.mark.parametrize("columns", ["20"], indirect=True)
def test_a_pipe_ignores_the_width(columns: None) -> None:
    """Programs that read a pipe get one line for each row, whatever COLUMNS says."""
    assert len(render("table", SHOWN).splitlines()) == 3


@pytest.mark.parametrize("columns", ["20"], indirect=True)
def test_no_rows_still_name_the_fields(columns: None) -> None:
    """Without rows the field names are printed, one a line where they do not fit."""
    assert render("table", SHOWN._replace(rows=[]), FakeTerminal()).split() == list(ROW)


def test_wide_names_keep_the_columns() -> None:
    """The next column begins at the same cell in every row, however wide a name is shown."""
    lines = render("table", table_of(*NAMES)).splitlines()
    # The amounts stand to the right, so all lines end at the same cell.
    assert {display_width(line) for line in lines} == {8 + 2 + 7}
    assert [line.split() for line in lines[1:]] == [[name, "1.5"] for name in NAMES]


def test_widths_agree_with_unicode() -> None:
    """Wide characters take two cells, combining ones none, all other printable ones one."""
    assert [display_width(name) for name in NAMES] == [4, 8, 3, 8, 4, 2, 1, 2, 2]


@pytest.mark.parametrize("name", ["a\u200bb", "a\u200db", "\u202eab", "a\u00adb", "a\x1b[2Jb\n"])
def test_invisible_characters_are_escaped(name: str) -> None:
    """A name that could hide or move text is printed with escapes."""
    shown = render("table", table_of(name)).splitlines()[1].split()[0]
    assert shown.isascii()
    assert shown.encode().decode("unicode_escape") == name


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_escaped_names_keep_the_columns(encoding: str) -> None:
    """The columns are aligned in an encoding that cannot represent a name, too."""
    page = io.BytesIO()
    with io.TextIOWrapper(page, encoding=encoding, errors="backslashreplace") as out:
        RENDERERS["table"](table_of("币", "USDT"), out)
        out.flush()
        lines = page.getvalue().decode(encoding).splitlines()
    ends = {display_width(line) for line in lines}
    assert len(ends) == 1
    assert ("\\u5e01" in lines[1]) == (encoding != "utf-8")


def test_markup_in_a_name_stays_text() -> None:
    """A name is never read as markup."""
    assert "[red]X[/red]" in render("table", table_of("[red]X[/red]"), FakeTerminal())


@pytest.mark.parametrize("output_format", ["csv", "tsv", "table"])
def test_columns_do_not_follow_the_rows(output_format: str) -> None:
    """A field that only some rows have is no column, and a column without values stays."""
    data = TableData(["balance", "asset", "absent"], SHOWN.rows, is_single_object=False)
    lines = [line.replace(",", " ").split() for line in render(output_format, data).splitlines()]
    assert lines == [
        ["balance", "asset", "absent"],
        ["122607.35137903", "USDT"],
        ["122607.35137903", "BNB"],
    ]


@pytest.mark.parametrize(
    ("output_format", "separator"), [("csv", ","), ("tsv", "\t"), ("table", None)]
)
def test_values_read_the_same_in_every_format(output_format: str, separator: str | None) -> None:
    """Booleans, numbers and amounts are the same characters as in JSON, null is nothing."""
    row = {"yes": True, "no": False, "count": 3, "ratio": Decimal("1.50"), "none": None}
    data = TableData(list(row), [row], is_single_object=False)
    cells = render(output_format, data).splitlines()[1].split(separator)
    assert [cell for cell in cells if cell] == ["true", "false", "3", "1.50"]
    assert json.loads(render("jsonl", data), parse_float=Decimal) == row


def test_a_tab_in_a_name_stays_in_its_cell() -> None:
    """Tabs, line ends and backslashes are escaped in TSV, so a line is a row."""
    text = render("tsv", table_of("a\tb\r\n\\"))
    assert text == "asset\tbalance\na\\tb\\r\\n\\\\\t1.5\n"


def test_json_lines_are_one_row_each() -> None:
    """Each line is the row's JSON object, with all fields; no rows give no line."""
    lines = render("jsonl", SHOWN).splitlines()
    assert [json.loads(line) for line in lines] == list(SHOWN.rows)
    assert render("jsonl", SHOWN._replace(rows=[])) == ""


def test_changed_cells_get_a_mark() -> None:
    """A mark stands behind its cell and moves no column."""
    body = [["USDT", "1.5", "9"], ["B", "-20", "10"]]
    header = ["asset", "balance", "n"]
    plain, marked = (
        format_table(header, body, None, marks=marks)[0] for marks in ((), {(0, 1), (1, 2)})
    )
    assert marked == ["asset  balance   n", "USDT       1.5*  9", "B          -20  10*"]
    assert plain == [line.replace("*", " ").rstrip() for line in marked]
    fields = format_table(header, body, 13, marks={(0, 1)})
    assert fields[0] == ["asset    USDT", "balance  1.5*", "n        9"]
    assert format_table(header, body, 12, marks={(0, 1)})[0][2:4] == ["balance", "1.5*"]


def test_json_stays_json_in_any_encoding() -> None:
    """Characters that the encoding cannot represent are escaped as JSON escapes them."""
    data = TableData(
        ["asset"], [{"asset": "é币🙂\\u", "ratio": Decimal("1.50")}], is_single_object=True
    )
    page = io.BytesIO()
    with io.TextIOWrapper(page, encoding="cp1252", errors="backslashreplace") as out:
        RENDERERS["json"](data, out)
        out.flush()
        assert (
            page.getvalue()
            == b'{\n  "asset": "\\u00e9\\u5e01\\ud83d\\ude42\\\\u",\n  "ratio": 1.50\n}\n'
        )


def test_an_absent_object_is_null() -> None:
    """A single object that was not selected is null in JSON."""
    assert render("json", TableData(["asset"], [], is_single_object=True)) == "null\n"


JSON_VALUES: list[Any] = [
    *("", "plain", '"\\/\b\f\n\r\t\x00\x1b\x7f', "é币🙂\u2028\ufeff", None, True, False, [], {}),
    *(0, -5, 2**63, Decimal("1.50"), Decimal("0E-8"), Decimal("1" * 40), [[], {}, [1, [None]]]),
    {"a": {"b": [Decimal("0.10"), {"": ""}]}, "币": []},
]


def test_json_has_the_usual_layout() -> None:
    """The JSON is that of the standard library with two spaces, and numbers keep their digits."""
    printed = render("json", TableData([], [{"value": JSON_VALUES}], is_single_object=False))
    read = json.loads(printed, parse_float=Decimal, parse_int=Decimal)
    assert [str(value) for value in read[0]["value"][10:13]] == ["-5", str(2**63), "1.50"]
    plain = json.loads(printed, parse_float=str, parse_int=int)
    expected = json.dumps(plain, indent=2, ensure_ascii=False)
    for quoted, number in (('"1.50"', "1.50"), ('"0E-8"', "0E-8"), ('"0.10"', "0.10")):
        expected = expected.replace(quoted, number)
    assert printed == expected + "\n"


def test_nested_values_are_compact_in_cells() -> None:
    """An object in a cell of the CSV is JSON without spaces."""
    rows = [{"deep": {"a": [1, Decimal("2.50"), "币"]}}]
    data = TableData(["deep"], rows, is_single_object=False)
    assert render("csv", data) == 'deep\n"{""a"":[1,2.50,""币""]}"\n'


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The environment for a command that reads the mock exchange."""
    exchange = Exchange()
    with running(exchange) as url:
        yield {
            **{name: value for name, value in os.environ.items() if name != "COLUMNS"},
            "BINANCE_API_KEY": exchange.api_key,
            "BINANCE_API_SECRET": exchange.api_secret,
            "BINANCE_BASE_URL": url,
        }


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"COLUMNS": "20"}, {"COLUMNS": "0"}, {}])
@pytest.mark.parametrize("size", [0, 20, 80, 300])
def test_the_command_cuts_nothing_on_terminals(
    environment: dict[str, str], size: int, variables: dict[str, str]
) -> None:
    """On a real terminal of any size and kind the command prints the amounts in full."""
    variables = {"TERM": "xterm", **variables}
    with Terminal("balance", columns=size, environment={**environment, **variables}) as terminal:
        assert terminal.end() == 0
    text = terminal.raw
    assert "122607.35137903" in text.split()
    assert "…" not in text
    assert "\x1b" not in text
    is_wide = size == 300 and variables.get("COLUMNS") != "20"
    assert (len(text.splitlines()) == 2) == is_wide
