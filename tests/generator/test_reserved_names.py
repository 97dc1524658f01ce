"""A name that the generated code needs is refused, and any other name works."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from binance_usdm import AsyncClient, Client
from binance_usdm._cli.main import HELP_BY_COMMAND, _build_parser
from binance_usdm_wire import OPERATIONS
from generator.checks.lint import lint
from generator.checks.reserved_names import (
    RENAME,
    RESERVED_ARGUMENTS,
    RESERVED_OPERATIONS,
    reserved_attributes,
    reserved_classes,
)
from generator.document.openapi import Json, class_name, python_name
from generator.output.package_files import replace_package
from generator.output.project import PACKAGE, RUNTIME, TEMPLATES, generate
from tests.specs.corpus import an_object, argument, array, to
from tests.specs.imported import imported_package
from tests.specs.places import DOCUMENT, OBJECT

TEXT: Json = {"type": "string"}


def words() -> set[str]:
    """Return every word of the templates and of the runtime."""
    files = [*TEMPLATES.glob("*.jinja"), *RUNTIME.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", text))


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


CLASS_NAMES = sorted({str(class_name(word)) for word in words() if word[:1].isupper()} | {"Rows"})
MEMBER_NAMES = sorted(
    {camel_case(word) for word in words() if word.islower()} | {"parseRows", "readRows", "field"}
)


def with_class(name: str) -> Json:
    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"][name] = OBJECT
    return document


def with_member(name: str) -> Json:
    document = copy.deepcopy(DOCUMENT)
    row = document["components"]["schemas"]["AccountBalance"]
    row["properties"][name] = {**TEXT, "description": "A member."}
    return document


@pytest.mark.parametrize("name", sorted(reserved_classes()))
def test_a_reserved_class_is_a_finding(name: str) -> None:
    """The finding says how to rename it."""
    if class_name(name) == name:
        wanted = f"schemas.{name}: a schema may not become the class {name!r}; {RENAME}"
        assert any(wanted in line for line in lint(with_class(name)))


@pytest.mark.parametrize("name", sorted(reserved_attributes()))
def test_a_reserved_member_is_a_finding(name: str) -> None:
    if python_name(name) == name:
        wanted = f"may not become the attribute {name!r}, which every class has; {RENAME}"
        assert any(wanted in line for line in lint(with_member(camel_case(name))))


def all_names() -> Json:
    """Return a spec with every word of the templates as a class, a member and an argument."""
    document = copy.deepcopy(DOCUMENT)
    schemas = document["components"]["schemas"]
    known = {python_name(class_name(name)) for name in schemas}
    by_module = {python_name(name): name for name in CLASS_NAMES if name not in reserved_classes()}
    names = [name for module, name in by_module.items() if module not in known]
    by_attribute = {python_name(name): name for name in MEMBER_NAMES}
    allowed = [
        name for attribute, name in by_attribute.items() if attribute not in reserved_attributes()
    ]
    members = {name: to("Amount") for name in allowed}
    for name in names:
        schemas[name] = OBJECT
    schemas["Required"] = an_object(**members)
    schemas["Optional"] = an_object(*members, **members)
    schemas["AllClasses"] = an_object(**{f"member{n}": to(name) for n, name in enumerate(names)})
    time = document["paths"]["/fapi/v1/time"]["get"]
    arguments = [
        name for name in members if python_name(name).rstrip("_") not in RESERVED_ARGUMENTS
    ]
    for number, name in enumerate(("Required", "Optional", "AllClasses")):
        operation = copy.deepcopy(time)
        # It leads from the time of the exchange.
        operation["responses"]["200"].pop("links", None)
        media = operation["responses"]["200"]["content"]["application/json"]
        rows = name != "AllClasses"
        media["schema"] = array(to(name)) if rows else to(name)
        media["examples"]["documentation"]["value"] = (
            [dict.fromkeys(members, "1.50")] if rows
            else {f"member{n}": {"a": "x"} for n in range(len(names))}
        )  # fmt: skip
        operation["operationId"] = f"read_{name.lower()}"
        operation["parameters"] = [argument(name, TEXT, example="x") for name in arguments]
        document["paths"][f"/fapi/v1/n{number}"] = {"get": operation}
    return document


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("names") / PACKAGE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generator.output.project._format", lambda package: None)
        replace_package(folder, generate(all_names()))
    with imported_package(folder, "named_wire") as module:
        yield module


@pytest.mark.parametrize("name", ["required", "optional", "allclasses"])
def test_any_other_name_works(wire: ModuleType, name: str) -> None:
    """Every word of the templates is imported, read, written back and sent."""
    operation = wire.OPERATIONS[f"read_{name}"]
    document = json.loads((Path(str(wire.__file__)).parent / "openapi.json").read_bytes())
    media = next(
        item["get"]["responses"]["200"]["content"]["application/json"]
        for item in document["paths"].values()
        if item["get"]["operationId"] == f"read_{name}"
    )
    example = media["examples"]["documentation"]["value"]
    value = operation.parse_body(json.dumps(example).encode())
    rows = value if isinstance(value, list) else [value]
    assert [row.to_dict() for row in rows] == (example if isinstance(example, list) else [example])
    assert len(example if name == "allclasses" else example[0]) > 40
    arguments = {parameter.name: "v" for parameter in operation.parameters}
    assert {*operation.build_query(**arguments).values()} == {"v"}
    assert hash(rows[0]) == hash(rows[0])


def test_clients_have_no_other_public_names() -> None:
    """An operation may not have the name of a method that clients have already."""
    operations = {*OPERATIONS, *(f"{name}_detailed" for name in OPERATIONS)}
    for client in (Client, AsyncClient):
        public = {name for name in dir(client) if not name.startswith("_")} - operations
        # A name that ends so is refused, whatever it begins with.
        public = {name.removesuffix("_detailed") for name in public}
        assert public <= RESERVED_OPERATIONS


def test_operations_have_no_name_of_a_command() -> None:
    """An operation is a command of its own, beside the others."""
    assert HELP_BY_COMMAND.keys() <= RESERVED_OPERATIONS


def test_commands_have_no_other_options() -> None:
    """An argument may not have the name of an option that commands have already."""
    parser = _build_parser(["balance"])
    options = {
        word.removeprefix("--").replace("-", "_")
        for command in parser._subparsers._group_actions[0].choices.values()  # type: ignore[union-attr]
        if command is not None
        for action in command._actions
        for word in action.option_strings
        if word.startswith("--")
    }
    assert {"timeout", "proxy"} <= options
    # An argument takes the place of --asset.
    assert options - {"asset", "recv_window"} <= RESERVED_ARGUMENTS


def test_a_template_can_be_parsed_for_names() -> None:
    """What defines a name in a template is found: imports, classes, methods, decorators."""
    generated = generate(DOCUMENT)
    for path in ("models/account_balance.py", "api/account/balance.py", "operations.py"):
        for node in ast.walk(ast.parse(generated[path])):
            if isinstance(node, ast.ImportFrom) and "." not in (node.module or "").strip("."):
                names = {alias.asname or alias.name for alias in node.names}
                classes = {name for name in names if name[0].isupper()} - {"AccountBalance"}
                assert classes <= reserved_classes(), path
            if isinstance(node, ast.ClassDef) and path == "models/account_balance.py":
                methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                assert methods - {"updated_at"} <= reserved_attributes() | {"parse_rows"}
