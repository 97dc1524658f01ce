"""What the contract says beyond schemas, written by hand as a second opinion on the product.

Nothing here is imported from the product's tables, and nothing repeats the spec.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    Response,
    ServerError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
)
from binance_usdm.contract._cases.raw_requests import KEY
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.exact_json import decode
from binance_usdm.contract._spec.response_model import DescribedResponse

Outcome: TypeAlias = tuple[type, int, int | None]
"""Class of the response or error, HTTP status, and the exchange's code."""
# Keys that are sent, and the code of the error response; 0 for a valid key.
KEYS: Final[tuple[tuple[tuple[str, ...], int], ...]] = (
    ((KEY,), 0),
    (("unknown-key",), -2015),
    ((KEY.upper(),), -2015),
    (("",), -2014),
    (("a b",), -2014),
    (("a", "b"), -2014),
)
# Status and code of a response, and the requests of a client with three attempts.
ATTEMPTS: Final = (
    (400, -1022, 1),
    (400, -1102, 1),
    (401, -2015, 1),
    (403, None, 1),
    (404, None, 1),
    (500, -1000, 3),
    (503, None, 3),
    (302, None, 1),
)
# Values that are not of a type, though Python or an HTML form would accept them.
OTHER_TYPES: Final[dict[str, tuple[Any, ...]]] = {
    "integer": (True, 5000.0, "5000", Decimal(5000), b"5000", [5000]),
    "boolean": (1, 0, "true", "false"),
    "string": (1, 1.5, True, b"x", ["x"]),
}


class MockFault(NamedTuple):
    """A fault of the mock: its response, and what the client makes of it.

    A fault without a status changes the usual response.
    """

    status: int | None
    code: int | None
    outcome: type


MOCK_FAULTS: Final = {
    "waf": MockFault(403, None, ForbiddenError),
    "not-found": MockFault(404, None, BadRequestError),
    "timeout": MockFault(408, -1007, ServerError),
    "banned": MockFault(418, -1003, IPBannedError),
    "rate-limited": MockFault(429, -1003, RateLimitError),
    "restricted": MockFault(451, 0, ForbiddenError),
    "wrong-environment": MockFault(401, -2008, AuthenticationError),
    "unknown": MockFault(503, None, ServerError),
    "unavailable": MockFault(503, None, ServerError),
    "throttled": MockFault(503, -1008, ServerError),
    "internal": MockFault(503, -1001, ServerError),
    "html-503": MockFault(503, None, ServerError),
    "gateway": MockFault(502, None, ServerError),
    "error-500": MockFault(500, -1000, ServerError),
    "error": MockFault(500, -1000, ServerError),
    "extra-member": MockFault(200, None, Response),
    "missing-member": MockFault(200, None, UnexpectedResponse),
    "retyped-member": MockFault(200, None, UnexpectedResponse),
    "odd-json": MockFault(200, None, UnexpectedResponse),
    "wrong-type": MockFault(None, None, Response),
    "gzip": MockFault(200, None, Response),
    "empty-200": MockFault(200, None, UnexpectedResponse),
    "truncated": MockFault(200, None, UnexpectedResponse),
    "html-200": MockFault(200, None, UnexpectedResponse),
    "error-in-200": MockFault(200, -1000, ServerError),
    "redirect": MockFault(302, None, UnexpectedResponse),
    "latency": MockFault(None, None, Response),
    "slow": MockFault(None, None, Response),
    "cut": MockFault(None, None, TransportError),
    "reset": MockFault(None, None, TransportError),
}
# They change the last field of each row.
BODY_FAULTS: Final = ("extra-member", "missing-member", "retyped-member", "wrong-type", "odd-json")

CLASS_BY_KIND: Final[dict[str, type[APIError]]] = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "server": ServerError,
}
CLASS_BY_STATUS: Final[dict[int, type[APIError]]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: ForbiddenError,
}
# What goes wrong first, mostly.
HINTED_CODES: Final = {-1021, -1022, -2008, -2014, -2015, -4109}
# A limit of orders, and a service that was shut down.
PERMANENT_CODES: Final = {-1015, -1016}


def error_class(document: Json, status: int, code: int | None, message: str = "") -> type[APIError]:
    """Return the class of an error response: by the kind of its code, else by its status.

    HTTP status 418 always means a ban, and a limit whose message says so is one.
    """
    default = ServerError if status >= 500 else BadRequestError
    by_status = CLASS_BY_STATUS.get(status, default)
    kind = document["x-error-codes"].get(str(code), {}).get("kind", "")
    by_code = CLASS_BY_KIND.get(kind, by_status)
    is_ban = by_code is RateLimitError and re.search(r"banned until \d{13}\b", message)
    return IPBannedError if is_ban or by_status is IPBannedError else by_code


def is_retryable(error: type, code: int | None) -> bool:
    return error in (RateLimitError, ServerError) and code not in PERMANENT_CODES


def expected_outcome(response: DescribedResponse, status: int, body: bytes) -> Outcome:
    """Return what the client makes of a response, by the spec."""
    if status == 200 and response.describes(body):
        is_valid = response.names_one_account(body)
        return Response if is_valid else UnexpectedResponse, 200, None
    return expected_error(response, status, body)


def expected_error(response: DescribedResponse, status: int, body: bytes) -> Outcome:
    """Return what the client makes of a response whose body is not a described value."""
    code, message = _code_and_message(body)
    if (status == 200 and code is not None and code <= 0) or 400 <= status < 600:
        return error_class(response.document, status, code, message), status, code
    return UnexpectedResponse, status, None


def _code_and_message(body: bytes) -> tuple[int | None, str]:
    try:
        value = decode(body)
    except (ValueError, RecursionError):
        value = None
    fields = value if isinstance(value, dict) else {}
    code, message = fields.get("code"), fields.get("msg")
    return code if type(code) is int else None, message if type(message) is str else ""
