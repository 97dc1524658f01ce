"""Find what is the same in both documents, perhaps renamed, and which operations use a class."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from .facts import Argument, Facts, OperationFacts
from .shapes import ClassFacts, Member, Shape

SIMILARITY = 0.5
"""Names that are less alike than this are not taken for a renamed field."""


def pair_members(old: ClassFacts, new: ClassFacts) -> list[tuple[Member, Member]]:
    """Return the fields that are the same in both classes, perhaps renamed, in the new order."""
    pairs = [(old.members[wire], new.members[wire]) for wire in new.members if wire in old.members]
    lost = [member for wire, member in old.members.items() if wire not in new.members]
    for member in new.members.values():
        if member.wire not in old.members:
            candidate = _renamed_from(member, lost, old, new)
            if candidate is not None:
                lost.remove(candidate)
                pairs.append((candidate, member))
    order = list(new.members)
    return sorted(pairs, key=lambda pair: order.index(pair[1].wire))


def _renamed_from(
    member: Member, lost: list[Member], old: ClassFacts, new: ClassFacts
) -> Member | None:
    """Return the lost field that became this one, if there is exactly one candidate."""
    if any(candidate.name == member.name for candidate in lost):
        return next(candidate for candidate in lost if candidate.name == member.name)
    alike = [
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


def pair_arguments(old: OperationFacts, new: OperationFacts) -> list[tuple[Argument, Argument]]:
    """Return the arguments that are the same in both operations, perhaps renamed."""
    pairs = [
        (old.parameters[name], argument)
        for name, argument in new.parameters.items()
        if name in old.parameters and (name in old.arguments) == (name in new.arguments)
    ]
    paired = {before.name for before, _ in pairs}
    lost = [argument for name, argument in old.arguments.items() if name not in paired]
    added = [argument for name, argument in new.arguments.items() if name not in paired]
    for argument in added:
        alike = [
            candidate
            for candidate in lost
            if candidate.shape.label == argument.shape.label
            and (candidate.required or not argument.required)
            and (candidate.wire == argument.wire or candidate.role == argument.role)
        ]
        if len(alike) == 1 and (len(added) == len(lost) == 1 or alike[0].wire == argument.wire):
            lost.remove(alike[0])
            pairs.append((alike[0], argument))
    return pairs
