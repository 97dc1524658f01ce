"""Faults that can be injected.

A fault responds instead of all other steps of the exchange: route, key, parameters and signature
do not matter. Those that change the delivery or the Content-Type let the request be handled, and
change its response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import responses
from .fault import Fault

_SHAPE: Final = {"shape": "default"}
_RESTRICTED: Final = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in "
    "https://www.binance.com/en/terms. Please contact customer service if you believe you received "
    "this message in error."
)
_INTERNAL: Final = "Internal error; unable to process your request. Please try again."
_UNKNOWN: Final = "Unknown error, please check your request or try again later."
_THROTTLED: Final = (
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. "
    "Please try again."
)
_TIMEOUT: Final = (
    "Timeout waiting for response from backend server. Send status unknown; "
    "execution status unknown."
)

FAULTS: Final[Mapping[str, Fault]] = {
    "waf": Fault(
        "403, a page of the firewall", responses.page(403, "Request blocked"), costs_weight=False
    ),
    "not-found": Fault("404 as a page", responses.page(404, "Not found"), costs_weight=False),
    "timeout": Fault(
        "408 -1007, the backend did not respond", responses.error(408, -1007, _TIMEOUT)
    ),
    "banned": Fault(
        "418 -1003, the response of a ban; Exchange.ban starts a ban", responses.ban_response
    ),
    "rate-limited": Fault(
        "429 -1003, one response; Exchange.spend uses the weight of the minute",
        responses.rate_limit_response,
    ),
    "restricted": Fault(
        "451 with code 0, observed on the spot host",
        responses.error(451, 0, _RESTRICTED),
        costs_weight=False,
    ),
    "wrong-environment": Fault(
        "401 -2008, a key of the other environment",
        responses.error(401, -2008, "Invalid Api-Key ID."),
    ),
    "unknown": Fault(
        "503 without a code, execution unknown",
        responses.service_unavailable(None, _UNKNOWN),
        _SHAPE,
    ),
    "unavailable": Fault(
        "503 without a code, certainly not executed",
        responses.service_unavailable(None, "Service Unavailable."),
        _SHAPE,
    ),
    "throttled": Fault(
        "503 -1008, certainly not executed",
        responses.service_unavailable(-1008, _THROTTLED),
        _SHAPE,
    ),
    "internal": Fault(
        "503 -1001, certainly not executed",
        responses.service_unavailable(-1001, _INTERNAL),
        _SHAPE,
    ),
    "html-503": Fault(
        "503 as a page of the content delivery network",
        responses.page(503, "Service unavailable"),
    ),
    "gateway": Fault(
        "502 as a page of the content delivery network", responses.page(502, "Bad gateway")
    ),
    "error-500": Fault(
        "500 -1000, an unknown error", responses.error(500, -1000, responses.UNKNOWN_ERROR)
    ),
    "error": Fault(
        "any code, with its first message in the spec; status 0 is the usual one of the code",
        responses.any_error,
        {"code": -1000, "status": 0},
    ),
    "extra-member": Fault("200 with an unknown field in every row", responses.extra_member),
    "missing-member": Fault(
        "200 without a field in every row; the last one if none is named",
        responses.missing_member,
        {"member": ""},
        spec_violation="the field is required",
    ),
    "retyped-member": Fault(
        "200 with a field of another type in every row; the last one if none is named",
        responses.retyped_member,
        {"member": "", "becomes": "object"},
        spec_violation="the field has another type",
    ),
    "odd-json": Fault(
        "200 with invalid or unusual JSON",
        responses.odd_json,
        {"kind": "nan"},
        spec_violation="not JSON",
    ),
    "wrong-type": Fault(
        "the normal response with another Content-Type",
        responses.wrong_type,
        {"type": "text/plain"},
        spec_violation="another media type",
        costs_weight=False,
    ),
    "gzip": Fault("200, compressed although not accepted", responses.compressed),
    "empty-200": Fault("200 with an empty body", responses.empty, spec_violation="not JSON"),
    "truncated": Fault(
        "200 with the first half of the body", responses.truncated, spec_violation="not JSON"
    ),
    "html-200": Fault(
        "200 as a page",
        responses.page(200, "Maintenance"),
        spec_violation="not JSON",
        costs_weight=False,
    ),
    "error-in-200": Fault(
        "200 with the error payload",
        responses.error_in_200,
        spec_violation="an error payload instead of the body",
    ),
    "redirect": Fault(
        "302 to another host, which must not receive the key",
        responses.redirect,
        spec_violation="no redirect is documented",
        costs_weight=False,
    ),
    "latency": Fault(
        "the normal response after some seconds, and up to jitter seconds more",
        responses.late,
        {"seconds": 1.0, "jitter": 0.0},
        costs_weight=False,
    ),
    "slow": Fault(
        "the normal response, its body in pieces of chunk bytes, pause seconds apart",
        responses.slow,
        {"chunk": 16, "pause": 0.05},
        costs_weight=False,
    ),
    "cut": Fault(
        "the normal response, its connection closed after that many bytes of the body",
        responses.cut,
        {"after": 1},
        costs_weight=False,
    ),
    "reset": Fault(
        "a TCP reset instead of the response, or after that many bytes of its body",
        responses.reset,
        {"after": 0},
        costs_weight=False,
    ),
}
"""All faults by name, for `Exchange.fail`."""
