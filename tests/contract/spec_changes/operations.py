"""Changes of operations: where they are, what they cost, take and need."""

from __future__ import annotations

from typing import Final

from binance_usdm.contract import SPEC
from tests.generator.changes.edits import at, drop, put
from tests.specs.places import BALANCE, SCHEMES, TIME, TIMESTAMP, WINDOW
from tests.support.spec_facts import BALANCE_WEIGHT, TIME_WEIGHT

from .change import LINK, add_parameter, change, rename, together

PARAMETERS: Final = at(SPEC, (*BALANCE, "parameters"))
OTHER: Final = {**at(SPEC, TIME), "operationId": "other"}
FILTER: Final = {"name": "asset", "schema": {"type": "string"}, "example": "USDT"}

CHANGES: Final = (
    change(
        "another path",
        rename(BALANCE[:2], f"{BALANCE[1]}s"),
        "mock-every_header_is_sent",
        "requests-base_path_is_kept",
        "responses-mock_faults_are_classified",
    ),
    change(
        "another path of the clock",
        rename(TIME[:2], f"{TIME[1]}s"),
        "mock-every_header_is_sent",
        "requests-base_path_is_kept",
        "responses-mock_faults_are_classified",
    ),
    change(
        "another operationId",
        together(
            put((*BALANCE, "operationId"), "balances"), put((*LINK, "operationId"), "balances")
        ),
        "mock-content_is_exact",
    ),
    change(
        "an operation more",
        put(("paths", "/fapi/v1/other"), {"get": OTHER}),
        "mock-every_header_is_sent",
    ),
    change(
        "an operation less",
        drop(TIME[:2]),
        reason="the layers judge what a document has; a product may do more, so that a team can compare a part of it",
    ),
    change(
        "another weight",
        put((*BALANCE, "x-weight"), BALANCE_WEIGHT + 1),
        "mock-rejected_requests_cost_weight",
    ),
    change(
        "another weight of the clock",
        put((*TIME, "x-weight"), TIME_WEIGHT + 1),
        "mock-rejected_requests_cost_weight",
    ),
    change("no weight", put((*TIME, "x-weight"), 0), "mock-rejected_requests_cost_weight"),
    change(
        "a signed operation is public",
        together(
            put((*BALANCE, "security"), []),
            put((*BALANCE, "x-security-type"), "NONE"),
            put((*BALANCE, "parameters"), []),
            drop((*LINK, "parameters")),
        ),
        "mock-every_status_is_produced",
        "requests-default_window_is_sent",
    ),
    change(
        "a public operation is signed",
        together(
            put((*TIME, "security"), [{"ApiKey": [], "Signature": []}]),
            put((*TIME, "x-security-type"), "USER_DATA"),
            put((*TIME, "parameters"), PARAMETERS),
            put((*TIME, "responses", "401"), {"$ref": "#/components/responses/Unauthorized"}),
        ),
        "mock-exchange_time_is_sent",
        "requests-default_window_is_sent",
    ),
    change(
        "another header for the key",
        put((*SCHEMES, "ApiKey", "name"), "X-API-KEY"),
        "mock-keys_are_checked",
        "requests-generated_cases",
    ),
    change(
        "another name of the signature",
        put((*SCHEMES, "Signature", "name"), "sign"),
        "mock-content_is_exact",
        "requests-only_given_arguments_are_sent",
    ),
    change(
        "another name of a security type",
        together(
            rename(("x-security-types", "USER_DATA"), "READ"),
            put((*BALANCE, "x-security-type"), "READ"),
        ),
        reason="a name; `security` says what a call carries",
    ),
    change(
        "another name of the window",
        together(
            put((*WINDOW, "name"), "recvwindow"),
            rename((*LINK, "parameters", "recvWindow"), "recvwindow"),
        ),
        "mock-timestamp_is_checked",
        "requests-default_window_is_sent",
    ),
    change(
        "the window is required",
        put((*WINDOW, "required"), True),
        "mock-timestamp_is_checked",
        "requests-default_window_is_sent",
    ),
    change(
        "the window is no window",
        drop((*WINDOW, "x-signing-role")),
        "requests-default_window_is_sent",
    ),
    change(
        "the window may be 0",
        put((*WINDOW, "schema", "minimum"), 0),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "a larger minimum of the window",
        put((*WINDOW, "schema", "minimum"), 2),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "the window has a maximum",
        put((*WINDOW, "schema", "maximum"), 60000),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "the window has 32 bits",
        put((*WINDOW, "schema", "format"), "int32"),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "the window is one of a few",
        put((*WINDOW, "schema"), {"type": "integer", "format": "int64", "enum": [5000, 10000]}),
        "mock-values_beside_are_rejected",
        "requests-arguments_beside_are_rejected",
    ),
    change(
        "no window",
        together(
            put((*BALANCE, "parameters"), PARAMETERS[1:]), drop((*LINK, "parameters", "recvWindow"))
        ),
        "mock-unknown_parameters_are_rejected",
        "requests-default_window_is_sent",
    ),
    change(
        "another example of the window",
        put((*WINDOW, "example"), 4000),
        reason="an example is a value that can be sent; both can",
    ),
    change(
        "another name of the timestamp",
        together(
            put((*TIMESTAMP, "name"), "sentAt"),
            rename((*LINK, "parameters", "timestamp"), "sentAt"),
        ),
        "mock-content_is_exact",
        "requests-each_call_has_its_timestamp",
    ),
    change(
        "the timestamp is in seconds",
        together(
            put((*TIMESTAMP, "schema", "format"), "int32"), put((*TIMESTAMP, "example"), 1591702613)
        ),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "the timestamp has a maximum",
        together(
            put((*TIMESTAMP, "schema", "maximum"), 10**12), put((*TIMESTAMP, "example"), 10**12)
        ),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "a larger minimum of the timestamp",
        put((*TIMESTAMP, "schema", "minimum"), 2),
        "mock-values_are_checked",
    ),
    change(
        "another order of parameters",
        put((*BALANCE, "parameters"), PARAMETERS[::-1]),
        reason="the timestamp is sent behind the arguments, and the exchange takes any order",
    ),
    change(
        "an optional parameter more",
        add_parameter(**FILTER, required=False),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "a required parameter more",
        add_parameter(**FILTER, required=True),
        "mock-content_is_exact",
        "requests-default_window_is_sent",
    ),
)
