"""The shape of a change of the spec, and edits that such changes are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from binance_usdm.contract import SPEC
from tests.generator.changes.edits import Edit, apply, at, drop, put
from tests.specs.places import BALANCE, MEDIA, PROPERTIES, ROW, SCHEMAS, TIME, Place

RESPONSES: Final[Place] = ("components", "responses")
RETRY_AFTER: Final[Place] = ("components", "headers", "RetryAfter")
ERROR: Final[Place] = (*SCHEMAS, "ExchangeError")
FAULT: Final[Place] = (*SCHEMAS, "Fault")
CLOCK: Final[Place] = (*SCHEMAS, "ServerTime", "properties", "serverTime")
LINK: Final[Place] = (*TIME, "responses", "200", "links", "balance")
CODES: Final[Place] = ("x-error-codes",)
JSON_TYPE: Final = "application/json"
TEXT: Final = {"type": "string", "description": "A test."}
WEIGHED: Final = ("Refused", "Unauthorized", "Timeout", "Banned", "TooManyRequests")
LIMITED: Final = ("Banned", "TooManyRequests")


@dataclass(frozen=True)
class SpecChange:
    """A changed fact, and the checks that notice it.

    Attributes:
        name: What is changed, unique.
        edit: Function that changes a document.
        noticed_by: Checks, as `ContractCheck` writes them, each of which notices the change.
            Others may notice it as well.
        reason: Why no check can notice it.
    """

    name: str
    edit: Edit
    noticed_by: frozenset[str]
    reason: str = ""

    def document(self) -> Any:
        """Return the changed document."""
        return apply(self.edit, SPEC)


def change(name: str, edit: Edit, *noticed_by: str, reason: str = "") -> SpecChange:
    return SpecChange(name, edit, frozenset(noticed_by), reason)


def rename(place: Place, new: str) -> Edit:
    """Return the edit that renames a key and keeps its position."""

    def edit(document: Any) -> None:
        node = at(document, place[:-1])
        items = [(new if key == place[-1] else key, value) for key, value in node.items()]
        node.clear()
        node.update(items)

    return edit


def together(*edits: Edit) -> Edit:
    """Return the edit that makes several, for a fact that stands in several places."""

    def edit(document: Any) -> None:
        for each in edits:
            each(document)

    return edit


def change_rows(change_row: Callable[[dict[str, Any]], None]) -> Edit:
    """Return the edit that changes every row of the examples."""

    def edit(document: Any) -> None:
        for example in at(document, (*MEDIA, "examples")).values():
            for row in example["value"]:
                change_row(row)

    return edit


def set_field(name: str, value: Any) -> Edit:
    """Return the edit that gives a field of all examples a value."""
    return change_rows(lambda row: row.update({name: value}))


def retype_field(name: str, value: Any, **schema: Any) -> Edit:
    """Return the edit that gives a field another schema, and the examples a value for it."""
    described = {**schema, "description": "A test."}
    return together(put((*PROPERTIES, name), described), set_field(name, value))


def rename_field(name: str, new: str) -> Edit:
    """Return the edit that renames a field, in the examples too."""

    def rename_in(row: dict[str, Any]) -> None:
        items = [(new if key == name else key, value) for key, value in row.items()]
        row.clear()
        row.update(items)

    required = [new if each == name else each for each in at(SPEC, (*ROW, "required"))]
    return together(
        rename((*PROPERTIES, name), new), put((*ROW, "required"), required), change_rows(rename_in)
    )


def remove_field(name: str) -> Edit:
    """Return the edit that removes a field, in the examples too."""
    return together(
        drop((*PROPERTIES, name)),
        make_optional(ROW, name),
        change_rows(lambda row: row.pop(name)),
    )


def make_optional(place: Place, name: str) -> Edit:
    required = [each for each in at(SPEC, (*place, "required")) if each != name]
    return put((*place, "required"), required)


def change_error_examples(change_example: Callable[[dict[str, Any]], None]) -> Edit:
    """Return the edit that changes every JSON example of the error responses."""

    def edit(document: Any) -> None:
        for response in at(document, RESPONSES).values():
            for example in response["content"].get(JSON_TYPE, {}).get("examples", {}).values():
                change_example(example["value"])

    return edit


def add_parameter(**parameter: Any) -> Edit:
    """Return the edit that adds a parameter before the others."""
    declared = at(SPEC, (*BALANCE, "parameters"))
    described = {"in": "query", "description": "A test.", **parameter}
    return put((*BALANCE, "parameters"), [described, *declared])


def in_responses(names: tuple[str, ...], edit_of: Callable[[Place], Edit]) -> Edit:
    """Return an edit of several shared responses."""
    return together(*(edit_of((*RESPONSES, name)) for name in names))
