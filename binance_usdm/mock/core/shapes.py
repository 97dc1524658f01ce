"""Describe what was received, without repeating what may be secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_-]{1,40}|[\w-]{1,7}")
"""A field, an operation, a fault or a switch. Keys have digits or are longer."""


def describe_shape(text: str) -> str:
    """Return the length of a string in words, never the string itself."""
    return f"a string of {len(text)} character{'' if len(text) == 1 else 's'}"


def quote_name(name: str) -> str:
    """Return a name in quotation marks, or its length if it does not look like a name."""
    return repr(name) if _NAME.fullmatch(name) else describe_shape(name)


def describe_names(names: Iterable[str]) -> str:
    """Return names as they were received, those that do not look like a name by their length."""
    return ", ".join(name if _NAME.fullmatch(name) else describe_shape(name) for name in names)


def suggest_names(names: Iterable[str], known: Iterable[str]) -> str:
    """Return a question in parentheses about the known names that are nearest, "" if none is near.

    Case, hyphens and underscores do not count.
    """
    known_by_letters = {_letters(name): name for name in known}
    found = [difflib.get_close_matches(_letters(name), known_by_letters, 1) for name in names]
    nearest = dict.fromkeys(known_by_letters[match[0]] for match in found if match)
    return f" (did you mean {' or '.join(nearest)}?)" if nearest else ""


def _letters(name: str) -> str:
    # A name that is longer than any would take long to compare.
    return name[:100].replace("-", "").replace("_", "").lower()
