"""Texts of the spec in the form in which a page has them."""

from __future__ import annotations

import re
from typing import Final

from generator.document.openapi import Json

_CLAUSE: Final = re.compile(r"[^,.;:，。；：]*")
_SOURCE_MARK: Final = re.compile(r"\s*\[[a-z]+\]")


def normalize(text: str) -> str:
    """Return a text in lower case, with single spaces."""
    return " ".join(text.split()).casefold()


def first_clause(node: Json, language: str) -> str:
    """Return what a page says of a parameter or a field, "" if the spec does not know it.

    Descriptions of the spec begin with the words of the page. One whose first clause has a source
    mark begins with those of another source.

    Args:
        node: Parameter or schema.
        language: "en" or "zh".
    """
    english = _clause(node.get("description", ""))
    if _SOURCE_MARK.search(english):
        return ""
    return english if language == "en" else _clause(node.get("x-description-zh", ""))


def first_sentence(node: Json, language: str) -> str:
    """Return the first sentence of a description, without source marks and full stop.

    Args:
        node: Operation.
        language: "en" or "zh".
    """
    key, stop = ("description", r"\.(?:\s|$)") if language == "en" else ("x-description-zh", "。")
    return re.split(stop, _SOURCE_MARK.sub("", node.get(key, "")), maxsplit=1)[0].strip()


def _clause(description: str) -> str:
    match = _CLAUSE.match(description)
    return match[0].strip() if match else ""
