"""What clients make of responses that are wrong, of a ban, and of a slow or foreign server.

    python -m tests.interop.compare        measure, and write docs/comparison.json and its tables
    python -m tests.interop.compare --tables   write the tables of the two pages from that file

Each client calls the mock exchange in a process and environment of its own, with a timeout of one
second and its own defaults otherwise. The pages are docs/en and docs/zh, `how-to/switch.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from binance_usdm import __version__
from binance_usdm.mock import Exchange, Reply, running
from tests.interop.install import HERE, command_of, version

ROOT: Final = HERE.parents[1]
RESULTS: Final = ROOT / "docs" / "comparison.json"
PROGRAM_BY_CLIENT: Final = {
    "official-python": ("py_official.py", "binance-sdk-derivatives-trading-usds-futures"),
    "futures-connector": ("py_futures_connector.py", "binance-futures-connector"),
    "python-binance": ("py_python_binance.py", "python-binance"),
    "ccxt-python": ("py_ccxt.py", "ccxt"),
}
OURS: Final = "binance-usdm"
NUMBER: Final = b'[{"asset":"USDT","balance":123456789012345678.12345678}]'
MINUTE_MS: Final = 60_000
BEGIN, END = "<!-- comparison -->", "<!-- /comparison -->"

Prepare = Callable[[Exchange, ExitStack], None]


def _fail(fault: str | Reply, **options: Any) -> Prepare:
    return lambda exchange, _: exchange.fail(fault, times=None, operation="balance", **options)


def _json_reply(body: bytes) -> Reply:
    return Reply(200, ((b"Content-Type", b"application/json"),), body)


def _ban(exchange: Exchange, _: ExitStack) -> None:
    exchange.ban(seconds=120)


SITUATIONS: Final[dict[str, tuple[Prepare, int]]] = {
    "balance": (lambda exchange, _: None, 1),
    "empty": (_fail("empty-200"), 1),
    "truncated": (_fail(_json_reply(b'[{"asset":"USDT","balance":"12')), 1),
    "page": (_fail("html-200"), 1),
    "error": (_fail("error-in-200"), 1),
    "missing": (_fail("missing-member", member="balance"), 1),
    "number": (_fail(_json_reply(NUMBER)), 1),
    "ban": (_ban, 10),
    "slow": (_fail("slow", chunk=16, pause=0.3), 1),
    "clock": (lambda exchange, _: None, 1),
    "redirect": (lambda exchange, _: None, 1),
    "unreachable": (lambda exchange, _: None, 1),
}
"""What the exchange does, and how many calls a client makes."""
SPOILED: Final = ("empty", "truncated", "page", "error", "missing", "number")


def measure(client: str, command: list[str], case: str) -> dict[str, Any]:
    """Return what a client makes of a case."""
    prepare, calls = SITUATIONS[case]
    shift = MINUTE_MS if case == "clock" else 0
    exchange = Exchange(clock=lambda: time.time_ns() // 1_000_000 + shift)
    foreign = Exchange()
    with ExitStack() as stack:
        url = stack.enter_context(running(exchange))
        foreign_url = stack.enter_context(running(foreign)).replace("127.0.0.1", "localhost")
        prepare(exchange, stack)
        if case == "redirect":
            location = f"{foreign_url}/fapi/v3/balance".encode()
            exchange.fail(Reply(302, ((b"Location", location),), b""), times=None)
        environment = {
            **{name: text for name, text in os.environ.items() if name[:8] != "BINANCE_"},
            "BINANCE_BASE_URL": "http://127.0.0.1:1" if case == "unreachable" else url,
            "BINANCE_API_KEY": str(exchange.api_key),
            "BINANCE_API_SECRET": str(exchange.api_secret),
        }
        program = [*command, str(HERE / "answers.py"), client, str(calls)]
        done = subprocess.run(
            program, env=environment, capture_output=True, text=True, timeout=300, check=True
        )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"r')]
    assert len(answers) == calls, done.stderr
    facts = {**answers[-1], "requests": len(exchange.requests)}
    if case == "redirect":
        facts["key_sent"] = any(request.api_key for request in foreign.requests)
    return facts


def measure_all() -> dict[str, Any]:
    """Return the date, the versions, and what each client makes of each case."""
    clients = {OURS: [sys.executable, "-I"]}
    versions = {OURS: __version__}
    for client, (program, package) in PROGRAM_BY_CLIENT.items():
        clients[client] = command_of(program, client, print)[:-1]
        versions[client] = version(program, package)
    results: dict[str, dict[str, Any]] = {}
    for client, command in clients.items():
        results[client] = {case: measure(client, command, case) for case in SITUATIONS}
        print(client, json.dumps(results[client], indent=2))
    date = time.strftime("%Y-%m-%d", time.gmtime())
    return {"date": date, "versions": versions, "results": results}


WORDS: Final = {
    "en": {
        "client": "", "error": "error", "yes": "yes", "no": "no", "seconds": "{} s",
        "spoiled": "of six spoiled 200 responses raised as errors",
        "empty": "200, empty", "truncated": "200, half of the body", "page": "200, a page",
        "error_200": "200 with `code` and `msg`", "missing": "200, a row without `balance`",
        "number": "200, an amount as a JSON number", "type": "type of an amount",
        "ban": "requests of ten calls during a ban", "slow": "call with a timeout of 1 s, response in drips",
        "clock": "this machine's clock a minute behind", "corrected": "corrected",
        "key_sent": "key sent to the host of a redirect",
        "signature": "signature in the text of a connection error",
    },
    "zh": {
        "client": "", "error": "报错", "yes": "是", "no": "否", "seconds": "{} 秒",
        "spoiled": "六种损坏的 200 响应中报错的个数",
        "empty": "200，空响应体", "truncated": "200，响应体只有一半", "page": "200，网页",
        "error_200": "200，内容为 `code` 和 `msg`", "missing": "200，某一行缺少 `balance`",
        "number": "200，金额为 JSON 数字", "type": "金额的类型",
        "ban": "封禁期间十次调用发出的请求数", "slow": "超时 1 秒，响应缓慢到达时的用时",
        "clock": "本机时钟慢一分钟", "corrected": "自动校正",
        "key_sent": "跟随重定向时把 API Key 发给其他主机",
        "signature": "连接错误的文字中含有签名",
    },
}  # fmt: skip


def make_table(results: dict[str, Any], language: str) -> str:
    """Return the table of a page in Markdown."""
    words = WORDS[language]

    def outcome(facts: dict[str, Any]) -> str:
        if "raised" in facts:
            return words["error"]
        kind, _, balance_type = facts["returned"].partition(" of 1, ")
        return f"`{kind}`" if balance_type in ("", "NoneType") else f"`{balance_type}`"

    def yes(is_true: bool) -> str:
        return words["yes" if is_true else "no"]

    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "type": lambda of: f"`{of['balance']['returned'].rpartition(' ')[2]}`",
        "spoiled": lambda of: f"**{sum('raised' in of[case] for case in SPOILED)}**",
        "empty": lambda of: outcome(of["empty"]),
        "truncated": lambda of: outcome(of["truncated"]),
        "page": lambda of: outcome(of["page"]),
        "error_200": lambda of: outcome(of["error"]),
        "missing": lambda of: outcome(of["missing"]),
        "number": lambda of: outcome(of["number"]),
        "ban": lambda of: str(of["ban"]["requests"]),
        "slow": lambda of: words["seconds"].format(of["slow"]["seconds"]),
        "clock": lambda of: words["corrected"] if "returned" in of["clock"] else words["error"],
        "key_sent": lambda of: yes(of["redirect"]["key_sent"]),
        "signature": lambda of: yes(of["unreachable"]["shows_signature"]),
    }
    versions = results["versions"]
    head = [f"{client.removesuffix('-python')} {versions[client]}" for client in versions]
    lines = [["", *head], ["---"] * (len(head) + 1)]
    for name, render in rows.items():
        cells = [render(results["results"][client]) for client in versions]
        lines.append([words[name], *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_tables() -> None:
    """Write the tables of both pages from the results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for language in WORDS:
        page = ROOT / "docs" / language / "how-to" / "switch.md"
        text = page.read_text(encoding="utf-8")
        table = make_table(results, language)
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        written = f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
        page.write_text(written, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", action="store_true")
    if not parser.parse_args().tables:
        RESULTS.write_text(json.dumps(measure_all(), indent=2) + "\n", encoding="utf-8")
    write_tables()


if __name__ == "__main__":
    main()
