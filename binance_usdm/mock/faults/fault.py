"""Type of a fault: what it is given, its options, and its response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from binance_usdm.mock.core.response import Reply
from binance_usdm.mock.core.shapes import describe_names
from binance_usdm.mock.core.switches import Switches

from .body_changes import JSON_QUIRKS, REPLACEMENT_VALUES

Option = float | str


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault can use for its response.

    Attributes:
        normal_body: Body of a 200 to this request.
        now: Time of the exchange's clock in ms.
        switches: Settings of the exchange.
        path: Path of the request.
        normal_response: Function that handles the request and returns its response.
        error_codes: `x-error-codes` of the spec.
        rng: Random numbers.
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
    """Fault that can be injected.

    Attributes:
        description: What the response is, in a few words.
        make_response: Function (FaultContext, **options) -> response.
        options: Names of the options, with their defaults.
        costs_weight: Whether the response costs weight and says so, if its status is below 500.
        spec_violation: Why the spec does not describe the response. Empty if it does.
    """

    description: str
    make_response: Callable[..., Reply]
    options: Mapping[str, Option] = field(default_factory=dict)
    costs_weight: bool = True
    spec_violation: str = ""

    def resolve_options(self, options: Mapping[str, Option]) -> dict[str, Option]:
        """Return all options: those given, and the defaults of the others.

        Raises:
            ValueError: An option is unknown or has an invalid value.
        """
        for name, value in options.items():
            if name not in self.options:
                expected = ", ".join(self.options) or "none"
                raise ValueError(f"unknown option {describe_names([name])}; expected: {expected}")
            problem = _option_problem(name, value, self.options[name])
            if problem is not None:
                raise ValueError(f"option {name} must be {problem}")
        return {**self.options, **options}


_OPTION_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "shape": ("default", "bare", "framework", "page"),
    "becomes": tuple(REPLACEMENT_VALUES),
    "kind": tuple(JSON_QUIRKS),
}
_OPTION_PATTERNS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "type": (re.compile(r"[ -~]+"), "a string of printable characters"),
    "status": (re.compile(r"0|[2-5][0-9]{2}"), "0, or an HTTP status from 200 to 599"),
    "code": (re.compile(r"0|-[0-9]{1,6}"), "0, or a negative integer of at most six digits"),
}


def _option_problem(name: str, value: Option, default: Option) -> str | None:
    """Return what an option must be, `None` if it is that."""
    if name in _OPTION_CHOICES:
        choices = _OPTION_CHOICES[name]
        return None if value in choices else ", ".join(choices)
    is_valid = _has_type_of(default, value)
    if name in _OPTION_PATTERNS:
        pattern, expected = _OPTION_PATTERNS[name]
        return None if is_valid and pattern.fullmatch(str(value)) else expected
    return None if is_valid else _EXPECTED_BY_TYPE[type(default)]


_EXPECTED_BY_TYPE: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer of 0 or more",
    float: "a number of 0 or more",
}


def _has_type_of(default: Option, value: Option) -> bool:
    """Return whether a value is a string where the default is one, otherwise a valid number."""
    if isinstance(default, str) or isinstance(value, str):
        return type(value) is type(default)
    is_exact = type(value) is int or type(value) is type(default) is float
    return is_exact and (default < 0 or 0 <= value < float("inf"))
