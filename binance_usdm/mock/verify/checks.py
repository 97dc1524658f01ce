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

from binance_usdm.mock.core.accounts import Key
from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.request_log import Headers
from binance_usdm.mock.core.schema import Misfit, legal
from binance_usdm.mock.core.spec import Operation, Parameter
from binance_usdm.mock.core.switches import Switches

from .diagnosis import diagnosed

DEFAULT_WINDOW: Final = 5000
"""What the exchange takes when no window is sent, ms."""
AHEAD: Final = 1000
"""A timestamp must be less than this ahead of the exchange's clock, ms."""

_STATUSES: Final = {-2014: 401, -2015: 401}  # every other refusal is a 400
_TEXTS: Final = {
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
_DUPLICATE: Final = "Duplicate values for a parameter detected."
_AHEAD: Final = f"Timestamp for this request was {AHEAD}ms ahead of the server's time."


class RefusalError(Exception):
    """The exchange says no: a code, a text, and ``why``, which a real one would keep to itself."""

    def __init__(self, code: int, text: str | None = None, *, why: str = "", **parts: object) -> None:
        self.code = code
        self.text = _TEXTS[code].format(**parts) if text is None else text
        self.why = why or self.text
        super().__init__(code)

    def status(self, switches: Switches) -> int:
        """The HTTP status that goes with the code."""
        return switches.statuses.get(self.code, _STATUSES.get(self.code, 400))


@dataclass(slots=True, repr=False)  # no repr: it would show key and signature
class Inquiry:
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
    keys: Mapping[str, Key]
    now: int
    switches: Switches
    replayed: bool = False
    key: Key | None = None
    refused: RefusalError | None = None
    read: dict[str, str | None] = field(default_factory=dict)


def verify(inquiry: Inquiry, operation: Operation) -> None:
    """Run the checks in the switched order. Raises RefusalError."""
    for name in inquiry.switches.order:
        _CHECKS[name](inquiry, operation)


def _key(inquiry: Inquiry) -> Key:
    if inquiry.key is None:
        if not _fits(inquiry.api_key, inquiry.switches.key_format):
            raise RefusalError(-2014)
        if inquiry.api_key not in inquiry.keys:
            raise _rejected(inquiry, "no account has this key")
        inquiry.key = inquiry.keys[inquiry.api_key]
    return inquiry.key


@functools.lru_cache(16)  # one client sends one key again and again
def _fits(api_key: str, key_format: str) -> bool:
    return re.fullmatch(key_format, api_key) is not None


def _rejected(inquiry: Inquiry, why: str) -> RefusalError:
    ip = inquiry.switches.caller_ip
    return RefusalError(-2015, _TEXTS[-2015] + (f", request ip: {ip}" if ip else ""), why=why)


def _check_key(inquiry: Inquiry, operation: Operation) -> None:
    if operation.key_header is None:
        return
    key = inquiry.key = _key(inquiry)  # also when a seeded fault finds another one
    needed, unopened = inquiry.switches.needed_permission, inquiry.switches.unopened
    if not key.admits(inquiry.address):
        raise _rejected(inquiry, f"the key is not for use from {inquiry.address}")
    if needed is not None and needed not in key.permissions:
        raise _rejected(inquiry, f"the key lacks the permission {needed}")
    if not key.account.opened and unopened == "refused":
        raise RefusalError(-4109)


def _check_parameters(inquiry: Inquiry, operation: Operation) -> None:
    sent = inquiry.query.first
    if len(sent) != len(inquiry.query.pairs):
        raise RefusalError(-1101, _DUPLICATE)
    for parameter in operation.parameters:
        _value(inquiry, parameter)
    if operation.signature is not None:
        _demand_signature(inquiry, operation.signature)
    code = inquiry.switches.unknown_parameter
    if code is not None and not operation.names.issuperset(sent):
        raise RefusalError(code, read=len(operation.names.intersection(sent)), sent=len(sent))


def _check_timestamp(inquiry: Inquiry, operation: Operation) -> None:
    stamp, window = operation.roles.get("timestamp"), operation.roles.get("window")
    sent = _value(inquiry, stamp) if stamp else None
    if sent is None:
        return
    made = int(sent) // 1000 if inquiry.switches.microseconds and len(sent) >= 16 else int(sent)
    if made >= inquiry.now + AHEAD:
        why = f"the timestamp is {made - inquiry.now} ms ahead of the exchange's clock; less than {AHEAD} is accepted"
        raise RefusalError(-1021, _AHEAD, why=why)
    sent = _value(inquiry, window) if window else None
    lasting = DEFAULT_WINDOW if sent is None else int(sent)
    if inquiry.now - made > lasting:
        why = f"the timestamp is {inquiry.now - made} ms behind the exchange's clock; the window is {lasting}"
        raise RefusalError(-1021, why=why)


def _check_signature(inquiry: Inquiry, operation: Operation) -> None:
    name = operation.signature
    if name is None:
        return
    _demand_signature(inquiry, name)
    signed, key = inquiry.query.signed(name, last=inquiry.switches.signature_last), _key(inquiry)
    if signed is None:
        raise RefusalError(-1022, why=f"{name} is not the last parameter")
    payload, made = signed[0] + inquiry.body, signed[1]
    if callable(key.secret) and inquiry.switches.hex_of_any_key and re.fullmatch(r"(?:[0-9a-fA-F]{2})+", made):
        made = base64.b64encode(bytes.fromhex(made)).decode()
    if not key.verifies(payload, made):
        names = [each.name for each in operation.parameters]
        others, path = inquiry.keys.values(), operation.path
        raise RefusalError(-1022, why=diagnosed(key, others, inquiry.query, path, names, payload, made))
    if inquiry.replayed:
        raise RefusalError(-1022, why="the signature came before; the switch refuse_replay is on")


def _demand_signature(inquiry: Inquiry, name: str) -> None:
    if not inquiry.query.first.get(name):
        raise RefusalError(inquiry.switches.missing_signature, name=name)


def _value(inquiry: Inquiry, parameter: Parameter) -> str | None:
    """The text sent for a parameter once it is found good; None for an optional one that was not sent."""
    name = parameter.name
    if name in inquiry.read:
        return inquiry.read[name]
    text, switches = inquiry.query.first.get(name), inquiry.switches
    if text:
        misfit, maximum = parameter.judged(text), switches.window_maximum
        if misfit is not None:
            malformed = switches.malformed_mandatory if parameter.required else switches.malformed_optional
            code = malformed if misfit is Misfit.MALFORMED else switches.out_of_range
            raise RefusalError(code, name=name, legal=legal(parameter.schema))
        if maximum is not None and parameter.role == "window" and int(text) > maximum:
            raise RefusalError(-1131, maximum=maximum)
    elif text is not None or parameter.required:
        raise RefusalError(-1102 if parameter.required else -1105, name=name)
    inquiry.read[name] = text
    return text


_CHECKS: Final[Mapping[str, Callable[[Inquiry, Operation], None]]] = {
    "key": _check_key,
    "parameters": _check_parameters,
    "timestamp": _check_timestamp,
    "signature": _check_signature,
}
