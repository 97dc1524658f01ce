"""Ask for the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(names: Iterable[str], known: Iterable[str]) -> str:
    """Return a question about those of the known names that are nearest, "" if none is near.

    Case, spaces, hyphens and underscores do not count.

    Args:
        names: Names that are not known.
        known: Names that are.
    """
    # What is right does not wait for this import.
    from difflib import get_close_matches

    known_by_letters = {_letters(name): name for name in known}
    matches = [get_close_matches(_letters(name), known_by_letters, n=1) for name in names]
    nearest = [known_by_letters[match[0]] for match in matches if match]
    if not nearest:
        return ""
    shown = [name if name.isprintable() else repr(name) for name in dict.fromkeys(nearest)]
    return f"; did you mean {' or '.join(shown)}?"


def _letters(name: str) -> str:
    return "".join(name.split()).replace("-", "").replace("_", "").lower()
