"""`python -m generator page`: saved documentation pages against the spec."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from generator.page.command import run_page
from generator.page.compare import compare_page
from generator.page.difference import Difference
from generator.page.markdown import split_pages
from tests.generator.page.writer import SPEC, write_page
from tests.support.paths import ROOT, SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

BALANCE, TIME = BALANCE_PATH, TIME_PATH
WEIGHT, OTHER_WEIGHT = f"**{BALANCE_WEIGHT}**", f"**{BALANCE_WEIGHT + 5}**"
LANGUAGES = ("en", "zh")


def compare(text: str) -> list[Difference]:
    (page,) = split_pages(text)
    return compare_page(page, SPEC)


@pytest.mark.parametrize("path", [BALANCE, TIME])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fenced", [False, True])
def test_a_page_of_the_spec_has_no_difference(path: str, language: str, fenced: bool) -> None:
    """What the spec says is silent, in both languages and both forms of code."""
    text = write_page(path, language, fenced=fenced)
    assert compare(text) == []
    assert split_pages(text)[0].language == language
    assert compare(text.replace("\n", "\r\n")) == []


class Edit(NamedTuple):
    """A change of a page, and what must be said about it."""

    old: str
    new: str
    subject: str
    said: str


EDITS = {
    "path, version": Edit(BALANCE, BALANCE.replace("/v", "/v9"), "path", "/v9"),
    "path, prefix": Edit(BALANCE, f"/papi{BALANCE}", "path", f"the spec {BALANCE}"),
    "path, slash": Edit("balance`", "balance/`", "path", f"{BALANCE}/"),
    "method": Edit("GET `", "POST `", "method", "the page has POST, the spec GET"),
    "no request": Edit(f"GET `{BALANCE}`", "", "path", "no method and path"),
    "two paths": Edit("balance`\n", "balance`\n\nGET `/x`\n", "path", "GET `/x`"),
    "security type": Edit("(USER_DATA)", "(TRADE)", "security type", "TRADE, the spec USER_DATA"),
    "no security type": Edit(" (USER_DATA)", "", "security type", "NONE, the spec USER_DATA"),
    "weight": Edit(WEIGHT, OTHER_WEIGHT, "weight", f"the spec {BALANCE_WEIGHT}"),
    "weight, words": Edit(WEIGHT, f"{WEIGHT} for one, **100** for all", "weight", "100"),
    "weight, more": Edit(WEIGHT, f"{WEIGHT}\n\n1000 orders", "weight", "1000 orders"),
    "no weight": Edit(WEIGHT, "", "weight", f"the spec {BALANCE_WEIGHT}"),
    "parameter, name": Edit("recvWindow|", "recv_window|", "parameter recv_window", "not in the"),
    "parameter, case": Edit("timestamp|", "timeStamp|", "parameter timestamp", "not on the page"),
    "parameter, new": Edit(
        "timestamp|", "asset| STRING| NO|\ntimestamp|", "parameter asset", "not in the spec"
    ),
    "parameter, gone": Edit(
        "recvWindow| LONG| NO|   \n", "", "parameter recvWindow", "is in the spec"
    ),
    "parameter, twice": Edit(
        "timestamp|", "timestamp| LONG| YES|\ntimestamp|", "parameter timestamp", "more than once"
    ),
    "parameter, type": Edit(
        "recvWindow| LONG", "recvWindow| INT", "parameter recvWindow, type", "INT, the spec LONG"
    ),
    "parameter, text": Edit(
        "timestamp| LONG", "timestamp| STRING", "parameter timestamp, type", "STRING, the spec"
    ),
    "parameter, decimal": Edit(
        "recvWindow| LONG", "recvWindow| DECIMAL", "parameter recvWindow, type", "DECIMAL"
    ),
    "obligation, more": Edit(
        "LONG| NO|", "LONG| YES|", "parameter recvWindow, obligation", "YES, the spec NO"
    ),
    "obligation, less": Edit(
        "LONG| YES|", "LONG| NO|", "parameter timestamp, obligation", "NO, the spec YES"
    ),
    "obligation, unknown": Edit(
        "LONG| NO|", "LONG| *|", "parameter recvWindow, obligation", "*, the spec NO"
    ),
    "description": Edit(
        "LONG| NO|", "LONG| NO| at most 60000", "parameter recvWindow, description", "60000"
    ),
    "note": Edit(
        "timestamp| LONG| YES|", "timestamp| LONG| YES|\n\nBoth in ms", "parameters", "ms"
    ),
    "field, name": Edit('"balance"', '"walletBalance"', "field walletBalance", "not in the spec"),
    "field, new": Edit(
        '"asset":', '"marginType": "x",\n        "asset":', "field marginType", "not in the spec"
    ),
    "field, gone": Edit('"asset": "USDT",', "", "field asset", "not on the page"),
    "field, twice": Edit(
        '"asset":', '"asset": "BNB",\n        "asset":', "field asset", "more than once"
    ),
    "type, number": Edit('"0.00000000"', "0.0", "type of crossUnPnl", "number, the spec string"),
    "type, string": Edit("1617939110373", '"1617939110373"', "type of updateTime", "string"),
    "type, boolean": Edit("true", "1", "type of marginAvailable", "integer, the spec boolean"),
    "type, null": Edit("true", "null", "type of marginAvailable", "null, the spec boolean"),
    "type, fraction": Edit("1617939110373", "1617939110373.0", "type of updateTime", "number"),
    "type, no decimal": Edit('"0.00000000"', '"zero"', "type of crossUnPnl", "decimal"),
    "type, nested": Edit('"USDT"', '{"name": "USDT"}', "type of asset", "object, the spec string"),
    "comment of a field without": Edit(
        "1617939110373", "1617939110373 // last update", "comment of updateTime", "last update"
    ),
    "comment alone": Edit("    [\n", "    // one row an asset\n    [\n", "comment", "one row an"),
    "value": Edit("122607.35137903", "122607.35", "example, [0].balance", "122607.35"),
    "value, boolean": Edit("true", "false", "example, [0].marginAvailable", "False, the spec True"),
    "not JSON": Edit('"USDT",', '"USDT"', "example", "is not valid JSON"),
    "cut": Edit("    ]\n", "", "example", "is not valid JSON"),
    "ellipsis": Edit("    ]\n", "    ...\n", "example", "is not valid JSON"),
}
EDITS_BY_LANGUAGE = {
    "en": {
        "title": Edit("# Futures Account Balance V3", "# Account Balance", "title", "has Account Bal"),
        "address": Edit("/account/", "/wallet/", "address", "/rest-api/Futures-Account-Balance-V3"),
        "sentence": Edit("balance info\n", "balance\n", "description", "the spec Query account"),
        "sentences": Edit("balance info\n", "balance info\n\nMore\n", "description", "info More"),
        "no sentence": Edit("Query account balance info\n", "", "description", "page has nothing"),
        "no description": Edit("## API Description\n", "", "description", "Description\" is missing"),
        "comment": Edit("// wallet balance", "// equity", "comment of balance", "equity, the spec W"),
        "comment, shorter": Edit(
            "unrealized profit of crossed positions", "unrealized profit", "comment of crossUnPnl",
            "the spec Unrealized profit of crossed positions",
        ),
        "comment, longer": Edit(
            "// asset name", "// asset name or index", "comment of asset", "asset name or index"
        ),
        "comment, gone": Edit("    // asset name", "", "comment of asset", "the page has nothing"),
        "section": Edit("## Request Weight", "## IP Limit", "weight", '"Request Weight" is missing'),
        "section, new": Edit("## Request Weight", "## Rules\n\nx\n\n## Request Weight", "page", "Ru"),
        "section, twice": Edit(
            "## Request Weight", "## HTTP Request\n\n## Request Weight", "page", "is there twice"
        ),
        "header": Edit("| Mandatory|", "| Default|", "parameters", "the columns are Name, Type, Def"),
    },
    "zh": {
        "title": Edit("# 账户余额V3", "# 账户余额V4", "title", "has 账户余额V4, the spec 账户余额V3"),
        "address": Edit("/account/", "/wallet/", "address", "/docs/zh-CN/derivatives"),
        "sentence": Edit(
            "## 请求权重", "## 接口描述\n\n查询\n\n## 请求权重", "description", "查询, the spec 查询账户"
        ),
        "comment": Edit("// 总余额", "// 净值", "comment of balance", "净值, the spec 总余额"),
        "comment, shorter": Edit(
            "全仓持仓未实现盈亏", "未实现盈亏", "comment of crossUnPnl", "the spec 全仓持仓未实现盈亏"
        ),
        "comment, longer": Edit("// 资产", "// 资产或指数", "comment of asset", "资产或指数"),
        "comment, gone": Edit("    // 资产", "", "comment of asset", "the page has nothing"),
        "section": Edit("## 请求权重", "## IP限制", "weight", '"请求权重" is missing'),
        "section, new": Edit("## 请求权重", "## 规则\n\nx\n\n## 请求权重", "page", "规则"),
        "section, twice": Edit("## 请求权重", "## HTTP请求\n\n## 请求权重", "page", "is there twice"),
        "header": Edit("| 是否必需|", "| 默认值|", "parameters", "the columns are 名称, 类型, 默认值"),
    },
}  # fmt: skip


def edits() -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        for name in EDITS | EDITS_BY_LANGUAGE[language]:
            yield language, name


@pytest.mark.parametrize(("language", "name"), sorted(edits()))
def test_a_difference_is_reported(language: str, name: str) -> None:
    """Each change of a page is named with its subject and both sides."""
    edit = (EDITS | EDITS_BY_LANGUAGE[language])[name]
    page = write_page(BALANCE, language)
    assert page.count(edit.old) >= 1
    found = [
        difference.text
        for difference in compare(page.replace(edit.old, edit.new, 1))
        if difference.subject == edit.subject
    ]
    assert any(edit.said in text for text in found), compare(page.replace(edit.old, edit.new, 1))


def test_there_are_enough_differences() -> None:
    """Path, method, weight, parameters, types, obligation, fields, order, comments, example."""
    for language in LANGUAGES:
        assert sum(each == language for each, _ in edits()) >= 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_order_is_reported(language: str) -> None:
    """Parameters and fields in another order are one difference each, and no other."""
    page = write_page(BALANCE, language)
    rows = re.findall("^(?:recvWindow|timestamp).*\n", page, re.MULTILINE)
    turned = page.replace(rows[0] + rows[1], rows[1] + rows[0])
    assert [difference.subject for difference in compare(turned)] == ["order of parameters"]
    rows = re.findall('^ +"(?:asset|balance)":.*\n', page, re.MULTILINE)
    turned = page.replace(rows[0] + rows[1], rows[1] + rows[0])
    (difference,) = compare(turned)
    assert difference.subject == "order of fields"
    assert "accountAlias, balance, asset, " in difference.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_the_facts_counts(language: str) -> None:
    """A page without one of its lines has a difference, but for the line below the header."""
    lines = write_page(BALANCE, language).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("## "))
    silent = [
        line
        for number, line in enumerate(lines)
        if number >= first
        and line.strip()
        and not compare("\n".join(lines[:number] + lines[number + 1 :]))
    ]
    assert silent == ["---|---|---|---  "]


def test_a_line_is_that_of_the_file() -> None:
    """The line of a difference can be looked up."""
    lines = write_page(BALANCE, "en").replace(WEIGHT, OTHER_WEIGHT).splitlines()
    (difference,) = compare("\n".join(lines))
    assert lines[difference.line - 1] == OTHER_WEIGHT


@pytest.mark.parametrize("depth", [30, 100_000])
def test_a_deep_example_is_reported(depth: int) -> None:
    """Nesting without end is a difference and no crash."""
    deep = "[" * depth + "]" * depth
    page = write_page(BALANCE, "en", fenced=True)
    start, end = page.index("[\n"), page.rindex("]")
    subjects = {difference.subject for difference in compare(page[:start] + deep + page[end + 1 :])}
    assert subjects & {"example", "type of response"}


def write(folder: Path, *pages: str) -> Path:
    path = folder / "saved.md"
    path.write_text("\n---\n\n".join(pages), encoding="utf-8")
    return path


def test_the_command_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file may have several pages, and what they have in common with the spec is no output."""
    path = write(tmp_path, write_page(BALANCE, "en"), write_page(BALANCE, "zh"))
    assert run_page([path], SPEC_FILE) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "2 page(s) compared, 0 difference(s)\n")


