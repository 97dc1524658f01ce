"""Changes of responses: statuses, media types, headers, and schemas of errors."""

from __future__ import annotations

from typing import Final

from tests.generator.changes.edits import drop, put
from tests.specs.places import BALANCE, HEADER, OK, REFUSED, TIME

from .change import (
    ERROR,
    FAULT,
    JSON_TYPE,
    LIMITED,
    RESPONSES,
    RETRY_AFTER,
    TEXT,
    WEIGHED,
    change,
    change_error_examples,
    in_responses,
    make_optional,
    rename,
    together,
)

USED_WEIGHT: Final = ("headers", "X-MBX-USED-WEIGHT-1M")
WAIT: Final = ("headers", "Retry-After")
PAGE: Final = ("content", "text/html")
COUNT: Final = {"description": "A test.", "schema": {"type": "string"}}
TO_ERROR: Final = {"$ref": "#/components/schemas/ExchangeError"}
WIDER: Final = "everything that the product sends still fits, and a client reads any code"

TO_RESPONSE: Final = "#/components/responses/"
OTHER_RESPONSES: Final = (
    ("400", "Firewall", "headers_are_described"),
    ("403", "Refused", "media_types_are_described"),
    ("404", "Refused", "media_types_are_described"),
    ("408", "Firewall", "headers_are_described"),
    ("418", "Timeout", "headers_are_described"),
    ("429", "Timeout", "headers_are_described"),
    ("451", "Firewall", "every_media_type_is_sent"),
    ("503", "Refused", "media_types_are_described"),
    ("5XX", "Refused", "media_types_are_described"),
)

