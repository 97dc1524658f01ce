"""Compare operations, their arguments and responses."""

from __future__ import annotations

from collections.abc import Iterator

from .change import Collector
from .compare_classes import ClassComparer
from .compare_shapes import compare_unknown
from .documents import canonical
from .facts import Argument, Facts, OperationFacts
from .operation_differences import argument_differences, operation_differences, response_differences
from .pairs import pair_arguments


class OperationComparer:
    """Compares the operations of two documents."""

    def __init__(self, old: Facts, new: Facts, collector: Collector) -> None:
        self.old = old.operations
        self.new = new.operations
        self.collector = collector
        self.classes = ClassComparer(old, new, collector)

    def compare_all(self) -> None:
        pairs = list(self._pair_operations())
        for before, after in pairs:
            self._compare(self.old[before], self.new[after])
        for name, operation in self.old.items():
            if name not in [before for before, _ in pairs]:
                request = f"{operation.method.upper()} {operation.path}"
                self.collector.add("operation-removed", f"{name}()", [name], old=request)
        for name, operation in self.new.items():
            if name not in [after for _, after in pairs]:
                request = f"{operation.method.upper()} {operation.path}"
                self.collector.add("operation-added", f"{name}()", [name], new=request)
        order = [after for _, after in pairs]
        names = list(self.old)
        moved = [
            before for _, before in sorted((order.index(after), before) for before, after in pairs)
        ]
        in_new_order = sorted(moved, key=lambda name: list(self.new).index(dict(pairs)[name]))
        if in_new_order != sorted(moved, key=names.index):
            self.collector.add("operation-order", "operations", new=", ".join(self.new))
        self.classes.compare_all()

    def _pair_operations(self) -> Iterator[tuple[str, str]]:
        """Yield the names of operations that are the same in both documents, perhaps renamed."""
        added = {
            (operation.path, operation.method): name
            for name, operation in self.new.items()
            if name not in self.old
        }
        for name, operation in self.old.items():
            if name in self.new:
                yield name, name
            elif renamed := added.pop((operation.path, operation.method), None):
                yield name, renamed

    def _compare(self, old: OperationFacts, new: OperationFacts) -> None:
        for rule, before, after in operation_differences(old, new):
            self.collector.add(rule, f"{new.name}()", [new.name], before, after)
        for difference in compare_unknown(old.unknown, new.unknown):
            self.collector.add(difference.kind, f"{new.name}()", [new.name], new=difference.new)
        self._compare_arguments(old, new)
        if old.result and new.result:
            subject = f"the value of {new.name}()"
            self.classes.compare_value(subject, "field", [new.name], old.result, new.result)
        elif old.result:
            self.collector.add("result-lost", f"{new.name}()", [new.name])
        self._compare_responses(old, new)

    def _compare_arguments(self, old: OperationFacts, new: OperationFacts) -> None:
        for role in [role for role in old.roles if role not in new.roles]:
            wire = old.roles[role]
            if role == "timestamp" or wire in [
                argument.wire for argument in new.parameters.values()
            ]:
                self.collector.add("argument-role-lost", wire, [new.name], old=role)
        for role in [role for role in new.roles if role not in old.roles]:
            self.collector.add("argument-role-gained", new.roles[role], [new.name], new=role)
        pairs = pair_arguments(old, new)
        for before, after in pairs:
            self._compare_argument(before, after, new.name)
        for argument in old.arguments.values():
            if argument.name not in [before.name for before, _ in pairs]:
                label = argument.shape.label
                self.collector.add("argument-removed", argument.name, [new.name], old=label)
        if "asset" in new.arguments and "asset" not in old.arguments and self._has_assets(old):
            self.collector.add("asset-option", new.name.replace("_", "-"), [new.name])
        for argument in new.arguments.values():
            if argument.name not in [after.name for _, after in pairs]:
                rule = f"argument-added-{'required' if argument.required else 'optional'}"
                label = argument.shape.label
                self.collector.add(rule, argument.name, [new.name], new=label)
        names_before, names_after = list(old.parameters), list(new.parameters)
        pairs.sort(key=lambda pair: names_after.index(pair[1].name))
        order = [names_before.index(before.name) for before, _ in pairs]
        if order != sorted(order):
            names = ", ".join(new.arguments)
            self.collector.add("argument-order", f"{new.name}()", [new.name], new=names)

    def _has_assets(self, operation: OperationFacts) -> bool:
        """Return whether the command has an option that selects rows by their asset."""
        result = operation.result
        row = result.parts[0] if result and result.json_type == "array" else result
        item = self.classes.old.get(row.python_type) if row else None
        return item is not None and "asset" in [member.name for member in item.members.values()]

    def _compare_argument(self, old: Argument, new: Argument, operation: str) -> None:
        add = self.collector.add
        if old.role == new.role == "timestamp":
            # The client fills it in, so no caller sees its type or bounds.
            if old.wire != new.wire:
                add("argument-wire-name", new.name, [operation], old.wire, new.wire)
            elif canonical([old.required, str(old.shape)]) != canonical(
                [new.required, str(new.shape)]
            ):
                add("texts", new.name, [operation], new="its bounds")
            return
        for rule, before, after in argument_differences(old, new):
            add(rule, new.name, [operation], before, after)
        for difference in compare_unknown(old.unknown, new.unknown):
            add(difference.kind, new.name, [operation], new=difference.new)
        self.classes.compare_value(
            new.name, "argument", [operation], old.shape, new.shape, new.wire
        )

    def _compare_responses(self, old: OperationFacts, new: OperationFacts) -> None:
        add = self.collector.add
        for status in sorted(old.responses.keys() | new.responses.keys()):
            before, after = old.responses.get(status), new.responses.get(status)
            subject = f"HTTP {status}"
            if before is None or after is None:
                kind = "removed" if after is None else "added"
                if status != "200":
                    add(f"response-{kind}", subject, [new.name], status, status)
                continue
            for rule, lost, gained in response_differences(before, after, is_error=status != "200"):
                add(rule, subject, [new.name], lost, gained)
