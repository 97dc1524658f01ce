"""The package generated from a wide spec reads, writes, round-trips and type-checks.

No string of the spec becomes code.
"""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from generator.document.openapi import Json
from generator.output.package_files import replace_package
from generator.output.project import PACKAGE, generate
from tests.specs import wide_spec
from tests.specs.imported import imported_package
from tests.specs.wide_spec import ACCOUNT, BARE, FULL, POSITION, hostile, wide_document
from tests.support.paths import MYPY_CACHE

# The only calls that a generated module may make on import.
BUILDERS = {
    "LazyOperations", "Operation", "Parameter", "RowReader", "Signing", "TypeVar",
    "__name__.rpartition", "array_reader", "choice_writer", "field", "frozen", "frozenset", "lazy_methods",
    "integer_reader", "integer_writer", "msgspec.Meta", "msgspec.field", "msgspec.json.Decoder",
    "nullable_reader", "optional_reader", "pattern_reader", "pattern_writer", "re.compile", "type",
}  # fmt: skip
USE = """
from decimal import Decimal
from typing import Any, assert_type
from binance_usdm_wire import Account, AsyncOperations, Odd, Position, Response, SyncOperations

def use(client: SyncOperations, row: Account, odd: Odd) -> None:
    assert_type(client.account(price=Decimal(1), side="BUY", limit=5), Account)
    assert_type(client.positions_detailed(), Response[list[Position]])
    assert_type(client.levels(), list[list[Decimal]])
    assert_type(row.positions, list[Position])
    assert_type(row.closed_at, int | None)
    assert_type(row.gaps, list[Decimal | None])
    assert_type(row.history, list[Position] | None)
    assert_type(odd.class_, str)

async def wait(client: AsyncOperations) -> None:
    assert_type(await client.symbols(class_="x"), list[str])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    replace_package(folder / PACKAGE, generate(hostile(wide_document())))
    return folder


@pytest.fixture(scope="module")
def wire(folder: Path) -> Iterator[ModuleType]:
    """Import the wide package as `wide_wire`, beside the real one."""
    with imported_package(folder / PACKAGE, "wide_wire") as module:
        yield module


def test_unknown_fields_are_kept_beside_optional_ones(wire: ModuleType) -> None:
    """A row without an optional field and with an unknown one has the usual field count."""
    sources = [BARE, {**BARE, "new": 1}, POSITION, {**POSITION, "newer": None}]
    rows = wire.Position.parse_rows(json.dumps(sources).encode())
    assert [row.to_dict() for row in rows] == sources
    assert rows == [wire.Position.from_dict(source) for source in sources]


@pytest.mark.parametrize("source", [ACCOUNT, FULL], ids=["least", "full"])
def test_every_type_round_trips_exactly(wire: ModuleType, source: Json) -> None:
    """`to_dict` returns what `from_dict` read."""
    account = wire.Account.from_dict(source)
    assert json.dumps(account.to_dict(), sort_keys=True) == json.dumps(source, sort_keys=True)
    assert wire.Account.from_dict(account.to_dict()) == account


def test_every_schema_has_its_python_type(wire: ModuleType) -> None:
    """Amounts are Decimals, rows are objects, times have a datetime beside them."""
    account = wire.Account.from_dict(FULL)
    assert (account.levels, account.gaps) == (
        [[Decimal("1.0"), Decimal("-0.00")], []],
        [None, Decimal(7)],
    )
    assert [type(row) for row in account.positions] == [wire.Position, wire.Position]
    assert (account.closed_at, account.bonus, account.history) == (2**63 - 1, Decimal("1.50"), [])
    assert account.seen.timestamp() == 0.005
    assert wire.Account.from_dict(ACCOUNT).seen is None
    assert account.additional_properties == {"new": {"kept": [1, None]}}


def test_any_field_name_is_kept(wire: ModuleType) -> None:
    """Names that Python cannot use become other attributes and are written as they were."""
    names = [*wide_spec.HOSTILE_NAMES, *wide_spec.PYTHON_NAMES]
    source = {name: f"the value of {name}" for name in names}
    odd = wire.Odd.from_dict(source)
    assert (odd.class_, odd.none, odd.field_9lives, odd.property_) == (
        source["class"],
        source["None"],
        source["9lives"],
        source["property"],
    )
    assert odd.to_dict() == source
    assert list(wire.Odd.WIRE_NAMES.values()) == list(source)
    with pytest.raises(wire.ResponseMismatch) as caught:
        wire.Odd.from_dict({name: value for name, value in source.items() if name != 'quo"te'})
    assert caught.value.path == ('quo"te',)


@pytest.mark.parametrize(
    ("change", "path", "expected", "found"),
    [
        (
            {"positions": [POSITION, {**BARE, "entryPrice": 1}]},
            ("positions", 1, "entryPrice"),
            "a decimal string",
            "a number",
        ),
        ({"best": {}}, ("best", "symbol"), "a string", "nothing"),
        ({"best": [POSITION]}, ("best",), "an object", "an array"),
        (
            {"levels": [["1"], ["1", "x"]]},
            ("levels", 1, 1),
            "a decimal string",
            "a string that is not a decimal number",
        ),
        ({"levels": [None]}, ("levels", 0), "an array", "null"),
        ({"notes": ["a", None]}, ("notes", 1), "a string", "null"),
        ({"gaps": [False]}, ("gaps", 0), "a decimal string", "a boolean"),
        ({"last": None}, ("last",), "an object", "null"),
        (
            {"history": [{**BARE, "isolated": 0}]},
            ("history", 0, "isolated"),
            "a boolean",
            "a number",
        ),
        ({"feeTier": 6}, ("feeTier",), "an integer from -5 to 5", "an integer out of range"),
        (
            {"code": "ABC\n"},
            ("code",),
            "a string that matches ^[\"'\\\\A-Z]{1,3}$",
            "a string that does not",
        ),
        (
            {"code": "abc"},
            ("code",),
            "a string that matches ^[\"'\\\\A-Z]{1,3}$",
            "a string that does not",
        ),
    ],
    ids=str,
)
def test_a_mismatch_has_the_whole_path(
    wire: ModuleType, change: Json, path: Any, expected: str, found: str
) -> None:
    """The path has row numbers and field names from the outside in."""
    with pytest.raises(wire.ResponseMismatch) as caught:
        wire.Account.from_dict({**ACCOUNT, **change})
    assert (caught.value.path, caught.value.expected, caught.value.found) == (path, expected, found)


def test_responses_of_every_type_are_parsed(wire: ModuleType) -> None:
    """Lists of strings, lists of lists, rows and single objects are results."""
    operations = wire.OPERATIONS
    for name in ("symbols", "ping"):
        assert operations[name].parse_body(b'["A", "B"]') == ["A", "B"]
    assert operations["levels"].parse_body(b'[["1.50"]]') == [[Decimal("1.50")]]
    assert operations["positions"].parse_body(b"[]") == []
    assert [operations[name].row_class for name in ("account", "positions", "symbols")] == [
        wire.Account,
        wire.Position,
        None,
    ]
    assert [operations[name].account_attribute for name in ("account", "positions", "symbols")] == [
        "code",
        None,
        None,
    ]
    with pytest.raises(
        wire.ResponseMismatch, match="row 1, field symbol: expected a string, found nothing"
    ):
        operations["positions"].parse_body(b'[{"symbol":"","entryPrice":"0","updateTime":0},{}]')


def test_parameters_carry_their_choices(wire: ModuleType) -> None:
    """A parameter has the values of its enum, as the spec lists them."""
    choices = {item.name: item.choices for item in wire.OPERATIONS["account"].parameters}
    assert choices.pop("side") == tuple(wide_spec.SIDES)
    assert set(choices.values()) == {()}


def test_arguments_of_every_type_are_encoded(wire: ModuleType) -> None:
    """Arguments are checked, encoded and ordered as in the spec; required ones come first."""
    query = wire.OPERATIONS["account"].build_query
    assert list(inspect.signature(query).parameters)[:3] == ["price", "side", "symbol"]
    assert query(price=Decimal("1E+3"), side="BUY") == {"price": "1000", "side": "BUY"}
    full = query(
        side="with-dash",
        price=Decimal("-0.10"),
        symbol="币&=",
        reduce_only=False,
        asset="USDT",
        limit=-5,
        recv_window=1,
    )
    assert list(full.items()) == [
        ("symbol", "%E5%B8%81%26%3D"), ("price", "-0.10"), ("reduceOnly", "false"),
        ("side", "with-dash"), ("asset", "USDT"),
        ("limit", "-5"), ("recvWindow", "1"),
    ]  # fmt: skip
    wrong: Json = {"side": "SELL", "asset": "USDT\n", "limit": 6, "reduce_only": 1, "price": 1.5}
    for name, value in wrong.items():
        with pytest.raises(wire.InvalidArgumentError, match=f"^{name} must be "):
            query(**{"price": Decimal(1), "side": "BUY", name: value})
    with pytest.raises(TypeError):
        query(side="BUY")


def test_arguments_may_have_any_python_name(wire: ModuleType) -> None:
    """Keywords and names of locals are no obstacle."""
    operation = wire.OPERATIONS["symbols"]
    query = operation.build_query(**{parameter.name: "v" for parameter in operation.parameters})
    assert query == dict.fromkeys(wide_spec.ARGUMENT_NAMES, "v")


def test_credentials_follow_from_the_spec(wire: ModuleType) -> None:
    """Operations are signed, have a key only, or are public."""
    needs = {
        name: (o.key_header, o.signing and o.signing.timestamp_parameter, o.weight, o.security_type)
        for name, o in wire.OPERATIONS.items()
    }
    assert needs["account"] == ("X-MBX-APIKEY", "timestamp", 7, "USER_DATA")
    assert needs["positions"] == ("X-MBX-APIKEY", None, 7, "MARKET_DATA")
    assert needs["symbols"] == (None, None, 7, "NONE")
    arguments = [parameter.name for parameter in wire.OPERATIONS["account"].parameters]
    assert "timestamp" not in arguments


def words_of(text: str) -> str:
    """Return the words of a text: a docstring may drop control characters and wrap lines."""
    visible = (c for c in text if unicodedata.category(c) != "Cc" or c in "\n\r\t")
    return " ".join("".join(visible).split())


def test_docstrings_have_the_texts_word_for_word(wire: ModuleType) -> None:
    """Hostile strings of the spec come out as prose, complete."""
    document = hostile(wide_document())
    for path, item in document["paths"].items():
        operation = wire.OPERATIONS[item["get"]["operationId"]]
        assert (operation.path, operation.summary) == (path, item["get"]["summary"])
        documented = words_of(getattr(wire.SyncOperations, operation.id).__doc__)
        described = [parameter.description for parameter in operation.parameters]
        for text in (operation.summary, item["get"]["description"], *described):
            assert words_of(text) in documented
        assert set(described) <= set(wide_spec.HOSTILE_TEXTS)
    description = document["components"]["schemas"]["Account"]["description"]
    assert words_of(description) == words_of(wire.Account.__doc__)
    assert words_of(document["info"]["title"]) in words_of(str(wire.__doc__))


DEFINITIONS = (
    ast.If, ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Assign,
    ast.AnnAssign, ast.Expr, ast.Pass,
)  # fmt: skip


def test_importing_the_package_only_defines(folder: Path) -> None:
    """The generated modules have definitions and calls of known builders only."""
    for path in sorted((folder / PACKAGE).rglob("*.py")):
        pending: list[ast.AST] = list(ast.parse(path.read_bytes()).body)
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) in BUILDERS, f"{path.name}: {ast.unparse(node)}"
            elif isinstance(node, ast.stmt):
                assert isinstance(node, DEFINITIONS), f"{path.name}: {ast.unparse(node)}"
                assert not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                # The body does not run on import.
                pending += [*node.decorator_list, *node.args.defaults]
            else:
                pending += ast.iter_child_nodes(node)


def test_the_package_passes_strict_type_checking(folder: Path) -> None:
    """mypy --strict also sees the exact types of values and arguments."""
    (folder / "use.py").write_text(USE, encoding="utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={MYPY_CACHE}"]
    command = [sys.executable, "-m", "mypy", *options, PACKAGE, "use.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
