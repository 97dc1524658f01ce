"""What `help()` and `--help` print is plain English: sections, and no source marks of the spec."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from binance_usdm import AsyncClient, Client
from binance_usdm_wire import OPERATIONS
from tests.support.paths import ROOT

SPEC = json.loads((ROOT / "generated_client/binance_usdm_wire/openapi.json").read_bytes())
SOURCE_MARK = re.compile(r"\[(" + "|".join(SPEC["x-sources"]) + r")\]")
METHODS = [*OPERATIONS, *(f"{name}_detailed" for name in OPERATIONS)]
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("binance_usdm", "generated_client")
    for path in (ROOT / folder).rglob("*.py")
)


def docstrings(source: bytes) -> Iterator[str]:
    """Yield the docstrings of a module, its classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_docstring_has_a_source_mark(path: Path) -> None:
    """A mark such as the source of a fact stays in the spec."""
    texts = list(docstrings((ROOT / path).read_bytes()))
    assert [text for text in texts if SOURCE_MARK.search(text)] == []


def test_no_operation_text_has_a_source_mark() -> None:
    """The command's `--help` is made of these texts."""
    assert SOURCE_MARK.search(json.dumps(SPEC["paths"])), "the spec does have marks"
    for operation in OPERATIONS.values():
        texts = [operation.summary, *(one.description for one in operation.parameters)]
        assert [text for text in texts if SOURCE_MARK.search(text)] == []


def test_a_parameter_has_the_description_of_the_spec() -> None:
    """It is complete, though generated code has it on several lines."""
    (parameter,) = OPERATIONS["balance"].parameters
    source = SPEC["components"]["parameters"]["RecvWindow"]["description"]
    assert len(source) > 200
    assert parameter.description == re.sub(rf" {SOURCE_MARK.pattern}", "", source)


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("name", METHODS)
def test_help_of_a_method_is_complete(client: type, name: str) -> None:
    """Each method documents all its arguments, its result and its errors."""
    method = getattr(client, name)
    text = inspect.getdoc(method) or ""
    parameters = [one for one in inspect.signature(method).parameters if one != "self"]
    sections = ["Args:"] * bool(parameters) + ["Returns:", "Raises:"]
    assert re.findall(r"(?m)^[A-Z]\w+:$", text) == sections
    assert all(f"    {parameter}: " in text for parameter in parameters)
    assert max(map(len, text.splitlines())) <= 100
