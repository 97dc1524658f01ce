"""Write a page in the form of the exchange's documentation, from the facts of the spec."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from generator.document.openapi import load
from tests.support.paths import SPEC_FILE

SPEC = load(SPEC_FILE)
HEADINGS = {
    "en": ("HTTP Request", "Request Weight", "Request Parameters", "Response Example"),
    "zh": ("HTTP请求", "请求权重", "请求参数", "响应示例"),
}
COLUMNS = {"en": "Name| Type| Mandatory| Description", "zh": "名称| 类型| 是否必需| 描述"}
TYPES = {"int64": "LONG", "decimal": "DECIMAL", None: "STRING"}


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    _, _, section, name = node["$ref"].split("/")
    target = SPEC["components"][section][name]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def write_page(path: str, language: str, *, fenced: bool = False) -> str:
    """Return the page of a GET operation.

    Args:
        path: Path of the operation.
        language: "en" or "zh".
        fenced: Whether the example is in a fence instead of indented.
    """
    operation = SPEC["paths"][path]["get"]
    documentation = operation["externalDocs"]
    title = documentation["description" if language == "en" else "x-description-zh"]
    address = urlsplit(documentation["url"]).path
    if language == "zh":
        address = address.replace("/docs/", "/docs/zh-CN/")
    if operation["x-security-type"] != "NONE":
        title += f" ({operation['x-security-type']})"
    request, weight, parameters, example = HEADINGS[language]
    code = _example_lines(operation, language)
    if fenced:
        lines = ["```javascript", *code, "```"]
    else:
        lines = [f"    {line}" for line in code]
    return "\n".join(
        [
            "---",
            "updated_at: 2026-01-15T23:46:14",
            "---",
            "",
            f"# {title}",
            "",
            *_description_lines(operation, language),
            f'## {request}[]({address}#{request.lower()} "Direct link")',
            "",
            f"GET `{path}`",
            "",
            f"## {weight}",
            "",
            f"**{operation['x-weight']}**",
            "",
            f"## {parameters}",
            "",
            *_parameter_lines(operation, language),
            "",
            f"## {example}",
            "",
            *lines,
            "",
        ]
    )


def _description_lines(operation: dict[str, Any], language: str) -> list[str]:
    """Return the section with the page's sentence, which the Chinese page does not have."""
    if language == "zh":
        return []
    sentence = re.sub(r" \[[a-z]+\]", "", operation["description"]).split(". ")[0]
    return ["## API Description", "", sentence, ""]


def _parameter_lines(operation: dict[str, Any], language: str) -> list[str]:
    if not operation["parameters"]:
        return ["NONE" if language == "en" else "无"]
    rows = [COLUMNS[language] + "  ", "---|---|---|---  "]
    for parameter in map(resolve, operation["parameters"]):
        schema = parameter["schema"]
        obligation = "YES" if parameter["required"] else "NO"
        rows.append(f"{parameter['name']}| {TYPES[schema.get('format')]}| {obligation}|   ")
    return rows


def _example_lines(operation: dict[str, Any], language: str) -> list[str]:
    content = operation["responses"]["200"]["content"]["application/json"]
    value = content["examples"]["documentation"]["value"]
    schema = resolve(content["schema"])
    properties = resolve(schema.get("items", schema))["properties"]
    rows = [_with_all_fields(row, properties) for row in value] if "items" in schema else []
    value = rows or _with_all_fields(value, properties)
    lines = []
    for line in json.dumps(value, indent=2).splitlines():
        name = re.match(r' *"(\w+)":', line)
        comment = _comment(properties[name[1]], language) if name else ""
        lines.append(f"{line}    // {comment}" if comment else line)
    return lines


def _with_all_fields(row: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """Return a row that has optional fields, too."""
    examples = {name: resolve(schema)["examples"][0] for name, schema in properties.items()}
    return {name: row.get(name, example) for name, example in examples.items()}


def _comment(schema: dict[str, Any], language: str) -> str:
    """Return the words with which both descriptions begin, if they are the page's."""
    english = re.split("[,.;]", schema["description"])[0]
    if english.endswith("]"):
        return ""
    if language == "en":
        return english.lower().replace("multi-assets", "Multi-Assets")
    return re.split("[，。；]", schema["x-description-zh"])[0]
