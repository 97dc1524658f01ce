"""The run of disturbed calls in short, and proofs that it notices what it must."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest

from binance_usdm import AccountBalance, ServerTime
from binance_usdm._http.connections.origin_pool import OriginPool
from binance_usdm._policy.wait_queue import Ticket, WaitQueue
from tests.hostile import cancelled_tasks, interrupted_threads
from tests.hostile.disturbed_calls import Question, note_error, note_value
from tests.hostile.interrupt_report import Record
from tests.hostile.interrupted_caller import InterruptedCaller
from tests.support import leftovers
from tests.support.command_line import run_side_by_side
from tests.support.leftovers import count_held


def row(asset: str, balance: str) -> AccountBalance:
    """Return a row of which only asset and balance matter."""
    zero = Decimal(0)
    return AccountBalance(
        account_alias="a",
        asset=asset,
        balance=Decimal(balance),
        cross_wallet_balance=zero,
        cross_un_pnl=zero,
        available_balance=zero,
        max_withdraw_amount=zero,
        margin_available=True,
        update_time=0,
    )


@pytest.mark.parametrize(
    "value",
    [
        [row("A2", "7000")],
        [row("A1", "7001")],
        [row("A1", "7000"), row("A1", "7000")],
        [],
        ServerTime(server_time=7_000),
        None,
    ],
    ids=["other account", "other call", "twice", "empty", "time", "none"],
)
def test_values_of_others_are_seen(value: object) -> None:
    """Asset and balance name the account and the call."""
    record, question = Record(), Question(1, 7_000)
    note_value(record, question, [row("A1", "7000")])
    assert not record.wrong_values
    note_value(record, question, value)
    assert len(record.wrong_values) == 1


def test_errors_of_python_are_foreign() -> None:
    """Only errors of the package are ends of a call."""
    record = Record()
    note_error(record, KeyError("x"))
    assert record.foreign_errors == ["KeyError('x')"]


class FakeClients:
    """Stands for a ClientSet with one client, whose calls do what a test says."""

    def __init__(self, server_time: Callable[[], object]) -> None:
        self.server_time = server_time

    def pick(self, _: object) -> tuple[Any, Question]:
        return self, Question(0, None)


class RaisingCaller(InterruptedCaller):
    """A caller whose handler always raises a ValueError."""

    def _disturb(self, frame: FrameType | None) -> None:
        self._raise(ValueError("mine"), frame)

    def _set_timer(self) -> None:
        """Leave signals to the test."""


def swallow() -> ServerTime:
    with contextlib.suppress(ValueError):
        signal.raise_signal(signal.SIGALRM)
    return ServerTime(server_time=0)


def replace_error() -> None:
    try:
        signal.raise_signal(signal.SIGALRM)
    except ValueError:
        raise ValueError("mine") from None


def let_pass() -> None:
    signal.raise_signal(signal.SIGALRM)


class Finalized:
    """An object whose finalizer is interrupted."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGALRM)


def finalize() -> ServerTime:
    Finalized()
    return ServerTime(server_time=int(time.time() * 1000))


def lose_in_condition() -> None:
    try:
        signal.raise_signal(signal.SIGALRM)
    finally:
        threading.Lock().release()


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no SIGALRM")
def test_losses_in_finalizers_are_counted_apart() -> None:
    """Python drops errors of handlers in finalizers; no code of the package does that."""
    record = Record()
    clients: Any = FakeClients(finalize)
    caller = RaisingCaller(clients, record, 1)
    with caller.installed():
        caller.call()
    assert record.disturbances == ["raise in a finalizer"]
    assert not record.changed


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no SIGALRM")
@pytest.mark.parametrize(
    ("call", "count"), [(swallow, 1), (replace_error, 1), (lose_in_condition, 1), (let_pass, 0)]
)
def test_changed_errors_are_seen(call: Callable[[], object], count: int) -> None:
    """An error that is swallowed or replaced by its like is no handler's own."""
    record = Record()
    clients: Any = FakeClients(call)
    caller = RaisingCaller(clients, record, 1)
    with caller.installed():
        caller.call()
    assert len(record.changed) == count
    assert record.outcomes == ["interrupted"]


def test_what_is_held_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot, a place in the queue and a lock that were not given back are seen."""
    monkeypatch.setattr(leftovers, "LOCK_PATIENCE_SECONDS", 0.2)
    before = count_held()
    pool, queue = OriginPool[Any](1), WaitQueue()
    gate: Any = object()
    pool.slots.holders.add(object())
    queue.join(Ticket(1), gate, 0.0)
    locked, release = threading.Event(), threading.Event()

    def hold_lock(lock: Any) -> None:
        with lock:
            locked.set()
            release.wait(10)

    thread = threading.Thread(target=hold_lock, args=(pool._lock,))
    thread.start()
    locked.wait(10)
    held = count_held()
    release.set()
    thread.join()
    held.subtract(before)
    assert +held == Counter({"slots": 1, "places in a queue": 1, "locks": 1})


@pytest.mark.promise("R1", "R14", "R16")
def test_disturbed_calls_lose_nothing() -> None:
    """Interrupted, cancelled and closed calls end in time, as themselves, and hold nothing."""
    program = [sys.executable, "-m", "tests.hostile.interrupt_soak"]
    options = ["--minutes", "0.1", "--lateness", "5", "--client"]
    modules: dict[str, Any] = {"sync": interrupted_threads, "async": cancelled_tasks}
    runs = run_side_by_side(*([*program, *options, client] for client in modules))
    for module, child in zip(modules.values(), runs, strict=True):
        assert child.returncode == 0, child.stdout + child.stderr
        assert "nothing is broken" in child.stdout
        assert all(repr(kind) in child.stdout for kind in module.DISTURBANCES)
