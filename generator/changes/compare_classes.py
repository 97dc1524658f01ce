"""Compare the classes of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .change import Collector
from .compare_shapes import Difference, compare_shapes, compare_unknown
from .facts import Facts
from .pairs import pair_members, users_by_class
from .shapes import ClassFacts, Member, Shape


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
            known = self._users.get(name, ())
            self._users[name] = tuple(dict.fromkeys([*operations, *known]))

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
        pairs = pair_members(old, new)
        for before, after in pairs:
            self._compare_member(before, after, new.name, prefix, users)
        kept_old = {before.wire for before, _ in pairs}
        kept_new = {after.wire for _, after in pairs}
        for member in old.members.values():
            if member.wire not in kept_old:
                self._lose(member, new.name, prefix, users)
        for member in new.members.values():
            if member.wire not in kept_new:
                rule = f"{prefix}-added-{'required' if member.required else 'optional'}"
                subject = f"{new.name}.{member.name}"
                self.collector.add(rule, subject, users, new=member.shape.label, wire=member.wire)
        self._compare_marks(old, new, pairs, users)
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
        self,
        old: ClassFacts,
        new: ClassFacts,
        pairs: list[tuple[Member, Member]],
        users: Iterable[str],
    ) -> None:
        add = self.collector.add
        paired: list[tuple[Member | None, Member | None]] = [*pairs]
        paired += [(m, None) for m in old.members.values() if m not in [p[0] for p in pairs]]
        paired += [(None, m) for m in new.members.values() if m not in [p[1] for p in pairs]]
        for before, after in paired:
            instants = before and before.instant, after and after.instant
            if instants[0] != instants[1]:
                kind = "renamed" if all(instants) else "removed" if instants[0] else "added"
                names = [f"{new.name}.{name}" if name else "" for name in instants]
                add(f"instant-{kind}", names[1] or names[0], users, *names)
            member = after or before
            assert member is not None
            for mark, rule in (
                ("x-exchange-clock", "clock"),
                ("x-identifies-account", "account-mark"),
            ):
                marked = [bool(m and m.shape.marks.get(mark)) for m in (before, after)]
                if marked[0] != marked[1]:
                    add(
                        f"{rule}-{'added' if marked[1] else 'removed'}",
                        f"{new.name}.{member.name}",
                        users,
                    )
        _compare_holdings(old, new, pairs, users, self.collector)
        kept = [(before.wire, after.name) for before, after in pairs]
        wires = list(old.members)
        order_now = [before for before, _ in kept]
        if order_now != sorted(order_now, key=wires.index):
            rule = "field-position" if new.is_tuple else "field-order"
            add(rule, new.name, users, new=", ".join(m.name for m in new.members.values()))

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
        for difference in compare_unknown(old.unknown, new.unknown):
            self._add(difference, new.name, prefix, users, "")


def _compare_holdings(
    old: ClassFacts,
    new: ClassFacts,
    pairs: list[tuple[Member, Member]],
    users: Iterable[str],
    collector: Collector,
) -> None:
    before = {member.wire for member, _ in pairs if member.holding}
    after = {pair[0].wire for pair in pairs if pair[1].holding}
    if (not old.holdings) != (not new.holdings):
        rule = "holdings-added" if new.holdings else "holdings-removed"
    elif before != after or len(old.holdings) != len(new.holdings):
        rule = "holdings-changed"
    else:
        return
    collector.add(rule, new.name, users, ", ".join(old.holdings), ", ".join(new.holdings))
