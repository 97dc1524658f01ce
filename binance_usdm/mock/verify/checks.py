"""Checks that a request must pass: key, parameters, timestamp, signature.

Numbers are those of the documentation (General Info, 2026-05). What it leaves open, the order of
the checks included, is a field of `core.switches.Switches`. The order within the check of
parameters is fixed: duplicates, each parameter of the operation, the signature, unknown names.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.switches import Switches
from binance_usdm.mock.spec.operation import Operation
from binance_usdm.mock.spec.parameters import Parameter
from binance_usdm.mock.spec.schema import Violation, allowed_pattern
from binance_usdm.mock.state.accounts import ApiKey
from binance_usdm.mock.state.request_log import Headers

from .diagnosis import explain_bad_signature
from .rejection import DUPLICATE_MESSAGE, MESSAGE_BY_CODE, RejectionError

DEFAULT_RECV_WINDOW_MS: Final = 5000
"""The recvWindow of a request that has none, in ms."""
MAX_AHEAD_MS: Final = 1000
"""How far a timestamp may be ahead of the exchange's clock, exclusive, in ms."""

_AHEAD_MESSAGE: Final = (
    f"Timestamp for this request was {MAX_AHEAD_MS}ms ahead of the server's time."
)
_CLOCK_HINT: Final = "clock=exchange.clock gives a client in Python the time of this exchange"
_HEX_BYTES: Final = re.compile(r"(?:[0-9a-fA-F]{2})+").fullmatch


# Without a repr, which would show key and signature.
@dataclass(slots=True, repr=False)
class RequestContext:
    """A request, and what the exchange has and finds out when it checks it.

    Attributes:
        address: IP address of the client.
        operation: Operation of method and path, or `None`.
        api_key: Key that was sent, empty without one.
        keys: All keys of the exchange by their string.
        now: Time of the exchange's clock in ms.
        is_replay: Whether the signature was used before.
        key: The key of `keys` that was sent, once it was found.
        rejection: Why the request is rejected, or `None`.
        checked_values: Strings by parameter that were found valid, `None` for one not sent.
        is_routed: Whether the exchange responds, or a fault changes its response. Other faults
            respond instead of it.
        path_values: Strings by parameter in the path, percent-decoded.
    """

    method: str
    path: str
    query: Query
    headers: Headers
    body: bytes
    address: str
    operation: Operation | None
    api_key: str
    keys: Mapping[str, ApiKey]
    now: int
    switches: Switches
    is_replay: bool = False
    key: ApiKey | None = None
    rejection: RejectionError | None = None
    checked_values: dict[str, str | None] = field(default_factory=dict)
    is_routed: bool = False
    path_values: Mapping[str, str] = field(default_factory=dict)


def run_checks(context: RequestContext, operation: Operation) -> None:
    """Run the checks in the order of the switch `order`.

    Raises:
        RejectionError: A check failed.
    """
    for name in context.switches.order:
        _CHECKS[name](context, operation)


def _find_key(context: RequestContext) -> ApiKey:
    if context.key is None:
        if not _matches_key_format(context.api_key, context.switches.key_format):
            raise RejectionError(-2014)
        if context.api_key not in context.keys:
            raise _key_rejection(context, "no account has this key")
        context.key = context.keys[context.api_key]
    return context.key


# Cached, since a client sends the same key with every request.
@functools.lru_cache(16)
def _matches_key_format(api_key: str, key_format: str) -> bool:
    return re.fullmatch(key_format, api_key) is not None


def _key_rejection(context: RequestContext, reason: str) -> RejectionError:
    text = MESSAGE_BY_CODE[-2015]
    if context.switches.caller_ip:
        text += f", request ip: {context.switches.caller_ip}"
    return RejectionError(-2015, text, reason=reason)


def _check_key(context: RequestContext, operation: Operation) -> None:
    if operation.key_header is None:
        return
    # Set here too, since a seeded fault of the contract tests replaces `_find_key`.
    key = context.key = _find_key(context)
    needed = context.switches.needed_permission
    if not key.allows_address(context.address):
        raise _key_rejection(context, f"the key must not be used from {context.address}")
    if needed is not None and needed not in key.permissions:
        raise _key_rejection(context, f"the key lacks the permission {needed}")
    if not key.account.futures_enabled and context.switches.unopened == "refused":
        raise RejectionError(-4109)


