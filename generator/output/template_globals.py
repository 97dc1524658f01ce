"""What all templates can use, beside what the generator library gives to each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from generator.document.openapi import Json
from generator.model.literals import quoted, quoted_lines
from generator.model.operations import OperationInfo, SpecFacts, described_statuses

SPEC_NAME: Final = "spec/openapi.yaml"
"""Name of the spec in this tree."""
_PUBLIC_NAMES: Final = (
    "InvalidArgumentError", "OPERATIONS", "ResponseMismatch", "AsyncOperations", "SyncOperations",
    "Operation", "Parameter", "Response", "Signing",
)  # fmt: skip
_MISSING_NAMES: Final = ("MISSING", "Missing")


def banner(source: str) -> str:
    """Return the first line of a generated file.

    Args:
        source: Name of the spec's file.
    """
    return f"Written by `python -m generator` from {source}. Do not edit."


def template_globals(
    document: Json, facts: SpecFacts, folder_by_operation: Mapping[str, str], banner: str
) -> dict[str, Any]:
    """Return the globals of the templates."""
    error_codes = sorted(
        ((int(code), error) for code, error in document.get("x-error-codes", {}).items()),
        reverse=True,
    )
    fields = [field for info in facts.classes.values() for field in info.fields]
    uses_missing = any(field.can_be_missing_or_null for field in fields)
    public_names = [*_PUBLIC_NAMES, *facts.classes, *(_MISSING_NAMES if uses_missing else ())]
    return {
        "banner": banner,
        "classes": facts.classes,
        "deprecated_arguments": _deprecated_arguments,
        "described_statuses": sorted(int(s) for s in described_statuses(document) if s.isdigit()),
        "document": document,
        "error_codes": error_codes,
        "folder_of": folder_by_operation,
        "forwarded": _forwarded,
        "imported_classes": _imported_classes,
        "operations": facts.operations,
        "path_parts": _path_parts,
        "permanent_codes": [code for code, error in error_codes if error.get("retryable") is False],
        "public_names": sorted(public_names),
        "quoted": quoted,
        "quoted_lines": quoted_lines,
        "uses_missing": uses_missing,
        "warns": lambda info: info.is_deprecated or _deprecated_arguments(info),
        "weighing_argument": _weighing_argument,
    }


def _forwarded(info: OperationInfo) -> str:
    return ", ".join(f'"{argument.name}": {argument.name}' for argument in info.arguments)


def _deprecated_arguments(info: OperationInfo) -> str:
    names = [argument.name for argument in info.arguments if argument.is_deprecated]
    return ", ".join(f"{name}={name}" for name in names)


def _imported_classes(info: OperationInfo) -> list[str]:
    types = [argument.type for argument in info.arguments]
    return sorted(info.value.classes.union(*(argument_type.classes for argument_type in types)))


def _path_parts(info: OperationInfo) -> str:
    """Return expressions of the parts of a path, in order."""
    argument_by_name = {argument.wire_name: argument for argument in info.path_arguments}
    parts = []
    for text, name in re.findall(r"([^{]+)|\{([^}]+)\}", info.path):
        if text:
            parts.append(quoted(text))
        else:
            python = argument_by_name[name].name
            parts.append(f'_write_{python}("{python}", {python})')
    return ", ".join(parts)


def _weighing_argument(info: OperationInfo) -> str | None:
    """Return the argument that the request weight depends on."""
    rule = info.weight_rule
    names = [
        argument.name
        for argument in info.arguments
        if rule and argument.wire_name == rule.parameter
    ]
    return names[0] if names else None
