"""Responses of the faults."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from binance_usdm.mock.core.response import (
    Delivery,
    Reply,
    error_response,
    html_response,
    json_ok_response,
    json_response,
)
from binance_usdm.mock.state.weight import banned_response, rate_limited_response

from . import body_changes
from .fault import FaultContext

MakeResponse = Callable[..., Reply]
"""Function (FaultContext, **options) -> response."""

UNKNOWN_ERROR: Final = "An unknown error occured while processing the request."
_STATUS_BY_KIND: Final = {
    "authentication": 401,
    "timestamp": 400,
    "rate-limit": 429,
    "bad-request": 400,
    "server": 500,
}
_STATUS_BY_CODE: Final = {-1001: 503, -1007: 408, -1008: 503, -1022: 400, -5000: 404}
_UNDOCUMENTED: Final = {"kind": "bad-request", "messages": ["An undocumented error."]}


# -- error responses and pages


def error(status: int, code: int, text: str) -> MakeResponse:
    """Return a fault with a fixed error payload. The switch `statuses` may change its status."""

    def make_response(context: FaultContext) -> Reply:
        return error_response(context.switches.statuses.get(code, status), code, text)

    return make_response


def page(status: int, title: str) -> MakeResponse:
    """Return a fault with an HTML page."""
    return lambda context: html_response(status, title)


def service_unavailable(code: int | None, text: str) -> MakeResponse:
    """Return a fault with a 503 in the shape of the option `shape`.

    The shapes are those that were observed: the error payload with `code`, one without a code, the
    default error of a web framework, and an HTML page.
    """

    def make_response(context: FaultContext, shape: str) -> Reply:
        if shape == "page":
            return html_response(503, "Service unavailable")
        if shape == "framework":
            payload = {"timestamp": context.now, "path": context.path, "msg": text}
            return json_response(503, payload)
        if shape == "bare" or code is None:
            return error_response(503, None, text)
        return error(503, code, text)(context)

    return make_response


def any_error(context: FaultContext, code: int, status: int) -> Reply:
    """Return the error payload of a code, with the code's first message in the spec."""
    documented = context.error_codes.get(str(code), _UNDOCUMENTED)
    default_status = _STATUS_BY_CODE.get(code, _STATUS_BY_KIND[documented["kind"]])
    usual_status = context.switches.statuses.get(code, default_status)
    return error_response(status or usual_status, code, documented["messages"][0])


def ban_response(context: FaultContext) -> Reply:
    """Return the 418 of a ban, which does not begin."""
    until = context.now + 1000 * context.switches.ban_seconds
    return banned_response(until, context.now, context.switches)


def rate_limit_response(context: FaultContext) -> Reply:
    """Return the 429 of a used up minute."""
    return rate_limited_response(context.now, context.switches)


def error_in_200(context: FaultContext) -> Reply:
    """Return the error payload with status 200."""
    return error_response(200, -1000, UNKNOWN_ERROR)


def redirect(context: FaultContext) -> Reply:
    """Return a redirect to another host."""
    return html_response(302, "Found").with_header(b"Location", b"https://elsewhere.invalid/")


# -- changed bodies


def extra_member(context: FaultContext) -> Reply:
    """Return the normal body with an unknown field in every row."""
    return json_ok_response(body_changes.add_unknown_field(context.normal_body))


def missing_member(context: FaultContext, member: str) -> Reply:
    """Return the normal body without a field."""
    return json_ok_response(body_changes.remove_field(context.normal_body, member))


def retyped_member(context: FaultContext, member: str, becomes: str) -> Reply:
    """Return the normal body with a field of another type."""
    return json_ok_response(body_changes.change_field_type(context.normal_body, member, becomes))


def odd_json(context: FaultContext, kind: str) -> Reply:
    """Return the normal body as invalid or unusual JSON."""
    return json_ok_response(body_changes.apply_json_quirk(context.normal_body, kind))


def compressed(context: FaultContext) -> Reply:
    """Return the normal body compressed."""
    packed = gzip.compress(context.normal_body, mtime=0)
    return json_ok_response(packed).with_header(b"Content-Encoding", b"gzip")


def empty(context: FaultContext) -> Reply:
    """Return a 200 with an empty body."""
    return json_ok_response(b"")


def truncated(context: FaultContext) -> Reply:
    """Return the first half of the normal body, announced as complete."""
    return json_ok_response(context.normal_body[: len(context.normal_body) // 2])


# -- the normal response, delivered or labeled in another way


# The parameter has the name of the option.
def wrong_type(context: FaultContext, type: str) -> Reply:  # noqa: A002
    """Return the normal response with another Content-Type."""
    reply = context.normal_response()
    headers = [
        (name, type.encode() if name == b"Content-Type" else value) for name, value in reply.headers
    ]
    return replace(reply, headers=tuple(headers))


def late(context: FaultContext, seconds: float, jitter: float) -> Reply:
    """Return the normal response after `seconds`, and up to `jitter` seconds more."""
    latency = seconds + jitter * context.rng.random()
    return replace(context.normal_response(), delivery=Delivery(latency=latency))


def slow(context: FaultContext, chunk: int, pause: float) -> Reply:
    """Return the normal response in pieces of `chunk` bytes, `pause` seconds apart."""
    return replace(context.normal_response(), delivery=Delivery(chunk=chunk, pause=pause))


def cut(context: FaultContext, after: int) -> Reply:
    """Return the normal response, whose connection ends after `after` bytes of the body."""
    return replace(context.normal_response(), delivery=Delivery(cut=after))


def reset(context: FaultContext, after: int) -> Reply:
    """Return the normal response with a TCP reset after `after` bytes of the body, or at once."""
    return replace(context.normal_response(), delivery=Delivery(reset=True, cut=after or None))
