"""Code that would lose money or secrets, and that no rule of ruff finds."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.support.paths import ROOT

Rule = Callable[[ast.AST], bool]
SOURCES: Final = [
    *(path for name in ("binance_usdm", "generated_client", "generator") for path in (ROOT / name).rglob("*.py")),
    ROOT / "hatch_build.py",
]  # fmt: skip
SECRET: Final = re.compile(r"(?i).*(signature|secret|digest|hmac)\w*(\(.*)?", re.DOTALL)
CONFIDENTIAL: Final = re.compile(
    r"([\w.]*[._])?(request|url|target|query|headers|payload|secret|signature|api_key)"
)
AMOUNT: Final = re.compile(
    r"(?i).*(balance|amount|pnl|available|margin|withdraw|total|price|decimal)"
)
LOG_METHODS: Final = {"debug", "info", "warning", "error", "exception", "critical", "log"}
WIDE_ERRORS: Final = {"Exception", "BaseException"}


def compares_a_secret(node: ast.AST) -> bool:
    """`==` tells by its time how much of a secret was right; `hmac.compare_digest` does not."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return False
    sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
    # The caller's own two, before anything is sent.
    is_own = sides == ["api_key", "api_secret"]
    return not is_own and any(SECRET.fullmatch(side) for side in sides)


def shows_a_request(node: ast.AST) -> bool:
    """A request, its URL and its headers hold the key and the signature."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    is_log = isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS
    if not is_log and name not in {"print", "repr", "str"}:
        return False
    shown = [ast.unparse(argument) for argument in node.args]
    if name == "str":
        return any(re.fullmatch(r".*(request|request\.url|secret|signature|api_key)", text) for text in shown)  # fmt: skip
    return any(CONFIDENTIAL.fullmatch(text) for text in shown)


def makes_a_float_of_an_amount(node: ast.AST) -> bool:
    """Money is Decimal from text to text: a float has lost digits already."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name, argument = ast.unparse(node.func), node.args[0]
    if name == "map":
        return ast.unparse(argument) == "float"
    is_field = isinstance(argument, ast.Attribute | ast.Subscript)
    return name == "float" and (is_field or bool(AMOUNT.fullmatch(ast.unparse(argument))))


def suppresses_every_error(node: ast.AST) -> bool:
    """An error that nobody sees is a wrong number later."""
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("suppress"):
        return False
    return any(ast.unparse(argument) in WIDE_ERRORS for argument in node.args)


def weakens_tls(node: ast.AST) -> bool:
    """TLS checks the host name always, and nobody reads along."""
    if isinstance(node, ast.keyword):
        return node.arg == "check_hostname" and ast.unparse(node.value) == "False"
    if not isinstance(node, ast.Assign):
        return False
    value = ast.unparse(node.value)
    names = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
    return "keylog_filename" in names or ("check_hostname" in names and value == "False")


def lets_httpx_follow(node: ast.AST) -> bool:
    """A transport follows no redirect and reads no proxy from the environment."""
    if isinstance(node, ast.Attribute):
        return node.attr == "raise_for_status"
    return (
        isinstance(node, ast.keyword)
        and node.arg in {"follow_redirects", "trust_env"}
        and ast.unparse(node.value) == "True"
    )


SAMPLES: Final[dict[Rule, tuple[list[str], list[str]]]] = {
    compares_a_secret: (
        ["request.signature == expected", "sign(b'') != digest", "api_secret == other"],
        ["hmac.compare_digest(signature, expected)", "api_key == api_secret", "signer is None"],
    ),
    shows_a_request: (
        ["print(request)", "log.debug('to %s', request.url)", "self.log.warning('%s', url)",
         "str(request.url)", "repr(api_key)"],
        ["log.debug('sending %s %s', method, path)", "print(table)", "str(error)"],
    ),
    makes_a_float_of_an_amount: (
        ["float(row.balance)", "float(balance)", "sum(map(float, texts))", "float(row['available'])"],
        ["Decimal(row.balance)", "float(seconds)"],
    ),
    suppresses_every_error: (
        ["contextlib.suppress(Exception)", "suppress(OSError, BaseException)"],
        ["contextlib.suppress(OSError)"],
    ),
    weakens_tls: (
        ["context.check_hostname = False", "wrap(check_hostname=False)", "c.keylog_filename = 'x'"],
        ["context.check_hostname = True", "context = ssl.create_default_context()"],
    ),
    lets_httpx_follow: (
        ["Client(follow_redirects=True)", "Client(trust_env=True)", "response.raise_for_status()"],
        ["Client(trust_env=False)", "response.status_code"],
    ),
}  # fmt: skip
"""Rule -> (code that breaks it, code that does not)."""


def lines_that_break(rule: Rule, source: str) -> Iterator[int]:
    """Return the lines of a module that break a rule."""
    for node in ast.walk(ast.parse(source)):
        if rule(node):
            yield getattr(node, "lineno", 0)


@pytest.mark.promise("S18", "S10", "S12")
@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_a_rule(rule: Rule) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        for line in lines_that_break(rule, path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.__name__)
def test_a_rule_finds_bad_code_and_no_other(rule: Rule) -> None:
    bad, good = SAMPLES[rule]
    assert [code for code in bad if not list(lines_that_break(rule, code))] == []
    assert [code for code in good if list(lines_that_break(rule, code))] == []
