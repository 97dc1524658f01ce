"""What happens in a simulation: who calls, and which trouble the exchange is in when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.hostile.simulation_report import Expectation


@dataclass(frozen=True)
class Trouble:
    """One command to the exchange, or a restart.

    Args:
        at_seconds: When, from the beginning of the run.
        name: "cooldown" (one 429), "ban" or "restart".
        seconds: How long it lasts.
    """

    at_seconds: float
    name: str
    seconds: int = 0


@dataclass(frozen=True)
class Plan:
    """A run: for how long, who calls, and what happens to the exchange."""

    seconds: float
    troubles: tuple[Trouble, ...]
    accounts: int = 1000
    connections: int = 20
    timeout: float = 30.0
    pause_seconds: float = 5.0
    """Mean pause of an account after a good response."""
    delay: tuple[float, float] = (0.05, 0.5)
    edge_after_seconds: float = 20.0
    """When the exchange's first minute ends: its clock is set ahead for that."""
    settle_seconds: float = 10.0
    """How long the accounts go on after the last trouble at least."""
    progress_seconds: float = 5.0
    reaction_ms: int = 500
    lateness_seconds: float = 1.0
    seed: int = 1

    @property
    def expectation(self) -> Expectation:
        names = Counter(trouble.name for trouble in self.troubles)
        return Expectation(
            rate_limits=names["cooldown"],
            bans=names["ban"],
            restarts=names["restart"],
            reaction_ms=self.reaction_ms,
            lateness_seconds=self.lateness_seconds,
        )


def long_plan(seconds: float, seed: int) -> Plan:
    """Return the plan of a long run: two 429, a ban of 15 s and a restart.

    Each comes 2.5 s after an edge of the exchange's minutes, while requests are sent again.
    """
    edge_after_seconds = 20.0

    def after_edge(share: float) -> float:
        minutes = int(seconds / 60 * share)
        return edge_after_seconds + 60.0 * minutes + 2.5

    return Plan(
        seconds,
        (
            Trouble(after_edge(0.0), "cooldown", 6),
            Trouble(after_edge(0.3), "ban", 15),
            Trouble(after_edge(0.5), "cooldown", 6),
            Trouble(after_edge(0.7), "restart", 1),
        ),
        edge_after_seconds=edge_after_seconds,
        seed=seed,
    )


def short_plan(seed: int) -> Plan:
    """Return a plan of 11 s with all that happens in the long one.

    All trouble is over before the first minute's budget is used up, however fast the machine is.
    """
    return Plan(
        11.0,
        (
            Trouble(0.5, "cooldown", 1),
            Trouble(1.8, "cooldown", 1),
            Trouble(3.2, "ban", 3),
            Trouble(6.5, "restart", 0),
        ),
        accounts=200,
        timeout=6.0,
        pause_seconds=1.0,
        delay=(0.02, 0.2),
        edge_after_seconds=8.0,
        settle_seconds=3.0,
        progress_seconds=60.0,
        # A machine with other work may be slow to read a response, or to run a thread.
        reaction_ms=1_500,
        lateness_seconds=5.0,
        seed=seed,
    )
