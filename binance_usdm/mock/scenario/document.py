"""Read scenarios: TOML and JSON files, validated against `scenario.schema.json`."""

from __future__ import annotations

import datetime
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from binance_usdm.mock.core.response import dump_json
from binance_usdm.mock.core.strict_json import dumps, loads
from binance_usdm.mock.spec.json_values import iter_errors

Document = Mapping[str, Any]
Source = Document | str | os.PathLike[str]
"""Scenario as a JSON value, or the path of its file."""

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_MAX_PROBLEMS: Final = 3


@cache
def scenario_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of scenarios."""
    schema: Mapping[str, Any] = json.loads(schema_text())
    return schema


def schema_text() -> str:
    """Return the file with the JSON Schema of scenarios."""
    folder = files("binance_usdm.mock.scenario")
    return folder.joinpath("scenario.schema.json").read_text(encoding="utf-8")


def read_document(source: Document | Path) -> Document:
    """Read a scenario, and validate it.

    Args:
        source: JSON value, or path of a file that ends with .toml or .json.

    Raises:
        ValueError: The file cannot be read, or the scenario is not valid. The message has the
            places.
    """
    if isinstance(source, Path):
        document = _parse_file(source)
    else:
        try:
            # Decimals become strings, and what JSON lacks is rejected.
            document = loads(dump_json(source))
        except TypeError as error:
            raise ValueError(f"scenario: {error}") from None
    validate_document(document)
    result: Document = document
    return result


def validate_document(document: Any) -> None:
    """Check a scenario against the schema.

    Raises:
        ValueError: It is not valid. The message has the first places that are not.
    """
    problems = [f"{path} {problem}" for path, problem in _problems(document)]
    if problems:
        left = len(problems) - _MAX_PROBLEMS
        more = f"; and {left} more" if left > 0 else ""
        raise ValueError("; ".join(problems[:_MAX_PROBLEMS]) + more)


def _problems(document: Any) -> Iterator[tuple[str, str]]:
    schema = scenario_schema()
    yield from iter_errors(schema["$defs"]["Scenario"], document, _resolve_ref, "scenario")


def _resolve_ref(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow the reference of a node into the definitions of the schema, if it has one."""
    name = node.get("$ref", "").removeprefix("#/$defs/")
    definition: Mapping[str, Any] = scenario_schema()["$defs"][name] if name else node
    return definition


def _parse_file(path: Path) -> Any:
    if path.suffix not in (".toml", ".json"):
        raise ValueError("the name of a scenario must end with .toml or .json")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from None
    if len(content) > MAX_FILE_BYTES:
        raise ValueError("the file is larger than 4 MiB")
    if path.suffix == ".json":
        return loads(content)
    try:
        value = tomllib.loads(content.decode(), parse_float=Decimal)
    except UnicodeDecodeError:
        raise ValueError("the file must be UTF-8") from None
    except (tomllib.TOMLDecodeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"the file is not valid TOML: {error}") from None
    for place in _find_dates(value, "scenario"):
        raise ValueError(f"{place} is a date; write it as a string")
    # Infinity and numbers that are too large are rejected as in JSON.
    return loads(dumps(value))


def _find_dates(value: Any, path: str) -> Iterator[str]:
    """Yield the paths of dates and times, which JSON lacks."""
    if isinstance(value, dict):
        for name, field in value.items():
            yield from _find_dates(field, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_dates(item, f"{path}[{index}]")
    elif isinstance(value, datetime.date | datetime.time):
        yield path
