"""Check patterns against the part of regular expressions that all engines read alike.

Python checks arguments and values with a pattern, the mock exchange and every JSON Schema validator
check the same values with the same text. `\\d`, `$`, `.` or `{,3}` mean different things to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_DEPTH: Final = 10
MAX_REPEATS: Final = 1000
MAX_LENGTH: Final = 500

_ESCAPED: Final = frozenset("^$\\.*+?()[]{}|-tnr")
_SPECIAL: Final = frozenset("^$.*+?()[]{}|\\")
_QUANTIFIER: Final = re.compile(r"[*+?]|\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
# Rust reads two of these in a class as an operator, Python warns that it will.
_CLASS_OPERATORS: Final = frozenset("&~-|")


class _PatternError(Exception):
    """Why a pattern is refused."""


class _Cursor(NamedTuple):
    """A pattern without its anchors, and a place in it."""

    text: str
    position: int

    @property
    def char(self) -> str:
        return self.text[self.position : self.position + 1]

    def forward(self, count: int = 1) -> _Cursor:
        return _Cursor(self.text, self.position + count)


def pattern_problems(pattern: str) -> Iterator[str]:
    """Yield what is wrong with a pattern, and what to write instead."""
    if len(pattern) > MAX_LENGTH:
        yield f"the pattern has more than {MAX_LENGTH} characters; shorten it"
        return
    body = pattern[1:-1]
    if not (pattern.startswith("^") and pattern.endswith("$")) or pattern == "^" or _odd_end(body):
        yield "a pattern must match the whole string; write it as ^...$"
        return
    try:
        end = _read_branch(_Cursor(body, 0), 0)
        if end.char == "|":
            raise _PatternError(
                "the anchors of ^a|b$ bind tighter than |; put the alternatives in (?:...)"
            )
        if end.char:
            raise _PatternError("unbalanced parenthesis; every ) needs its (")
        re.compile(pattern)
    except _PatternError as problem:
        yield f"the pattern is not portable: {problem}"
    except (re.error, OverflowError) as error:
        yield f"the pattern is not a valid regular expression: {error}"


def _odd_end(body: str) -> bool:
    """Return whether the `$` at the end is escaped."""
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


def _read_branch(cursor: _Cursor, depth: int) -> _Cursor:
    """Read up to the end, to `|` or to `)`."""
    while cursor.char and cursor.char not in "|)":
        cursor = _read_quantifier(_read_atom(cursor, depth))
    return cursor


def _read_atom(cursor: _Cursor, depth: int) -> _Cursor:
    char = cursor.char
    if char == "(":
        return _read_group(cursor.forward(), depth + 1)
    if char == "[":
        return _read_class(cursor.forward())
    if char == "\\":
        return _read_escape(cursor.forward(), in_class=False)
    if char == ".":
        raise _PatternError("engines differ in what . excludes; write a class, such as [^\\n]")
    if char in "^$":
        raise _PatternError(f"{char} may only stand at the start and end; escape it as \\{char}")
    if char in _SPECIAL:
        raise _PatternError(f"{char} has nothing to repeat or to close; escape it as \\{char}")
    return cursor.forward()


def _read_group(cursor: _Cursor, depth: int) -> _Cursor:
    if depth > MAX_DEPTH:
        raise _PatternError(f"groups are nested deeper than {MAX_DEPTH} levels; simplify it")
    if cursor.char == "?":
        if cursor.text[cursor.position : cursor.position + 2] != "?:":
            raise _PatternError("of the groups with ? only (?:...) is portable; write it without")
        cursor = cursor.forward(2)
    cursor = _read_branch(cursor, depth)
    while cursor.char == "|":
        cursor = _read_branch(cursor.forward(), depth)
    if not cursor.char:
        raise _PatternError("missing ), unterminated group")
    return cursor.forward()


def _read_class(cursor: _Cursor) -> _Cursor:
    if cursor.char == "^":
        cursor = cursor.forward()
    if cursor.char == "]":
        raise _PatternError("an empty class; escape a ] in it as \\]")
    while cursor.char != "]":
        if not cursor.char:
            raise _PatternError("unterminated character set, a ] is missing")
        if cursor.char == "[":
            raise _PatternError("a [ inside of a class; escape it as \\[")
        if cursor.char in _CLASS_OPERATORS and cursor.forward().char == cursor.char:
            raise _PatternError(f"{cursor.char * 2} in a class is an operator to some; escape it")
        if cursor.char == "\\":
            cursor = _read_escape(cursor.forward(), in_class=True)
        else:
            cursor = cursor.forward()
    return cursor.forward()


def _read_escape(cursor: _Cursor, *, in_class: bool) -> _Cursor:
    char = cursor.char
    if char not in _ESCAPED or not char or (char == "-" and not in_class):
        raise _PatternError(
            f"\\{char} means different things; write a class, such as [0-9] for \\d"
        )
    return cursor.forward()


def _read_quantifier(cursor: _Cursor) -> _Cursor:
    if not cursor.char or cursor.char not in "*+?{":
        return cursor
    match = _QUANTIFIER.match(cursor.text, cursor.position)
    if match is None:
        raise _PatternError("write a repetition as {2}, {2,} or {2,3}; escape a plain { as \\{")
    bounds = [int(bound) for bound in (match[1], match[3]) if bound]
    if bounds and max(bounds) > MAX_REPEATS:
        raise _PatternError(f"more than {MAX_REPEATS} repetitions; use minLength and maxLength")
    cursor = cursor.forward(len(match[0]))
    if cursor.char and cursor.char in "*+?{":
        raise _PatternError("two repetitions in a row, possessive or lazy; write one of them")
    return cursor
