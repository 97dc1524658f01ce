"""The checks a request passes before it is answered, over its raw bytes. Knows no route, no weight and no answer.

Numbers and texts are the documentation's (General Info, Error Code; 2026-05). What it leaves open is in Switches.
Inside the parameters check the order is fixed: duplicates, each parameter as declared, the signature, unread names.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from binance_usdm.mock.core.accounts import ApiKey
from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.request_log import Headers
from binance_usdm.mock.core.schema import Violation, allowed_pattern
from binance_usdm.mock.core.spec import Operation, Parameter
from binance_usdm.mock.core.switches import Switches

from .diagnosis import explain_bad_signature

DEFAULT_RECV_WINDOW_MS: Final = 5000
"""What the exchange takes when no window is sent, ms."""
MAX_AHEAD_MS: Final = 1000
"""A timestamp must be less than this ahead of the exchange's clock, ms."""

_STATUSES: Final = {-2014: 401, -2015: 401}  # every other refusal is a 400
_MESSAGE_BY_CODE: Final = {
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1100: "Illegal characters found in parameter '{name}'; legal range is '{legal}'.",
    -1101: "Too many parameters sent for this endpoint.",
    -1102: "Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    -1103: "An unknown parameter was sent.",
    -1104: "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
    -1105: "Parameter '{name}' was empty.",
    -1130: "Data sent for parameter '{name}' is not valid.",
    -1131: "recvWindow must be less than {maximum}",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -4109: "This account is inactive. Please activate it before trading.",
}
_DUPLICATE_MESSAGE: Final = "Duplicate values for a parameter detected."
_AHEAD_MESSAGE: Final = (
    f"Timestamp for this request was {MAX_AHEAD_MS}ms ahead of the server's time."
)


class RejectionError(Exception):
    """The exchange says no: a code, a text, and ``why``, which a real one would keep to itself."""

    def __init__(
        self, code: int, text: str | None = None, *, why: str = "", **parts: object
    ) -> None:
        self.code = code
        self.text = _MESSAGE_BY_CODE[code].format(**parts) if text is None else text
        self.reason = why or self.text
        super().__init__(code)

    def status(self, switches: Switches) -> int:
        """The HTTP status that goes with the code."""
        return switches.statuses.get(self.code, _STATUSES.get(self.code, 400))


