"""Values of parameters as they stand in a query."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from binance_usdm.contract._spec.document import Json


def parse_value(schema: Json, text: str, *, is_json: bool = False) -> Any:
    """Return the JSON value of a string in a query, or the string if it has not the type."""
    json_type = schema.get("type")
    if is_json:
        try:
            return json.loads(text)
        except ValueError:
            return text
    if json_type == "array":
        return [parse_value(schema["items"], item) for item in text.split(",")]
    if json_type == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if json_type == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if json_type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def sample_value(parameter: Json) -> str:
    """Return a valid value of a parameter, as it is sent."""
    schema = parameter["schema"]
    candidates = [node["example"] for node in (parameter, schema) if "example" in node]
    candidates += [each["value"] for each in parameter.get("examples", {}).values()]
    candidates += schema.get("examples", [])
    candidates += [schema["default"]] if "default" in schema else schema.get("enum", [])
    # An integer near 1, since some of their bounds are the last that 64 bits hold.
    low, high = schema.get("minimum", 1), schema.get("maximum", 1)
    candidates.append(min(max(1, low), high) if schema.get("type") == "integer" else True)
    return quote(text_of(parameter, candidates[0]), safe="")


def text_of(parameter: Json, value: Any) -> str:
    """Return a value of a parameter as it is sent, before it is percent-encoded."""
    if "content" in parameter:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list):
        return ",".join(text_of(parameter, item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
