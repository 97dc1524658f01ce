"""Schemas -> the Python expressions that the templates put in: readers, writers, types, signatures. Writes no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .schemas import account_properties
from .spec import Json, class_name, python_name, resolve


class ExpressionBuilder:
    """What can be said in Python of the schemas of one document."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def model_schema(self, name: str) -> Json:
        """The object schema that became the class of this name."""
        schemas = self.document["components"]["schemas"]
        return next(
            schema for component, schema in schemas.items() if class_name(component) == name
        )

    def reader_expression(self, node: Json, *, optional: bool = False) -> str:
        """The expression of a function that checks a decoded JSON value against this schema and types it."""
        if optional:
            return f"optional_reader({self.reader_expression(node)})"
        schema = resolve(self.document, node)
        if isinstance(schema["type"], list):
            return f"nullable_reader({self.reader_expression(_non_null_schema(schema))})"
        readers: dict[str, Callable[[], str]] = {
            "object": lambda: f"{self._object_class(node)}.read",
            "array": lambda: self._array_reader(schema),
            "boolean": lambda: "read_boolean",
            "integer": lambda: f"integer_reader({schema['minimum']}, {schema['maximum']})",
            "string": lambda: self._string_reader(schema),
        }
        return readers[schema["type"]]()

    def _array_reader(self, schema: Json) -> str:
        row = self.row_class_of_array(schema)
        return (
            f"{row}.read_rows"
            if row
            else f"array_reader({self.reader_expression(schema['items'])})"
        )

    def _object_class(self, node: Json) -> str | None:
        """The class that a reference to an object names."""
        if resolve(self.document, node)["type"] != "object":
            return None
        return class_name(node["$ref"].rsplit("/", 1)[1])

    def is_row_class(self, name: str) -> bool:
        """Whether an array somewhere has items of this class."""
        return any(
            self.row_class_of_array(node) == name
            for node in _iter_nodes(self.document)
            if node.get("type") == "array"
        )

    def _string_reader(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "read_decimal"
        return f"pattern_reader({schema['pattern']!r})" if "pattern" in schema else "read_string"

    def writer_expression(self, node: Json) -> str:
        """The expression that turns an argument into query text, after checking it."""
        schema = resolve(self.document, node["schema"])
        writers: dict[str, Callable[[], str]] = {
            "boolean": lambda: "write_boolean",
            "integer": lambda: f"integer_writer({schema['minimum']}, {schema['maximum']})",
            "string": lambda: self._string_writer(schema),
        }
        return writers[schema["type"]]()

    def _string_writer(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "write_decimal"
        if "enum" in schema:
            return f"choice_writer({', '.join(map(repr, schema['enum']))})"
        return f"pattern_writer({schema['pattern']!r})" if "pattern" in schema else "write_string"

    def dump_expression(self, node: Json, value: str, depth: int = 0) -> str:
        """The expression that turns a typed value back into what JSON held."""
        schema = resolve(self.document, node)
        kind = schema["type"]
        if isinstance(kind, list):
            inner = self.dump_expression(_non_null_schema(schema), value, depth)
            return inner if inner == value else f"None if {value} is None else {inner}"
        if kind == "object":
            return f"{value}.to_dict()"
        if kind == "array":
            item = f"item{depth or ''}"
            return (
                f"[{self.dump_expression(schema['items'], item, depth + 1)} for {item} in {value}]"
            )
        return f"format_decimal({value})" if schema.get("format") == "decimal" else value

    def row_class_of_array(self, node: Json) -> str | None:
        """The class of the rows of an array of objects."""
        schema = resolve(self.document, node)
        return self._object_class(schema["items"]) if schema["type"] == "array" else None

    def row_class_of_result(self, node: Json) -> str | None:
        """The class of the reply's rows, or of the reply itself when it is one object."""
        schema = resolve(self.document, node)
        node = schema["items"] if schema["type"] == "array" else node
        return self._object_class(node)

    def account_attribute(self, node: Json) -> str | None:
        """Return the attribute of a result's rows that identifies the account."""
        schema = resolve(self.document, node)
        row = resolve(self.document, schema["items"]) if schema["type"] == "array" else schema
        names = account_properties(row)
        return python_name(names[0]) if names else None


def _iter_nodes(node: Any) -> Iterator[Json]:
    """All objects of a JSON value."""
    if isinstance(node, dict):
        yield node
    for entry in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _iter_nodes(entry)


def _non_null_schema(schema: Json) -> Json:
    """The schema of a nullable value's other half."""
    return {**schema, "type": next(kind for kind in schema["type"] if kind != "null")}


def type_of(prop: Any) -> str:
    return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def python_signature(endpoint: Any, *first: str) -> str:
    """Keyword-only arguments, the required ones first; an argument left at None is not sent."""
    arguments = sorted(endpoint.query_parameters, key=lambda parameter: not parameter.required)
    declared = [
        f"{p.python_name}: {type_of(p)}" + ("" if p.required else " | None = None")
        for p in arguments
    ]
    return ", ".join([*first, *(["*"] if declared else []), *declared])
