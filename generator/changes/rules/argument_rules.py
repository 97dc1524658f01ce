"""Rules for arguments."""

from __future__ import annotations

from .steps import DEGRADED, FAILS, MAJOR, MINOR, PATCH, Rule

ARGUMENT_RULES = {
    "argument-added-optional": Rule(
        MINOR, "argument {subject} is new, optional ({new})", installed="work without it"
    ),
    "argument-added-required": Rule(
        MAJOR,
        "argument {subject} is new and required ({new})",
        effect=FAILS,
        installed=(
            "do not send it: the exchange rejects every call of {operations} (-1102); release today"
        ),
    ),
    "argument-removed": Rule(
        MAJOR,
        "argument {subject} is removed ({old})",
        effect=DEGRADED,
        installed=(
            "work without the argument; the exchange may reject a call that passes it (-1101 to "
            "-1106)"
        ),
    ),
    "argument-renamed": Rule(
        MAJOR,
        "argument {old} is renamed to {new}",
        effect=DEGRADED,
        installed=(
            "send the old name; the exchange may reject or ignore an argument that it no longer "
            "knows"
        ),
        has_python_names=True,
    ),
    "argument-wire-name": Rule(
        PATCH,
        "argument {subject} is sent as {new} instead of {old}",
        effect=DEGRADED,
        installed=(
            "send {old}; the exchange may reject or ignore an argument that it no longer knows"
        ),
    ),
    "argument-location": Rule(
        PATCH,
        "argument {subject} is sent in the {new} instead of the {old}",
        effect=DEGRADED,
        installed="send it in the {old}, which the exchange may reject or ignore",
    ),
    "argument-required": Rule(
        MAJOR,
        "argument {subject} is required",
        effect=DEGRADED,
        installed="work where the argument is passed; the exchange rejects other calls (-1102)",
    ),
    "argument-optional": Rule(
        MINOR, "argument {subject} is optional", installed="still ask for it"
    ),
    "argument-type": Rule(
        MAJOR,
        "argument {subject} takes {new} instead of {old}",
        effect=DEGRADED,
        installed="send {old}, which the exchange may reject",
    ),
    "argument-not-nullable": Rule(MAJOR, "argument {subject} may no longer be null"),
    "argument-nullable": Rule(MINOR, "argument {subject} may be null"),
    "argument-narrower": Rule(
        MAJOR,
        "argument {subject} accepts less: {new} instead of {old}",
        effect=DEGRADED,
        installed="still accept the rest; the exchange may reject a call with it",
    ),
    "argument-wider": Rule(
        MINOR,
        "argument {subject} accepts more: {new} instead of {old}",
        installed="reject what is new before sending",
    ),
    "argument-undecided": Rule(
        MAJOR,
        "argument {subject} has another pattern: {new} instead of {old}; whether it accepts "
        "all that it did could not be decided",
        effect=DEGRADED,
        installed="check the old pattern",
        advice="if the new pattern accepts all that the old one did, pass --assume-wider {subject}",
        rule_if_assumed="argument-assumed",
    ),
    "argument-assumed": Rule(
        MINOR,
        "argument {subject} has another pattern, which is said to accept all that the old one "
        "did: {new} instead of {old}",
        installed="check the old pattern",
    ),
    "argument-default": Rule(
        PATCH,
        "argument {subject}: the documented default is {new} instead of {old}; it is never sent",
    ),
    "argument-role-lost": Rule(
        MAJOR,
        "{subject}: the client no longer fills in the {old}",
        effect=FAILS,
        installed="fill it in as before",
    ),
    "argument-role-gained": Rule(MINOR, "{subject}: the client fills in the {new}"),
    "asset-option": Rule(
        MINOR,
        "--asset of the command {subject} is sent to the exchange; it no longer selects rows",
        advice=(
            "--asset of the command {subject} takes one asset then; x-python-name gives the argument "
            "another name"
        ),
    ),
    "argument-order": Rule(
        PATCH, "the order of arguments of {subject} is {new}; they are passed by name"
    ),
    "argument-style": Rule(
        PATCH,
        "argument {subject} is encoded differently",
        effect=DEGRADED,
        installed="send it as before, which the exchange may reject",
    ),
    "argument-deprecated": Rule(
        MINOR, "argument {subject} is deprecated", installed="work; they do not warn"
    ),
    "argument-undeprecated": Rule(PATCH, "argument {subject} is no longer deprecated"),
    "argument-format": Rule(
        PATCH, "argument {subject} has the format {new} instead of {old}", is_in_changelog=False
    ),
}
