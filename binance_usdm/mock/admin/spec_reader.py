"""Read what people see of the spec: texts in a language, facts of schemas, fields of a response."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.spec.operation import Operation
from binance_usdm.mock.spec.parameters import Json

from .markup import Markup, element, escape

# A word for each, in the order in which they are shown.
_SCHEMA_FACTS: Final = ("minimum", "maximum", "pattern", "enum", "default", "examples")
_SOURCES: Final = re.compile(r" ?(?:\[[a-z]+\])+")
# An English word; "recvWindow" is a name.
_FIRST_WORD: Final = re.compile(r"(?<![^>])[a-z]+(?!\w)")
_LAST_STOP: Final = re.compile(r"[.。!?](?:</span>)?$")
# A schema may refer to itself.
_MAX_FIELD_DEPTH: Final = 6


@dataclass(frozen=True, slots=True)
class Field:
    """Field of a JSON object, with its path from the root, such as "positions[].symbol"."""

    path: str
    schema: Json
    required: bool


class SpecReader:
    """Texts and facts of a spec in a language.

    Args:
        spec: Spec of the mock exchange.
        language: "en", or the suffix of the spec's translations, such as "zh".
    """

    def __init__(self, spec: ApiSpec, language: str) -> None:
        self.spec = spec
        self._language = language
        # What stands between two sentences.
        self.space: Markup = Markup(" " if language == "en" else "")

    def operation_node(self, operation: Operation) -> Json:
        """Return the node of an operation, with the parameters of its path too."""
        item = self.spec.resolve_ref(self.spec.document["paths"][operation.path])
        node: Mapping[str, Any] = item[operation.method.lower()]
        declared = (*item.get("parameters", ()), *node.get("parameters", ()))
        # An operation's own parameter replaces an equal one of the path.
        parameters = {each["name"]: each for each in map(self.spec.resolve_ref, declared)}
        return {**node, "parameters": [*parameters.values()]}

    def text(self, node: Json, key: str) -> Markup:
        """Return a text of a node without the sources in brackets, or nothing if it has none.

        A text without a translation is marked as English.
        """
        translated = node.get(f"x-{key}-{self._language}")
        if translated is not None:
            return escape(str(translated))
        text = escape(_SOURCES.sub("", str(node.get(key, ""))).strip())
        return text if self._language == "en" or not text else element("span", text, lang="en")

    def sentence(self, node: Json, key: str) -> Markup:
        """Return a text with a capital letter, unless it begins with a name, and a full stop."""
        text = self.text(node, key)
        capital = _FIRST_WORD.sub(lambda word: word[0].capitalize(), text, count=1)
        if not capital or _LAST_STOP.search(capital):
            return Markup(capital)
        return Markup(capital + ("." if self._language == "en" else "。"))

    def type_name(self, schema: Json) -> str:
        """Return a type as it is written in programs: "string (decimal)", "object[]"."""
        schema = self.spec.resolve_ref(schema)
        types = schema.get("type", "any")
        name = types if isinstance(types, str) else " | ".join(types)
        if "items" in schema:
            return name.replace("array", f"{self.type_name(schema['items'])}[]")
        return f"{name} ({schema['format']})" if "format" in schema else name

    def parameter_schema(self, parameter: Json) -> Json:
        """Return the schema of a parameter, with the parameter's own example."""
        schema = self.spec.resolve_ref(parameter.get("schema", {}))
        if "example" in parameter:
            return {**schema, "examples": [parameter["example"]]}
        return schema

    def key_header(self, node: Json) -> str | None:
        """Return the name of the header with the API key, or `None` if an operation needs none."""
        document = self.spec.document
        for requirement in node.get("security", document.get("security", ())):
            for name in requirement:
                scheme = document["components"]["securitySchemes"][name]
                if scheme.get("x-signing-role") == "key":
                    return str(scheme["name"])
        return None

    def facts(self, schema: Json) -> Iterator[tuple[str, str]]:
        """Yield name and value of what a schema asks for, and its default and examples."""
        for name in _SCHEMA_FACTS:
            if name in schema:
                value = schema[name]
                values = value if isinstance(value, list) else [value]
                yield name, ", ".join(map(show_value, values))

    def fields(self, schema: Json, path: str = "", depth: int = 0) -> Iterator[Field]:
        """Yield the fields of a JSON value and of the objects in it."""
        schema = self.spec.resolve_ref(schema)
        if depth > _MAX_FIELD_DEPTH:
            return
        for part in schema.get("allOf", ()):
            yield from self.fields(part, path, depth + 1)
        if "items" in schema:
            yield from self.fields(schema["items"], path and f"{path}[]", depth + 1)
        for name, member in schema.get("properties", {}).items():
            member = self.spec.resolve_ref(member)
            name_path = f"{path}.{name}" if path else name
            yield Field(name_path, member, name in schema.get("required", ()))
            yield from self.fields(member, name_path, depth + 1)

    def statuses(self, node: Json) -> Iterator[tuple[str, Json]]:
        """Yield HTTP status and response of an operation's node."""
        for status, response in node["responses"].items():
            yield status, self.spec.resolve_ref(response)

    def headers(self, node: Json) -> dict[str, Json]:
        """Return the response headers of an operation's node by their names."""
        return {
            name: self.spec.resolve_ref(header)
            for _, response in self.statuses(node)
            for name, header in response.get("headers", {}).items()
        }

    def response_schema(self, node: Json) -> Json:
        """Return the schema of an operation's 200 response."""
        schema: Json = self._response_media(node).get("schema", {})
        return self.spec.resolve_ref(schema)

    def response_text(self, node: Json) -> Markup:
        """Return what an operation responds with, and what a row of it is."""
        response = self.spec.resolve_ref(node["responses"]["200"])
        schema = self.response_schema(node)
        row = self.spec.resolve_ref(schema.get("items", schema))
        sentences = [self.sentence(response, "description"), self.sentence(row, "description")]
        return Markup(self.space.join(sentences))

    def examples(self, node: Json) -> Iterator[tuple[Markup, str]]:
        """Yield summary and formatted JSON of the examples of an operation's 200 response."""
        media = self._response_media(node)
        examples = [*media.get("examples", {}).values()]
        if not examples and "example" in media:
            examples = [{"value": media["example"]}]
        for example in map(self.spec.resolve_ref, examples):
            yield (
                self.sentence(example, "summary"),
                json.dumps(example["value"], ensure_ascii=False, indent=2, default=str),
            )

    def _response_media(self, node: Json) -> Json:
        response = self.spec.resolve_ref(node["responses"]["200"])
        return self.spec.resolve_ref(response["content"]["application/json"])


def show_value(value: Any) -> str:
    """Return a value of the spec as people write it: strings without quotation marks."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
