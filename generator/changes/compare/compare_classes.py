"""Compare the classes of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from generator.changes.facts.facts import Facts
from generator.changes.facts.shapes import ClassFacts, Member, Shape, unknown_differences
from generator.changes.rules.change import Collector

from .compare_shapes import Difference, compare_shapes
from .pairs import is_reordered, pair_members, users_by_class

INSTANT_RULES = {
    (False, True): "instant-added",
    (True, False): "instant-removed",
    (True, True): "instant-renamed",
}
"""By whether a field had an instant, and has one."""
HOLDING_RULES = {
    (False, True): "holdings-added",
    (True, False): "holdings-removed",
    (True, True): "holdings-changed",
}
"""By whether a class had holdings, and has some."""
PREFIX_BY_MARK = {"x-exchange-clock": "clock", "x-identifies-account": "account-mark"}


class _Pair(NamedTuple):
    old: str
    new: str
    flows_in: bool


class ClassComparer:
    """Compares the pairs of classes that stand at the same places of two documents."""

    def __init__(self, old: Facts, new: Facts, collector: Collector) -> None:
        self.old = old.classes
        self.new = new.classes
        self.collector = collector
        self._pairs: dict[_Pair, None] = {}
        self._renamed: dict[str, str] = {}
        self._users = users_by_class(new)
        for name, operations in users_by_class(old).items():
            users = self._users.get(name, ())
            self._users[name] = tuple(dict.fromkeys([*operations, *users]))

    def compare_value(
        self,
        subject: str,
        prefix: str,
        operations: Iterable[str],
        old: Shape,
        new: Shape,
        wire: str = "",
    ) -> None:
        """Compare two shapes; `prefix` is that of the rules, argument or field."""
        flows_in = prefix == "argument"

        def pair_classes(before: str, after: str) -> bool:
            return self._pair(_Pair(before, after, flows_in))

        for difference in compare_shapes(old, new, pair_classes, flows_in=flows_in):
            self._add(difference, subject, prefix, operations, wire)

    def compare_all(self) -> None:
        """Compare the classes that were met, and those that come or go."""
        done: set[_Pair] = set()
        while pending := [pair for pair in self._pairs if pair not in done]:
            for pair in pending:
                done.add(pair)
                self._compare(pair)
        kept = {*self._renamed, *self._renamed.values()}
        for name in sorted(self.old.keys() - self.new.keys() - kept):
            self.collector.add("class-removed", name, self._users.get(name, ()))
        for name in sorted(self.new.keys() - self.old.keys() - kept):
            self.collector.add("class-added", name, self._users.get(name, ()))

    def _pair(self, pair: _Pair) -> bool:
        """Return whether two names are one class, perhaps renamed, and note the pair."""
        is_renamed = pair.old not in self.new and pair.new not in self.old
        if pair.old != pair.new:
            if not is_renamed or self._renamed.setdefault(pair.old, pair.new) != pair.new:
                return False
            users = self._users.get(pair.new, ())
            self.collector.add("class-renamed", pair.new, users, pair.old, pair.new)
        self._pairs.setdefault(pair)
        return True

    def _add(
        self,
        difference: Difference,
        subject: str,
        prefix: str,
        operations: Iterable[str],
        wire: str,
    ) -> None:
        kind, before, after, place = difference
        rule = kind if kind.startswith("unknown") else f"{prefix}-{kind}"
        self.collector.add(rule, subject + place, operations, before, after, wire)

    def _compare(self, pair: _Pair) -> None:
        old, new = self.old[pair.old], self.new[pair.new]
        users = self._users.get(new.name, ())
        prefix = "argument" if pair.flows_in else "field"
        pairing = pair_members(old, new)
        for before, after in pairing.kept:
            self._compare_member(before, after, new.name, prefix, users)
        for member in pairing.lost:
            self._lose(member, new.name, prefix, users)
        for member in pairing.added:
            rule = f"{prefix}-added-{'required' if member.required else 'optional'}"
            subject = f"{new.name}.{member.name}"
            self.collector.add(rule, subject, users, new=member.shape.label, wire=member.wire)
        for before, after in pairing.kept:
            self._compare_marks(before, after, new.name, users)
        for member in pairing.lost:
            self._compare_marks(member, None, new.name, users)
        for member in pairing.added:
            self._compare_marks(None, member, new.name, users)
        self._compare_holdings(old, new, pairing.kept, users)
        wires = [(before.wire, after.wire) for before, after in pairing.kept]
        if is_reordered(wires, old.members, new.members):
            rule = "field-position" if new.is_tuple else "field-order"
            names = ", ".join(member.name for member in new.members.values())
            self.collector.add(rule, new.name, users, new=names)
        self._compare_class(old, new, prefix, users)

    def _lose(self, member: Member, class_name: str, prefix: str, users: Iterable[str]) -> None:
        is_optional = prefix == "field" and not member.required
        rule = "field-removed-optional" if is_optional else f"{prefix}-removed"
        subject = f"{class_name}.{member.name}"
        self.collector.add(rule, subject, users, old=member.shape.label, wire=member.wire)

    def _compare_member(
        self, old: Member, new: Member, class_name: str, prefix: str, users: Iterable[str]
    ) -> None:
        subject = f"{class_name}.{new.name}"
        if old.name != new.name:
            self.collector.add(
                f"{prefix}-renamed", subject, users, f"{class_name}.{old.name}", subject
            )
        elif old.wire != new.wire:
            self.collector.add(f"{prefix}-wire-name", subject, users, old.wire, new.wire)
        if old.required != new.required:
            rule = f"{prefix}-{'required' if new.required else 'optional'}"
            self.collector.add(rule, subject, users, wire=new.wire)
        self.compare_value(subject, prefix, users, old.shape, new.shape, new.wire)

    def _compare_marks(
        self, old: Member | None, new: Member | None, class_name: str, users: Iterable[str]
    ) -> None:
        """Compare what a field is marked as, if it is there, and the instant made from it."""
        instants = [f"{class_name}.{m.instant}" if m and m.instant else "" for m in (old, new)]
        if instants[0] != instants[1]:
            rule = INSTANT_RULES[bool(instants[0]), bool(instants[1])]
            self.collector.add(rule, instants[1] or instants[0], users, *instants)
        for mark, prefix in PREFIX_BY_MARK.items():
            before, after = (bool(m and m.shape.marks.get(mark)) for m in (old, new))
            member = new or old
            if member and before != after:
                rule = f"{prefix}-{'added' if after else 'removed'}"
                self.collector.add(rule, f"{class_name}.{member.name}", users)

    def _compare_holdings(
        self,
        old: ClassFacts,
        new: ClassFacts,
        pairs: list[tuple[Member, Member]],
        users: Iterable[str],
    ) -> None:
        is_same = len(old.holdings) == len(new.holdings) and all(
            before.holding == after.holding for before, after in pairs
        )
        if is_same:
            return
        rule = HOLDING_RULES[bool(old.holdings), bool(new.holdings)]
        words = ", ".join(old.holdings), ", ".join(new.holdings)
        self.collector.add(rule, new.name, users, *words)

    def _compare_class(
        self, old: ClassFacts, new: ClassFacts, prefix: str, users: Iterable[str]
    ) -> None:
        if old.accepts_unknown != new.accepts_unknown:
            rule = "class-opened" if new.accepts_unknown else "class-closed"
            self.collector.add(rule, new.name, users)
        anything = Shape("any", "Any")
        if (old.rest or new.rest) and old.accepts_unknown and new.accepts_unknown:
            subject = f"{new.name}.additional_properties"
            self.compare_value(subject, prefix, users, old.rest or anything, new.rest or anything)
        if old.deprecated != new.deprecated:
            rule = "class-deprecated" if new.deprecated else "class-undeprecated"
            self.collector.add(rule, new.name, users)
        for rule, before, after in unknown_differences(old.unknown, new.unknown):
            self.collector.add(rule, new.name, users, before, after)
