"""Seeded faults in what only the document names: headers, media types, codes, messages, servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from binance_usdm import AuthenticationError
from binance_usdm.mock import Reply
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .response_checks import ATTEMPTS, BUDGET, BUDGET_KNOWN, DELAYS, EVENTS, TOLD
from .seeded_fault import seed

mock_fault = partial(seed, "mock")
request_fault = partial(seed, "requests")
response_fault = partial(seed, "responses")

DESCRIBED: Final = "headers_are_described"
SENT: Final = "every_header_is_sent"
TYPES_SENT: Final = "every_media_type_is_sent"
LISTED: Final = "error_codes_are_listed"


def change_reply(status: int, change: Callable[[Reply], Reply]) -> Patch:
    """Change every response with a status."""
    return points.RESPOND.change_result(
        lambda reply: change(reply) if reply.status == status else reply
    )


def with_type(reply: Reply, media_type: bytes) -> Reply:
    headers = [each for each in reply.headers if each[0] != b"Content-Type"]
    return replace(reply, headers=((b"Content-Type", media_type), *headers))


def change_fault(point: points.PatchPoint, change: Callable[[Reply], Reply]) -> Patch:
    """Change what a fault responds."""
    fault = point.value

    def make_response(*arguments: Any, **options: Any) -> Reply:
        return change(fault.make_response(*arguments, **options))

    return point.replace(replace(fault, make_response=make_response))


def reword(code: int, message: str) -> Patch:
    """Use another message for a code."""
    return points.ERROR_RESPONSE.wrap(
        lambda respond, status, found, text: respond(
            status, found, message if found == code else text
        )
    )


FAULTS: Final = (
    # The mock exchange.
    mock_fault("a header that no document has", DESCRIBED)(
        change_reply(200, lambda reply: reply.with_header(b"X-MBX-UUID", b"1"))
    ),
    mock_fault("a wait with the firewall's page", DESCRIBED)(
        change_fault(points.FIREWALL_FAULT, lambda reply: reply.with_header(b"Retry-After", b"1"))
    ),
    mock_fault("used weight twice", DESCRIBED)(
        change_reply(
            400,
            lambda reply: replace(reply, headers=(*reply.headers, (b"x-mbx-used-weight-1m", b"1"))),
        )
    ),
    mock_fault(
        "an error code as a decimal",
        LISTED,
        "signature_is_checked",
        "small_changes_follow_the_switches",
    )(
        points.ERROR_RESPONSE.change_result(
            lambda reply: replace(reply, body=reply.body.replace(b":-1022,", b":-1022.0,"))
        )
    ),
    mock_fault("no weight with a timeout", SENT)(
        points.ADD_WEIGHT_HEADER.wrap(
            lambda add, pipeline, context, reply: (
                reply if reply.status == 408 else add(pipeline, context, reply)
            )
        )
    ),
    mock_fault("the firewall never sends JSON", TYPES_SENT)(
        change_fault(points.ERROR_FAULT, lambda reply: with_type(reply, b"text/html"))
    ),
    mock_fault("a signature rejected in other words", LISTED)(
        reword(-1022, "The signature is wrong.")
    ),
    # The client, what it sends.
    request_fault("another host of an environment", "base_urls_are_described")(
        points.NAMED_BASE_URLS.replace("https://testnet.binancefuture.com")
    ),
    # The client, what it makes of responses.
    response_fault("codes near -1022 read as codes of keys", "unlisted_codes_are_judged_by_status")(
        points.ERROR_CLASS_BY_CODE.replace(
            {**points.ERROR_CLASS_BY_CODE.value, -1023: AuthenticationError}
        )
    ),
    response_fault(
        "used weight in lower case only",
        "described_weight_is_read",
        *(ATTEMPTS, BUDGET, BUDGET_KNOWN, EVENTS, TOLD),
    )(
        points.PARSE_USED_WEIGHT.wrap(
            lambda parse, headers: (
                parse(headers) if b"x-mbx-used-weight-1m" in dict(headers.raw) else None
            )
        )
    ),
    response_fault(
        "a code that may pass is permanent",
        DELAYS,
        "permanent_codes_are_not_retryable",
        "error_responses_are_classified",
        ATTEMPTS,
    )(points.NON_RETRYABLE_CODES.replace({*points.NON_RETRYABLE_CODES.value, -1006})),
)
