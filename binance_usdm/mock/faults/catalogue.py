"""What else the exchange, and what stands in front of it, has been seen to answer. Knows no request and no rule.

A fault takes the place of the whole treatment of a request: no route, key, parameter or signature is looked at. Those that
``treat`` let the request be treated as ever, and change what becomes of its answer.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.response import (
    Delivery,
    Reply,
    error_response,
    html_response,
    json_ok_response,
    json_response,
)
from binance_usdm.mock.core.switches import Switches
from binance_usdm.mock.core.weight import banned_response, rate_limited_response

from . import body_changes as drift

Option = float | str


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault can build on.

    ``good`` is the body a good call would have got, ``answer`` treats the request, ``errors`` are the contract's codes.
    """

    normal_body: bytes
    now: int
    switches: Switches
    path: str
    normal_response: Callable[[], Reply]
    error_codes: Mapping[str, Any]
    rng: Random


@dataclass(frozen=True, slots=True)
class Fault:
    """A scripted answer and its ``options``, shown with their defaults.

    ``weighed``: it costs weight and says so, below status 500; ``off_spec``: why no document describes it.
    """

    description: str
    make_response: Callable[..., Reply]
    options: Mapping[str, Option] = field(default_factory=dict)
    costs_weight: bool = True
    spec_violation: str = ""

    def resolve_options(self, given: Mapping[str, Option]) -> dict[str, Option]:
        """All options, those given in the place of their defaults; ValueError for what is none."""
        for name, value in given.items():
            if name not in self.options:
                raise ValueError(f"no option {name}; there are {', '.join(self.options) or 'none'}")
            default = self.options[name]
            if isinstance(default, str) or isinstance(value, str):
                good = type(default) is type(value) and value in _OPTION_CHOICES.get(name, (value,))
            else:
                exact = type(value) is int or (type(value) is float and type(default) is float)
                good = exact and (default < 0 or 0 <= value < float("inf"))
            if not good or not _OPTION_PATTERNS.get(name, re.compile("")).match(str(value)):
                wanted = (
                    ", ".join(_OPTION_CHOICES.get(name, ()))
                    or f"like {default!r}, and not negative"
                )
                raise ValueError(f"option {name} must be {wanted}")
        return {**self.options, **given}


def _error_factory(status: int, code: int | None, text: str) -> Callable[[FaultContext], Reply]:
    def make_response(scene: FaultContext) -> Reply:
        return error_response(
            status if code is None else scene.switches.statuses.get(code, status), code, text
        )

    return make_response


def _page_factory(status: int, title: str) -> Callable[[FaultContext], Reply]:
    return lambda scene: html_response(status, title)


def _unavailable_factory(code: int | None, text: str) -> Callable[..., Reply]:
    """A 503 in the shapes that were seen: with a code, without one, as a framework's default error, as a page."""

    def make_response(scene: FaultContext, shape: str) -> Reply:
        if shape == "page":
            return html_response(503, "Service unavailable")
        if shape == "framework":  # seen with the first text, and without a code
            return json_response(503, {"timestamp": scene.now, "path": scene.path, "msg": text})
        return _error_factory(503, code if shape == "default" else None, text)(scene)

    return make_response


def _any_error(scene: FaultContext, code: int, status: int) -> Reply:
    """Any code of the contract, with its first text; what the text leaves open stays open."""
    known = scene.error_codes.get(
        str(code), {"kind": "bad-request", "messages": ["An error nobody described."]}
    )
    usual = scene.switches.statuses.get(
        code, _STATUS_OF_CODE.get(code, _STATUS_OF_KIND[known["kind"]])
    )
    return error_response(status or usual, code, known["messages"][0])


def _latency(scene: FaultContext, seconds: float, jitter: float) -> Reply:
    return replace(
        scene.normal_response(), delivery=Delivery(latency=seconds + jitter * scene.rng.random())
    )


def _delivery_factory(**names: str) -> Callable[..., Reply]:
    """The answer, its delivery changed: option -> what it is called there."""

    def make_response(scene: FaultContext, **options: Any) -> Reply:
        changed = {names.get(name, name): value for name, value in options.items()}
        return replace(scene.normal_response(), delivery=Delivery(**changed))

    return make_response


def _reset(scene: FaultContext, after: int) -> Reply:
    return replace(scene.normal_response(), delivery=Delivery(reset=True, cut=after or None))


def _with_content_type(scene: FaultContext, type: str) -> Reply:  # the option's name  # noqa: A002
    answer = scene.normal_response()
    headers = [
        (name, type.encode() if name == b"Content-Type" else value)
        for name, value in answer.headers
    ]
    return replace(answer, headers=tuple(headers))


_OPTION_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "shape": ("default", "bare", "framework", "page"),
    "becomes": tuple(drift.REPLACEMENT_VALUES),
    "kind": tuple(drift.JSON_QUIRKS),
}
_OPTION_PATTERNS: Final = {
    "type": re.compile(r"[ -~]+\Z"),
    "status": re.compile(r"(?:0|[2-5][0-9]{2})\Z"),
    "code": re.compile(r"(?:0|-[0-9]{1,6})\Z"),
}
_STATUS_OF_KIND: Final = {
    "authentication": 401,
    "timestamp": 400,
    "rate-limit": 429,
    "bad-request": 400,
    "server": 500,
}
_STATUS_OF_CODE: Final = {-1001: 503, -1007: 408, -1008: 503, -1022: 400, -5000: 404}
_SHAPE: Final = {"shape": "default"}
_INTERNAL: Final = "An unknown error occured while processing the request."
_RESTRICTED: Final = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. "
    "Please contact customer service if you believe you received this message in error."
)
_THROTTLED: Final = "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."
_TIMEOUT: Final = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."

