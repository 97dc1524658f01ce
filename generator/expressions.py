"""Write Python expressions for schemas.

The templates put them into generated code: readers, writers, types and signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .literals import plain_text, quoted
from .operations import collect_operations
from .schemas import account_properties
from .spec import Json, class_name, python_name, resolve


class ExpressionBuilder:
    """Python expressions for the schemas of one document."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def model_schema(self, name: str) -> Json:
        """Return the object schema that became the class of this name."""
        schemas = self.document["components"]["schemas"]
        return next(
            schema for component, schema in schemas.items() if class_name(component) == name
        )

    def reader_expression(self, node: Json, *, optional: bool = False) -> str:
        """Return the expression of a reader: it checks a decoded JSON value and types it."""
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
        return f"array_reader({self.reader_expression(schema['items'])})"

    def _object_class(self, node: Json) -> str | None:
        """Return the class that a reference to an object names."""
        if resolve(self.document, node)["type"] != "object":
            return None
        return class_name(node["$ref"].rsplit("/", 1)[1])

    def flat_row_class_of_result(self, node: Json) -> str | None:
        """Return the class of a response's rows if the response is an array of flat rows."""
        name = self.row_class_of_array(node)
        return name if name is not None and self.is_flat_row_class(name) else None

    def is_flat_row_class(self, name: str) -> bool:
        """Return whether some response is an array of this class, whose fields are all scalars."""
        results = (operation.result for operation in collect_operations(self.document))
        if all(self.row_class_of_array(result) != name for result in results):
            return False
        properties = self.model_schema(name)["properties"].values()
        return all(self.record_type(node) for node in properties)

    def record_type(self, node: Json) -> str | None:
        """Return the type that msgspec reads a scalar as; `None` if readers must check more."""
        schema = resolve(self.document, node)
        if schema["type"] == "integer":
            bounds = f"ge={schema['minimum']}, le={schema['maximum']}"
            return f"Annotated[int, msgspec.Meta({bounds})]"
        if schema["type"] == "boolean":
            return "bool"
        is_plain = schema.get("format") == "decimal" or "pattern" not in schema
        return "str" if schema["type"] == "string" and is_plain else None

    def required_amounts(self, model: Any) -> list[Any]:
        """Return a model's properties that are amounts and always there."""
        properties = self.model_schema(model.class_info.name)["properties"]
        return [
            prop
            for prop in model.required_properties
            if self._is_amount(properties[prop.name.get_untrusted_value()])
        ]

    def optional_value(self, node: Json, value: str) -> str:
        """Return the expression of an optional field that is there, from a msgspec record."""
        return f"read_decimal({value}, None)" if self._is_amount(node) else value

    def _is_amount(self, node: Json) -> bool:
        return resolve(self.document, node).get("format") == "decimal"

    def _string_reader(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "read_decimal"
        return f"pattern_reader({schema['pattern']!r})" if "pattern" in schema else "read_string"

    def writer_expression(self, node: Json) -> str:
        """Return the expression of a writer: it checks an argument and encodes it."""
        schema = resolve(self.document, node["schema"])
        writers: dict[str, Callable[[], str]] = {
            "boolean": lambda: "write_boolean",
            "integer": lambda: f"integer_writer({schema['minimum']}, {schema['maximum']})",
            "string": lambda: self._string_writer(schema),
        }
        return writers[schema["type"]]()

    def parameter_choices(self, node: Json) -> tuple[str, ...]:
        """Return the values that a parameter may have, empty if the spec lists none."""
        return tuple(resolve(self.document, node["schema"]).get("enum", ()))

    def _string_writer(self, schema: Json) -> str:
        if schema.get("format") == "decimal":
            return "write_decimal"
        if "enum" in schema:
            return f"choice_writer({', '.join(map(repr, schema['enum']))})"
        if "pattern" not in schema:
            return "write_string"
        rule = plain_text(schema.get("x-rule", "a string in the form that the spec states"))
        return f"pattern_writer({schema['pattern']!r}, {quoted(rule)})"

    def dump_expression(self, node: Json, value: str, depth: int = 0) -> str:
        """Return the expression that turns a typed value back into the JSON value."""
        schema = resolve(self.document, node)
        json_type = schema["type"]
        if isinstance(json_type, list):
            inner = self.dump_expression(_non_null_schema(schema), value, depth)
            return inner if inner == value else f"None if {value} is None else {inner}"
        if json_type == "object":
            return f"{value}.to_dict()"
        if json_type == "array":
            item = f"item{depth or ''}"
            inner = self.dump_expression(schema["items"], item, depth + 1)
            return f"[{inner} for {item} in {value}]"
        return f"format_decimal({value})" if schema.get("format") == "decimal" else value

    def row_class_of_array(self, node: Json) -> str | None:
        """Return the class of the items of an array of objects."""
        schema = resolve(self.document, node)
        return self._object_class(schema["items"]) if schema["type"] == "array" else None

    def row_class_of_result(self, node: Json) -> str | None:
        """Return the class of a response's rows, or of a response that is one object."""
        schema = resolve(self.document, node)
        row = schema["items"] if schema["type"] == "array" else node
        return self._object_class(row)

    def account_attribute(self, node: Json) -> str | None:
        """Return the attribute of a result's rows that identifies the account."""
        schema = resolve(self.document, node)
        row = resolve(self.document, schema["items"]) if schema["type"] == "array" else schema
        names = account_properties(row)
        return python_name(names[0]) if names else None


def _non_null_schema(schema: Json) -> Json:
    """Return the schema of a nullable value when it is not null."""
    return {**schema, "type": next(entry for entry in schema["type"] if entry != "null")}


def type_of(prop: Any) -> str:
    """Return the Python type of a property or a parameter, without `None`."""
    return str(prop.get_type_string(no_optional=True).as_unembedded_code())


def python_signature(endpoint: Any, *first: str) -> str:
    """Return a function's parameters: keyword-only, the required ones first."""
    arguments = sorted(endpoint.query_parameters, key=lambda parameter: not parameter.required)
    declared = [
        f"{p.python_name}: {type_of(p)}" + ("" if p.required else " | None = None")
        for p in arguments
    ]
    return ", ".join([*first, *(["*"] if declared else []), *declared])
