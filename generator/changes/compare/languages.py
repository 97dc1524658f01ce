"""Decide whether one pattern accepts all strings of another.

A pattern becomes an automaton over code points. Constructs that a finite automaton of this size
cannot express, such as look-ahead or `\\w`, are undecidable here.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Ranges = tuple[tuple[int, int], ...]

LAST_POINT = 0x10FFFF
ANY_POINT: Ranges = ((0, LAST_POINT),)
NEWLINE = ord("\n")
MAX_NODES = 4_000
MAX_STATES = 20_000
# The parser of `re` is the one that reads the pattern in generated code.
_PARSER: Any = importlib.import_module("re._parser")


class UndecidableError(Exception):
    """The pattern cannot be turned into an automaton."""


@dataclass
class Automaton:
    """Automaton with empty moves; node 0 is the start, node 1 accepts."""

    moves: list[list[tuple[Ranges, int]]] = field(default_factory=lambda: [[], []])
    empty_moves: list[list[int]] = field(default_factory=lambda: [[], []])

    def add_node(self) -> int:
        if len(self.moves) >= MAX_NODES:
            raise UndecidableError("the pattern has too many repetitions")
        self.moves.append([])
        self.empty_moves.append([])
        return len(self.moves) - 1

    def close(self, nodes: Iterable[int]) -> frozenset[int]:
        """Return the nodes that are reached without a character."""
        reached = set(nodes)
        pending = list(reached)
        while pending:
            for target in self.empty_moves[pending.pop()]:
                if target not in reached:
                    reached.add(target)
                    pending.append(target)
        return frozenset(reached)

    def step(self, nodes: frozenset[int], point: int) -> frozenset[int]:
        """Return the nodes that are reached by a character."""
        targets = {
            target
            for node in nodes
            for ranges, target in self.moves[node]
            if any(first <= point <= last for first, last in ranges)
        }
        return self.close(targets)


def pattern_automaton(pattern: str) -> Automaton:
    """Return the automaton of the strings that a pattern matches as a whole.

    Raises:
        UndecidableError: The pattern is not valid or too powerful.
    """
    automaton = Automaton()
    try:
        tree = _PARSER.parse(pattern)
        if tree.state.flags & ~re.UNICODE:
            raise UndecidableError("the pattern has flags")
        _add_sequence(automaton, list(tree), 0, 1)
    except (re.error, OverflowError, RecursionError) as error:
        raise UndecidableError(type(error).__name__) from None
    return automaton


def literal_automaton(values: Iterable[str]) -> Automaton:
    """Return the automaton of these strings."""
    automaton = Automaton()
    for value in values:
        node = 0
        for character in value:
            following = automaton.add_node()
            automaton.moves[node].append((((ord(character), ord(character)),), following))
            node = following
        automaton.empty_moves[node].append(1)
    return automaton


def length_automaton(minimum: int, maximum: int | None) -> Automaton:
    """Return the automaton of strings within these lengths; None is without limit."""
    automaton = Automaton()
    node = 0
    for length in range(minimum if maximum is None else maximum):
        if maximum is not None and length >= minimum:
            automaton.empty_moves[node].append(1)
        following = automaton.add_node()
        automaton.moves[node].append((ANY_POINT, following))
        node = following
    if maximum is None:
        automaton.moves[node].append((ANY_POINT, node))
    if maximum is None or maximum >= minimum:
        automaton.empty_moves[node].append(1)
    return automaton


def is_included(inner: Sequence[Automaton], outer: Sequence[Automaton]) -> bool:
    """Return whether each string that all of `inner` accept is accepted by all of `outer`.

    Raises:
        UndecidableError: The automata have too many states.
    """
    automata = [*inner, *outer]
    points = _representatives(automata)
    start = tuple(automaton.close([0]) for automaton in automata)
    seen = {start}
    pending = [start]
    while pending:
        state = pending.pop()
        accepting = [1 in nodes for nodes in state]
        if all(accepting[: len(inner)]) and not all(accepting[len(inner) :]):
            return False
        for point in points:
            target = tuple(
                automaton.step(nodes, point)
                for automaton, nodes in zip(automata, state, strict=True)
            )
            if all(target[: len(inner)]) and target not in seen:
                if len(seen) >= MAX_STATES:
                    raise UndecidableError("the patterns have too many states")
                seen.add(target)
                pending.append(target)
    return True


def _representatives(automata: Iterable[Automaton]) -> list[int]:
    """Return one code point for each class of code points that all automata treat alike."""
    borders = {0}
    for automaton in automata:
        for moves in automaton.moves:
            for ranges, _ in moves:
                for first, last in ranges:
                    borders |= {first, last + 1}
    return sorted(border for border in borders if border <= LAST_POINT)


def _add_sequence(automaton: Automaton, items: list[Any], start: int, end: int) -> None:
    """Add the nodes of a sequence between two nodes."""
    node = start
    for number, (operator, argument) in enumerate(items):
        following = automaton.add_node()
        is_edge = {"AT_BEGINNING": number == 0, "AT_END": number == len(items) - 1}
        _add_item(automaton, str(operator), argument, (node, following), is_edge)
        node = following
    automaton.empty_moves[node].append(end)


def _add_item(
    automaton: Automaton,
    operator: str,
    argument: Any,
    ends: tuple[int, int],
    is_edge: dict[str, bool],
) -> None:
    start, end = ends
    match operator:
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            automaton.moves[start].append((_ranges(operator, argument), end))
        case "AT" if is_edge.get(str(argument)):
            automaton.empty_moves[start].append(end)
        case "BRANCH":
            for branch in argument[1]:
                _add_sequence(automaton, list(branch), start, end)
        case "SUBPATTERN" if not argument[1] and not argument[2]:
            _add_sequence(automaton, list(argument[3]), start, end)
        case "MAX_REPEAT" | "MIN_REPEAT":
            _add_repetition(automaton, argument, start, end)
        case _:
            raise UndecidableError(f"{operator} in a pattern")


def _add_repetition(automaton: Automaton, argument: Any, start: int, end: int) -> None:
    minimum, maximum, items = argument
    node = start
    for _ in range(minimum):
        following = automaton.add_node()
        _add_sequence(automaton, list(items), node, following)
        node = following
    if maximum is _PARSER.MAXREPEAT:
        loop = automaton.add_node()
        automaton.empty_moves[node].append(loop)
        _add_sequence(automaton, list(items), loop, loop)
        node = loop
    else:
        for _ in range(maximum - minimum):
            automaton.empty_moves[node].append(end)
            following = automaton.add_node()
            _add_sequence(automaton, list(items), node, following)
            node = following
    automaton.empty_moves[node].append(end)


def _ranges(operator: str, argument: Any) -> Ranges:
    if operator == "LITERAL":
        return ((argument, argument),)
    if operator == "NOT_LITERAL":
        return tuple(_complement([(argument, argument)]))
    if operator == "ANY":
        return tuple(_complement([(NEWLINE, NEWLINE)]))
    ranges: list[tuple[int, int]] = []
    for kind, value in argument:
        match str(kind):
            case "LITERAL":
                ranges.append((value, value))
            case "RANGE":
                ranges.append(value)
            case "NEGATE":
                pass
            case _:
                raise UndecidableError(f"{kind} in a pattern")
    is_negated = str(argument[0][0]) == "NEGATE"
    return tuple(_complement(ranges) if is_negated else ranges)


def _complement(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    following = 0
    for first, last in sorted(ranges):
        if first > following:
            yield following, first - 1
        following = max(following, last + 1)
    if following <= LAST_POINT:
        yield following, LAST_POINT
