"""Seeded faults of the mock exchange: one small patch each, and the checks of layer A that notice it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

import pytest

from binance_usdm.mock import pipeline
from binance_usdm.mock.core import accounts as account
from binance_usdm.mock.core import query
from binance_usdm.mock.core import schema as values
from binance_usdm.mock.core import spec as contract
from binance_usdm.mock.core import weight as limits
from binance_usdm.mock.core.response import Reply, error_response
from binance_usdm.mock.faults.catalogue import FAULTS as SCRIPTED
from binance_usdm.mock.verify import checks as rules
from binance_usdm.mock.verify import rejection
from binance_usdm.mock.verify.rejection import RejectionError

Patch = pytest.MonkeyPatch
FaultPatch = Callable[[Patch], None]


def _sets(owner: Any, name: str, value: Any) -> FaultPatch:
    return lambda patch: patch.setattr(owner, name, value)


def _wraps(owner: Any, name: str, change: Callable[[Any], Any]) -> FaultPatch:
    """Whatever the function of this name returns is changed before anybody gets it."""
    original = getattr(owner, name)
    return _sets(owner, name, lambda *given, **named: change(original(*given, **named)))


def _checks(
    name: str, check: Callable[[rules.RequestContext, contract.Operation], None]
) -> FaultPatch:
    return lambda patch: patch.setitem(cast("dict[str, Any]", rules._CHECKS), name, check)


def _forgives(code: int) -> FaultPatch:
    """What the parameters check would refuse with this code, it lets pass."""
    check = rules._CHECKS["parameters"]

    def forgiving(inquiry: rules.RequestContext, operation: contract.Operation) -> None:
        try:
            check(inquiry, operation)
        except RejectionError as refused:
            if refused.code != code:
                raise

    return _checks("parameters", forgiving)


def _parameters(**changed: Any) -> FaultPatch:
    """Every parameter of the contract is another one in this respect."""
    return _wraps(
        contract.ApiSpec, "_parse_parameter", lambda parameter: replace(parameter, **changed)
    )


def _ok(change: Callable[[Reply], Reply]) -> FaultPatch:
    return _wraps(pipeline, "json_ok_response", change)


def _change_rows(change: Callable[[Any], Any]) -> FaultPatch:
    """Every object of a good answer is changed."""

    def body(text: bytes) -> bytes:
        value = json.loads(text)
        return json.dumps(
            [change(row) for row in value] if isinstance(value, list) else change(value)
        ).encode()

    return _ok(lambda reply: replace(reply, body=body(reply.body)))


def _without(header: bytes) -> Callable[[Reply], Reply]:
    return lambda reply: replace(
        reply, headers=tuple(each for each in reply.headers if each[0] != header)
    )


def _exact_hex(self: account.ApiKey, payload: bytes, text: str) -> bool:
    return hmac.new(str(self.secret).encode(), payload, hashlib.sha256).hexdigest() == text


def _rounded(row: Any) -> Any:
    return {
        name: re.sub(r"(\.\d\d)\d+$", r"\1", value) if isinstance(value, str) else value
        for name, value in row.items()
    }


def _ignoring_case(key_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda inquiry: key_of(replace(inquiry, api_key=inquiry.api_key.lower()))


def _signature_anywhere(self: query.Query, name: str, *, last: bool) -> Any:
    return _SIGNED(self, name, last=False)


def _decoded(self: query.Query, name: str, *, last: bool) -> Any:
    signed = _SIGNED(self, name, last=last)
    return signed and (unquote_to_bytes(signed[0]), signed[1])


def _windowless(operation: contract.Operation) -> contract.Operation:
    return replace(
        operation,
        parameters_by_role={
            role: each for role, each in operation.parameters_by_role.items() if role != "window"
        },
    )


def _numbered(row: Any) -> Any:
    return {
        name: float(value) if re.fullmatch(r"-?\d+\.\d+", str(value)) else value
        for name, value in row.items()
    }


_SIGNED = query.Query.split_signature
_BODY = pipeline.Pipeline._response_body

SHAPE = {"content_is_exact", "response_schema_conformance"}
FAULTS: Final[dict[str, tuple[FaultPatch, set[str]]]] = {
    "signature not checked": (
        _sets(account.ApiKey, "verify", lambda *given: True),
        {"signature_enforced"},
    ),
    "signature in upper case refused": (
        _sets(account.ApiKey, "verify", _exact_hex),
        {"signature_enforced"},
    ),
    "signature may stand anywhere": (
        _sets(query.Query, "split_signature", _signature_anywhere),
        {"signature_enforced"},
    ),
    "key not checked": (
        _sets(rules, "_find_key", lambda inquiry: next(iter(inquiry.keys.values()))),
        {"content_is_exact", "ignored_auth", "keys_are_checked"},
    ),
    "key in any case": (
        lambda patch: patch.setattr(rules, "_find_key", _ignoring_case(rules._find_key)),
        {"keys_are_checked"},
    ),
    "key refused with 400": (
        _sets(rejection, "STATUS_BY_CODE", {}),
        {"ignored_auth", "keys_are_checked"},
    ),
    "everybody gets the first account": (
        _sets(
            pipeline.Pipeline,
            "_response_body",
            lambda self, operation, account, now: _BODY(self, operation, self._state.account, now),
        ),
        {"content_is_exact"},
    ),
    "time not checked": (
        _checks("timestamp", lambda inquiry, operation: None),
        {"time_is_checked"},
    ),
    "window sent but ignored": (
        _wraps(contract.ApiSpec, "_parse_operation", _windowless),
        {"time_is_checked"},
    ),
    "one ms too far ahead": (_sets(rules, "MAX_AHEAD_MS", 1001), {"time_is_checked"}),
    "one ms too old": (_sets(rules, "DEFAULT_RECV_WINDOW_MS", 5001), {"time_is_checked"}),
    "duplicates accepted": (_forgives(-1101), {"duplicates_are_refused"}),
    "unknown parameters accepted": (
        _forgives(-1104),
        {
            "every_status_is_produced",
            "only_described_is_accepted",
            "unknown_parameters_are_refused",
        },
    ),
    "timestamp may be missing": (_parameters(required=False), {"only_described_is_accepted"}),
    "window must be sent": (
        _parameters(required=True),
        {
            "positive_data_acceptance",
            "content_is_exact",
            "keys_are_checked",
            "time_is_checked",
            "unknown_parameters_are_refused",
            "weight_is_counted",
        },
    ),
    "refused as a fault of the server": (
        _sets(RejectionError, "status", lambda self, switches: 500),
        {
            "not_a_server_error",
            "missing_required_header",
            "ignored_auth",
            "signature_enforced",
            "duplicates_are_refused",
            "every_status_is_produced",
            "keys_are_checked",
            "time_is_checked",
            "unknown_parameters_are_refused",
        },
    ),
    "a scripted fault nobody describes": (
        lambda patch: patch.setitem(
            cast("dict[str, Any]", SCRIPTED),
            "timeout",
            replace(
                SCRIPTED["timeout"], make_response=lambda scene: error_response(409, -1007, "")
            ),
        ),
        {"faults_are_described", "every_status_is_produced"},
    ),
    "range of values not checked": (
        _sets(values, "_constraints", lambda *given: []),
        {"only_described_is_accepted"},
    ),
    "type of values not checked": (
        _parameters(validate=lambda text: None),
        {"not_a_server_error", "only_described_is_accepted"},
    ),
    "any method answered": (
        _sets(
            contract.ApiSpec,
            "find_operation",
            lambda self, method, path: next(
                (each for each in self.operations if each.path == path), None
            ),
        ),
        {"undeclared_method"},
    ),
    "empty list": (_ok(lambda reply: replace(reply, body=b"[]")), SHAPE | {"the_clock_is_told"}),
    "rounded to two decimals": (_change_rows(_rounded), {"content_is_exact"}),
    "last member dropped": (
        _change_rows(lambda row: dict([*row.items()][:-1])),
        SHAPE | {"the_clock_is_told"},
    ),
    "number in the place of text": (_change_rows(_numbered), SHAPE),
    "members null": (_change_rows(lambda row: dict.fromkeys(row)), SHAPE | {"the_clock_is_told"}),
    "status 202": (
        _ok(lambda reply: replace(reply, status=202)),
        {
            "status_code_conformance",
            "content_is_exact",
            "keys_are_checked",
            "time_is_checked",
            "weight_is_counted",
        },
    ),
    "JSON cut": (
        _ok(lambda reply: replace(reply, body=reply.body[:-2])),
        SHAPE | {"the_clock_is_told"},
    ),
    "content type text": (
        _ok(
            lambda reply: replace(
                reply, headers=((b"Content-Type", b"text/plain"), *reply.headers[1:])
            )
        ),
        {"content_type_conformance"},
    ),
    "no weight in the answer": (
        _wraps(pipeline.Pipeline, "_respond", _without(b"X-MBX-USED-WEIGHT-1M")),
        {"weight_is_counted"},
    ),
    "signature over decoded bytes": (
        _sets(query.Query, "split_signature", _decoded),
        {"signature_enforced"},
    ),
    "no time to wait in 429 and 418": (
        _wraps(limits, "_with_retry_after", _without(b"Retry-After")),
        {"weight_is_counted"},
    ),
    "refusal without code": (
        _wraps(pipeline, "error_response", lambda reply: replace(reply, body=b'{"msg":"no"}')),
        {
            "response_schema_conformance",
            "signature_enforced",
            "undeclared_method",
            "duplicates_are_refused",
            "keys_are_checked",
            "time_is_checked",
            "unknown_parameters_are_refused",
        },
    ),
    "clock stands still": (
        _sets(contract.ApiSpec, "_fill_fields", lambda self, schema, value, now, alias: value),
        {"the_clock_is_told"},
    ),
}
"""Name -> how to plant it, and by which checks it is caught."""
