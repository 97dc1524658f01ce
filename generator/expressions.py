"""Schemas -> the Python expressions that the templates put in: readers, writers, types, signatures. Writes no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .spec import Json, class_name, resolve


class Expressions:
    """What can be said in Python of the schemas of one document."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def model_schema(self, name: str) -> Json:
        """The object schema that became the class of this name."""
        schemas = self.document["components"]["schemas"]
        return next(schema for component, schema in schemas.items() if class_name(component) == name)

    def reader(self, node: Json, *, optional: bool = False) -> str:
        """The expression of a function that checks a decoded JSON value against this schema and types it."""
        if optional:
            return f"optional({self.reader(node)})"
        schema = resolve(self.document, node)
        if isinstance(schema["type"], list):
            return f"nullable({self.reader(_not_null(schema))})"
        readers: dict[str, Callable[[], str]] = {
            "object": lambda: f"{self._object(node)}.read",
            "array": lambda: self._array(schema),
            "boolean": lambda: "boolean",
            "integer": lambda: f"integer({schema['minimum']}, {schema['maximum']})",
            "string": lambda: self._text(schema),
        }
        return readers[schema["type"]]()

    def _array(self, schema: Json) -> str:
        row = self.rows_of(schema)
        return f"{row}.read_rows" if row else f"array_of({self.reader(schema['items'])})"

    def _object(self, node: Json) -> str | None:
        """The class that a reference to an object names."""
        if resolve(self.document, node)["type"] != "object":
            return None
        return class_name(node["$ref"].rsplit("/", 1)[1])

    def in_rows(self, name: str) -> bool:
        """Whether an array somewhere has items of this class."""
        return any(self.rows_of(node) == name for node in _nodes(self.document) if node.get("type") == "array")

    def _text(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "decimal"
        if "enum" in schema:
            return f"one_of({', '.join(map(repr, schema['enum']))})"
        return f"matching({schema['pattern']!r})" if "pattern" in schema else "text"

    def writer(self, node: Json) -> str:
        """The expression that turns an argument into query text, after checking it."""
        schema = resolve(self.document, node["schema"])
        if schema["type"] == "string":
            return self._text(schema)
        return self.reader(schema)

    def dump(self, node: Json, value: str, depth: int = 0) -> str:
        """The expression that turns a typed value back into what JSON held."""
        schema = resolve(self.document, node)
        kind = schema["type"]
        if isinstance(kind, list):
            inner = self.dump(_not_null(schema), value, depth)
            return inner if inner == value else f"None if {value} is None else {inner}"
        if kind == "object":
            return f"{value}.to_dict()"
        if kind == "array":
            item = f"item{depth or ''}"
            return f"[{self.dump(schema['items'], item, depth + 1)} for {item} in {value}]"
        return f"plain({value})" if schema.get("format") == "decimal" else value

    def rows_of(self, node: Json) -> str | None:
        """The class of the rows of an array of objects."""
        schema = resolve(self.document, node)
        return self._object(schema["items"]) if schema["type"] == "array" else None

    def row_of(self, node: Json) -> str | None:
        """The class of the reply's rows, or of the reply itself when it is one object."""
        schema = resolve(self.document, node)
        node = schema["items"] if schema["type"] == "array" else node
        return self._object(node)


def _nodes(node: Any) -> Iterator[Json]:
    """All objects of a JSON value."""
    if isinstance(node, dict):
        yield node
    for entry in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(entry)


def _not_null(schema: Json) -> Json:
    """The schema of a nullable value's other half."""
    return {**schema, "type": next(kind for kind in schema["type"] if kind != "null")}


def type_of(prop: Any) -> str:
    return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def signature(endpoint: Any, *first: str) -> str:
    """Keyword-only arguments, the required ones first; an argument left at None is not sent."""
    arguments = sorted(endpoint.query_parameters, key=lambda parameter: not parameter.required)
    declared = [f"{p.python_name}: {type_of(p)}" + ("" if p.required else " | None = None") for p in arguments]
    return ", ".join([*first, *(["*"] if declared else []), *declared])
