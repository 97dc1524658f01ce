"""Awaited calls that are cancelled, closed, or left by their event loop, at random moments."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import sys
import threading
import time
from functools import partial
from random import Random
from typing import Any

from binance_usdm import AsyncClient, AsyncTransport
from tests.hostile.disturbed_calls import (
    CALM_CALLS,
    CALM_TIMEOUT,
    TIMEOUT,
    ClientSet,
    Question,
    ask,
    note_end,
    note_error,
    note_value,
    random_delay,
)
from tests.hostile.interrupt_report import Record

DISTURBANCES = (
    "cancel",
    "close",
    "close from another thread",
    "close the transport",
    "end the loop",
    "abandon the loop",
)
TASKS = 8
HANG_SECONDS = 60
SHORTEST_LOOP_SECONDS, LONGEST_LOOP_SECONDS = 0.05, 3.0


async def call_and_cancel(clients: ClientSet[AsyncClient], record: Record, rng: Random) -> None:
    """Make calls one after another, and cancel most of them at a random moment."""
    while True:
        client, question = clients.pick(rng)
        deadline = time.monotonic() + TIMEOUT
        call = asyncio.ensure_future(ask(client, question))
        is_cancelled = False
        if rng.random() < 0.6:
            await asyncio.wait([call], timeout=random_delay(rng, 1e-5, 0.5))
            is_cancelled = call.cancel()
        await asyncio.wait([call])
        note_end(record, deadline)
        judge(record, question, call, is_cancelled=is_cancelled)
        # A reference would keep the call of an abandoned loop.
        del call


def judge(
    record: Record, question: Question, call: asyncio.Future[Any], *, is_cancelled: bool
) -> None:
    """Note how a call ended. One that was under way when it was cancelled must be cancelled."""
    if is_cancelled:
        record.disturbances.append("cancel")
        record.outcomes.append("cancelled")
    if call.cancelled():
        if not is_cancelled:
            record.changed.append(f"{question} was cancelled by itself")
        return
    error = call.exception()
    if is_cancelled:
        record.changed.append(f"{question} was cancelled and came out as {error!r:.200}")
    elif error is None:
        note_value(record, question, call.result())
    else:
        note_error(record, error)


async def close_repeatedly(clients: ClientSet[AsyncClient], record: Record, rng: Random) -> None:
    """Close clients and now and then the shared transport, and put new ones in their stead."""
    while True:
        await asyncio.sleep(random_delay(rng, 0.01, 0.5))
        if rng.random() < 0.1:
            record.disturbances.append("close the transport")
            await clients.replace_transport().aclose()
            continue
        account = rng.randrange(len(clients.clients))
        former_client = clients.clients[account]
        clients.clients[account] = clients.make_client(account)
        record.disturbances.append("close")
        await former_client.aclose()


def close_from_thread(
    clients: ClientSet[AsyncClient], record: Record, seed: int, stopped: threading.Event
) -> None:
    """Close clients from another thread, each in a new event loop."""
    rng = Random(seed)
    while not stopped.wait(random_delay(rng, 0.02, 1.0)):
        account = rng.randrange(len(clients.clients))
        former = clients.clients[account]
        clients.clients[account] = clients.make_client(account)
        asyncio.run(former.aclose())
        record.disturbances.append("close from another thread")


def live_in_loop(clients: ClientSet[AsyncClient], record: Record, rng: Random) -> None:
    """Make calls in one event loop that ends soon, with its tasks cancelled or abandoned."""
    loop = asyncio.new_event_loop()
    tasks = [
        loop.create_task(call_and_cancel(clients, record, Random(rng.random())))
        for _ in range(TASKS)
    ]
    tasks.append(loop.create_task(close_repeatedly(clients, record, Random(rng.random()))))
    seconds = random_delay(rng, SHORTEST_LOOP_SECONDS, LONGEST_LOOP_SECONDS)
    try:
        loop.run_until_complete(asyncio.wait(tasks, timeout=seconds))
        for task in tasks:
            if task.done():
                record.foreign_errors.append(f"a task ended: {task!r:.300}")
        if rng.random() < 0.5:
            cancel_all(loop, record)
            record.disturbances.append("end the loop")
        else:
            record.disturbances.append("abandon the loop")
    finally:
        abandon(loop)
    tasks.clear()
    del loop
    gc.collect()


def abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, then the coroutines of tasks that it left, as the garbage collector does.

    CPython 3.11 crashes at times when the collector does it: a coroutine that leaves
    `asyncio.timeout` may free the task that it belongs to.
    """
    tasks = asyncio.all_tasks(loop)
    loop.close()
    for task in tasks:
        coroutine: Any = task.get_coro()
        # The cleanup of asyncio's own calls needs the loop.
        with contextlib.suppress(RuntimeError):
            coroutine.close()


def cancel_all(loop: asyncio.AbstractEventLoop, record: Record) -> None:
    """Cancel every task of a loop, as `asyncio.run` does at its end."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    results = loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for result in results:
        if not isinstance(result, asyncio.CancelledError):
            record.changed.append(f"a loop's end came out as {result!r:.200}")


def run(clients: ClientSet[AsyncClient], record: Record, seconds: float, seed: int) -> None:
    """Disturb calls for some seconds, in one event loop after another."""
    rng, stopped = Random(seed), threading.Event()
    thread = threading.Thread(target=close_from_thread, args=(clients, record, seed - 1, stopped))
    ends_at = time.monotonic() + seconds
    former_hook, sys.unraisablehook = sys.unraisablehook, partial(note_unraisable, record)
    thread.start()
    while time.monotonic() < ends_at:
        # A loop that never ends shows where it is.
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        live_in_loop(clients, record, rng)
    faulthandler.cancel_dump_traceback_later()
    stopped.set()
    thread.join()
    sys.unraisablehook = former_hook


def note_unraisable(record: Record, unraisable: Any) -> None:
    """Note what a finalizer raised, but for what asyncio says of its closed loops."""
    error = unraisable.exc_value
    if not isinstance(error, RuntimeError) or "loop is closed" not in str(error):
        record.foreign_errors.append(f"in a finalizer: {error!r:.200}")


def call_calmly(clients: ClientSet[AsyncClient], record: Record) -> None:
    """Make as many calls at once as need every slot, undisturbed."""
    callers = [
        clients.make_client(number, timeout=CALM_TIMEOUT, transport=clients.transport)
        for number in range(len(clients.clients))
    ]

    async def call(number: int) -> None:
        record.calm_calls += 1
        try:
            rows = await callers[number % len(callers)].balance()
            assert rows[0].asset == f"A{number % len(callers)}"
        # Any error is what is looked for.
        except Exception as error:  # noqa: BLE001
            record.calm_failures.append(f"{error!r:.200}")

    async def call_all() -> None:
        await asyncio.gather(*[call(number) for number in range(CALM_CALLS)])

    asyncio.run(call_all())


def close_all(clients: ClientSet[AsyncClient]) -> None:
    """Close every client and the transport."""

    async def close() -> None:
        for client in clients.clients:
            await client.aclose()
        await clients.transport.aclose()

    asyncio.run(close())
    clients.clients.clear()


def make_clients(url: str, record: Record, seed: int) -> ClientSet[AsyncClient]:
    """Return the asyncio clients of all accounts."""
    return ClientSet(url, AsyncClient, AsyncTransport, record, seed)
