"""Changes that happened: entries of the exchange's change log for this endpoint, or their reverse."""

from __future__ import annotations

from tests.generator.changes.edits import append, drop, put, rename, together
from tests.generator.changes.seed import AMOUNT, CODES, MAJOR, MINOR, PATCH, PATHS, Seed, add_field
from tests.specs.places import BALANCE, TIME
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT

DATED = [
    Seed("2020-06-15: availableBalance and maxWithdrawAmount come, as optional fields", together(
        add_field("availableMargin", AMOUNT), add_field("maxTransferAmount", AMOUNT)), MINOR,
         ("field-added-optional",)),
    Seed("2021-02-24: weight 5 instead of 1", put((*TIME, "x-weight"), 5), PATCH, ("weight-raised",)),
    Seed("2021-05-06: marginAvailable comes, as a required field",
         add_field("jointMarginAvailable", {"type": "boolean", "description": "A flag."}, required=True), MAJOR,
         ("field-added-required",)),
    Seed("2023-07-15: an endpoint is removed", drop((*PATHS, "/fapi/v1/time")), MAJOR, ("operation-removed",
         "class-removed")),
    Seed("2023-09-19: code -1008 comes", put((*CODES, "-1009"), {
        "name": "THROTTLED", "kind": "server", "meaning": "throttled", "hint": "wait"}), MINOR,
         ("code-added",)),
    Seed("2024-07-24: v4 instead of v3", rename((*PATHS, BALANCE_PATH), "/fapi/v9/balance"), PATCH,
         ("operation-moved",)),
    Seed("2024-08-07: v2 is deprecated", put((*BALANCE, "deprecated"), True), MINOR, ("operation-deprecated",)),
    Seed("2024-09-03: weight 10 instead of 5", put((*BALANCE, "x-weight"), 2 * BALANCE_WEIGHT), PATCH, ("weight-raised",)),
    Seed("2025-07-25: code -4109 has a third message", append((*CODES, "-4109", "messages"), "Inactive."),
         PATCH,
         ("code-texts",)),
    Seed("2025-10-14: code -1008 has a new text", put((*CODES, "-1008", "messages", 1), "Busy."), PATCH,
         ("code-texts",)),
    Seed("2025: the testnet moves", put(("servers", 1, "url"), "https://testnet.binancefuture.com"), MAJOR,
         ("host-moved",)),
]  # fmt: skip
