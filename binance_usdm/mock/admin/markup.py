"""Build HTML from Python values. Strings are escaped unless they are markup already."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final

_HOLE: Final = re.compile(r"\{\{(\w+)\}\}")
_VOID_ELEMENTS: Final = frozenset({"input"})


class Markup(str):
    """HTML that needs no escaping."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return text as HTML. Markup stays as it is."""
    return text if isinstance(text, Markup) else Markup(html.escape(text))


def element(name: str, /, *children: str | None, **attributes: str | bool | None) -> Markup:
    """Return an element.

    Args:
        name: Name of the element.
        children: Text and markup. `None` is left out.
        attributes: Values by name, with `_` for `-` and without a `_` at the end, as in `class_`.
            True is an attribute without a value, False and `None` leave it out.
    """
    opening = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        opening += f" {key.rstrip('_').replace('_', '-')}"
        if value is not True:
            opening += f'="{html.escape(value)}"'
    if name in _VOID_ELEMENTS:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """Return text and markup one after the other. `None` is left out."""
    return Markup("".join(escape(child) for child in children if child is not None))


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Replace every `{{name}}` of a template by its value, escaped unless it is markup.

    Raises:
        KeyError: A name has no value.
    """
    return _HOLE.sub(lambda hole: escape(values[hole[1]]), template)