def test_the_command_names_file_line_and_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both pages of a file are compared, each with its own lines."""
    pages = [write_page(BALANCE, language) for language in LANGUAGES]
    path = write(tmp_path, pages[0], pages[1].replace(WEIGHT, OTHER_WEIGHT))
    assert run_page([path], SPEC_FILE) == 1
    out, err = capsys.readouterr()
    line = pages[0].count("\n") + 3 + pages[1][: pages[1].index(WEIGHT)].count("\n")
    both = f"the page has {BALANCE_WEIGHT + 5}, the spec {BALANCE_WEIGHT}"
    assert out == f"{path}:{line + 1}: [zh] weight: {both}\n"
    assert err.startswith("2 page(s) compared, 1 ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "has no page"),
        (b"# Title only\n", "has no page"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_page_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    """What cannot be compared is not taken for a page without differences."""
    path = tmp_path / "saved.md"
    if content is not None:
        path.write_bytes(content)
    assert run_page([path], SPEC_FILE) == 2
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True)


def test_a_spec_with_findings_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page is compared with a spec that code can be generated from, or not at all."""
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({**SPEC, "paths": {}}), encoding="utf-8")
    path = write(tmp_path, write_page(BALANCE, "en"))
    assert run_page([path], spec) == 2
    assert "paths: there must be at least one operation" in capsys.readouterr().err


def test_the_subcommand_is_there(tmp_path: Path) -> None:
    """`python -m generator page FILE` is the way in."""
    path = write(tmp_path, write_page(BALANCE, "en").replace(WEIGHT, OTHER_WEIGHT))
    command = [sys.executable, "-m", "generator", "page", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, f"the spec {BALANCE_WEIGHT}" in done.stdout) == (1, True)
