"""Changes of the values that responses with status 200 have."""

from __future__ import annotations

from typing import Final

from binance_usdm.contract import SPEC
from tests.generator.changes.edits import at, drop, put
from tests.specs.places import MEDIA, PROPERTIES, ROW, TIME, UPDATED

from .change import (
    CLOCK,
    JSON_TYPE,
    LINK,
    TEXT,
    change,
    make_optional,
    remove_field,
    rename,
    rename_field,
    retype_field,
    set_field,
    together,
)

FIELDS: Final = at(SPEC, (*ROW, "required"))
AMOUNT: Final = {"$ref": "#/components/schemas/Amount"}
ACCOUNT: Final = (*PROPERTIES, "accountAlias")
CLOCK_EXAMPLE: Final = (
    *TIME,
    "responses",
    "200",
    "content",
    JSON_TYPE,
    "examples",
    "documentation",
    "value",
)

CHANGES: Final = (
    *(
        change(f"no field {name}", remove_field(name), "responses-values_are_exact_in_every_place")
        for name in FIELDS
    ),
    *(
        change(
            f"another name of {name}",
            rename_field(name, f"{name}New"),
            "mock-generated_cases",
            "responses-wrong_values_are_rejected_with_their_path",
        )
        for name in FIELDS
    ),
    *(
        change(
            f"{name} is optional",
            make_optional(ROW, name),
            "responses-values_are_exact_in_every_place",
        )
        for name in FIELDS
        if name != "accountAlias"
    ),
    change(
        "a required field more",
        together(
            put((*PROPERTIES, "fresh"), TEXT),
            put((*ROW, "required"), [*FIELDS, "fresh"]),
            set_field("fresh", "x"),
        ),
        "mock-generated_cases",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "an optional field more",
        put((*PROPERTIES, "fresh"), TEXT),
        "responses-other_bodies_are_rejected",
    ),
    change(
        "asset may be null",
        put((*PROPERTIES, "asset", "type"), ["string", "null"]),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "updateTime may be null",
        put((*UPDATED, "type"), ["integer", "null"]),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "marginAvailable is a text",
        retype_field("marginAvailable", "true", type="string"),
        "mock-generated_cases",
        "requests-window_is_respected",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "balance is a number",
        retype_field("balance", 1.5, type="number"),
        "mock-generated_cases",
        "requests-window_is_respected",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "balance is a plain text",
        retype_field("balance", "1.50000000", type="string"),
        "mock-content_is_exact",
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "asset is an amount",
        retype_field("asset", "1.5", **AMOUNT),
        "mock-generated_cases",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "updateTime is a text",
        retype_field("updateTime", "1617939110373", type="string"),
        "mock-generated_cases",
        "requests-window_is_respected",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "updateTime has 32 bits",
        retype_field("updateTime", 1617939110, type="integer", format="int32"),
        "mock-content_is_exact",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "a larger minimum of updateTime",
        together(put((*UPDATED, "minimum"), 1), set_field("updateTime", 1617939110373)),
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "updateTime has a maximum",
        put((*UPDATED, "maximum"), 10**15),
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "asset has a pattern",
        put((*PROPERTIES, "asset", "pattern"), "^[A-Z]+$"),
        "responses-other_bodies_are_rejected",
    ),
    change(
        "asset has a length",
        put((*PROPERTIES, "asset", "maxLength"), 8),
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "asset is one of a few",
        put((*PROPERTIES, "asset", "enum"), ["USDT", "BNB", "FDUSD"]),
        reason="the enums of responses are open",
    ),
    change(
        "the rows are one object",
        together(
            put((*MEDIA, "schema"), {"$ref": "#/components/schemas/AccountBalance"}),
            drop((*ACCOUNT, "x-identifies-account")),
            put(
                (*MEDIA, "examples"),
                {
                    "documentation": {
                        "value": at(SPEC, (*MEDIA, "examples", "documentation", "value", 0))
                    }
                },
            ),
        ),
        "mock-generated_cases",
        "requests-window_is_respected",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "crossUnPnl is no holding",
        drop((*PROPERTIES, "crossUnPnl", "x-holding")),
        "responses-holdings_are_named",
    ),
    change(
        "availableBalance is a holding",
        put((*PROPERTIES, "availableBalance", "x-holding"), True),
        "responses-holdings_are_named",
    ),
    change(
        "another name of the instant",
        put((*UPDATED, "x-instant"), "changed_at"),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "no instant",
        drop((*UPDATED, "x-instant")),
        reason="a computed attribute is no part of the response, and a client may have more of them",
    ),
    change(
        "no field identifies the account",
        drop((*ACCOUNT, "x-identifies-account")),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "another field identifies the account",
        together(
            drop((*ACCOUNT, "x-identifies-account")),
            put((*PROPERTIES, "asset", "x-identifies-account"), True),
            set_field("asset", "USDT"),
        ),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "another name of the time",
        together(
            rename(CLOCK, "now"),
            put((*CLOCK[:-2], "required"), ["now"]),
            put(CLOCK_EXAMPLE, {"now": 1499827319559}),
            put((*LINK, "parameters", "timestamp"), "$response.body#/now"),
        ),
        "mock-exchange_time_is_sent",
        "requests-each_attempt_has_its_timestamp",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "the time is optional",
        put((*CLOCK[:-2], "required"), []),
        "responses-values_are_exact_in_every_place",
    ),
    change(
        "the time is a text",
        together(put(CLOCK, TEXT), put(CLOCK_EXAMPLE, {"serverTime": "1499827319559"})),
        "mock-generated_cases",
        "requests-each_attempt_has_its_timestamp",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "a larger minimum of the time",
        together(
            put((*CLOCK, "minimum"), 10**13),
            put((*CLOCK, "examples"), [10**13]),
            put(CLOCK_EXAMPLE, {"serverTime": 10**13}),
        ),
        "mock-generated_cases",
        "responses-wrong_values_are_rejected_with_their_path",
    ),
    change(
        "the time is no clock",
        drop((*CLOCK, "x-exchange-clock")),
        reason="without the mark any time fits, also that of the clock",
    ),
    change(
        "another example",
        together(put((*MEDIA, "examples", "documentation", "value", 0, "balance"), "1.00000000")),
        "mock-content_is_exact",
    ),
    change(
        "an example more",
        put((*MEDIA, "examples", "more"), {"summary": "A test.", "value": []}),
        reason="an example is a value that fits; the mock begins with the first",
    ),
)
