"""Arguments of any type from text, and rows of any type by the name of their columns."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from binance_usdm_wire import Parameter, ResponseMismatch

from . import arguments


def parameter_type(parameter: Parameter) -> Callable[[str], Any]:
    """Return the parser for values of a parameter of the spec.

    A list is written with commas, and an argument that is sent as JSON is written as JSON.
    """
    if parameter.read_json is not None:
        return lambda text: _parse_json(text, parameter.read_json)
    parse = arguments.argument_type(parameter.type)
    if not parameter.is_list:
        return parse

    def parse_list(text: str) -> list[Any]:
        return [parse(item) for item in text.split(",")]

    parse_list.__name__ = "list"
    return parse_list


def _parse_json(text: str, read: Any) -> Any:
    # Other commands do not wait for this import.
    from binance_usdm_wire.decoding import decode

    try:
        return read(decode(text.encode("utf-8", "surrogateescape")), None)
    except ResponseMismatch as mismatch:
        raise argparse.ArgumentTypeError(f"must be {mismatch.expected}") from None


def row_to_cells(row: Any) -> dict[str, Any]:
    """Return the values of a row by the name of their column.

    The items of a row that is an array have the names of the spec; those after them are numbered.
    """
    if not hasattr(row, "to_list"):
        fields: dict[str, Any] = row.to_dict()
        return fields
    items = row.to_list()
    names = [*row.WIRE_NAMES.values()]
    names += map(str, range(len(names), len(items)))
    return dict(zip(names, items, strict=True))
