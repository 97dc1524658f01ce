"""Functions that make the exchanges of layer A, with the switches that a check needs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from binance_usdm.contract._cases.assumptions import DEFAULTS, Assumption, label
from binance_usdm.contract._cases.raw_requests import UNLIMITED, MakeExchange
from binance_usdm.contract._cases.run_state import current_run
from binance_usdm.contract._cases.schemathesis_setup import Problems
from binance_usdm.contract._spec.document import Json
from binance_usdm.mock import Exchange, Switches


@dataclass(frozen=True, eq=False)
class AssumingMaker:
    """Makes exchanges that are set to what is assumed.

    Attributes:
        document: The document.
        make: Makes an exchange for a document.
        assume: What is assumed of the exchange.
    """

    document: Json = field(repr=False)
    make: MakeExchange
    assume: Switches = DEFAULTS

    def __call__(self) -> Exchange:
        """Make an exchange that never limits requests."""
        switches = replace(self.assume, weight_limit=UNLIMITED.weight_limit)
        return self.make(self.document, switches=switches)


def assumed_of(make: MakeExchange) -> Switches:
    """Return what is assumed of the exchanges that a function makes."""
    return make.assume if isinstance(make, AssumingMaker) else DEFAULTS


# Checks keep what they found out of a maker, by its identity.
@dataclass(eq=False)
class DefaultMaker:
    """Makes exchanges with the switches of a check, and notices which ones they do not take.

    Attributes:
        document: The document.
        make: Makes an exchange for a document.
        differences: By name, the value of a switch that was asked for and the one that it has.
    """

    document: Json = field(repr=False)
    make: MakeExchange
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __call__(self, **options: Any) -> Exchange:
        """Make an exchange."""
        asked = options.setdefault("switches", UNLIMITED)
        exchange = self.make(self.document, **options)
        for name in (each.name for each in fields(asked)):
            values = getattr(asked, name), getattr(exchange.switches, name)
            if values[0] != values[1]:
                self.differences[name] = values
        return exchange

    def judge(self, problems: Problems, assume: Switches) -> Problems:
        """Return problems without those of an exchange that keeps to what is assumed.

        The others are labeled with the defaults that the exchange does not take.
        """
        assumptions = []
        for name, (asked, has) in self.differences.items():
            default = getattr(DEFAULTS, name)
            if has == getattr(assume, name) != default:
                return {}
            if asked == default:
                assumptions.append(Assumption(name, asked, has))
        current_run().assumptions |= dict.fromkeys(problems, tuple(assumptions))
        return {name: label(problem, assumptions) for name, problem in problems.items()}
