"""Open questions about the exchange: what is assumed of each, and which finding rests on that.

An expectation is a function of a `Switches` value. A finding rests on an assumption when another
answer to one open question would make it right.
"""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from binance_usdm.mock import Switches

Assume: TypeAlias = Switches | Mapping[str, Any] | None
"""What is assumed: a `Switches`, names of switches to values, or `None` for the defaults."""
DEFAULTS: Final = Switches()
# The answers that are tried for a finding. Those of a switch with countless ones are examples.
POSITIONS: Final[Mapping[str, tuple[Any, ...]]] = {
    "order": tuple(itertools.permutations(DEFAULTS.order)),
    "unknown_parameter": (-1104, -1103, -1101, None),
    "malformed_mandatory": (-1102, -1100, -1130),
    "malformed_optional": (-1100, -1102, -1130),
    "out_of_range": (-1130, -1100, -1102),
    "missing_signature": (-1102, -1022),
    "signature_last": (True, False),
    "refuse_replay": (False, True),
    "window_maximum": (None, 60_000, 5_000),
    "microseconds": (False, True),
    "key_format": (DEFAULTS.key_format, "[A-Za-z0-9]{64}"),
    "hex_of_any_key": (False, True),
    "needed_permission": ("reading", "futures", None),
    "unopened": ("rows", "empty", "refused"),
    "gzip": (False, True),
    "statuses": ({}, {-1131: 401}, {-2008: 400}, {-4109: 401}),
    "not_found": ("json", "html"),
    "wrong_method": (404, 405),
    "caller_ip": (None, "203.0.113.7"),
    "retry_after": (True, False),
    "used_weight": (True, False),
    "date_offset": (0, 2, -2, None),
    "lower_case_headers": (False, True),
    "weight_limit": (2400, 6000),
    "ban_after": (10, 0),
    "ban_seconds": (120, 180),
}


@dataclass(frozen=True)
class Assumption:
    """What is assumed of an open question, and the answer that a finding speaks for.

    Attributes:
        name: Name of the switch.
        value: Its value.
        other: Value with which there would be no finding.
    """

    name: str
    value: Any
    other: Any

    def __str__(self) -> str:
        return format_switch(self.name, self.value)

    @property
    def sentence(self) -> str:
        """How a finding is labeled."""
        other = shlex.quote(format_switch(self.name, self.other))
        return f"rests on an assumption: {self}; if your server knows better, --assume {other}"


class AssumptionError(AssertionError):
    """A check found something that rests on assumptions."""

    def __init__(self, message: str, assumptions: Iterable[Assumption] = ()) -> None:
        self.assumptions = tuple(assumptions)
        super().__init__(label(message, self.assumptions))


def parse_assumptions(assume: Assume) -> Switches:
    """Return what is assumed.

    Raises:
        ValueError: A switch is unknown or has a value that it cannot have.
    """
    return assume if isinstance(assume, Switches) else DEFAULTS.with_changes(assume or {})


def find_assumptions(
    is_right: Callable[[Switches], bool], assume: Switches
) -> tuple[Assumption, ...]:
    """Return each assumption without which a finding would be none.

    Args:
        is_right: Whether what was found is right for an exchange with these switches.
        assume: What is assumed.
    """
    found = []
    for name, positions in POSITIONS.items():
        value = getattr(assume, name)
        for other in positions:
            if other != value and is_right(replace(assume, **{name: other})):
                found.append(Assumption(name, value, other))
                break
    return tuple(found)


def label(message: str, assumptions: Iterable[Assumption]) -> str:
    """Return a message with a line for each assumption that it rests on."""
    return "\n".join([message, *(each.sentence for each in assumptions)])


def format_switch(name: str, value: Any) -> str:
    """Return a switch as an option of the command has it."""
    is_plain = isinstance(value, str) and not _is_json(value)
    return f"{name}={value if is_plain else json.dumps(value, separators=(',', ':'))}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
