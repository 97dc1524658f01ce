"""Which keys and which kinds of values may stand where in the spec: tables and one walk. Knows nothing of what the values mean."""

from __future__ import annotations

import re
from typing import Any

from .spec import COMPONENT_NAME, Json, resolve

CITED_TEXT = "prose"
"""English text; every [source] in it must be explained in x-sources."""
DESCRIPTION_KEYS = {"description!": CITED_TEXT, "x-description-zh": str}
ANY = object

# A key that ends in ! must be there. A value is a type, a tuple of the allowed texts, the name of another row, [rule] for a list of
# them, or {"*": rule} for a mapping of names to them. What is not here would be dropped by the generator without a word.
GRAMMAR: dict[str, Json] = {
    "document": {
        "openapi!": str, "info!": "info", "servers!": ["server"], "tags!": ["tag"], "paths!": {"*": {"*": "operation"}},
        "components!": "components", "x-sources!": {"*": str}, "x-security-types!": {"*": [str]}, "x-error-codes": {"*": "error code"},
    },
    "info": {
        "title!": str, "version!": str, "summary": CITED_TEXT, "description": CITED_TEXT, "x-description-zh": str,
        "license": {"*": str}, "contact": {"*": str}, "termsOfService": str,
    },
    "server": {**DESCRIPTION_KEYS, "url!": str, "x-environment!": str},
    "tag": {**DESCRIPTION_KEYS, "name!": str},
    "operation": {
        **DESCRIPTION_KEYS, "operationId!": str, "tags!": [str], "summary!": CITED_TEXT, "x-summary-zh": str, "x-security-type!": str,
        "x-weight!": int, "security!": [{"*": [str]}], "parameters!": ["parameter"], "responses!": {"*": "response"},
    },
    "components": {
        "securitySchemes": {"*": "scheme"}, "parameters": {"*": "parameter"}, "headers": {"*": "header"},
        "responses": {"*": "response"}, "schemas": {"*": "schema"},
    },
    "scheme": {**DESCRIPTION_KEYS, "type!": ("apiKey",), "in!": ("header", "query"), "name!": str, "x-signing-role!": ("key", "signature")},
    "parameter": {
        **DESCRIPTION_KEYS, "name!": str, "in!": ("query",), "required": bool, "schema!": "schema", "example": ANY,
        "examples": {"*": "example"}, "x-signing-role": ("timestamp", "window"),
    },
    "response": {**DESCRIPTION_KEYS, "headers": {"*": "header"}, "content": {"*": "media"}},
    "header": {**DESCRIPTION_KEYS, "required": bool, "schema!": "schema"},
    "media": {"schema!": "schema", "example": ANY, "examples": {"*": "example"}},
    "example": {"summary": CITED_TEXT, "description": CITED_TEXT, "value!": ANY},
    "schema": {
        "type": ANY, "format": str, "pattern": str, "minimum": int, "maximum": int, "enum": [str], "items": "schema",
        "properties": {"*": "schema"}, "required": [str], "additionalProperties": bool, "description": CITED_TEXT, "x-description-zh": str,
        "examples": [ANY], "x-instant": str, "x-holding": bool, "x-exchange-clock": bool,
        "x-identifies-account": bool,
    },
    "error code": {
        "name!": str, "messages": [str], "source": CITED_TEXT,
        "kind!": ("authentication", "timestamp", "rate-limit", "bad-request", "server"),
    },
    "reference": {"$ref!": str, "description": CITED_TEXT, "x-description-zh": str},
    "schema reference": {"$ref!": str, "description": CITED_TEXT, "x-description-zh": str, "x-holding": bool},
}  # fmt: skip
REF_SECTIONS = {
    "schema": "schemas",
    "parameter": "parameters",
    "header": "headers",
    "response": "responses",
}
"""What a $ref may stand for, and where it must point."""
TYPE_NAMES = {
    str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a mapping", float: "a fraction", type(None): "null",
}  # fmt: skip
SOURCE_MARK = re.compile(r"\[([a-z]+)\]")


