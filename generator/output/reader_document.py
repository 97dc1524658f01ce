"""Render the spec as a document for readers and tools outside this project."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from generator.document.openapi import TRANSLATED, Json
from generator.document.path_items import METHODS
from generator.model.weights import largest_weight

LANGUAGES: Final = ("en", "zh")
_NAME_MAPS: Final = {
    "callbacks", "content", "examples", "headers", "links", "parameters", "paths", "properties",
    "responses", "schemas", "securitySchemes", "x-error-codes",
}  # fmt: skip
"""Keys of mappings whose keys are names, and not words of OpenAPI."""
_VALUES: Final = {"const", "default", "enum", "example", "value"}
"""Keys of JSON values, in which nothing is a text of the document."""
_WEIGHT: Final = {
    "en": "Request weight: {weight}, counted per IP address.",
    "zh": "请求权重：{weight}，按 IP 计算。",
}
_WEIGHT_RULE: Final = {
    "en": "Request weight: at most {weight}, depending on {parameter}; counted per IP address.",
    "zh": "请求权重：最大为 {weight}，取决于 {parameter}；按 IP 计算。",
}


def render_document(document: Json, language: str, *, extensions: bool = True) -> Json:
    """Return the document with its texts in one language, without source marks.

    The request weight stands in the description of each operation. A text that has no translation
    stays English.

    Args:
        document: A document that has passed the lint.
        language: "en" or "zh".
        extensions: Whether to keep the `x-` keys.
    """
    names = "|".join(map(re.escape, document["x-sources"]))
    # A mark in front of a parenthesis would be a link.
    marks = re.compile(rf" ?(?:\[(?:{names})\](?!\())+")

    def render(node: Any) -> Any:
        if isinstance(node, list):
            return [render(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        rendered = {
            key: _render_entry(key, entry, render)
            for key, entry in node.items()
            if extensions or not key.startswith("x-")
        }
        for key in TRANSLATED:
            if isinstance(node.get(key), str):
                translation = f"x-{key}-zh"
                if language == "zh" and translation in node:
                    rendered[key] = node[translation]
                    rendered.pop(translation, None)
                else:
                    rendered[key] = marks.sub("", node[key])
        return rendered

    result: Json = render(document)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                _add_weight(result["paths"][path][method], item[method]["x-weight"], language)
    return result


def _render_entry(key: str, entry: Any, render: Callable[[Any], Any]) -> Any:
    if key in _VALUES or (key == "examples" and isinstance(entry, list)):
        return entry
    if key in _NAME_MAPS and isinstance(entry, dict):
        return {name: render(node) for name, node in entry.items()}
    return render(entry)


def _add_weight(operation: Json, weight: int | Json, language: str) -> None:
    """Add the request weight to the description of an operation."""
    if isinstance(weight, dict):
        sentence = _WEIGHT_RULE[language].format(
            weight=largest_weight(weight), parameter=weight["parameter"]
        )
    else:
        sentence = _WEIGHT[language].format(weight=weight)
    operation["description"] = f"{operation['description']}\n\n{sentence}"
