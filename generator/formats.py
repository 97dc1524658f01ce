"""Map string formats to Python types.

A further format needs a property class here, an entry in `schemas.FORMATS_BY_TYPE`, and a
reader, a writer and a way back to JSON in `expressions.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import openapi_python_client.parser.properties as properties
from attrs import define, field
from openapi_python_client import schema as oai
from openapi_python_client.parser.properties.protocol import (
    PropertyProtocol,
    Value,
    convert_example,
)
from openapi_python_client.strings import PythonIdentifier

from .spec import FIELD_PREFIX

DECIMAL_PATTERN = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$"
"""Strings that a `Decimal` represents exactly: ASCII digits, no leading zero, a short exponent."""


@define
class DecimalProperty(PropertyProtocol):
    """A string that is an exact decimal number."""

    name: oai.UntrustedString
    required: bool
    default: Value | None
    python_name: PythonIdentifier
    description: oai.UntrustedString | None
    example: oai.UntrustedString | None = field(converter=convert_example)

    _type_string: ClassVar[str] = "Decimal"
    _json_type_string: ClassVar[str] = "str"
    template: ClassVar[str] = "any_property.py.jinja"

    def convert_value(self, value: Any) -> None:
        # The grammar rejects defaults, so there is nothing to convert.
        return None


@contextmanager
def decimal_format_enabled() -> Iterator[None]:
    """Make the generator library parse `format: decimal` as `Decimal` inside a `with` block."""
    original = properties._string_based_property

    def string_or_decimal(
        name: oai.UntrustedString, required: bool, data: oai.Schema, config: Any
    ) -> Any:
        if data.schema_format != "decimal":
            return original(name=name, required=required, data=data, config=config)
        return DecimalProperty(
            name=name,
            required=required,
            default=None,
            python_name=PythonIdentifier(name, FIELD_PREFIX),
            description=data.description,
            example=None,
        )

    properties._string_based_property = string_or_decimal
    try:
        yield
    finally:
        properties._string_based_property = original