FAULTS: Final[Mapping[str, Fault]] = {
    "waf": Fault(
        "403, a page of the firewall", _page_factory(403, "Request blocked"), costs_weight=False
    ),
    "not-found": Fault("404 as a page", _page_factory(404, "Not found"), costs_weight=False),
    "timeout": Fault("408 -1007, the backend did not answer", _error_factory(408, -1007, _TIMEOUT)),
    "banned": Fault(
        "418 -1003, the reply of a ban; Exchange.ban is the ban itself",
        lambda scene: banned_response(
            scene.now + 1000 * scene.switches.ban_seconds, scene.now, scene.switches
        ),
    ),
    "rate-limited": Fault(
        "429 -1003, one reply; Exchange.spend uses the minute up",
        lambda scene: rate_limited_response(scene.now, scene.switches),
    ),
    "restricted": Fault(
        "451 with code 0, seen on the spot host",
        _error_factory(451, 0, _RESTRICTED),
        costs_weight=False,
    ),
    "wrong-environment": Fault(
        "401 -2008, a key of the other environment",
        _error_factory(401, -2008, "Invalid Api-Key ID."),
    ),
    "unknown": Fault(
        "503 without a code, execution unknown",
        _unavailable_factory(None, "Unknown error, please check your request or try again later."),
        _SHAPE,
    ),
    "unavailable": Fault(
        "503 without a code, certainly not executed",
        _unavailable_factory(None, "Service Unavailable."),
        _SHAPE,
    ),
    "throttled": Fault(
        "503 -1008, certainly not executed", _unavailable_factory(-1008, _THROTTLED), _SHAPE
    ),
    "internal": Fault(
        "503 -1001, certainly not executed",
        _unavailable_factory(
            -1001, "Internal error; unable to process your request. Please try again."
        ),
        _SHAPE,
    ),
    "html-503": Fault(
        "503 as a page of the content network", _page_factory(503, "Service unavailable")
    ),
    "gateway": Fault("502 as a page of the content network", _page_factory(502, "Bad gateway")),
    "error-500": Fault(
        "500 -1000, an error nobody explained", _error_factory(500, -1000, _INTERNAL)
    ),
    "error": Fault(
        "any code, with the contract's first text; status 0 is the code's usual one",
        _any_error,
        {"code": -1000, "status": 0},
    ),
    "extra-member": Fault(
        "200 with a member nobody described yet",
        lambda scene: json_ok_response(drift.add_unknown_field(scene.normal_body)),
    ),
    "missing-member": Fault(
        "200, a member gone from every row; the last one if none is named",
        lambda scene, member: json_ok_response(drift.remove_field(scene.normal_body, member)),
        {"member": ""},
        spec_violation="a member is required",
    ),
    "retyped-member": Fault(
        "200, a member of another type in every row",
        lambda scene, member, becomes: json_ok_response(
            drift.change_field_type(scene.normal_body, member, becomes)
        ),
        {"member": "", "becomes": "object"},
        spec_violation="a member has its type",
    ),
    "odd-json": Fault(
        "200, JSON at the edge of what JSON is",
        lambda scene, kind: json_ok_response(drift.apply_json_quirk(scene.normal_body, kind)),
        {"kind": "nan"},
        spec_violation="no JSON",
    ),
    "wrong-type": Fault(
        "the answer under another Content-Type",
        _with_content_type,
        {"type": "text/plain"},
        spec_violation="another media type",
        costs_weight=False,
    ),
    "gzip": Fault(
        "200, compressed though nobody asked",
        lambda scene: json_ok_response(gzip.compress(scene.normal_body, mtime=0)).with_header(
            b"Content-Encoding", b"gzip"
        ),
    ),
    "empty-200": Fault(
        "200 without a body", lambda scene: json_ok_response(b""), spec_violation="no JSON"
    ),
    "truncated": Fault(
        "200, the good body cut in the middle",
        lambda scene: json_ok_response(scene.normal_body[: len(scene.normal_body) // 2]),
        spec_violation="no JSON",
    ),
    "html-200": Fault(
        "200 as a page",
        _page_factory(200, "Maintenance"),
        spec_violation="no JSON",
        costs_weight=False,
    ),
    "error-in-200": Fault(
        "200 with the error payload",
        lambda scene: error_response(200, -1000, _INTERNAL),
        spec_violation="an error is no answer",
    ),
    "redirect": Fault(
        "302 to another host, which must never see the key",
        lambda scene: html_response(302, "Found").with_header(
            b"Location", b"https://elsewhere.invalid/"
        ),
        spec_violation="no redirect is documented",
        costs_weight=False,
    ),
    "latency": Fault(
        "the answer, late by seconds and up to jitter more",
        _latency,
        {"seconds": 1.0, "jitter": 0.0},
        costs_weight=False,
    ),
    "slow": Fault(
        "the answer, its body in pieces of chunk bytes, pause seconds apart",
        _delivery_factory(),
        {"chunk": 16, "pause": 0.05},
        costs_weight=False,
    ),
    "cut": Fault(
        "the answer, ended after so many bytes of its body",
        _delivery_factory(after="cut"),
        {"after": 1},
        costs_weight=False,
    ),
    "reset": Fault(
        "a TCP reset in the place of the answer, or after so many bytes of its body",
        _reset,
        {"after": 0},
        costs_weight=False,
    ),
}
"""Every scripted fault by name, for ``Exchange.fail``."""
