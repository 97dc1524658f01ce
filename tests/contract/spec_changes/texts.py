"""Changes of error codes, servers, links and texts."""

from __future__ import annotations

from typing import Final

from tests.generator.changes.edits import drop, put
from tests.specs.places import BALANCE, REFUSED, ROW

from .change import CODES, JSON_TYPE, LINK, RESPONSES, change, rename, together

NEW_CODE: Final = {
    "name": "NEW",
    "kind": "rate-limit",
    "meaning": "new",
    "hint": "a new hint",
    "messages": ["New."],
}
FOR_PEOPLE: Final = "a text for people; no call depends on it"
FOR_TOOLS: Final = "it says how calls follow each other, which a product does not do by itself"
EXAMPLE: Final = "an example is a value that fits; the product need not send it"

CHANGES: Final = (
    change(
        "a code is not listed that the mock sends",
        drop((*CODES, "-1104")),
        "mock-error_codes_are_listed",
        "mock-error_codes_are_listed",
        "responses-unlisted_codes_are_judged_by_status",
    ),
    change(
        "a code is not listed that the mock never sends by itself",
        drop((*CODES, "-4084")),
        "responses-unlisted_codes_are_judged_by_status",
    ),
    change(
        "a code of keys is not listed",
        drop((*CODES, "-2017")),
        "responses-unlisted_codes_are_judged_by_status",
    ),
    change("a code more", put((*CODES, "-1199"), NEW_CODE), "mock-error_codes_are_listed"),
    change(
        "another number of a code",
        rename((*CODES, "-2008"), "-2009"),
        "mock-error_codes_are_listed",
        "responses-unlisted_codes_are_judged_by_status",
    ),
    change(
        "another kind of a code",
        put((*CODES, "-1131", "kind"), "server"),
        "responses-error_responses_are_classified",
    ),
    change(
        "another kind of a code of keys",
        put((*CODES, "-1099", "kind"), "bad-request"),
        "responses-error_responses_are_classified",
    ),
    change(
        "a code becomes permanent",
        put((*CODES, "-1001", "retryable"), False),
        "responses-permanent_codes_are_not_retryable",
    ),
    change(
        "a permanent code may pass",
        drop((*CODES, "-1015", "retryable")),
        "responses-permanent_codes_are_not_retryable",
    ),
    change(
        "another hint",
        put((*CODES, "-1105", "hint"), "another hint"),
        "responses-error_responses_are_classified",
    ),
    change(
        "another hint of a rare code",
        put((*CODES, "-4084", "hint"), "another hint"),
        "responses-error_responses_are_classified",
    ),
    change(
        "another message",
        put((*CODES, "-1104", "messages"), ["Another message."]),
        "mock-error_codes_are_listed",
    ),
    change(
        "another message of a rare code",
        put((*CODES, "-4084", "messages"), ["Another message."]),
        "mock-error_codes_are_listed",
    ),
    change(
        "another name of a code",
        put((*CODES, "-4084", "name"), "OTHER"),
        reason="a name for readers of the document; responses have numbers",
    ),
    change(
        "another meaning", put((*CODES, "-4084", "meaning"), "another meaning"), reason=FOR_PEOPLE
    ),
    change(
        "another Chinese hint", put((*CODES, "-4084", "x-hint-zh"), "其他提示"), reason=FOR_PEOPLE
    ),
    change(
        "another Chinese meaning",
        put((*CODES, "-4084", "x-meaning-zh"), "其他含义"),
        reason=FOR_PEOPLE,
    ),
    change(
        "another tag",
        put((*BALANCE, "tags"), ["market"]),
        reason="a folder of the generated code, and a heading",
    ),
    change(
        "another source of a code", put((*CODES, "-4084", "source"), "[err]"), reason=FOR_PEOPLE
    ),
    change(
        "another production host",
        put(("servers", 0, "url"), "https://other.binance.com"),
        "requests-generated_cases",
        "requests-base_urls_are_described",
    ),
    change(
        "another demo host",
        put(("servers", 1, "url"), "https://other.binance.com"),
        "requests-base_urls_are_described",
    ),
    change(
        "another address of the mock",
        put(("servers", 2, "url"), "http://127.0.0.1:8788"),
        reason="where `mock serve` listens is an option of the command",
    ),
    change(
        "another name of an environment",
        put(("servers", 1, "x-environment"), "testnet"),
        "requests-base_urls_are_described",
    ),
    change("no demo server", drop(("servers", 1)), "requests-base_urls_are_described"),
    change(
        "another example of an error",
        put((*REFUSED, "content", JSON_TYPE, "examples", "timestamp", "value", "msg"), "Late."),
        reason=EXAMPLE,
    ),
    change(
        "another example of a page",
        put(
            (*RESPONSES, "Firewall", "content", "text/html", "examples", "page", "value"),
            "<html></html>",
        ),
        reason=EXAMPLE,
    ),
    change(
        "other parameters of a link", drop((*LINK, "parameters", "recvWindow")), reason=FOR_TOOLS
    ),
    change("no link", drop(LINK[:-1]), reason=FOR_TOOLS),
    change("another summary", put((*BALANCE, "summary"), "Another summary."), reason=FOR_PEOPLE),
    change(
        "another description",
        put((*BALANCE, "description"), "Another description."),
        reason=FOR_PEOPLE,
    ),
    change(
        "another description of a schema",
        put((*ROW, "description"), "Another description."),
        reason=FOR_PEOPLE,
    ),
    change(
        "another description of a server",
        put(("servers", 1, "description"), "Another description."),
        reason=FOR_PEOPLE,
    ),
    change("another title", together(put(("info", "title"), "Another")), reason=FOR_PEOPLE),
    change("another version of the document", put(("info", "version"), "9.9.9"), reason=FOR_PEOPLE),
    change(
        "another page",
        put((*BALANCE, "externalDocs", "url"), "https://developers.binance.com/other"),
        reason=FOR_PEOPLE,
    ),
    change("another source", put(("x-sources", "page"), "Another."), reason=FOR_PEOPLE),
)
