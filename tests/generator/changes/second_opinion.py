"""A second opinion: a program that uses all of the old client, checked against the new one.

The program passes every argument, reads every field with its exact type and constructs every class.
A stub with the signatures and classes of the new document stands for the new client.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mypy.api

from generator.changes.facts.fact_reader import read_facts
from generator.changes.facts.facts import Facts
from generator.changes.facts.shapes import ClassFacts, Shape
from generator.changes.surface import python_signature, result_type
from generator.document.openapi import Json

HEAD = "from datetime import datetime\nfrom decimal import Decimal\nfrom typing import Any, Never\n"
OPTIONS = [
    "--strict",
    "--no-error-summary",
    "--hide-error-codes",
    "--no-incremental",
    "--python-version",
    "3.11",
]


def failing_programs(pairs: dict[str, tuple[Json, Json]], folder: Path) -> set[str]:
    """Return the names of the pairs whose old program does not fit the new client."""
    modules = {}
    for number, (name, (old, new)) in enumerate(pairs.items()):
        before, client = read_facts(old), _stub(read_facts(new))
        if client == _stub(before):
            # Types show no difference, and a program fits its own client.
            continue
        (folder / f"client{number}.pyi").write_text(client, encoding="utf-8")
        program = folder / f"program{number}.py"
        program.write_text(make_program(before, f"client{number}"), encoding="utf-8")
        modules[program.name] = name
    output, errors, _ = mypy.api.run([*OPTIONS, str(folder)])
    assert not errors, errors
    files = {
        Path(line.partition(":")[0]).name for line in output.splitlines() if ": error:" in line
    }
    assert files <= modules.keys(), output
    return {modules[file] for file in files}


def _stub(facts: Facts) -> str:
    lines = [HEAD, *(line for item in facts.classes.values() for line in _stub_class(item))]
    lines.append("class Client:")
    for operation in facts.operations.values():
        if operation.method == "get":
            signature = python_signature(operation).replace("(", "(self__, ", 1).replace(", )", ")")
            lines.append(f"    def {signature}: ...")
    lines.append("    ...")
    return "\n".join(lines)


def _stub_class(item: ClassFacts) -> Iterator[str]:
    fields = sorted(item.members.values(), key=lambda member: not member.required)
    declared = [
        f"{m.name}: {_annotation(m.shape, m.required)}" + ("" if m.required else " = ...")
        for m in fields
    ]
    yield f"class {item.name}:"
    yield (
        f"    def __init__(self, *, {', '.join(declared)}) -> None: ..." if declared else "    ..."
    )
    for member in item.members.values():
        yield f"    @property\n    def {member.name}(self) -> {_annotation(member.shape, member.required)}: ..."
        if member.instant:
            yield f"    @property\n    def {member.instant}(self) -> datetime | None: ..."


def _annotation(shape: Shape, required: bool) -> str:
    return shape.python_type if required and not shape.nullable else f"{shape.python_type} | None"


def make_program(facts: Facts, module: str, client: str = "Client") -> str:
    """Return a program that uses all of a client, which `module` has as `client`."""
    names = ", ".join([f"{client} as Client", *facts.classes])
    lines = [HEAD, f"from {module} import {names}"]
    for item in facts.classes.values():
        fields = [(m.name, _annotation(m.shape, m.required)) for m in item.members.values()]
        arguments = "".join(f", {name}: {annotation}" for name, annotation in fields)
        passed = ", ".join(f"{m.name}={m.name}" for m in item.members.values())
        lines.append(f"def use_{item.name}(value: {item.name}{arguments}) -> None:")
        lines += [f"    {name}_: {annotation} = value.{name}" for name, annotation in fields]
        instants = [m.instant for m in item.members.values() if m.instant]
        lines += [f"    {instant}_: datetime | None = value.{instant}" for instant in instants]
        lines.append(f"    {item.name}({passed})")
    for operation in facts.operations.values():
        arguments = "".join(
            f", {a.name}: {a.shape.python_type}" for a in operation.arguments.values()
        )
        result = result_type(operation)
        lines.append(f"def call_{operation.name}(api__: Client{arguments}) -> None:")
        for required_only in (False, True):
            passed = ", ".join(
                f"{a.name}={a.name}"
                for a in operation.arguments.values()
                if a.required or not required_only
            )
            lines.append(
                f"    value{int(required_only)}: {result} = api__.{operation.name}({passed})"
            )
    return "\n".join(lines) + "\n"
