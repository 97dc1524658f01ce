"""Private names of schemathesis are used in one file, and these are they."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis import errors

from tests.support.paths import ROOT

SUITE = ROOT / "binance_usdm"
INTERNALS = SUITE / "contract" / "_cases" / "schemathesis_internals.py"
FILES = sorted({*SUITE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")} - {INTERNALS})
# The reference describes `checks`, whose names it calls by `schemathesis.checks`.
PUBLIC = {
    *(f"schemathesis.{name}" for name in (*schemathesis.__all__, "checks")),
    *(f"schemathesis.errors.{name}" for name in errors.__all__),
}

# Their public names are listed, or they have modules that are private.
MODULES_WITH_LISTS = ("schemathesis.errors", "schemathesis.pytest", "schemathesis.python")


def private_names(source: str) -> Iterator[str]:
    """Yield what a file imports of schemathesis, or reads of its module, and is not public."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{each.name}" for each in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        for name in names:
            if name.startswith("schemathesis.") and name not in PUBLIC and not is_member(name):
                yield name


def is_member(name: str) -> bool:
    """Return whether a name is an attribute of something public."""
    above, _, last = name.rpartition(".")
    return last == "__all__" or (above in PUBLIC and above not in MODULES_WITH_LISTS)


def test_private_names_stand_in_one_file() -> None:
    assert {*private_names(INTERNALS.read_text("utf-8"))} == {
        "schemathesis.core.NotSet",
        "schemathesis.core.result.Ok",
        "schemathesis.pytest.lazy.get_all_tests",
        "schemathesis.python.asgi.get_client",
    }
    found = {file.name: [*private_names(file.read_text("utf-8"))] for file in FILES}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from schemathesis.core.failures import FailureGroup",
        "import schemathesis.core.failures",
        "from schemathesis import hooks",
        "schemathesis.core.result.Ok(1)",
        "from schemathesis.errors import no_such_name",
        "schemathesis.python.asgi.get_client(app)",
    ],
)
def test_use_of_a_private_name_is_noticed(source: str) -> None:
    assert [*private_names(source)] != []
