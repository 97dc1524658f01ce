"""Compare a documentation page with the operation of the spec that it describes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from generator.document.openapi import Json, resolve
from generator.document.path_items import operations
from generator.model.operations import signing_role

from .compare_example import compare_example
from .difference import Difference, compare_names, report_more_text
from .markdown import Line, Page, Section, parse_table
from .texts import first_clause, first_sentence, normalize

SECTIONS: Final = {
    "description": ("API Description", "接口描述"),
    "request": ("HTTP Request", "HTTP请求"),
    "weight": ("Request Weight", "请求权重"),
    "parameters": ("Request Parameters", "请求参数"),
    "example": ("Response Example", "响应示例"),
}
"""Headings of the sections, in English and Chinese. A Chinese page need not have the first one."""
_SECTION_BY_HEADING: Final = {
    normalize(heading): name for name, headings in SECTIONS.items() for heading in headings
}
_SECURITY_TYPE: Final = re.compile(r"[(（]([A-Z_]+)[)）]\s*$")
_REQUEST: Final = re.compile(r"([A-Z]+) +`?(/[^`\s]*)`?")
_WEIGHT: Final = re.compile(r"\**(\d+)\**")
_NO_PARAMETERS: Final = {"none", "无"}
_TYPES: Final = {
    ("integer", "int64"): "LONG",
    ("integer", "int32"): "INT",
    ("number", None): "DECIMAL",
    ("string", "decimal"): "DECIMAL",
    ("string", None): "STRING",
    ("boolean", None): "BOOLEAN",
}
"""The exchange's name of a type, by type and format of the schema."""
_OBLIGATION: Final = {"yes": True, "是": True, "no": False, "否": False}
_COLUMNS: Final = (
    ("Name", "名称"),
    ("Type", "类型"),
    ("Mandatory", "是否必需"),
    ("Description", "描述"),
)


class Operation(NamedTuple):
    """The operation that a page is compared with."""

    path: str
    method: str
    node: Json
    document: Json


def compare_page(page: Page, document: Json) -> list[Difference]:
    """Return the differences between a page and the spec, in the order of the page."""
    sections: dict[str, Section] = {}
    differences: list[Difference] = []
    for section in page.sections:
        name = _SECTION_BY_HEADING.get(normalize(section.heading.text))
        if name is None:
            text = f'the section "{section.heading.text}" is not known; read it'
            differences.append(Difference(section.heading.number, "page", text))
        elif name in sections:
            text = f'the section "{section.heading.text}" is there twice'
            differences.append(Difference(section.heading.number, "page", text))
        else:
            sections[name] = section
    for name, headings in SECTIONS.items():
        if name not in sections and (name != "description" or page.language == "en"):
            text = f'the section "{headings[page.language == "zh"]}" is missing'
            differences.append(Difference(page.title.number, name, text))
    operation = _find_operation(sections.get("request"), document)
    differences += _compare_title(page.title, operation, page.language)
    differences += _compare_addresses(page, operation)
    for name, compare_section in _COMPARERS.items():
        if name in sections:
            differences += compare_section(sections[name], operation, page.language)
    return sorted(differences)


def _find_operation(section: Section | None, document: Json) -> Operation:
    """Return the operation with the page's path, else the one whose path is most like it."""
    match = _REQUEST.search(section.prose()[0].text) if section and section.prose() else None
    path = match[2] if match else ""
    candidates = [Operation(*entry, document) for entry in operations(document)]
    nearest = difflib.get_close_matches(path, [entry.path for entry in candidates], 1, 0.0)
    return next(entry for entry in candidates if entry.path in nearest or not nearest)


def _compare_title(title: Line, operation: Operation, language: str) -> Iterator[Difference]:
    match = _SECURITY_TYPE.search(title.text)
    stated = match[1] if match else "NONE"
    expected = operation.node["x-security-type"]
    if stated != expected:
        yield Difference.of(title.number, "security type", stated, expected)
    documentation = operation.node.get("externalDocs", {})
    name = documentation.get("description" if language == "en" else "x-description-zh")
    words = title.text[: match.start()] if match else title.text
    if normalize(words) != normalize(name or ""):
        yield Difference.of(title.number, "title", words.strip(), name or "nothing")


