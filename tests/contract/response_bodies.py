"""The document turned round: what it says of a reply becomes a request body, and schemathesis makes good and bad ones. Knows no client."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import validator_for
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from .schemathesis_setup import CONFIG, EDGES, Case, cases
from .spec_facts import Json, OperationFact, operation_facts, resolve

JSON = "application/json"
LONGEST = 3  # items of a generated list: longer ones take schemathesis a minute


@dataclass(frozen=True)
class DescribedResponse:
    """One JSON reply that the document describes."""

    fact: OperationFact
    status: int
    schema: Json = field(repr=False)


def described(document: Json) -> list[DescribedResponse]:
    """Every JSON reply of every operation; `5XX` stands for a status that has no description of its own."""
    return [
        DescribedResponse(
            fact,
            int(status.replace("XX", "20")),
            resolve(document, node)["content"][JSON]["schema"],
        )
        for fact in operation_facts(document)
        for status, node in document["paths"][fact.path][fact.method.lower()]["responses"].items()
        if JSON in resolve(document, node).get("content", {})
    ]


def bodies(document: Json, schema: Json, how: settings = EDGES) -> tuple[bytes, ...]:
    """Bodies for a schema: every edge of the coverage phase, good and bad, and as many random ones of each kind as `how` asks for."""
    random = how.max_examples if Phase.generate in how.phases else 0
    return _bodies(json.dumps(document.get("components", {})), json.dumps(schema), random)


def decode_value(body: bytes) -> Any:
    """The value of a JSON text, digit for digit; ValueError for what is none by RFC 8259 and 7493, whatever Python would take.

    A number that is no integer of 64 bits is a Decimal: it has no other exact form.
    """
    value = json.loads(
        body.decode("utf-8"),
        parse_float=Decimal,
        parse_int=_integer_of,
        parse_constant=_reject_constant,
        object_pairs_hook=_reject_duplicates,
    )
    json.dumps(value, ensure_ascii=False, default=str).encode(
        "utf-8"
    )  # half a surrogate pair is no text
    return value


def describes(document: Json, schema: Json, body: bytes) -> bool:
    """Whether the schema describes a body. An integer is written as one: JSON Schema alone would take 1.0 as well."""
    try:
        value = _unrounded(decode_value(body))
    except (ValueError, RecursionError):
        return False
    return bool(
        _validator(json.dumps(document.get("components", {})), json.dumps(schema)).is_valid(value)
    )


def account_field(document: Json, schema: Json) -> str | None:
    """Return the field of a response's rows that identifies the account."""
    schema = resolve(document, schema)
    row = resolve(document, schema["items"]) if schema.get("type") == "array" else schema
    for name, member in row.get("properties", {}).items():
        if member.get("x-identifies-account"):
            return str(name)
    return None


def names_one_account(document: Json, schema: Json, body: bytes) -> bool:
    """Return whether the rows of a described body belong to at most one account."""
    field, value = account_field(document, schema), decode_value(body)
    return field is None or len({row[field] for row in _rows(value)}) < 2


def with_one_account(document: Json, schema: Json, body: bytes) -> bytes:
    """Return a described body whose rows all name the account of the first one."""
    field, value = account_field(document, schema), json.loads(body)
    for row in _rows(value) if field is not None else ():
        row[field] = _rows(value)[0][field]
    return json.dumps(value, ensure_ascii=False).encode()


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def exact(value: Any) -> str:
    """A text that two JSON values share only if they are the same: 1, 1.0, 1.00, "1.0" and true are five."""
    return json.dumps(
        value, sort_keys=True, default=lambda number: {type(number).__name__: str(number)}
    )


@functools.cache
def _bodies(components: str, schema: str, random: int) -> tuple[bytes, ...]:
    """Made once for all clients: they depend on the document alone."""
    operation = {
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": _capped(json.loads(schema))}},
        },
        "responses": {"200": {"description": "It was read."}},
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "mirror", "version": "1"},
        "paths": {"/reply": {"post": operation}},
        "components": {"schemas": _capped(json.loads(components).get("schemas", {}))},
    }
    mirror = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(CONFIG))
    made = [case.body for case in cases(mirror, EDGES) if case.method == "POST"]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if random else ():
        made += [
            case.body
            for case in _drawn(mirror["/reply"]["POST"].as_strategy(generation_mode=mode), random)
        ]
    return tuple(
        dict.fromkeys(_written(body, ascii=bool(place % 2)) for place, body in enumerate(made))
    )


def _drawn(strategy: Any, count: int) -> list[Case]:
    found: list[Case] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )
    @given(strategy)
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    return found


def _written(body: Any, *, ascii: bool) -> bytes:  # noqa: A002 - as json.dumps says
    if isinstance(body, bytes):
        return body
    if isinstance(body, NotSet):
        return b""
    return json.dumps(body, ensure_ascii=ascii).encode("utf-8", "surrogatepass")


def _capped(node: Any) -> Any:
    """The same schemas with an end to every list."""
    if isinstance(node, list):
        return [_capped(each) for each in node]
    if not isinstance(node, dict):
        return node
    kinds = node.get("type")
    more = (
        {"maxItems": LONGEST}
        if kinds == "array" or (isinstance(kinds, list) and "array" in kinds)
        else {}
    )
    return {**{name: _capped(each) for name, each in node.items()}, **more}


@functools.cache
def _validator(components: str, schema: str) -> Any:
    document = {**json.loads(schema), "components": json.loads(components)}
    return validator_for(document, formats={"decimal": _is_short}, validate_formats=True)


def _is_short(text: str) -> bool:
    """Whether an exponent leaves an amount within 40 digits. All else is said by the pattern."""
    if not re.search("[eE]", text):
        return True
    try:
        _, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return False
    if not isinstance(exponent, int):
        return False
    if exponent >= 0:
        return not any(digits) or len(digits) + exponent <= 40
    return max(len(digits), 1 - exponent) <= 40


def _unrounded(value: Any) -> Any:
    """The same with a half for whatever is not written as an integer of 64 bits: no integer to any validator."""
    if isinstance(value, Decimal):
        return 0.5
    if isinstance(value, list):
        return [_unrounded(each) for each in value]
    return (
        {name: _unrounded(each) for name, each in value.items()}
        if isinstance(value, dict)
        else value
    )


def _integer_of(text: str) -> int | Decimal:
    return int(text) if len(text) <= 20 and -(2**63) <= int(text) < 2**64 else Decimal(text)


def _reject_constant(text: str) -> Any:
    raise ValueError(text)


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def places(
    document: Json, schema: Json, value: Any, *path: int | str
) -> Iterator[tuple[tuple[int | str, ...], Json, bool]]:
    """Places inside a value: the way there, its schema, whether it may be left out; of a list's items the first and the last."""
    schema = resolve(document, schema)
    if isinstance(value, list):
        for row, each in {row: value[row] for row in (0, len(value) - 1) if value}.items():
            yield (*path, row), resolve(document, schema["items"]), False
            yield from places(document, schema["items"], each, *path, row)
    elif isinstance(value, dict):
        for name, member in schema.get("properties", {}).items():
            if name in value:
                yield (
                    (*path, name),
                    resolve(document, member),
                    name not in schema.get("required", ()),
                )
                yield from places(document, member, value[name], *path, name)
