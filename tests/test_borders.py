"""Who may import whom. Imports are read from the source; only what a plain `import binance_usdm` loads is tried out."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import binance_usdm
import binance_usdm_wire

SDK = Path(binance_usdm.__file__).parent
WIRE = Path(binance_usdm_wire.__file__).parent
GENERATOR = Path(__file__).parent.parent / "generator"
OURS = ("binance_usdm", "binance_usdm_wire", "generator")


def modules(root: Path) -> dict[str, Path]:
    """Modules of a package by dotted name."""
    found = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


SOURCES = {**modules(SDK), **modules(WIRE), **(modules(GENERATOR) if GENERATOR.exists() else {})}


def imported(name: str) -> set[str]:
    """What a module imports, anywhere in its text, as dotted names: modules where they are ours, packages else."""
    return set(_imported(name, SOURCES[name]))


def _imported(name: str, file: Path) -> Iterator[str]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _run(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name if alias.name in SOURCES else alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield whole if whole in SOURCES else source if source in SOURCES else source.partition(".")[0]


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _run(child)


def ours(name: str) -> set[str]:
    return {found for found in imported(name) if found.partition(".")[0] in OURS}


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_reader_of_imports_sees_every_form() -> None:
    assert {"binance_usdm._client", "binance_usdm._errors", "binance_usdm_wire"} <= imported("binance_usdm")
    assert {"binance_usdm._policy.retry", "binance_usdm._policy.clock", "binance_usdm_wire", "time"} <= imported(
        "binance_usdm._call"
    )
    assert {"binance_usdm.mock.exchange", "pytest"} <= imported("binance_usdm.mock.plugin")
    assert {"binance_usdm_wire.writing", "binance_usdm_wire.models"} <= imported(
        "binance_usdm_wire.api.account.balance"
    )
    assert len(SOURCES) > 30


WIRE_MODULES = [name for name in SOURCES if inside(name, "binance_usdm_wire")]
MOCK_MODULES = [name for name in SOURCES if inside(name, "binance_usdm.mock")]


@pytest.mark.parametrize("name", WIRE_MODULES)
def test_the_wire_does_no_input_or_output(name: str) -> None:
    foreign = imported(name) - set(WIRE_MODULES)
    assert foreign <= {
        "__future__",
        "attrs",
        "collections",
        "datetime",
        "decimal",
        "functools",
        "itertools",
        "json",
        "operator",
        "orjson",
        "re",
        "typing",
        "urllib",
    }


@pytest.mark.parametrize("name", MOCK_MODULES)
def test_the_mock_imports_nothing_that_it_judges(name: str) -> None:
    assert ours(name) <= set(MOCK_MODULES)


def test_signing_knows_errors_and_nothing_else_of_ours() -> None:
    assert imported("binance_usdm._auth.signers") <= {
        "__future__", "binance_usdm._errors", "binance_usdm._secrets", "hashlib", "string", "typing",
    }  # fmt: skip


def test_private_keys_know_signing_and_files_and_no_network() -> None:
    assert ours("binance_usdm._auth.private_keys") == {"binance_usdm._errors", "binance_usdm._secrets"}
    assert imported("binance_usdm._auth.private_keys") - ours("binance_usdm._auth.private_keys") <= {
        "__future__", "base64", "collections", "cryptography", "os", "re", "stat", "typing",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "_errors",
        "_response",
        "_events",
        *(f"_policy.{name}" for name in ("clock", "retry", "limiter", "shared", "wait_queue")),
    ],
)
def test_what_decides_neither_sends_nor_sleeps(name: str) -> None:
    assert not imported(f"binance_usdm.{name}") & {
        "asyncio",
        "httpx",
        "httptools",
        "select",
        "socket",
        "ssl",
    }


FLOORS = [  # from the top; a module imports from below. All others are rooms on the ground floor, and may import each other
    {"binance_usdm.__main__"},
    {"binance_usdm._cli.main"},
    {"binance_usdm._cli.mock", "binance_usdm._cli.doctor"},
    {"binance_usdm._cli.checks"},
    {"binance_usdm._cli.table", "binance_usdm._cli.findings"},
    {"binance_usdm"},
    {"binance_usdm._client"},
    {"binance_usdm._call"},
]


def floor(name: str) -> int:
    return next((number for number, names in enumerate(FLOORS) if name in names), len(FLOORS))


def test_nothing_imports_upward_or_in_a_circle() -> None:
    graph = {name: ours(name) for name in SOURCES if not inside(name, "generator")}
    for name, found in graph.items():
        for other in found:
            assert floor(other) > floor(name) or floor(other) == len(FLOORS), f"{name} imports {other}"
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_only_the_command_line_imports_the_mock() -> None:
    users = {name for name in SOURCES if not inside(name, "binance_usdm.mock") and ours(name) & set(MOCK_MODULES)}
    assert users <= {"binance_usdm._cli.mock"}


def test_the_generator_is_imported_by_nobody_and_imports_nothing_of_ours() -> None:
    for name in SOURCES:
        if inside(name, "generator"):
            assert not any(inside(found, "binance_usdm", "binance_usdm_wire") for found in imported(name)), name
        else:
            assert "generator" not in {found.partition(".")[0] for found in imported(name)}, name


def test_httpx_is_known_behind_one_border_and_in_the_mock() -> None:
    assert {name for name in SOURCES if "httpx" in imported(name)} == {
        "binance_usdm._http.httpx_adapter",
        "binance_usdm.mock.server.httpx_transport",
    }


ONE_CALL = """
import sys; before = set(sys.modules)
import binance_usdm
try:
    binance_usdm.Client("key", "secret", base_url="http://127.0.0.1:1", retry=binance_usdm.RetryPolicy.off()).balance()
except binance_usdm.TransportError as error:
    assert "ConnectError" in str(error)
    print(*(set(sys.modules) - before))
"""


def test_a_blocking_call_loads_no_httpx_no_asyncio_no_extra_no_command_line_and_no_mock() -> None:
    ran = subprocess.run([sys.executable, "-c", ONE_CALL], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"binance_usdm._client", "binance_usdm_wire.operations", "orjson", "httptools"} <= loaded
    unwanted = (
        "httpx",
        "asyncio",
        "rich",
        "uvicorn",
        "argparse",
        "pytest",
        "cryptography",
        "generator",
        "binance_usdm.mock",
        "binance_usdm._cli",
    )
    assert not [name for name in loaded if inside(name, *unwanted)]
