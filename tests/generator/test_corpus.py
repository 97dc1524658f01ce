"""Every shape of operation is generated, typed, called, answered and printed.

The package of all shapes replaces the committed one in a separate process; everything else is the
project as it is. `make breadth` runs layers A to C of the contract tests on every shape,
this file on a part of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from generator.output.package_files import replace_package
from generator.output.project import PACKAGE, generate
from tests.specs.corpus import SHAPES, corpus_document
from tests.support.paths import MYPY_CACHE, ROOT

NAMES = [shape.name for shape in SHAPES]
# Rows that are arrays, missing and null, maps, JSON, paths; `make breadth` runs all shapes.
IN_CONTRACT = (
    "klines", "full_config", "rows_by_symbol", "json_object", "by_two_paths",
)  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source root with the package of all shapes."""
    folder = tmp_path_factory.mktemp("corpus")
    replace_package(folder / PACKAGE, generate(corpus_document()))
    return folder


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package of the corpus."""
    path = os.pathsep.join([str(root), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True,
        encoding="utf-8", timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(root: Path) -> dict[str, str]:
    """Return what is wrong with the calls of each shape, "" for nothing, from one process."""
    done = run(root, "-W", "error::DeprecationWarning", "-m", "tests.specs.run_corpus")
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def test_there_are_enough_shapes() -> None:
    assert len({*NAMES}) == len(SHAPES) >= 35


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_works(name: str, outcomes: dict[str, str]) -> None:
    """Both clients send the expected bytes, signed; the value is exact; the command prints it."""
    assert outcomes[name] == ""


def test_a_part_passes_the_contract(root: Path) -> None:
    """Layers A to C follow from the spec: no line of them names these operations."""
    client = "async, default transport"
    done = run(root, "-m", "tests.specs.run_corpus", "--contract", client, *IN_CONTRACT)
    assert done.stdout == "", done.stderr[-2000:]
    assert done.returncode == 0, done.stderr[-2000:]


LOADED: Final = """
import sys
import binance_usdm_wire
from binance_usdm_wire.summaries import SUMMARY_BY_ID
before = {name for name in sys.modules if name.startswith("binance_usdm_wire.")}
import binance_usdm
from binance_usdm.mock import Exchange
exchange = Exchange()
client = binance_usdm.Client(exchange.api_key, exchange.api_secret, transport=exchange.transport)
client.klines(symbol="BTCUSDT", interval="1m")
after = {name for name in sys.modules if name.startswith("binance_usdm_wire.")} - before
print(len(SUMMARY_BY_ID), *sorted(name.removeprefix("binance_usdm_wire.") for name in before))
print(*sorted(name.removeprefix("binance_usdm_wire.") for name in after))
"""


def test_only_what_is_used_is_imported(root: Path) -> None:
    """The package imports no operation and no class, and a call only its own."""
    done = run(root, "-c", LOADED)
    assert done.returncode == 0, done.stderr
    before, after = (line.split() for line in done.stdout.splitlines())
    assert before[0] == str(len(SHAPES) + 2)
    assert before[1:] == ["errors", "lazy", "models", "operations", "reading", "summaries", "types"]
    operations = {name for name in after if name.startswith("api.") and name.count(".") == 2}
    # The client reads the exchange's time, and `get()` signs as `balance` does.
    assert operations == {"api.market.klines", "api.market.server_time", "api.account.balance"}
    classes = {name for name in after if name.startswith("models.")}
    assert classes == {"models.candle", "models.server_time", "models.account_balance"}


def typed_calls() -> Iterator[str]:
    """Yield a module that mypy checks: the type of each value, and of each argument."""
    yield "from decimal import Decimal"
    yield "from typing import assert_type"
    yield "from binance_usdm import AsyncClient, Client"
    yield "from binance_usdm_wire import *"
    yield "from binance_usdm_wire import MISSING, Missing"
    yield "def call(client: Client) -> None:"
    for shape in SHAPES:
        yield f"    assert_type(client.{shape.name}({shape.arguments}), {shape.annotation})"
        detailed = f"client.{shape.name}_detailed({shape.arguments})"
        yield f"    assert_type({detailed}, Response[{shape.annotation}])"
    yield "async def wait(client: AsyncClient) -> None:"
    for shape in SHAPES:
        yield f"    assert_type(await client.{shape.name}({shape.arguments}), {shape.annotation})"
    yield "def read(row: Config, old: Old) -> None:"
    yield "    assert_type(row.limit, Decimal | None | Missing)"
    yield "    if row.limit is not MISSING and row.limit is not None:"
    yield "        assert_type(row.limit, Decimal)"
    yield "    assert_type(old.old_amount, Decimal)"


def test_types_are_strict(root: Path) -> None:
    """mypy --strict accepts the package, and knows the types of arguments and values."""
    (root / "calls.py").write_text("\n".join(typed_calls()) + "\n", encoding="utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={MYPY_CACHE}"]
    done = run(root, "-m", "mypy", *options, "-p", PACKAGE, "-m", "calls")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