def check_grammar(document: Json) -> tuple[Json, list[str]]:
    """The document without what is of the wrong kind, and a finding for every such place."""
    walk = _GrammarChecker(document)
    return walk.check_node("document", document, "document") or {}, walk.findings


class _GrammarChecker:
    def __init__(self, document: Json) -> None:
        self.document = document
        self.sources = document.get("x-sources")
        self.findings: list[str] = []

    def report(self, where: str, what: str) -> None:
        self.findings.append(f"{where}: {what}")

    def check_node(self, where: str, node: Any, rule: Any) -> Any:
        """`node` without what does not fit the rule; None when nothing is left."""
        if rule is ANY:
            return node
        if isinstance(rule, (list, dict)):
            return self.check_collection(where, node, rule)
        if rule in GRAMMAR:
            return self.check_object(where, node, rule)
        return node if self.check_scalar(where, node, rule) else None

    def check_scalar(self, where: str, node: Any, rule: Any) -> bool:
        kind = rule if isinstance(rule, type) else str
        if type(node) is not kind or (isinstance(rule, tuple) and node not in rule):
            expected = f"one of {', '.join(rule)}" if isinstance(rule, tuple) else TYPE_NAMES[kind]
            self.report(where, f"must be {expected}, not {_describe(node)}")
            return False
        if isinstance(node, str) and not node.strip():
            self.report(where, "is an empty text")
            return False
        for source in SOURCE_MARK.findall(str(node)) if rule == CITED_TEXT else ():
            if not isinstance(self.sources, dict) or source not in self.sources:
                self.report(where, f"source [{source}] is not in x-sources")
        return True

    def check_collection(
        self, where: str, node: Any, rule: list[Any] | Json
    ) -> list[Any] | Json | None:
        if isinstance(rule, list) and isinstance(node, list):
            entries = (
                self.check_node(f"{where}.{number}", entry, rule[0])
                for number, entry in enumerate(node)
            )
            return [entry for entry in entries if entry is not None]
        if isinstance(rule, dict) and isinstance(node, dict):
            members = {
                name: self.check_node(_join_path(where, name), entry, rule["*"])
                for name, entry in node.items()
            }
            return {name: entry for name, entry in members.items() if entry is not None}
        self.report(where, f"must be {TYPE_NAMES[type(rule)]}, not {_describe(node)}")
        return None

    def check_object(self, where: str, node: Any, name: str) -> Json | None:
        if not isinstance(node, dict):
            self.report(where, f"must be a mapping, not {_describe(node)}")
            return None
        if "$ref" in node and name in REF_SECTIONS:
            self.check_ref(where, node["$ref"], REF_SECTIONS[name])
            name = "schema reference" if name == "schema" else "reference"
        rules = {key.removesuffix("!"): rule for key, rule in GRAMMAR[name].items()}
        for key in node:
            if key not in rules:
                self.report(where, f"unknown or unsupported key {key!r}")
        for key in GRAMMAR[name]:
            if key.endswith("!") and key[:-1] not in node:
                self.report(where, f"{key[:-1]} is missing")
        members = {
            key: self.check_node(_join_path(where, key), entry, rules[key])
            for key, entry in node.items()
            if key in rules
        }
        return {key: entry for key, entry in members.items() if entry is not None}

    def check_ref(self, where: str, reference: Any, section: str) -> None:
        if not isinstance(reference, str) or not re.fullmatch(
            f"#/components/{section}/{COMPONENT_NAME}", reference
        ):
            self.report(where, f"$ref {reference!r} must be #/components/{section}/ and a name")
            return
        try:
            resolve(self.document, {"$ref": reference})
        except (KeyError, TypeError):
            self.report(where, f"$ref {reference!r} names nothing in this document")


def _join_path(where: str, name: str) -> str:
    return name if where == "document" else f"{where}.{name}"


def _describe(node: Any) -> str:
    return repr(node) if isinstance(node, str) else TYPE_NAMES.get(type(node), type(node).__name__)
