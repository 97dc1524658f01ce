"""Which keys and which kinds of values may stand where in the spec: tables and one walk. Knows nothing of what the values mean."""

from __future__ import annotations

import re
from typing import Any

from .spec import COMPONENT, Json, resolve

PROSE = "prose"
"""English text; every [source] in it must be explained in x-sources."""
TEXT = {"description!": PROSE, "x-description-zh": str}
ANYTHING = object

# A key that ends in ! must be there. A value is a type, a tuple of the allowed texts, the name of another row, [rule] for a list of
# them, or {"*": rule} for a mapping of names to them. What is not here would be dropped by the generator without a word.
GRAMMAR: dict[str, Json] = {
    "document": {
        "openapi!": str, "info!": "info", "servers!": ["server"], "tags!": ["tag"], "paths!": {"*": {"*": "operation"}},
        "components!": "components", "x-sources!": {"*": str}, "x-security-types!": {"*": [str]}, "x-error-codes": {"*": "error code"},
    },
    "info": {
        "title!": str, "version!": str, "summary": PROSE, "description": PROSE, "x-description-zh": str,
        "license": {"*": str}, "contact": {"*": str}, "termsOfService": str,
    },
    "server": {**TEXT, "url!": str, "x-environment!": str},
    "tag": {**TEXT, "name!": str},
    "operation": {
        **TEXT, "operationId!": str, "tags!": [str], "summary!": PROSE, "x-summary-zh": str, "x-security-type!": str, "x-weight!": int,
        "security!": [{"*": [str]}], "parameters!": ["parameter"], "responses!": {"*": "response"},
    },
    "components": {
        "securitySchemes": {"*": "scheme"}, "parameters": {"*": "parameter"}, "headers": {"*": "header"},
        "responses": {"*": "response"}, "schemas": {"*": "schema"},
    },
    "scheme": {**TEXT, "type!": ("apiKey",), "in!": ("header", "query"), "name!": str, "x-signing-role!": ("key", "signature")},
    "parameter": {
        **TEXT, "name!": str, "in!": ("query",), "required": bool, "schema!": "schema", "example": ANYTHING,
        "examples": {"*": "example"}, "x-signing-role": ("timestamp", "window"),
    },
    "response": {**TEXT, "headers": {"*": "header"}, "content": {"*": "media"}},
    "header": {**TEXT, "required": bool, "schema!": "schema"},
    "media": {"schema!": "schema", "example": ANYTHING, "examples": {"*": "example"}},
    "example": {"summary": PROSE, "description": PROSE, "value!": ANYTHING},
    "schema": {
        "type": ANYTHING, "format": str, "pattern": str, "minimum": int, "maximum": int, "enum": [str], "items": "schema",
        "properties": {"*": "schema"}, "required": [str], "additionalProperties": bool, "description": PROSE, "x-description-zh": str,
        "examples": [ANYTHING], "x-instant": str, "x-holding": bool, "x-exchange-clock": bool,
    },
    "error code": {
        "name!": str, "messages": [str], "source": PROSE,
        "kind!": ("authentication", "timestamp", "rate-limit", "bad-request", "server"),
    },
    "reference": {"$ref!": str, "description": PROSE, "x-description-zh": str},
    "schema reference": {"$ref!": str, "description": PROSE, "x-description-zh": str, "x-holding": bool},
}  # fmt: skip
SECTIONS = {"schema": "schemas", "parameter": "parameters", "header": "headers", "response": "responses"}
"""What a $ref may stand for, and where it must point."""
KINDS = {
    str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a mapping", float: "a fraction", type(None): "null",
}  # fmt: skip
SOURCE = re.compile(r"\[([a-z]+)\]")


def shape(document: Json) -> tuple[Json, list[str]]:
    """The document without what is of the wrong kind, and a finding for every such place."""
    walk = _Walk(document)
    return walk.fit("document", document, "document") or {}, walk.findings


class _Walk:
    def __init__(self, document: Json) -> None:
        self.document = document
        self.sources = document.get("x-sources")
        self.findings: list[str] = []

    def say(self, where: str, what: str) -> None:
        self.findings.append(f"{where}: {what}")

    def fit(self, where: str, node: Any, rule: Any) -> Any:
        """`node` without what does not fit the rule; None when nothing is left."""
        if rule is ANYTHING:
            return node
        if isinstance(rule, (list, dict)):
            return self.each(where, node, rule)
        if rule in GRAMMAR:
            return self.row(where, node, rule)
        return node if self.scalar(where, node, rule) else None

    def scalar(self, where: str, node: Any, rule: Any) -> bool:
        kind = rule if isinstance(rule, type) else str
        if type(node) is not kind or (isinstance(rule, tuple) and node not in rule):
            expected = f"one of {', '.join(rule)}" if isinstance(rule, tuple) else KINDS[kind]
            self.say(where, f"must be {expected}, not {_found(node)}")
            return False
        if isinstance(node, str) and not node.strip():
            self.say(where, "is an empty text")
            return False
        for source in SOURCE.findall(str(node)) if rule == PROSE else ():
            if not isinstance(self.sources, dict) or source not in self.sources:
                self.say(where, f"source [{source}] is not in x-sources")
        return True

    def each(self, where: str, node: Any, rule: list[Any] | Json) -> list[Any] | Json | None:
        if isinstance(rule, list) and isinstance(node, list):
            entries = (self.fit(f"{where}.{number}", entry, rule[0]) for number, entry in enumerate(node))
            return [entry for entry in entries if entry is not None]
        if isinstance(rule, dict) and isinstance(node, dict):
            members = {name: self.fit(_step(where, name), entry, rule["*"]) for name, entry in node.items()}
            return {name: entry for name, entry in members.items() if entry is not None}
        self.say(where, f"must be {KINDS[type(rule)]}, not {_found(node)}")
        return None

    def row(self, where: str, node: Any, name: str) -> Json | None:
        if not isinstance(node, dict):
            self.say(where, f"must be a mapping, not {_found(node)}")
            return None
        if "$ref" in node and name in SECTIONS:
            self.reference(where, node["$ref"], SECTIONS[name])
            name = "schema reference" if name == "schema" else "reference"
        rules = {key.removesuffix("!"): rule for key, rule in GRAMMAR[name].items()}
        for key in node:
            if key not in rules:
                self.say(where, f"unknown or unsupported key {key!r}")
        for key in GRAMMAR[name]:
            if key.endswith("!") and key[:-1] not in node:
                self.say(where, f"{key[:-1]} is missing")
        members = {key: self.fit(_step(where, key), entry, rules[key]) for key, entry in node.items() if key in rules}
        return {key: entry for key, entry in members.items() if entry is not None}

    def reference(self, where: str, reference: Any, section: str) -> None:
        if not isinstance(reference, str) or not re.fullmatch(f"#/components/{section}/{COMPONENT}", reference):
            self.say(where, f"$ref {reference!r} must be #/components/{section}/ and a name")
            return
        try:
            resolve(self.document, {"$ref": reference})
        except (KeyError, TypeError):
            self.say(where, f"$ref {reference!r} names nothing in this document")


def _step(where: str, name: str) -> str:
    return name if where == "document" else f"{where}.{name}"


def _found(node: Any) -> str:
    return repr(node) if isinstance(node, str) else KINDS.get(type(node), type(node).__name__)