CHANGES: Final = (
    *(
        change(
            f"status {status} of another response",
            together(
                put((*BALANCE, "responses", status), {"$ref": f"{TO_RESPONSE}{other}"}),
                put((*TIME, "responses", status), {"$ref": f"{TO_RESPONSE}{other}"}),
            ),
            f"mock-{check}",
        )
        for status, other, check in OTHER_RESPONSES
    ),
    change(
        "status 401 of another response",
        put((*BALANCE, "responses", "401"), {"$ref": "#/components/responses/Firewall"}),
        "mock-every_media_type_is_sent",
    ),
    change(
        "a status more",
        put((*BALANCE, "responses", "409"), {"$ref": "#/components/responses/Refused"}),
        "mock-every_status_is_produced",
    ),
    change(
        "a status of a range more",
        put((*BALANCE, "responses", "504"), {"$ref": "#/components/responses/Unavailable"}),
        "mock-every_media_type_is_sent",
    ),
    *(
        change(
            f"no page: {name}", drop((*RESPONSES, name, *PAGE)), "mock-media_types_are_described"
        )
        for name in ("Firewall", "NotFound", "Unavailable", "ExchangeFault")
    ),
    *(
        change(
            f"no JSON: {name}",
            drop((*RESPONSES, name, "content", JSON_TYPE)),
            "mock-media_types_are_described",
        )
        for name in ("NotFound", "Unavailable", "ExchangeFault")
    ),
    change(
        "no JSON: Firewall",
        drop((*RESPONSES, "Firewall", "content", JSON_TYPE)),
        reason="the mock sends it for a status and code that a test asks for, whatever is described",
    ),
    *(
        change(
            f"another type of page: {name}",
            rename((*RESPONSES, name, *PAGE), "text/plain"),
            "mock-media_types_are_described",
        )
        for name in ("Firewall", "NotFound", "Unavailable", "ExchangeFault")
    ),
    change(
        "a media type more",
        put((*REFUSED, *PAGE), {"schema": {"type": "string"}}),
        "mock-every_media_type_is_sent",
    ),
    change(
        "another header for the weight",
        together(
            rename((*OK, *USED_WEIGHT), "X-USED-WEIGHT"),
            rename((*TIME, "responses", "200", *USED_WEIGHT), "X-USED-WEIGHT"),
            in_responses(WEIGHED, lambda place: rename((*place, *USED_WEIGHT), "X-USED-WEIGHT")),
        ),
        "mock-every_header_is_sent",
        "responses-described_weight_is_read",
    ),
    change("no weight with 200", drop((*OK, "headers")), "mock-headers_are_described"),
    change("no weight with 400", drop((*REFUSED, "headers")), "mock-headers_are_described"),
    change("the weight always comes", put((*HEADER, "required"), True), "requests-generated_cases"),
    change(
        "another pattern of the weight",
        put(
            (*HEADER, "schema"),
            {"type": "string", "pattern": "^[0-9]+/[0-9]+$", "examples": ["5/2400"]},
        ),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "another header for the wait",
        in_responses(LIMITED, lambda place: rename((*place, *WAIT), "X-Retry-After")),
        "mock-every_header_is_sent",
        "responses-described_wait_is_read",
    ),
    *(
        change(f"no wait: {name}", drop((*RESPONSES, name, *WAIT)), "mock-headers_are_described")
        for name in LIMITED
    ),
    change(
        "the wait always comes",
        put((*RETRY_AFTER, "required"), True),
        reason="the mock always sends it, and a client can do without it",
    ),
    change(
        "another pattern of the wait",
        put(
            (*RETRY_AFTER, "schema"),
            {"type": "string", "pattern": "^[0-9]+s$", "examples": ["30s"]},
        ),
        "mock-faults_are_described",
    ),
    change(
        "a wait more",
        put(
            (*RESPONSES, "Unavailable", "headers"),
            {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
        ),
        "mock-every_header_is_sent",
    ),
    change(
        "an optional header more",
        put((*OK, "headers", "X-MBX-ORDER-COUNT-1M"), {**COUNT, "required": False}),
        "mock-every_header_is_sent",
    ),
    change(
        "a required header more",
        put((*OK, "headers", "X-MBX-ORDER-COUNT-1M"), {**COUNT, "required": True}),
        "mock-every_header_is_sent",
        "requests-generated_cases",
    ),
    change(
        "a smaller maximum of error codes",
        together(
            put((*ERROR, "properties", "code", "maximum"), -1),
            put(
                (
                    *RESPONSES,
                    "RestrictedLocation",
                    "content",
                    JSON_TYPE,
                    "examples",
                    "restricted",
                    "value",
                    "code",
                ),
                -1,
            ),
        ),
        "mock-error_codes_are_listed",
    ),
    change(
        "no maximum of error codes", drop((*ERROR, "properties", "code", "maximum")), reason=WIDER
    ),
    change(
        "a minimum of error codes",
        together(
            put((*ERROR, "properties", "code", "minimum"), -1999),
            put((*ERROR, "properties", "code", "examples"), [-1121]),
            change_error_examples(
                lambda value: value.update(code=max(value.get("code", -1000), -1999))
            ),
        ),
        "mock-generated_cases",
    ),
    change(
        "error codes have 32 bits",
        put((*ERROR, "properties", "code", "format"), "int32"),
        reason=WIDER,
    ),
    change("an error without a code", make_optional(ERROR, "code"), reason=WIDER),
    change("an error without a message", make_optional(ERROR, "msg"), reason=WIDER),
    change(
        "error codes are texts",
        together(
            put((*ERROR, "properties", "code"), TEXT),
            change_error_examples(
                lambda value: value.update(code=str(value["code"])) if "code" in value else None
            ),
            put((*FAULT, "properties", "code"), TEXT),
        ),
        "mock-error_codes_are_listed",
        "requests-generated_cases",
    ),
    change(
        "another name of error messages",
        together(
            *(rename((*place, "properties", "msg"), "message") for place in (ERROR, FAULT)),
            put((*ERROR, "required"), ["code", "message"]),
            put((*FAULT, "required"), ["message"]),
            change_error_examples(lambda value: value.update(message=value.pop("msg"))),
        ),
        "mock-error_codes_are_listed",
        "requests-generated_cases",
    ),
    change(
        "short error messages",
        together(
            put((*ERROR, "properties", "msg", "maxLength"), 20),
            change_error_examples(lambda value: value.update(msg=value["msg"][:20])),
        ),
        "mock-error_codes_are_listed",
        "requests-generated_cases",
    ),
    change(
        "a field of errors more",
        together(
            put((*ERROR, "properties", "data"), TEXT),
            put((*ERROR, "required"), ["code", "msg", "data"]),
            change_error_examples(lambda value: value.update(data="x")),
        ),
        "mock-generated_cases",
        "requests-generated_cases",
    ),
    change(
        "a smaller maximum of fault codes",
        together(
            put((*FAULT, "properties", "code", "maximum"), -1001),
            put((*FAULT, "properties", "code", "examples"), [-1001]),
            change_error_examples(
                lambda value: value.update(code=min(value.get("code", -1001), -1001))
            ),
        ),
        "mock-error_codes_are_listed",
    ),
    change(
        "a fault always has a code",
        together(
            put((*FAULT, "required"), ["code", "msg"]),
            change_error_examples(lambda value: value.setdefault("code", -1000)),
        ),
        "mock-faults_are_described",
    ),
    change("a fault without a message", put((*FAULT, "required"), []), reason=WIDER),
    change(
        "a page of the firewall is an error",
        put((*RESPONSES, "Firewall", "content", JSON_TYPE, "schema"), TO_ERROR),
        reason=WIDER,
    ),
)
