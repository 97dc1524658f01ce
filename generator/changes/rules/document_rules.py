"""Rules for hosts, error codes, texts and what is not understood."""

from __future__ import annotations

from .steps import DEGRADED, FAILS, MAJOR, MINOR, PATCH, Rule

DOCUMENT_RULES = {
    "host-added": Rule(MINOR, "host {subject} is new ({new})", installed="do not know it"),
    "host-removed": Rule(
        MAJOR,
        "host {subject} is removed ({old})",
        effect=FAILS,
        installed=(
            "call {old} where {subject} is used: they fail when the exchange switches it off; "
            "release today"
        ),
    ),
    "host-moved": Rule(
        MAJOR,
        "{subject} is {new} instead of {old}",
        effect=FAILS,
        installed=(
            "call {old}: they fail when the exchange switches it off; pass base_url={new} until "
            "the release"
        ),
    ),
    "code-added": Rule(
        MINOR,
        "code {subject} is new: {new}",
        installed="judge code {subject} by the HTTP status, without a hint",
    ),
    "code-removed": Rule(
        MAJOR, "code {subject} is removed ({old}): such an error is judged by its HTTP status"
    ),
    "code-kind": Rule(
        MAJOR,
        "code {subject} raises {new} instead of {old}",
        effect=DEGRADED,
        installed="raise {old} for code {subject}",
    ),
    "code-permanent": Rule(
        MAJOR,
        "code {subject} is not retryable: the same call cannot succeed later",
        effect=DEGRADED,
        installed="retry calls that are answered with code {subject}",
    ),
    "code-retryable": Rule(
        MAJOR,
        "code {subject} is retryable: the same call may succeed later",
        installed="do not retry after code {subject}",
    ),
    "code-name": Rule(PATCH, "code {subject} has the name {new} instead of {old}"),
    "code-texts": Rule(PATCH, "code {subject}: texts change ({new})", is_in_changelog=False),
    "texts": Rule(PATCH, "texts of {subject} change ({new})", is_in_changelog=False),
    "components": Rule(PATCH, "{new} changes, which no operation uses", is_in_changelog=False),
    "places": Rule(
        PATCH,
        "{new}: parts move, or texts change that are shown nowhere else; nothing in Python changes",
        is_in_changelog=False,
    ),
    "unknown-breaking": Rule(
        MAJOR,
        "{subject}: {new} changes, which this comparison does not understand; it can affect a user",
    ),
    "unknown-quiet": Rule(
        PATCH,
        "{subject}: {new} changes, which this comparison does not understand; Python does not "
        "see it",
    ),
}