@dataclass(slots=True, repr=False)  # no repr: it would show key and signature
class RequestContext:
    """One request as it came, and what the exchange knows when it looks at it.

    ``key`` is the key that asks once it is found, ``read`` what was sent for each parameter that was found good, ``refused`` why
    the checks say no.
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


def run_checks(inquiry: RequestContext, operation: Operation) -> None:
    """Run the checks in the switched order. Raises RefusalError."""
    for name in inquiry.switches.order:
        _CHECKS[name](inquiry, operation)


def _find_key(inquiry: RequestContext) -> ApiKey:
    if inquiry.key is None:
        if not _matches_key_format(inquiry.api_key, inquiry.switches.key_format):
            raise RejectionError(-2014)
        if inquiry.api_key not in inquiry.keys:
            raise _key_rejection(inquiry, "no account has this key")
        inquiry.key = inquiry.keys[inquiry.api_key]
    return inquiry.key


@functools.lru_cache(16)  # one client sends one key again and again
def _matches_key_format(api_key: str, key_format: str) -> bool:
    return re.fullmatch(key_format, api_key) is not None


def _key_rejection(inquiry: RequestContext, why: str) -> RejectionError:
    ip = inquiry.switches.caller_ip
    return RejectionError(
        -2015, _MESSAGE_BY_CODE[-2015] + (f", request ip: {ip}" if ip else ""), why=why
    )


def _check_key(inquiry: RequestContext, operation: Operation) -> None:
    if operation.key_header is None:
        return
    key = inquiry.key = _find_key(inquiry)  # also when a seeded fault finds another one
    needed, unopened = inquiry.switches.needed_permission, inquiry.switches.unopened
    if not key.allows_address(inquiry.address):
        raise _key_rejection(inquiry, f"the key is not for use from {inquiry.address}")
    if needed is not None and needed not in key.permissions:
        raise _key_rejection(inquiry, f"the key lacks the permission {needed}")
    if not key.account.futures_enabled and unopened == "refused":
        raise RejectionError(-4109)


def _check_parameters(inquiry: RequestContext, operation: Operation) -> None:
    sent = inquiry.query.first_values
    if len(sent) != len(inquiry.query.pairs):
        raise RejectionError(-1101, _DUPLICATE_MESSAGE)
    for parameter in operation.parameters:
        _check_parameter(inquiry, parameter)
    if operation.signature is not None:
        _require_signature(inquiry, operation.signature)
    code = inquiry.switches.unknown_parameter
    if code is not None and not operation.allowed_names.issuperset(sent):
        raise RejectionError(
            code, read=len(operation.allowed_names.intersection(sent)), sent=len(sent)
        )


def _check_timestamp(inquiry: RequestContext, operation: Operation) -> None:
    stamp, window = (
        operation.parameters_by_role.get("timestamp"),
        operation.parameters_by_role.get("window"),
    )
    sent = _check_parameter(inquiry, stamp) if stamp else None
    if sent is None:
        return
    timestamp_ms = (
        int(sent) // 1000 if inquiry.switches.microseconds and len(sent) >= 16 else int(sent)
    )
    if timestamp_ms >= inquiry.now + MAX_AHEAD_MS:
        why = f"the timestamp is {timestamp_ms - inquiry.now} ms ahead of the exchange's clock; less than {MAX_AHEAD_MS} is accepted"
        raise RejectionError(-1021, _AHEAD_MESSAGE, why=why)
    sent = _check_parameter(inquiry, window) if window else None
    window_ms = DEFAULT_RECV_WINDOW_MS if sent is None else int(sent)
    if inquiry.now - timestamp_ms > window_ms:
        why = f"the timestamp is {inquiry.now - timestamp_ms} ms behind the exchange's clock; the window is {window_ms}"
        raise RejectionError(-1021, why=why)


def _check_signature(inquiry: RequestContext, operation: Operation) -> None:
    name = operation.signature
    if name is None:
        return
    _require_signature(inquiry, name)
    signed, key = (
        inquiry.query.split_signature(name, last=inquiry.switches.signature_last),
        _find_key(inquiry),
    )
    if signed is None:
        raise RejectionError(-1022, why=f"{name} is not the last parameter")
    payload, made = signed[0] + inquiry.body, signed[1]
    if (
        callable(key.secret)
        and inquiry.switches.hex_of_any_key
        and re.fullmatch(r"(?:[0-9a-fA-F]{2})+", made)
    ):
        made = base64.b64encode(bytes.fromhex(made)).decode()
    if not key.verify(payload, made):
        names = [each.name for each in operation.parameters]
        others, path = inquiry.keys.values(), operation.path
        raise RejectionError(
            -1022, why=explain_bad_signature(key, others, inquiry.query, path, names, payload, made)
        )
    if inquiry.is_replay:
        raise RejectionError(-1022, why="the signature came before; the switch refuse_replay is on")


def _require_signature(inquiry: RequestContext, name: str) -> None:
    if not inquiry.query.first_values.get(name):
        raise RejectionError(inquiry.switches.missing_signature, name=name)


def _check_parameter(inquiry: RequestContext, parameter: Parameter) -> str | None:
    """The text sent for a parameter once it is found good; None for an optional one that was not sent."""
    name = parameter.name
    if name in inquiry.checked_values:
        return inquiry.checked_values[name]
    text, switches = inquiry.query.first_values.get(name), inquiry.switches
    if text:
        misfit, maximum = parameter.validate(text), switches.window_maximum
        if misfit is not None:
            malformed = (
                switches.malformed_mandatory if parameter.required else switches.malformed_optional
            )
            code = malformed if misfit is Violation.MALFORMED else switches.out_of_range
            raise RejectionError(code, name=name, legal=allowed_pattern(parameter.schema))
        if maximum is not None and parameter.signing_role == "window" and int(text) > maximum:
            raise RejectionError(-1131, maximum=maximum)
    elif text is not None or parameter.required:
        raise RejectionError(-1102 if parameter.required else -1105, name=name)
    inquiry.checked_values[name] = text
    return text


_CHECKS: Final[Mapping[str, Callable[[RequestContext, Operation], None]]] = {
    "key": _check_key,
    "parameters": _check_parameters,
    "timestamp": _check_timestamp,
    "signature": _check_signature,
}
