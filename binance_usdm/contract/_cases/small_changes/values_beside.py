"""Values of parameters just beside what the document allows.

Schemathesis tries values of other types, and those beside a bound, but for an enum hardly one of
the same type.
"""

from __future__ import annotations

from typing import Any

from jsonschema_rs import is_valid

from binance_usdm.contract._spec.document import Json


def values_beside(parameter: Json) -> list[Any]:
    """Return values of the parameter's type that its schema does not allow."""
    schema = parameter["schema"]
    if "content" in parameter or not isinstance(schema.get("type"), str):
        return []
    values: list[Any] = []
    if schema["type"] == "integer":
        known = [value for value in schema.get("enum", ()) if type(value) is int]
        values = [value + step for value in known for step in (-1, 1)]
        values += [schema["minimum"] - 1] if "minimum" in schema else []
        values += [schema["maximum"] + 1] if "maximum" in schema else []
    elif schema["type"] == "string":
        texts = [value for value in schema.get("enum", ()) if isinstance(value, str)]
        values = [other for text in texts for other in (f"{text}x", text.swapcase(), text[:-1])]
        values += ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
    unique = dict.fromkeys(value for value in values if value != "")
    return [value for value in unique if not is_valid({**schema}, value)]