def _check_parameters(context: RequestContext, operation: Operation) -> None:
    sent = context.query.first_values
    if len(sent) != len(context.query.pairs):
        raise RejectionError(-1101, DUPLICATE_MESSAGE)
    for parameter in operation.parameters:
        _check_parameter(context, parameter)
    if operation.signature is not None:
        _require_signature(context, operation.signature)
    code = context.switches.unknown_parameter
    allowed_names = operation.allowed_names
    if code is not None and allowed_names is not None and not allowed_names.issuperset(sent):
        read = allowed_names.intersection(sent)
        raise RejectionError(code, read=len(read), sent=len(sent))


def _check_timestamp(context: RequestContext, operation: Operation) -> None:
    parameter = operation.parameters_by_role.get("timestamp")
    sent = _check_parameter(context, parameter) if parameter else None
    if sent is None:
        return
    timestamp_ms = int(sent)
    if context.switches.microseconds and len(sent) >= 16:
        timestamp_ms //= 1000
    if timestamp_ms >= context.now + MAX_AHEAD_MS:
        reason = (
            f"the timestamp is {timestamp_ms - context.now} ms ahead of the exchange's clock; "
            f"it must be less than {MAX_AHEAD_MS} ms ahead; {_CLOCK_HINT}"
        )
        raise RejectionError(-1021, _AHEAD_MESSAGE, reason=reason)
    parameter = operation.parameters_by_role.get("window")
    sent = _check_parameter(context, parameter) if parameter else None
    recv_window_ms = DEFAULT_RECV_WINDOW_MS if sent is None else int(sent)
    if context.now - timestamp_ms > recv_window_ms:
        reason = (
            f"the timestamp is {context.now - timestamp_ms} ms behind the exchange's clock; "
            f"recvWindow is {recv_window_ms} ms; {_CLOCK_HINT}"
        )
        raise RejectionError(-1021, reason=reason)


def _check_signature(context: RequestContext, operation: Operation) -> None:
    name = operation.signature
    if name is None:
        return
    _require_signature(context, name)
    covered = context.query.split_signature(name, last=context.switches.signature_last)
    key = _find_key(context)
    if covered is None:
        raise RejectionError(-1022, reason=f"{name} is not the last parameter")
    payload, signature = covered[0] + context.body, covered[1]
    if context.switches.hex_of_any_key and callable(key.secret) and _HEX_BYTES(signature):
        signature = base64.b64encode(bytes.fromhex(signature)).decode()
    if not key.verify(payload, signature):
        names = [parameter.name for parameter in operation.parameters]
        raise RejectionError(
            -1022,
            reason=explain_bad_signature(
                key,
                context.keys.values(),
                context.query,
                operation.path,
                names,
                payload,
                signature,
            ),
        )
    if context.is_replay:
        raise RejectionError(
            -1022, reason="the signature was used before, and the switch refuse_replay is on"
        )


def _require_signature(context: RequestContext, name: str) -> None:
    if not context.query.first_values.get(name):
        raise RejectionError(context.switches.missing_signature, name=name)


def _check_parameter(context: RequestContext, parameter: Parameter) -> str | None:
    """Return the string that was sent for a parameter, `None` for an optional one not sent.

    Raises:
        RejectionError: The string is missing or not valid.
    """
    name = parameter.name
    if name in context.checked_values:
        return context.checked_values[name]
    values = context.path_values if parameter.is_in_path else context.query.first_values
    text = values.get(name)
    if text:
        violation = parameter.validate(text)
        if violation is not None:
            raise _violation_rejection(context.switches, parameter, violation)
        maximum = context.switches.window_maximum
        if maximum is not None and parameter.signing_role == "window" and int(text) > maximum:
            raise RejectionError(-1131, maximum=maximum)
    elif parameter.required:
        raise RejectionError(-1102, name=name)
    elif text is not None:
        raise RejectionError(-1105, name=name)
    context.checked_values[name] = text
    return text


def _violation_rejection(
    switches: Switches, parameter: Parameter, violation: Violation
) -> RejectionError:
    if violation is Violation.OUTSIDE:
        code = switches.out_of_range
    elif parameter.required:
        code = switches.malformed_mandatory
    else:
        code = switches.malformed_optional
    return RejectionError(code, name=parameter.name, legal=allowed_pattern(parameter.schema))


_CHECKS: Final[Mapping[str, Callable[[RequestContext, Operation], None]]] = {
    "key": _check_key,
    "parameters": _check_parameters,
    "timestamp": _check_timestamp,
    "signature": _check_signature,
}
