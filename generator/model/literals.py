"""Turn text of the spec into Python literals and docstrings."""

from __future__ import annotations

import json
import re
import textwrap

from openapi_python_client.strings import safe_for_docstring

WIDTH = 100
SOURCE_MARKS = re.compile(r" ?(?:\[[a-z]+\])+")


def plain_text(value: str) -> str:
    """Return text of the spec without its source marks, words in brackets."""
    return SOURCE_MARKS.sub("", value)


def docstring(value: str, indent: int = 0) -> str:
    """Return text of the spec as the inside of a docstring: escaped and wrapped."""
    width = WIDTH - indent - 4
    lines = [
        textwrap.fill(safe_for_docstring(line), width, break_long_words=False)
        for line in plain_text(value).strip().split("\n")
    ]
    text = textwrap.indent("\n".join(lines), " " * indent).lstrip()
    # A quote at the end would join the docstring's own quotes.
    return f"{text} " if text.endswith('"') else text


def quoted(value: str | None) -> str:
    """Return a Python literal; JSON's escapes are also Python's."""
    return "None" if value is None else json.dumps(value, ensure_ascii=False)


def quoted_lines(value: str) -> str:
    """Return a Python literal that has several lines when the string is long."""
    lines = [""]
    for word in re.findall(r"\S*\s*", value):
        if lines[-1] and len(lines[-1] + word) > WIDTH - 20:
            lines.append("")
        lines[-1] += word
    return f"({' '.join(map(quoted, lines))})" if len(lines) > 1 else quoted(value)
