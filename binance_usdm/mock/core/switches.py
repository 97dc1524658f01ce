"""What nobody outside the exchange knows for sure: one named switch each. Knows no request; decides nothing itself."""

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
    """The open questions about the exchange, each with the answer the evidence favours as its default.

    A client that needs one of these to stand in one position relies on something that is documented nowhere.
    """

    # Which check speaks first. Seen: a futures call without a key, timestamp or signature is answered -2014.
    order: tuple[str, ...] = CHECKS
    # A parameter the operation does not have: -1104, -1103, -1101, or None to accept it. All three are documented.
    unknown_parameter: int | None = -1104
    # A mandatory value that is no integer, no boolean...: -1102 says "malformed" itself; -1100 and -1130 would fit too.
    malformed_mandatory: int = -1102
    # The same for an optional value: -1100 speaks of illegal characters; -1102 and -1130 would fit too.
    malformed_optional: int = -1100
    # A well-formed value outside minimum, maximum or enum: -1130 "not valid"; -1100 and -1102 would fit too.
    out_of_range: int = -1130
    # No signature at all: measured -1102 on spot, where -1022 would be as good.
    missing_signature: int = -1102
    # A signature before the end of the query: the documentation wants it last; in 2020 others failed at random.
    signature_last: bool = True
    # The same signature twice: the real exchange takes it again inside the window. True answers -1022 and so catches
    # a client that re-sends a stale signature; two equal calls in one millisecond are then refused as well.
    refuse_replay: bool = False
    # Largest recvWindow in ms; above it -1131. Spot stops at 60000, for futures no maximum is stated.
    window_maximum: int | None = None
    # Whether 16-digit timestamps are read as microseconds, as on spot. Futures document milliseconds only.
    microseconds: bool = False
    # What a well-formed key looks like, as a regular expression for the whole key; anything else is answered -2014.
    # Real keys are 64 letters and digits. The default lets made-up ones like "K" pass, so a key that was cut short is
    # answered -2015. To be strict, use r"[A-Za-z0-9]{64}" here, and an api_key of that form.
    key_format: str = r"[!-~]{1,128}"
    # Whether an Ed25519 or RSA signature in hex is taken too: General Info calls signatures case-insensitive, of any key.
    hex_of_any_key: bool = False
    # The permission a key needs to read: General Info says reading, the support pages ask for "Enable Futures". None for any.
    needed_permission: str | None = "reading"
    # An account that never opened futures: V3 answers rows, hides them, or refuses with -4109. Nobody has shown which.
    unopened: Literal["rows", "empty", "refused"] = "rows"
    # Whether bodies come compressed to those who accept it, as the content network may decide at any time.
    gzip: bool = False
    # HTTP status by code, where the evidence for the built-in one is thin (-1131 and -2008, for example).
    statuses: Mapping[int, int] = field(default_factory=dict)
    # An unknown path: the -5000 payload or a page; both were seen.
    not_found: Literal["json", "html"] = "json"
    # A known path with another method: seen as 404 with -5000; HTTP itself would say 405.
    wrong_method: Literal[404, 405] = 404
    # The caller's address, which -2015 and the ban text name at times; None leaves it out.
    caller_ip: str | None = None
    # Whether 429 and 418 carry Retry-After. Documented for spot only.
    retry_after: bool = True
    # Whether answers carry the used weight. Some routes of the real exchange send none.
    used_weight: bool = True
    # Header names in lower case, as seen on the wire at times.
    lower_case_headers: bool = False
    # Weight per UTC minute: 2400 in production; a capture of the testnet's exchangeInfo (2025-05) says 6000.
    weight_limit: int = 2400
    # How many calls are answered 429 in one minute before the next one is banned. Not documented.
    ban_after: int = 10
    # First ban in seconds; doubled with every further ban, up to three days. Documented as two minutes to three days.
    ban_seconds: int = 120

    def with_changes(self, changes: Mapping[str, Any]) -> Switches:
        """The same with some turned, by values as JSON has them; ValueError for a name that is none."""
        names = [each.name for each in fields(self)]
        if unknown := changes.keys() - {*names}:
            raise ValueError(
                f"no switch {', '.join(sorted(unknown))}; there are {', '.join(names)}"
            )
        given = dict(changes)
        if isinstance(given.get("order"), list):
            given["order"] = tuple(given["order"])
        if isinstance(given.get("statuses"), dict):
            given["statuses"] = {
                int(code) if _CODE(code) else code: to for code, to in given["statuses"].items()
            }
        return replace(self, **given)

    def __post_init__(self) -> None:
        for each in fields(self):
            if type(each.default) is bool and type(getattr(self, each.name)) is not bool:
                raise ValueError(f"{each.name} must be true or false")
        if not isinstance(self.order, tuple) or sorted(map(str, self.order)) != sorted(CHECKS):
            raise ValueError(f"order must hold each of {', '.join(CHECKS)} once")
        _require_one_of("unknown_parameter", self.unknown_parameter, (-1104, -1103, -1101, None))
        for name in ("malformed_mandatory", "malformed_optional", "out_of_range"):
            _require_one_of(name, getattr(self, name), (-1100, -1102, -1130))
        _require_one_of("missing_signature", self.missing_signature, (-1102, -1022))
        _require_one_of("not_found", self.not_found, ("json", "html"))
        _require_one_of("unopened", self.unopened, ("rows", "empty", "refused"))
        _require_one_of("wrong_method", self.wrong_method, (404, 405))
        _require_one_of("needed_permission", self.needed_permission, (*PERMISSIONS, None))
        if self.caller_ip is not None and not isinstance(self.caller_ip, str):
            raise ValueError("caller_ip must be a text, or None")
        if self.window_maximum is not None:
            _require_at_least("window_maximum", self.window_maximum, 1)
        for name, least in (("weight_limit", 1), ("ban_after", 0), ("ban_seconds", 0)):
            _require_at_least(name, getattr(self, name), least)
        if not isinstance(self.statuses, Mapping) or not all(
            map(_is_rejection_status, self.statuses.items())
        ):
            raise ValueError("statuses must map codes to HTTP statuses from 400 to 599")
        try:
            re.compile(self.key_format + "")  # a pattern of bytes would fit no key
        except (re.error, TypeError) as error:
            raise ValueError(f"key_format must be a regular expression: {error}") from None


def _require_one_of(name: str, value: object, allowed: Collection[object]) -> None:
    if not any(type(value) is type(each) and value == each for each in allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}")


def _require_at_least(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more")


def _is_rejection_status(item: tuple[object, object]) -> bool:
    code, status = item
    return type(code) is int and type(status) is int and 400 <= status <= 599