def _compare_addresses(page: Page, operation: Operation) -> Iterator[Difference]:
    """Compare where the page is with the externalDocs of the operation."""
    expected = urlsplit(operation.node.get("externalDocs", {}).get("url", "")).path
    for line in page.addresses:
        if line.text.replace("/zh-CN/", "/", 1) != expected:
            yield Difference.of(line.number, "address", line.text, expected or "nothing")


def _compare_description(
    section: Section, operation: Operation, language: str
) -> Iterator[Difference]:
    lines = section.prose()
    expected = first_sentence(operation.node, language)
    stated = " ".join(line.text.strip() for line in lines).rstrip(".。")
    if normalize(stated) != normalize(expected):
        line = lines[0] if lines else section.heading
        yield Difference.of(line.number, "description", stated, expected or "nothing")


def _compare_request(section: Section, operation: Operation, _: str) -> Iterator[Difference]:
    lines = section.prose()
    match = _REQUEST.fullmatch(lines[0].text.strip()) if lines else None
    if match is None:
        yield Difference(section.heading.number, "path", "the page has no method and path")
        return
    if match[1] != operation.method.upper():
        yield Difference.of(lines[0].number, "method", match[1], operation.method.upper())
    if match[2] != operation.path:
        yield Difference.of(lines[0].number, "path", match[2], operation.path)
    yield from report_more_text(lines[1:], "path")


def _compare_weight(section: Section, operation: Operation, _: str) -> Iterator[Difference]:
    lines = section.prose()
    expected = operation.node["x-weight"]
    match = _WEIGHT.fullmatch(lines[0].text.strip()) if lines else None
    if match is None:
        line = lines[0] if lines else section.heading
        yield Difference.of(line.number, "weight", line.text.strip(), expected)
    elif int(match[1]) != expected:
        yield Difference.of(lines[0].number, "weight", match[1], expected)
    yield from report_more_text(lines[1:], "weight")


def _compare_parameters(
    section: Section, operation: Operation, language: str
) -> Iterator[Difference]:
    rows, others = parse_table(section.prose())
    expected = [resolve(operation.document, node) for node in operation.node["parameters"]]
    others = [line for line in others if normalize(line.text) not in _NO_PARAMETERS]
    yield from report_more_text(others, "parameters")
    if rows:
        yield from _compare_header(*rows[0])
    by_name = {parameter["name"]: parameter for parameter in expected}
    stated = [cells[0] for _, cells in rows[1:]]
    yield from compare_names(section.heading.number, "parameter", stated, list(by_name))
    for line, cells in rows[1:]:
        if cells[0] in by_name:
            # A description that is empty may be left out, with its separator.
            padded = [*cells, "", "", ""][:4]
            yield from _compare_parameter(line.number, padded, by_name[cells[0]], language)


def _compare_header(line: Line, cells: list[str]) -> Iterator[Difference]:
    names = [normalize(cell) for cell in cells]
    if len(names) != len(_COLUMNS) or not all(
        name in map(normalize, known) for name, known in zip(names, _COLUMNS, strict=True)
    ):
        columns = ", ".join(cells)
        yield Difference(line.number, "parameters", f"the columns are {columns}; read the table")


def _compare_parameter(
    line: int, cells: Sequence[str], parameter: Json, language: str
) -> Iterator[Difference]:
    name, stated_type, stated_obligation, description = cells
    schema = parameter["schema"]
    expected_type = _type_name(schema)
    if stated_type.upper() != expected_type:
        yield Difference.of(line, f"parameter {name}, type", stated_type, expected_type)
    is_required = parameter.get("required", False) or signing_role(parameter) == "timestamp"
    if _OBLIGATION.get(normalize(stated_obligation)) is not is_required:
        expected = "YES" if is_required else "NO"
        yield Difference.of(line, f"parameter {name}, obligation", stated_obligation, expected)
    clause = first_clause(parameter, language)
    if description and clause and normalize(description) != normalize(clause):
        yield Difference.of(line, f"parameter {name}, description", description, clause)


def _type_name(schema: Json) -> str:
    """Return the exchange's name of a parameter's type."""
    if "enum" in schema:
        return "ENUM"
    return _TYPES.get((str(schema.get("type")), schema.get("format")), "a type without a name")


_COMPARERS: Final[dict[str, Callable[[Section, Operation, str], Iterator[Difference]]]] = {
    "description": _compare_description,
    "request": _compare_request,
    "weight": _compare_weight,
    "parameters": _compare_parameters,
    "example": lambda section, operation, language: compare_example(
        section, operation.node, operation.document, language
    ),
}
