"""Parse the example of a response: JSON with comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .markdown import Line

# A string, or the comment up to the end of the line.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//.*')
_KEY_END = re.compile(r"\s*:")


class ObjectFields(list[tuple[str, Any]]):
    """A JSON object: its fields in order, also one that is there twice."""


class Comment(NamedTuple):
    """A comment, with the path of the field on its line; () if there is none."""

    line: int
    path: tuple[str, ...]
    text: str


class Example(NamedTuple):
    """The value of an example, and its comments."""

    value: Any
    comments: list[Comment]


class ExampleError(Exception):
    """The example is not JSON. `line` is that of the file."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def parse_example(lines: list[Line]) -> Example:
    """Return the value and the comments of an example.

    Raises:
        ExampleError: Without its comments the example is not JSON.
    """
    texts = []
    keys: list[int] = []
    comments: list[tuple[int, int, str]] = []
    for line in lines:
        text, key_count, comment = _split_comment(line.text)
        keys += [line.number] * key_count
        texts.append(text)
        if comment:
            # The comment belongs to the last key of the line.
            comments.append((line.number, len(keys) - 1 if key_count else -1, comment))
    try:
        value = json.loads("\n".join(texts), object_pairs_hook=ObjectFields)
    except json.JSONDecodeError as error:
        raise ExampleError(lines[error.lineno - 1].number, error.msg) from None
    except (ValueError, RecursionError):
        # A number has too many digits, or the nesting is too deep.
        raise ExampleError(lines[0].number, "too large") from None
    paths = list(_walk_fields(value))
    return Example(
        value,
        [
            Comment(number, paths[key] if key >= 0 else (), comment)
            for number, key, comment in comments
        ],
    )


def _split_comment(text: str) -> tuple[str, int, str]:
    """Return a line without its comment, the number of its keys, and the comment."""
    key_count = 0
    for token in _TOKEN.finditer(text):
        if token[0].startswith("//"):
            return text[: token.start()], key_count, token[0].lstrip("/").strip()
        key_count += _KEY_END.match(text, token.end()) is not None
    return text, key_count, ""


def _walk_fields(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every field in the order of the text, without numbers of rows."""
    if isinstance(value, ObjectFields):
        for name, inner in value:
            yield (*path, name)
            yield from _walk_fields(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk_fields(inner, path)
