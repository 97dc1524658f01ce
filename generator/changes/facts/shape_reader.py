"""Read the schemas of a document into shapes and classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generator.document.openapi import Json, class_name, python_name

from .documents import follow, mapping, sequence
from .limits import read_limits
from .shapes import MARK_KEYS, ClassFacts, Member, Shape, texts_of, unknown_keys

MAX_DEPTH = 30
"""What is nested deeper is read as any value: a schema may contain itself."""
PYTHON_TYPES = {"string": "str", "integer": "int", "boolean": "bool", "number": "Decimal"}


class ShapeReader:
    """Reads the schemas of one document, and collects the classes that they name."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.classes: dict[str, ClassFacts] = {}
        self._reading: set[str] = set()

    def read(self, node: Any, owner: str, depth: int = 0) -> Shape:
        """Return the shape of a schema; `owner` names a class without a name."""
        if node is False:
            return Shape("never", "Never")
        if node is True or depth > MAX_DEPTH:
            return Shape("any", "Any")
        component, schema = self._merge(node)
        types, nullable = _read_types(schema)
        choices = [*sequence(schema.get("oneOf")), *sequence(schema.get("anyOf"))]
        alternatives = [entry for entry in choices if mapping(entry).get("type") != "null"]
        nullable |= len(alternatives) < len(choices)
        if alternatives:
            return self._read_alternatives(schema, alternatives, owner, nullable, depth)
        if len(types) > 1:
            parts = [self.read({**schema, "type": name}, owner, depth + 1) for name in types]
            return self._make_shape({}, "union", _join_types(parts), nullable, parts)
        json_type = types[0] if types else _infer_type(schema)
        if json_type == "array":
            return self._read_array(schema, component, owner, nullable, depth)
        if json_type == "object":
            return self._read_object(mapping(node), schema, component, (owner, nullable, depth))
        python_type = PYTHON_TYPES.get(json_type, "Any")
        if json_type == "string" and schema.get("format") == "decimal":
            python_type = "Decimal"
        return self._make_shape(schema, json_type, python_type, nullable)

    def _read_alternatives(
        self, schema: Json, alternatives: list[Any], owner: str, nullable: bool, depth: int
    ) -> Shape:
        """Return the shape of `oneOf` or `anyOf`; a single alternative is that type, or null."""
        if len(alternatives) == 1:
            rest = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf")}
            inner = {**mapping(alternatives[0]), **rest, **({"nullable": True} if nullable else {})}
            return self.read(inner, owner, depth + 1)
        parts = [
            self.read(entry, f"{owner}_{n}", depth + 1) for n, entry in enumerate(alternatives)
        ]
        return self._make_shape(schema, "union", _join_types(parts), nullable, parts)

    def _merge(self, node: Any) -> tuple[str | None, Json]:
        """Follow references and merge `allOf`."""
        component, schema = follow(self.document, node)
        subschemas = sequence(schema.get("allOf"))
        if not subschemas:
            return component, schema
        merged: Json = {}
        for subschema in subschemas:
            name, part = follow(self.document, subschema)
            component = name if len(subschemas) == 1 and component is None else component
            properties = {**mapping(merged.get("properties")), **mapping(part.get("properties"))}
            required = [*sequence(merged.get("required")), *sequence(part.get("required"))]
            merged.update(part)
            if properties:
                merged.update(properties=properties, required=required)
        siblings = {key: value for key, value in schema.items() if key != "allOf"}
        if "properties" in siblings and "properties" in merged:
            siblings["properties"] = {**merged["properties"], **mapping(siblings["properties"])}
            siblings["required"] = [
                *merged.get("required", []),
                *sequence(siblings.get("required")),
            ]
        return component, {**merged, **siblings}

    def _read_array(
        self, schema: Json, component: str | None, owner: str, nullable: bool, depth: int
    ) -> Shape:
        elements = sequence(schema.get("prefixItems"))
        if component and any("x-name" in mapping(element) for element in elements):
            return self._read_named({}, schema, component, nullable)
        if elements:
            parts = [
                self.read(entry, f"{owner}_{n}", depth + 1) for n, entry in enumerate(elements)
            ]
            return self._make_shape(
                schema, "tuple", f"tuple[{_join_types(parts, ', ')}]", nullable, parts
            )
        item = self.read(schema.get("items", True), f"{owner}_item", depth + 1)
        return self._make_shape(schema, "array", f"list[{item.annotation}]", nullable, [item])

    def _read_object(
        self, node: Json, schema: Json, component: str | None, place: tuple[str, bool, int]
    ) -> Shape:
        owner, nullable, depth = place
        values = schema.get("additionalProperties")
        if not mapping(schema.get("properties")) and (
            component is None or isinstance(values, dict)
        ):
            part = self.read(True if values is None else values, f"{owner}_value", depth + 1)
            return self._make_shape(
                schema, "map", f"dict[str, {part.annotation}]", nullable, [part]
            )
        beside = {key: value for key, value in node.items() if key not in ("$ref", "nullable")}
        return self._read_named(beside if component else {}, schema, component or owner, nullable)

    def _read_named(self, beside: Json, schema: Json, component: str, nullable: bool) -> Shape:
        """Return the shape of a class; `beside` has what stands beside the `$ref`."""
        # What stands beside the `$ref` belongs to the field and not to the class.
        _, target = self._merge({"$ref": f"#/components/schemas/{component}"})
        schema = schema if "$ref" in target else target
        name = class_name(str(schema.get("x-python-name") or component))
        if name not in self.classes and name not in self._reading:
            self._reading.add(name)
            self.classes[name] = self._read_class(name, schema)
            self._reading.discard(name)
        return self._make_shape(beside, "class", name, nullable)

    def _read_class(self, name: str, schema: Json) -> ClassFacts:
        required = set(map(str, sequence(schema.get("required"))))
        elements = sequence(schema.get("prefixItems"))
        nodes = {str(mapping(node).get("x-name", n)): node for n, node in enumerate(elements)}
        required |= nodes.keys()
        members: dict[str, Member] = {}
        for wire, node in {**nodes, **mapping(schema.get("properties"))}.items():
            shape = self.read(node, f"{name}_{wire}")
            renamed = mapping(node).get("x-python-name")
            members[wire] = Member(
                wire=wire,
                name=python_name(str(renamed or wire)),
                required=wire in required,
                shape=shape,
                holding=mapping(node).get("x-holding") is True,
            )
        rest = schema.get("additionalProperties")
        return ClassFacts(
            name=name,
            members=members,
            accepts_unknown=rest is not False,
            rest=self.read(rest, f"{name}_value") if isinstance(rest, dict) else None,
            is_tuple=bool(elements),
            deprecated=schema.get("deprecated") is True,
            unknown=unknown_keys(schema),
            texts=texts_of(schema),
        )

    def _make_shape(
        self,
        schema: Json,
        json_type: str,
        python_type: str,
        nullable: bool,
        parts: Sequence[Shape] = (),
    ) -> Shape:
        enum = schema.get("enum")
        pattern = schema.get("pattern")
        marks = {key: schema[key] for key in MARK_KEYS if schema.get(key)}
        return Shape(
            json_type=json_type,
            python_type=python_type,
            nullable=nullable,
            format=None if schema.get("format") is None else str(schema["format"]),
            parts=tuple(parts),
            limits=dict(read_limits(schema, json_type)),
            pattern=None if pattern is None else str(pattern),
            enum=tuple(sequence(enum)) if enum is not None else None,
            deprecated=schema.get("deprecated") is True,
            default=schema.get("default"),
            marks=marks,
            unknown=unknown_keys(schema),
            texts=texts_of(schema),
        )


def _read_types(schema: Json) -> tuple[list[str], bool]:
    """Return the JSON types without null, and whether null is allowed."""
    declared = schema.get("type")
    types = [str(entry) for entry in (declared if isinstance(declared, list) else [declared])]
    types = [entry for entry in types if entry != "None"]
    nullable = "null" in types or schema.get("nullable") is True
    others = [entry for entry in types if entry != "null"]
    return others or (["null"] if types else []), nullable and bool(others or not types)


def _infer_type(schema: Json) -> str:
    for key, json_type in (("properties", "object"), ("items", "array"), ("prefixItems", "array")):
        if key in schema:
            return json_type
    enum = sequence(schema.get("enum"))
    return "string" if enum and all(isinstance(value, str) for value in enum) else "any"


def _join_types(parts: list[Shape], separator: str = " | ") -> str:
    types = [part.annotation for part in parts]
    return separator.join(types if separator == ", " else dict.fromkeys(types))
