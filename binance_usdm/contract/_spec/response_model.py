"""What the spec says about JSON responses."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from jsonschema_rs import validator_for

from binance_usdm.contract._spec.document import JSON_TYPE, Json, resolve, row_schema
from binance_usdm.contract._spec.exact_json import decode
from binance_usdm.contract._spec.json_of_values import choose_schema, is_map, is_tuple
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.contract._spec.schemas import judged

Path: TypeAlias = tuple[int | str, ...]


@dataclass(frozen=True)
class DescribedResponse:
    """A JSON response that the spec describes."""

    operation: Operation
    status: int
    schema: Json = field(repr=False)

    @property
    def document(self) -> Json:
        return self.operation.document

    def describes(self, body: bytes) -> bool:
        """Return whether the schema allows a body.

        An integer must be written as one. JSON Schema alone would allow 1.0 as well.
        """
        try:
            value = _without_decimals(decode(body))
        except (ValueError, RecursionError):
            return False
        return bool(self._validator.is_valid(value))

    @functools.cached_property
    def _validator(self) -> Any:
        formats = {"decimal": _has_short_exponent}
        components = self.document.get("components", {}).get("schemas", {})
        judged_components = {name: judged(each) for name, each in components.items()}
        schema = {**judged(self.schema), "components": {"schemas": judged_components}}
        return validator_for(schema, formats=formats, validate_formats=True)

    @functools.cached_property
    def account_field(self) -> str | None:
        """The field of the rows that identifies the account."""
        row = row_schema(self.document, self.schema)
        for name, node in row.get("properties", {}).items():
            if resolve(self.document, node).get("x-identifies-account"):
                return str(name)
        return None

    def names_one_account(self, body: bytes) -> bool:
        """Return whether the rows of a valid body belong to at most one account."""
        name = self.account_field
        return name is None or len({row[name] for row in _rows(decode(body))}) < 2

    def with_one_account(self, body: bytes) -> bytes:
        """Return a valid body whose rows all belong to the account of the first one."""
        name, value = self.account_field, json.loads(body)
        for row in _rows(value) if name is not None else ():
            row[name] = _rows(value)[0][name]
        return json.dumps(value, ensure_ascii=False).encode()

    def places(self) -> Iterator[tuple[Path, Json, bool]]:
        """Yield paths in the richest example, with schema and whether the value is optional."""
        richest = self.operation.richest_example
        yield (), choose_schema(self.document, self.schema, richest), False
        yield from _places(self.document, self.schema, richest, ())


def described_responses(document: Json) -> list[DescribedResponse]:
    """Return every JSON response; `5XX` stands for 520, which has no description."""
    return [
        DescribedResponse(operation, int(status.replace("XX", "20")), content[JSON_TYPE]["schema"])
        for operation in operations(document)
        for status, node in operation.responses.items()
        if JSON_TYPE in (content := resolve(document, node).get("content", {}))
    ]


def ok_responses(document: Json) -> list[DescribedResponse]:
    return [each for each in described_responses(document) if each.status == 200]


def error_responses(document: Json) -> list[DescribedResponse]:
    return [each for each in described_responses(document) if each.status != 200]


def _places(
    document: Json, schema: Json, value: Any, path: Path
) -> Iterator[tuple[Path, Json, bool]]:
    schema = choose_schema(document, schema, value)
    container: Any = value
    children: list[tuple[int | str, Json, bool]] = []
    if isinstance(value, list) and is_tuple(schema):
        children = [(index, node, False) for index, node in enumerate(schema["prefixItems"])]
    elif isinstance(value, dict) and is_map(schema):
        children = [(name, schema["additionalProperties"], True) for name in value]
    elif isinstance(value, list) and value:
        # The first and the last item stand for all.
        children = [(index, schema["items"], False) for index in sorted({0, len(value) - 1})]
    elif isinstance(value, dict):
        required = schema.get("required", ())
        children = [
            (name, node, name not in required)
            for name, node in schema.get("properties", {}).items()
            if name in value
        ]
    for step, node, is_optional in children:
        yield (*path, step), choose_schema(document, node, container[step]), is_optional
        yield from _places(document, node, container[step], (*path, step))


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_short_exponent(text: str) -> bool:
    """Return whether an exponent leaves at most 40 digits. The pattern says all else."""
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


def _without_decimals(value: Any) -> Any:
    """Replace numbers that are not written as an integer of 64 bits, so that they are none."""
    if isinstance(value, Decimal):
        number = float(value)
        return 0.5 if number.is_integer() or abs(number) > 1e15 else number
    if isinstance(value, list):
        return [_without_decimals(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_decimals(each) for name, each in value.items()}
    return value
