"""Compare the example of a page with schema and example of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from generator.document.openapi import Json, resolve

from .difference import Difference, compare_names, report_more_text
from .example import Comment, Example, ExampleError, ObjectFields, parse_example
from .markdown import Section
from .texts import first_clause, normalize

_JSON_TYPES: Final[dict[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    ObjectFields: "object",
    type(None): "null",
}
Path = tuple[str, ...]


def compare_example(
    section: Section, operation: Json, document: Json, language: str
) -> Iterator[Difference]:
    """Yield the differences of fields, their order, types and comments, and of the values."""
    line = section.heading.number
    yield from report_more_text(section.prose(), "example")
    if not section.code():
        yield Difference(line, "example", "the page has no example")
        return
    try:
        example = parse_example(section.code())
    except ExampleError as error:
        yield Difference(error.line, "example", f"it is not valid JSON ({error}); read it")
        return
    media_type = resolve(document, operation["responses"]["200"])["content"]["application/json"]
    comparison = _ExampleComparison(document, language, example, line)
    yield from comparison.compare(media_type["schema"])
    expected = _example_of(media_type)
    if not comparison.has_other_fields and example.value != _to_fields(expected):
        yield from _compare_values(line, "", example.value, _to_fields(expected))


def _example_of(media_type: Json) -> Any:
    """Return the example of the documentation: the one with that name, else the first."""
    examples = media_type.get("examples", {})
    if not examples:
        return media_type.get("example")
    return examples.get("documentation", next(iter(examples.values())))["value"]


def _types_of(schema: Json) -> list[str]:
    """Return the JSON types that a schema allows, none if it does not name them."""
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else list(types)
    return [*names, "integer"] if "number" in names else names


def _to_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return ObjectFields((name, _to_fields(inner)) for name, inner in value.items())
    return [_to_fields(inner) for inner in value] if isinstance(value, list) else value


def _compare_values(line: int, place: str, stated: Any, expected: Any) -> Iterator[Difference]:
    """Yield the values that differ. The fields of both are the same."""
    if isinstance(stated, ObjectFields) and isinstance(expected, ObjectFields):
        values = dict(expected)
        for name, value in stated:
            # An optional field may be missing in the example of the spec.
            if name in values:
                yield from _compare_values(line, f"{place}.{name}", value, values[name])
    elif isinstance(stated, list) and isinstance(expected, list) and len(stated) == len(expected):
        for number, (value, other) in enumerate(zip(stated, expected, strict=True)):
            yield from _compare_values(line, f"{place}[{number}]", value, other)
    elif isinstance(stated, list) and isinstance(expected, list):
        yield Difference.of(line, "example, rows", len(stated), len(expected))
    elif (type(stated), stated) != (type(expected), expected):
        yield Difference.of(line, f"example, {place.lstrip('.')}", repr(stated), repr(expected))


class _ExampleComparison:
    """Compares the value of an example with a schema, and its comments with the descriptions."""

    def __init__(self, document: Json, language: str, example: Example, line: int) -> None:
        self._document = document
        self._language = language
        self._example = example
        self._line = line
        self._compared: set[Path] = set()
        self.has_other_fields = False

    def compare(self, schema: Json) -> Iterator[Difference]:
        """Yield the differences of fields, order, types and comments."""
        yield from self._compare(self._example.value, schema, ())
        for comment in self._example.comments:
            if comment.path not in self._compared:
                yield _stray_comment(comment)

    def _compare(self, value: Any, schema: Json, path: Path) -> Iterator[Difference]:
        schema = resolve(self._document, schema)
        json_type = _JSON_TYPES[type(value)]
        types = _types_of(schema)
        if types and json_type not in types:
            place = ".".join(path) or "response"
            yield Difference.of(self._line, f"type of {place}", json_type, " or ".join(types))
        elif isinstance(value, ObjectFields) and "properties" in schema:
            yield from self._compare_object(value, schema, path)
        elif isinstance(value, list) and "items" in schema:
            for inner in value:
                yield from self._compare(inner, schema["items"], path)
        elif isinstance(value, str):
            yield from self._compare_string(value, schema, path)

    def _compare_string(self, value: str, schema: Json, path: Path) -> Iterator[Difference]:
        pattern = schema.get("pattern")
        if pattern and not re.search(pattern, value):
            expected = schema.get("format", "another string")
            yield Difference.of(self._line, f"type of {'.'.join(path)}", repr(value), expected)

    def _compare_object(
        self, fields: ObjectFields, schema: Json, path: Path
    ) -> Iterator[Difference]:
        properties: Json = schema.get("properties", {})
        names = [name for name, _ in fields]
        self.has_other_fields |= sorted(names) != sorted(properties)
        yield from compare_names(self._line, "field", names, list(properties))
        for name, value in fields:
            if name in properties:
                inner = (*path, name)
                yield from self._compare(value, properties[name], inner)
                yield from self._compare_comment(inner, properties[name])

    def _compare_comment(self, path: Path, schema: Json) -> Iterator[Difference]:
        """Yield the difference of a field's comments. One row in which it has some is enough."""
        if path in self._compared:
            return
        self._compared.add(path)
        subject = f"comment of {'.'.join(path)}"
        expected = first_clause(resolve(self._document, schema), self._language)
        comments = [comment for comment in self._example.comments if comment.path == path]
        if expected and not comments:
            yield Difference.of(self._line, subject, "", expected)
        for comment in comments:
            if normalize(comment.text) != normalize(expected):
                yield Difference.of(comment.line, subject, comment.text, expected or "nothing")


def _stray_comment(comment: Comment) -> Difference:
    subject = f"comment of {'.'.join(comment.path)}" if comment.path else "comment"
    return Difference(comment.line, subject, f'the page has "{comment.text}"; read it')
