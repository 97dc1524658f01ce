"""Find English texts of the spec that changed while their Chinese text did not.

A file beside the spec has checksums of each pair of texts as they were when the Chinese one was
written or confirmed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from generator.checks.grammar import without_foreign_extensions
from generator.document.findings import Finding, Place
from generator.document.openapi import TRANSLATED, Json, walk_objects

RECORD_NAME: Final = "translations.json"
COMMAND: Final = "python -m generator translations"

Record: TypeAlias = Mapping[str, list[str]]
"""Checksums of the English and the Chinese text, by the place of the English one."""


def read_record(path: Path) -> Record:
    """Return the record of a file; an empty one if it is missing or cannot be used."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def outdated_translations(document: Json, record: Record) -> list[Finding]:
    """Return where the English text is another than when its Chinese text was written."""
    return [
        Finding.at(
            place,
            f"the English text changed and x-{place[-1]}-zh did not; change it as well, or confirm "
            f"with `{COMMAND}` that it says the same",
        )
        for place, checksums in _checksums(document)
        if _is_outdated(checksums, record.get(_key(place)))
    ]


def update_record(document: Json, record: Record, *, confirm: bool = False) -> Record:
    """Return the record of a document.

    Args:
        document: The spec.
        record: The record until now.
        confirm: Whether outdated translations are right, too; otherwise they stay outdated.
    """
    current: dict[str, list[str]] = {}
    for place, checksums in _checksums(document):
        recorded = record.get(_key(place))
        is_kept = recorded is not None and not confirm and _is_outdated(checksums, recorded)
        current[_key(place)] = recorded if is_kept and recorded else checksums
    return current


def render_record(record: Record) -> str:
    """Return the text of a record's file."""
    lines = (
        f" {json.dumps(place, ensure_ascii=False)}: {json.dumps(checksums)}"
        for place, checksums in sorted(record.items())
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _checksums(document: Json) -> Iterator[tuple[Place, list[str]]]:
    for place, node in walk_objects((), without_foreign_extensions(document)):
        if {"example", "value", "properties"} & {*place[-1:]}:
            continue
        for key in TRANSLATED:
            texts = node.get(key), node.get(f"x-{key}-zh")
            if all(isinstance(text, str) for text in texts):
                yield (*place, key), [_checksum(str(text)) for text in texts]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _key(place: Place) -> str:
    return ".".join(map(str, place))


def _is_outdated(checksums: list[str], recorded: list[str] | None) -> bool:
    if not recorded:
        return False
    return checksums[0] != recorded[0] and checksums[1] == recorded[1]
