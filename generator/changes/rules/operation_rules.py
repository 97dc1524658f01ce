"""Rules for operations and their responses."""

from __future__ import annotations

from .steps import DEGRADED, FAILS, MAJOR, MINOR, PATCH, REFUSED, Rule

OPERATION_RULES = {
    "operation-added": Rule(MINOR, "{subject} is new ({new})", installed="do not have it"),
    "operation-removed": Rule(
        MAJOR,
        "{subject} is removed ({old})",
        effect=FAILS,
        installed=(
            "call {old} until the exchange retires it; from then on every call fails (404): "
            "release today"
        ),
    ),
    "operation-renamed": Rule(
        MAJOR,
        "{old} is renamed to {new}",
        installed="keep the old name and work",
        has_python_names=True,
    ),
    "operation-moved": Rule(
        PATCH,
        "{subject} calls {new} instead of {old}",
        effect=DEGRADED,
        installed=(
            "call {old}: they work until the exchange retires it; from then on every call fails "
            "(404)"
        ),
    ),
    "operation-method": Rule(
        MAJOR,
        "{subject} is {new} instead of {old}; this client only reads",
        effect=FAILS,
        installed="send {old}, which the exchange rejects: {subject} fails",
    ),
    "operation-tag": Rule(
        PATCH,
        "{subject} is grouped under {new} instead of {old}, a private folder of the package",
        is_in_changelog=False,
    ),
    "operation-order": Rule(
        PATCH, "the order of operations in --help and OPERATIONS is {new}", is_in_changelog=False
    ),
    "weight-raised": Rule(
        PATCH,
        "the weight of {subject} is {new} instead of {old}",
        effect=DEGRADED,
        installed=(
            "count {old} for a call of {subject}: the weight budget admits too many calls until "
            "the used weight of a response corrects it, and 429 becomes possible"
        ),
    ),
    "weight-lowered": Rule(
        PATCH,
        "the weight of {subject} is {new} instead of {old}",
        effect=DEGRADED,
        installed="count {old} for a call of {subject}, and wait longer than they need to",
    ),
    "weight-changed": Rule(
        PATCH,
        "the weight of {subject} is {new} instead of {old}",
        effect=DEGRADED,
        installed="count {old} for a call of {subject}",
    ),
    "security-more": Rule(
        MAJOR,
        "{subject} needs {new} instead of {old}",
        effect=FAILS,
        installed="send {old}: the exchange rejects every call of {subject}; release today",
    ),
    "security-fewer": Rule(
        MINOR, "{subject} needs {new} instead of {old}", installed="send more than is needed"
    ),
    "security-kind": Rule(
        MAJOR,
        "{subject} carries its credentials in another way: {new} instead of {old}",
        effect=FAILS,
        installed="send {old}: the exchange rejects every call of {subject}",
    ),
    "security-name": Rule(
        PATCH,
        "{subject} sends {new} instead of {old}",
        effect=FAILS,
        installed="send {old}: the exchange rejects every call of {subject}; release today",
    ),
    "security-type": Rule(PATCH, "{subject} has the security type {new} instead of {old}"),
    "operation-server": Rule(
        MAJOR,
        "{subject} is served by {new} instead of {old}",
        effect=DEGRADED,
        installed="call {old}: they work as long as that host serves {subject}",
    ),
    "operation-deprecated": Rule(
        MINOR, "{subject} is deprecated", installed="work; they do not warn"
    ),
    "operation-undeprecated": Rule(PATCH, "{subject} is no longer deprecated"),
    "result-lost": Rule(
        MAJOR,
        "{subject} has no JSON value for status 200 any more",
        effect=FAILS,
        installed=REFUSED,
    ),
    "response-added": Rule(
        PATCH, "{subject}: the response {new} is documented", is_in_changelog=False
    ),
    "response-removed": Rule(
        PATCH, "{subject}: the response {old} is no longer documented", is_in_changelog=False
    ),
    "header-added": Rule(PATCH, "{subject}: header {new} is documented", is_in_changelog=False),
    "header-removed": Rule(
        PATCH,
        "{subject}: header {old} is no longer documented",
        effect=DEGRADED,
        installed="read {old} where it is sent; used weight is None where it is not",
    ),
    "header-changed": Rule(
        PATCH, "{subject}: header {new} is described differently", is_in_changelog=False
    ),
    "error-field-lost": Rule(
        MAJOR,
        "errors of {subject} no longer carry the {old}",
        effect=DEGRADED,
        installed="judge errors without {old} by the HTTP status alone",
    ),
    "error-field-changed": Rule(
        PATCH, "errors of {subject}: the description of {new} changes", is_in_changelog=False
    ),
    "response-media": Rule(
        PATCH,
        "{subject}: the response {new} comes as other media types than before",
        is_in_changelog=False,
    ),
}
