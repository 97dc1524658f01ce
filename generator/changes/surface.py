"""Write the public surface of the client as text: what a reviewer compares."""

from __future__ import annotations

import json
from collections.abc import Iterator

from generator.document.openapi import Json

from .compare.specs import error_class
from .facts.fact_reader import read_facts
from .facts.facts import Argument, Facts, Operation
from .facts.limits import describe_limit
from .facts.shapes import ClassFacts, Shape

HEAD = """\
# Written by `python -m generator surface` from spec/openapi.yaml. Do not edit.
# What users see of the spec: a difference here is a change for them.
"""


def render_surface(document: Json) -> str:
    """Return the surface of a document that has passed the lint."""
    facts = read_facts(document)
    lines = [HEAD]
    for heading, entries in (
        ("hosts", [f"{name} = {url}" for name, url in facts.hosts.items()]),
        (
            "operations",
            [line for o in facts.operations.values() for line in _describe_operation(o)],
        ),
        (
            "classes",
            [line for _, c in sorted(facts.classes.items()) for line in _describe_class(c)],
        ),
        ("errors", list(_describe_errors(facts))),
        (
            "commands",
            [_describe_command(operation, facts) for operation in facts.operations.values()],
        ),
    ):
        lines += [heading, *(f"  {entry}" for entry in entries), ""]
    return "\n".join(lines).rstrip() + "\n"


def python_signature(operation: Operation) -> str:
    """Return the signature of an operation's method, without `self`."""
    arguments = sorted(operation.arguments.values(), key=lambda argument: not argument.required)
    declared = [
        f"{a.name}: {a.shape.python_type}" + ("" if a.required else " | None = None")
        for a in arguments
    ]
    result = result_type(operation)
    return f"{operation.name}({', '.join(['*', *declared] if declared else [])}) -> {result}"


def result_type(operation: Operation) -> str:
    """Return the Python type of an operation's value."""
    if operation.result is None:
        return "None"
    return operation.result.python_type + (" | None" if operation.result.nullable else "")


def _describe_operation(operation: Operation) -> Iterator[str]:
    deprecated = ", deprecated" if operation.deprecated else ""
    yield python_signature(operation)
    weight = json.dumps(operation.weight)
    request = f"{operation.method.upper()} {operation.path}"
    yield f"  {request}, {operation.security_type}, weight {weight}{deprecated}"
    for argument in operation.arguments.values():
        yield f"  {argument.name}: {_describe_argument(argument)}"


def _describe_argument(argument: Argument) -> str:
    parts = [argument.wire, *_describe_limits(argument.shape)]
    parts += [f"filled in by the client: {argument.role}"] if argument.role else []
    parts += ["deprecated"] if argument.deprecated or argument.shape.deprecated else []
    return ", ".join(parts)


def _describe_limits(shape: Shape) -> Iterator[str]:
    if shape.enum is not None:
        yield f"one of {', '.join(map(str, shape.enum))}"
    if shape.pattern is not None:
        yield f"pattern {shape.pattern}"
    for key, value in shape.limits.items():
        yield describe_limit(key, value)


def _describe_class(item: ClassFacts) -> Iterator[str]:
    yield item.name + (", deprecated" if item.deprecated else "")
    for member in item.members.values():
        annotation = member.shape.python_type
        if member.shape.nullable or not member.required:
            annotation += " | None"
        parts = [
            member.wire,
            *(["optional"] if not member.required else []),
            *_describe_limits(member.shape),
        ]
        parts += ["holding"] if member.holding else []
        parts += ["deprecated"] if member.shape.deprecated else []
        yield f"  {member.name}: {annotation} ({', '.join(parts)})"
        if member.instant:
            yield f"  {member.instant}: datetime | None (from {member.name})"


def _describe_errors(facts: Facts) -> Iterator[str]:
    for code, error in sorted(facts.errors.items(), key=lambda entry: -int(entry[0])):
        permanent = ", not retryable" if error.get("retryable") is False else ""
        yield f"{code} {error['name']}: {error_class(error)}{permanent}"


def _describe_command(operation: Operation, facts: Facts) -> str:
    options = [
        f"--{a.name.rstrip('_').replace('_', '-')} {a.shape.python_type}"
        for a in operation.arguments.values()
    ]
    item = facts.classes.get(operation.row_type)
    options += ["--non-zero"] if item and item.holdings else []
    words = [f"[{option}]" for option in options]
    return " ".join(["binance-usdm", operation.name.replace("_", "-"), *words])
