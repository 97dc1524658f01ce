"""The line in front of a limiter, whose callers may leave without a word."""

from __future__ import annotations

from binance_usdm._policy.wait_queue import Ticket, WaitQueue


class Gate:
    """A gate that notes that it was opened."""

    def __init__(self, *, is_reachable: bool = True) -> None:
        self.is_open = False
        self.is_reachable = is_reachable

    def open(self) -> None:
        self.is_open = True


def test_lost_wakeup_costs_half_a_second() -> None:
    """The second in line looks by itself whether it is the first."""
    queue, tickets = WaitQueue(), [Ticket(1) for _ in range(3)]
    for ticket in tickets:
        queue.join(ticket, Gate(), 0.0)
    first, second, third = tickets
    assert queue.recheck_after(second, 0.0, 60.0) == 0.5
    assert queue.recheck_after(third, 0.0, 60.0) == 60.0
    # As a caller does that is interrupted right after.
    queue.tickets.pop(first.number)
    assert queue.is_first(second)
    assert queue.recheck_after(third, 0.0, 60.0) == 0.5
    assert queue.is_behind(third)
    queue.remove(first, is_served=False)
    assert second.gate.is_open
    assert third.gate.is_open


def test_nested_calls_leave_the_line() -> None:
    """A call of a signal handler joins and leaves while another call of its thread is in line."""
    queue, outer, nested = WaitQueue(), Ticket(1), Ticket(1)
    queue.join(outer, Gate(), 0.0)
    queue.join(nested, Gate(), 0.0)
    assert queue.is_behind(nested)
    queue.remove(nested, is_served=False)
    assert queue.is_first(outer)
    assert queue.weight_ahead(nested) == 1


def test_closed_loops_lose_their_place() -> None:
    """A call that cannot go on keeps none from its turn."""
    queue, lost, waiting = WaitQueue(), Ticket(1), Ticket(1)
    queue.join(lost, Gate(is_reachable=False), 0.0)
    queue.join(waiting, Gate(), 0.0)
    assert queue.is_first(waiting)
    assert lost.number not in queue.tickets
