"""Private names of the product are used in `patch_points` only."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT

HERE = Path(__file__).parent
SUITE = ROOT / "binance_usdm" / "contract"
FILES = sorted({*HERE.rglob("*.py"), *SUITE.rglob("*.py")} - {HERE / "patch_points.py"})
PRODUCT = ("binance_usdm", "binance_usdm.mock", "binance_usdm_wire")


def private_uses(source: str) -> Iterator[str]:
    """Yield imports of private modules and names, and private attributes of other objects."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if _is_private(each.name, ""))
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            yield from (
                f"{module}.{each.name}" for each in node.names if _is_private(module, each.name)
            )
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own and not node.attr.endswith("__"):
                yield f".{node.attr}"


def _is_private(module: str, name: str) -> bool:
    if module.split(".")[0] not in PRODUCT or module.startswith("binance_usdm.contract"):
        return False
    if module not in PRODUCT or name.startswith("_"):
        return True
    return isinstance(getattr(importlib.import_module(module), name, None), ModuleType)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_product_internals_are_not_used(file: Path) -> None:
    allowed = {"._replace"}  # the public method of a named tuple
    assert {*private_uses(file.read_text("utf-8"))} <= allowed


@pytest.mark.parametrize(
    "source",
    [
        "from binance_usdm import _errors",
        "from binance_usdm._errors import APIError",
        "from binance_usdm.mock import pipeline",
        "from binance_usdm.mock.core.query import Query",
        "import binance_usdm_wire.rows",
        "client._transport = transport",
    ],
)
def test_use_of_internals_is_noticed(source: str) -> None:
    assert [*private_uses(source)] != []


def test_each_point_has_one_name() -> None:
    """A name that is assigned twice would replace another place than its first users mean."""
    source = (ROOT / "tests/contract/patch_points.py").read_text("utf-8")
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    names = [ast.unparse(node.targets[0]) for node in assigned]
    places = [ast.unparse(node.value) for node in assigned]
    assert len({*names}) == len(names)
    assert len({*places}) == len(places)
