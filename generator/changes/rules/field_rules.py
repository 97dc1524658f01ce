"""Rules for fields and classes of values."""

from __future__ import annotations

from .steps import DEGRADED, FAILS, MAJOR, MINOR, PATCH, REFUSED, Rule

OPTIONAL_ADVICE = (
    "declare the field as optional: then the step is minor, and rows, seeds and constructors keep "
    "working"
)
FIELD_RULES = {
    "field-added-optional": Rule(
        MINOR,
        "{subject} is new, optional ({new})",
        installed="work: the field {wire} is kept in additional_properties",
    ),
    "field-added-required": Rule(
        MAJOR,
        "{subject} is new and required ({new})",
        installed="work: the field {wire} is kept in additional_properties",
        advice=OPTIONAL_ADVICE,
    ),
    "field-removed": Rule(MAJOR, "{subject} is removed ({old})", effect=FAILS, installed=REFUSED),
    "field-removed-optional": Rule(
        MAJOR, "{subject} is removed ({old})", installed="work: {subject} is None"
    ),
    "field-renamed": Rule(
        MAJOR, "{old} is renamed to {new}", effect=FAILS, installed=REFUSED, has_python_names=True
    ),
    "field-wire-name": Rule(
        MAJOR,
        "{subject} is {new} instead of {old} on the wire, in to_dict(), --json and CSV",
        effect=FAILS,
        installed=REFUSED,
    ),
    "field-type": Rule(
        MAJOR,
        "{subject} is {new} instead of {old}",
        effect=FAILS,
        installed="reject responses of {operations} in which {subject} is no {old}",
    ),
    "field-nullable": Rule(
        MAJOR,
        "{subject} can be None: the exchange may send null",
        effect=DEGRADED,
        installed="reject a response of {operations} in which {subject} is null",
    ),
    "field-not-nullable": Rule(
        MAJOR, "{subject} is never None; rows and seeds that have None break"
    ),
    "field-optional": Rule(
        MAJOR,
        "{subject} can be absent",
        effect=DEGRADED,
        installed="reject a response of {operations} without {wire}",
    ),
    "field-required": Rule(MAJOR, "{subject} is always there; rows and seeds without it break"),
    "field-narrower": Rule(
        MAJOR, "{subject} accepts less: {new} instead of {old}; the client rejects other responses"
    ),
    "field-wider": Rule(
        PATCH,
        "{subject} accepts more: {new} instead of {old}",
        effect=DEGRADED,
        installed="reject a response of {operations} in which {subject} is beyond {old}",
    ),
    "field-undecided": Rule(
        MAJOR,
        "{subject} has another pattern: {new} instead of {old}; whether it accepts all that it "
        "did could not be decided",
        effect=DEGRADED,
        installed="reject a response of {operations} in which {subject} does not match {old}",
        advice="if the new pattern accepts all that the old one did, pass --assume-wider {subject}",
        rule_if_assumed="field-assumed",
    ),
    "field-assumed": Rule(
        PATCH,
        "{subject} has another pattern, which is said to accept all that the old one did: "
        "{new} instead of {old}",
        effect=DEGRADED,
        installed="reject a response of {operations} in which {subject} does not match {old}",
    ),
    "field-enum": Rule(
        PATCH,
        "{subject} has the values {new} instead of {old}; other values are read too",
        installed="work: {subject} takes any value",
    ),
    "field-format": Rule(
        PATCH, "{subject} has the format {new} instead of {old}", is_in_changelog=False
    ),
    "field-order": Rule(
        PATCH,
        "the columns of {subject} in tables and CSV are in another order: {new}",
        installed="work: fields are read by name, columns keep the old order",
    ),
    "field-position": Rule(
        MAJOR,
        "the values of {subject} stand in another order on the wire and in columns: {new}",
        effect=FAILS,
        installed="read values of {operations} into other fields, or reject them: release today",
    ),
    "field-deprecated": Rule(MINOR, "{subject} is deprecated", installed="work; they do not warn"),
    "field-undeprecated": Rule(PATCH, "{subject} is no longer deprecated"),
    "field-default": Rule(
        PATCH, "{subject}: the documented default is {new} instead of {old}", is_in_changelog=False
    ),
    "instant-added": Rule(MINOR, "{subject} is new, an aware datetime"),
    "instant-removed": Rule(MAJOR, "{subject} is removed, an aware datetime"),
    "instant-renamed": Rule(MAJOR, "{old} is renamed to {new}", has_python_names=True),
    "holdings-added": Rule(MINOR, "rows of {subject} can be filtered by --non-zero ({new})"),
    "holdings-removed": Rule(
        MAJOR, "rows of {subject} cannot be filtered by --non-zero any more ({old})"
    ),
    "holdings-changed": Rule(
        PATCH, "--non-zero looks at {new} instead of {old}: other rows of {subject} are shown"
    ),
    "clock-added": Rule(MINOR, "the mock exchange answers {subject} with its clock"),
    "clock-removed": Rule(MAJOR, "the mock exchange no longer answers {subject} with its clock"),
    "account-mark-added": Rule(
        MAJOR, "responses that mix or change {subject} are rejected: it identifies the account"
    ),
    "account-mark-removed": Rule(
        MAJOR,
        "rows of another account are no longer noticed: {subject} does not identify the "
        "account any more",
    ),
}
CLASS_RULES = {
    "class-renamed": Rule(
        MAJOR,
        "class {old} is renamed to {new}",
        installed="keep the old name and work",
        has_python_names=True,
    ),
    "class-removed": Rule(MAJOR, "class {subject} is removed"),
    "class-added": Rule(PATCH, "class {subject} is new", is_in_changelog=False),
    "class-closed": Rule(MAJOR, "{subject} accepts no unknown fields any more"),
    "class-opened": Rule(
        PATCH,
        "{subject} accepts unknown fields",
        effect=DEGRADED,
        installed="reject a response of {operations} with an unknown field",
    ),
    "class-deprecated": Rule(MINOR, "class {subject} is deprecated"),
    "class-undeprecated": Rule(PATCH, "class {subject} is no longer deprecated"),
}
