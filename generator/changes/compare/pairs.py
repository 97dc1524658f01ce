"""Find what is the same in both documents, perhaps renamed, and which operations use a class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from generator.changes.facts.facts import Argument, Facts, Operation
from generator.changes.facts.shapes import ClassFacts, Member, Shape

T = TypeVar("T")
SIMILARITY = 0.5
"""Names that are less alike than this are not taken for a renamed field."""


class Pairing(NamedTuple, Generic[T]):
    """What is the same in both documents, perhaps renamed, what is gone and what is new."""

    kept: list[tuple[T, T]]
    lost: list[T]
    added: list[T]


def is_reordered(pairs: Iterable[tuple[str, str]], old: Iterable[str], new: Iterable[str]) -> bool:
    """Return whether pairs of an old and a new name stand in another order than before."""
    old_names, new_names = list(old), list(new)
    in_new_order = sorted(pairs, key=lambda pair: new_names.index(pair[1]))
    positions = [old_names.index(before) for before, _ in in_new_order]
    return positions != sorted(positions)


def pair_operations(old: Mapping[str, Operation], new: Mapping[str, Operation]) -> Pairing[str]:
    """Return the names of operations; path and method say which one is renamed."""
    added = {
        (operation.path, operation.method): name
        for name, operation in new.items()
        if name not in old
    }
    pairing: Pairing[str] = Pairing([], [], [])
    for name, operation in old.items():
        if name in new:
            pairing.kept.append((name, name))
        elif renamed := added.pop((operation.path, operation.method), None):
            pairing.kept.append((name, renamed))
        else:
            pairing.lost.append(name)
    kept_names = {after for _, after in pairing.kept}
    pairing.added.extend(name for name in new if name not in kept_names)
    return pairing


def pair_members(old: ClassFacts, new: ClassFacts) -> Pairing[Member]:
    """Return the fields of a class; those that are kept in the new order."""
    pairing: Pairing[Member] = Pairing([], [], [])
    pairing.lost.extend(m for wire, m in old.members.items() if wire not in new.members)
    for wire, member in new.members.items():
        before = old.members.get(wire) or _renamed_from(member, pairing.lost, old, new)
        if before is None:
            pairing.added.append(member)
            continue
        pairing.kept.append((before, member))
        if wire not in old.members:
            pairing.lost.remove(before)
    return pairing


def _renamed_from(
    member: Member, lost: list[Member], old: ClassFacts, new: ClassFacts
) -> Member | None:
    """Return the lost field that became this one: the one of its name, or the most similar."""
    alike = [candidate for candidate in lost if candidate.name == member.name] or [
        candidate
        for candidate in lost
        if candidate.shape.label == member.shape.label
        and (member.required or not candidate.required)
        and (
            list(old.members).index(candidate.wire) == list(new.members).index(member.wire)
            or _similarity(candidate.wire, member.wire) >= SIMILARITY
        )
    ]
    return max(alike, key=lambda candidate: _similarity(candidate.wire, member.wire), default=None)


def _similarity(old: str, new: str) -> float:
    return difflib.SequenceMatcher(None, old.lower(), new.lower()).ratio()


def users_by_class(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Return the operations whose values or arguments contain each class."""
    users: dict[str, list[str]] = {}
    for operation in facts.operations.values():
        shapes = [argument.shape for argument in operation.parameters.values()]
        shapes += [operation.result] if operation.result else []
        for name in _classes_in(shapes, facts.classes):
            users.setdefault(name, []).append(operation.name)
    return {name: tuple(operations) for name, operations in users.items()}


def _classes_in(shapes: Iterable[Shape], classes: Mapping[str, ClassFacts]) -> Iterator[str]:
    seen: set[str] = set()
    pending = list(shapes)
    while pending:
        shape = pending.pop()
        pending += shape.parts
        name = shape.python_type
        if shape.json_type != "class" or name in seen or name not in classes:
            continue
        seen.add(name)
        yield name
        members = classes[name].members.values()
        pending += [member.shape for member in members]
        pending += [rest] if (rest := classes[name].rest) else []


def pair_arguments(old: Operation, new: Operation) -> Pairing[Argument]:
    """Return the arguments of an operation; the timestamp is neither lost nor added."""
    kept = [
        (old.parameters[name], argument)
        for name, argument in new.parameters.items()
        if name in old.parameters and (name in old.arguments) == (name in new.arguments)
    ]
    paired = {before.name for before, _ in kept}
    lost = [argument for name, argument in old.arguments.items() if name not in paired]
    added = [argument for name, argument in new.arguments.items() if name not in paired]
    is_only_one = len(added) == len(lost) == 1
    for argument in list(added):
        alike = [
            candidate
            for candidate in lost
            if candidate.shape.label == argument.shape.label
            and (candidate.required or not argument.required)
            and (candidate.wire == argument.wire or candidate.role == argument.role)
        ]
        if len(alike) == 1 and (is_only_one or alike[0].wire == argument.wire):
            lost.remove(alike[0])
            added.remove(argument)
            kept.append((alike[0], argument))
    return Pairing(kept, lost, added)
