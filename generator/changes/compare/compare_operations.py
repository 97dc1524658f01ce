"""Compare operations, their arguments and responses."""

from __future__ import annotations

from generator.changes.facts.facts import Argument, Facts, Operation
from generator.changes.rules.change import Collector

from .compare_classes import ClassComparer
from .operation_differences import argument_differences, operation_differences, response_differences
from .pairs import is_reordered, pair_arguments, pair_operations


class OperationComparer:
    """Compares the operations of two documents."""

    def __init__(self, old: Facts, new: Facts, collector: Collector) -> None:
        self.old = old.operations
        self.new = new.operations
        self.collector = collector
        self.classes = ClassComparer(old, new, collector)

    def compare_all(self) -> None:
        pairing = pair_operations(self.old, self.new)
        for before, after in pairing.kept:
            self._compare(self.old[before], self.new[after])
        for name in pairing.lost:
            self.collector.add(
                "operation-removed", f"{name}()", [name], old=_request(self.old[name])
            )
        for name in pairing.added:
            self.collector.add("operation-added", f"{name}()", [name], new=_request(self.new[name]))
        if is_reordered(pairing.kept, self.old, self.new):
            self.collector.add("operation-order", "operations", new=", ".join(self.new))
        self.classes.compare_all()

    def _compare(self, old: Operation, new: Operation) -> None:
        for rule, before, after in operation_differences(old, new):
            self.collector.add(rule, f"{new.name}()", [new.name], before, after)
        self._compare_roles(old, new)
        self._compare_arguments(old, new)
        if old.result and new.result:
            subject = f"the value of {new.name}()"
            self.classes.compare_value(subject, "field", [new.name], old.result, new.result)
        elif old.result:
            self.collector.add("result-lost", f"{new.name}()", [new.name])
        self._compare_responses(old, new)

    def _compare_roles(self, old: Operation, new: Operation) -> None:
        """Compare which parameters the client fills in."""
        wires = {argument.wire for argument in new.parameters.values()}
        for role, wire in old.roles.items():
            # A removed argument is reported as removed.
            if role not in new.roles and (role == "timestamp" or wire in wires):
                self.collector.add("argument-role-lost", wire, [new.name], old=role)
        for role, wire in new.roles.items():
            if role not in old.roles:
                self.collector.add("argument-role-gained", wire, [new.name], new=role)

    def _compare_arguments(self, old: Operation, new: Operation) -> None:
        add = self.collector.add
        pairing = pair_arguments(old, new)
        for before, after in pairing.kept:
            self._compare_argument(before, after, new.name)
        for argument in pairing.lost:
            add("argument-removed", argument.name, [new.name], old=argument.shape.label)
        if "asset" in new.arguments and "asset" not in old.arguments and self._has_assets(old):
            add("asset-option", new.name.replace("_", "-"), [new.name])
        for argument in pairing.added:
            rule = f"argument-added-{'required' if argument.required else 'optional'}"
            add(rule, argument.name, [new.name], new=argument.shape.label)
        names = [(before.name, after.name) for before, after in pairing.kept]
        if is_reordered(names, old.parameters, new.parameters):
            add("argument-order", f"{new.name}()", [new.name], new=", ".join(new.arguments))

    def _has_assets(self, operation: Operation) -> bool:
        """Return whether the command has an option that selects rows by their asset."""
        item = self.classes.old.get(operation.row_type)
        return item is not None and "asset" in [member.name for member in item.members.values()]

    def _compare_argument(self, old: Argument, new: Argument, operation: str) -> None:
        add = self.collector.add
        if old.role == new.role == "timestamp":
            # The client fills it in, so no caller sees its type or bounds.
            if old.wire != new.wire:
                add("argument-wire-name", new.name, [operation], old.wire, new.wire)
            elif (old.required, str(old.shape)) != (new.required, str(new.shape)):
                add("texts", new.name, [operation], new="its bounds")
            return
        for rule, before, after in argument_differences(old, new):
            add(rule, new.name, [operation], before, after)
        self.classes.compare_value(
            new.name, "argument", [operation], old.shape, new.shape, new.wire
        )

    def _compare_responses(self, old: Operation, new: Operation) -> None:
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


def _request(operation: Operation) -> str:
    return f"{operation.method.upper()} {operation.path}"
