"""Settings for behavior that the exchange does not document."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

PERMISSIONS: Final = ("reading", "futures")
CHECKS: Final = ("key", "parameters", "timestamp", "signature")
_CODE: Final = re.compile(r"-?[0-9]{1,9}").fullmatch


@dataclass(frozen=True, slots=True)
class Switches:
    """Open questions about the exchange, each with the best supported answer as its default.

    A client that works with one setting of a switch only relies on undocumented behavior.

    Raises:
        ValueError: A switch has a value that it cannot have.
    """

    # Order of the checks. A futures call without key, timestamp and signature was rejected with
    # -2014, so the key comes first.
    order: tuple[str, ...] = CHECKS
    # Code for a parameter that the operation does not have: -1104, -1103 or -1101, which are all
    # documented. None accepts the parameter.
    unknown_parameter: int | None = -1104
    # Code for a mandatory value that is not an integer, a boolean and so on. The text of -1102
    # says "malformed"; -1100 and -1130 are possible too.
    malformed_mandatory: int = -1102
    # The same for an optional value. The text of -1100 says "illegal characters"; -1102 and -1130
    # are possible too.
    malformed_optional: int = -1100
    # Code for a well-formed value outside minimum, maximum or enum. The text of -1130 says "not
    # valid"; -1100 and -1102 are possible too.
    out_of_range: int = -1130
    # Code for a request without a signature. -1102 was measured on spot; -1022 is possible too.
    missing_signature: int = -1102
    # Whether the signature must be the last parameter. The documentation asks for it; in 2020
    # requests with another order failed at random.
    signature_last: bool = True
    # Whether a signature that was used before is rejected with -1022. The real exchange accepts it
    # again within recvWindow. True finds a client that sends a stale signature again, but also
    # rejects the second of two equal calls in one millisecond.
    refuse_replay: bool = False
    # Largest recvWindow in ms, above which the code is -1131. Spot has 60000; for futures no
    # maximum is documented.
    window_maximum: int | None = None
    # Whether timestamps of 16 digits are microseconds, as on spot. Futures document milliseconds.
    microseconds: bool = False
    # Regular expression for a whole key. A key of another form is rejected with -2014. Real keys
    # have 64 letters and digits. The default also accepts short fake keys such as "K", so a key
    # that was cut short is rejected with -2015. For a strict test use `r"[A-Za-z0-9]{64}"` and
    # an api_key of that form.
    key_format: str = r"[!-~]{1,128}"
    # Whether an Ed25519 or RSA signature may be in hex. General Info calls the signatures of all
    # key types case-insensitive.
    hex_of_any_key: bool = False
    # Permission that a key needs to read. General Info says reading, the support pages ask for
    # "Enable Futures". None needs no permission.
    needed_permission: str | None = "reading"
    # Response to an account that never opened futures: V3 returns rows, returns none, or rejects
    # with -4109. None of the three was observed.
    unopened: Literal["rows", "empty", "refused"] = "rows"
    # Whether bodies are compressed for clients that accept it, as the content delivery network may
    # start to do at any time.
    gzip: bool = False
    # HTTP status by code, where the built-in one is poorly supported (-1131 and -2008, say).
    statuses: Mapping[int, int] = field(default_factory=dict)
    # Response to an unknown path: the payload with -5000, or a page. Both were observed.
    not_found: Literal["json", "html"] = "json"
    # Response to a known path with another method. 404 with -5000 was observed; HTTP asks for 405.
    wrong_method: Literal[404, 405] = 404
    # Client address that -2015 and the text of a ban name at times. None leaves it out.
    caller_ip: str | None = None
    # Whether 429 and 418 have a Retry-After. Documented for spot only.
    retry_after: bool = True
    # Whether responses have the used weight. Some routes of the real exchange have none.
    used_weight: bool = True
    # Seconds by which the header Date is ahead of the mock's clock, negative for behind. None sends
    # no Date.
    date_offset: int | None = 0
    # Whether header names are in lower case, as they were observed at times.
    lower_case_headers: bool = False
    # Weight per UTC minute: 2400 in production; a capture of the testnet's exchangeInfo (2025-05)
    # says 6000.
    weight_limit: int = 2400
    # Number of calls in one minute that are rejected with 429 before the next one is banned. Not
    # documented.
    ban_after: int = 10
    # Length of the first ban in seconds. Each further ban is twice as long, up to three days.
    # Documented as two minutes to three days.
    ban_seconds: int = 120

    def with_changes(self, changes: Mapping[str, Any]) -> Switches:
        """Return a copy with some switches changed.

        Args:
            changes: Switch names to values, in the types of JSON.

        Raises:
            ValueError: A name or a value is not valid.
        """
        names = [switch.name for switch in fields(self)]
        if unknown := changes.keys() - {*names}:
            raise ValueError(
                f"unknown switch {', '.join(sorted(unknown))}; expected one of: {', '.join(names)}"
            )
        values = dict(changes)
        if isinstance(values.get("order"), list):
            values["order"] = tuple(values["order"])
        if isinstance(values.get("statuses"), dict):
            values["statuses"] = _with_integer_keys(values["statuses"])
        return replace(self, **values)

    def __post_init__(self) -> None:
        for switch in fields(self):
            if type(switch.default) is bool and type(getattr(self, switch.name)) is not bool:
                raise ValueError(f"{switch.name} must be true or false")
        for name, allowed in _ALLOWED_VALUES.items():
            _require_one_of(name, getattr(self, name), allowed)
        for name, minimum in _MINIMUMS.items():
            _require_at_least(name, getattr(self, name), minimum)
        if self.window_maximum is not None:
            _require_at_least("window_maximum", self.window_maximum, 1)
        if self.date_offset is not None and type(self.date_offset) is not int:
            raise ValueError("date_offset must be an integer or None")
        if self.caller_ip is not None and not isinstance(self.caller_ip, str):
            raise ValueError("caller_ip must be a string or None")
        _require_all_checks(self.order)
        _require_rejection_statuses(self.statuses)
        _require_pattern(self.key_format)


_ALLOWED_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    "unknown_parameter": (-1104, -1103, -1101, None),
    "malformed_mandatory": (-1100, -1102, -1130),
    "malformed_optional": (-1100, -1102, -1130),
    "out_of_range": (-1100, -1102, -1130),
    "missing_signature": (-1102, -1022),
    "not_found": ("json", "html"),
    "unopened": ("rows", "empty", "refused"),
    "wrong_method": (404, 405),
    "needed_permission": (*PERMISSIONS, None),
}
_MINIMUMS: Final = {"weight_limit": 1, "ban_after": 0, "ban_seconds": 0}


def _with_integer_keys(statuses: Mapping[str, Any]) -> dict[Any, Any]:
    """Return HTTP statuses with integer codes: the field names of JSON are strings."""
    return {int(code) if _CODE(str(code)) else code: status for code, status in statuses.items()}


def _require_one_of(name: str, value: object, allowed: Collection[object]) -> None:
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}")


def _require_at_least(name: str, value: object, minimum: int) -> None:
    if type(value) is not int or value < minimum:
        raise ValueError(f"{name} must be an integer, {minimum} or more")


def _require_all_checks(order: object) -> None:
    if not isinstance(order, tuple) or sorted(map(str, order)) != sorted(CHECKS):
        raise ValueError(f"order must hold each of {', '.join(CHECKS)} once")


def _require_rejection_statuses(statuses: object) -> None:
    if not isinstance(statuses, Mapping) or not all(map(_is_rejection_status, statuses.items())):
        raise ValueError("statuses must map codes to HTTP statuses from 400 to 599")


def _is_rejection_status(item: tuple[object, object]) -> bool:
    code, status = item
    return type(code) is int and type(status) is int and 400 <= status <= 599


def _require_pattern(pattern: str) -> None:
    try:
        # A pattern of bytes compiles, but matches no key.
        re.compile(pattern + "")
    except (re.error, TypeError) as error:
        raise ValueError(f"key_format must be a regular expression: {error}") from None
