"""Deviations as JSON, which `contract reply` and `doctor` print and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from binance_usdm.contract._spec.document import Json

from .deviations import Deviation

_TYPES: Final = {
    **dict.fromkeys(("kind", "operation", "place", "expected", "found", "pointer"), str),
    **dict.fromkeys(("status", "count"), int),
}

# The document does not describe these yet.
_KINDS_WITHOUT_NODE: Final = ("unknown status", "unknown code")


def deviation_to_json(deviation: Deviation) -> dict[str, Any]:
    """Return the fields of a deviation, with its pointer as text."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in deviation.pointer)
    return {**vars(deviation), "pointer": "/".join(steps)}


def deviation_from_json(document: Json, fields: Mapping[str, Any]) -> Deviation:
    """Return the deviation that JSON describes.

    Args:
        document: The document that the pointer leads into.
        fields: What `deviation_to_json` returned.

    Raises:
        ValueError: It is no deviation of this document. The message has no value.
    """
    known: dict[str, Any] = {name: fields.get(name) for name in _TYPES}
    if any(type(known[name]) is not kind for name, kind in _TYPES.items()):
        raise ValueError(f"a deviation needs {', '.join(_TYPES)}")
    # They are printed to a terminal.
    if not all(str(text).isprintable() for text in known.values()):
        raise ValueError("a deviation has characters that cannot be printed")
    node: Any = document
    pointer: list[str | int] = []
    for text in known["pointer"].split("/"):
        step = text.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, (dict, list)):
            raise ValueError("a deviation belongs to another version of the spec")
        if isinstance(node, list):
            index = int(step) if step.isdecimal() else len(node)
            pointer.append(index)
            node = node[index] if index < len(node) else None
        else:
            pointer.append(step)
            node = node.get(step)
    if not isinstance(node, dict) and known["kind"] not in _KINDS_WITHOUT_NODE:
        raise ValueError("a deviation belongs to another version of the spec")
    return Deviation(**{**known, "pointer": tuple(pointer)})
