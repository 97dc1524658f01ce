"""Blocking calls that signal handlers disturb, while other threads call and close clients."""

from __future__ import annotations

import faulthandler
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from binance_usdm import Client, SyncTransport
from tests.hostile.disturbed_calls import (
    CALM_CALLS,
    CALM_TIMEOUT,
    TIMEOUT,
    ClientSet,
    ask,
    note_end,
    note_error,
    note_value,
    random_delay,
)
from tests.hostile.interrupt_report import Record
from tests.hostile.interrupted_caller import InterruptedCaller

DISTURBANCES = ("raise", "nested call", "close in a handler", "close", "close the transport")
THREADS = 3
HANG_SECONDS = 60


def call_repeatedly(
    clients: ClientSet[Client], record: Record, seed: int, stopped: threading.Event
) -> None:
    """Call undisturbed, to compete for connections."""
    rng = Random(seed)
    while not stopped.is_set():
        client, question = clients.pick(rng)
        deadline = time.monotonic() + TIMEOUT
        try:
            value = ask(client, question)
        # Any other error is what is looked for.
        except Exception as error:  # noqa: BLE001
            note_error(record, error)
        else:
            note_value(record, question, value)
        note_end(record, deadline)
        stopped.wait(random_delay(rng, 1e-4, 0.05))


def close_repeatedly(
    clients: ClientSet[Client], record: Record, seed: int, stopped: threading.Event
) -> None:
    """Close clients and now and then the shared transport, and put new ones in their stead."""
    rng = Random(seed)
    while not stopped.wait(random_delay(rng, 0.01, 0.5)):
        account = rng.randrange(len(clients.clients))
        if rng.random() < 0.1:
            clients.replace_transport().close()
            record.disturbances.append("close the transport")
            continue
        former_client = clients.clients[account]
        clients.clients[account] = clients.make_client(account)
        former_client.close()
        record.disturbances.append("close")


def run(clients: ClientSet[Client], record: Record, seconds: float, seed: int) -> None:
    """Disturb calls for some seconds."""
    stopped = threading.Event()
    threads = [
        threading.Thread(target=call_repeatedly, args=(clients, record, seed + number, stopped))
        for number in range(THREADS)
    ]
    threads.append(
        threading.Thread(target=close_repeatedly, args=(clients, record, seed - 1, stopped))
    )
    caller, ends_at = InterruptedCaller(clients, record, seed - 2), time.monotonic() + seconds
    for thread in threads:
        thread.start()
    with caller.installed():
        while time.monotonic() < ends_at:
            # A call that never ends shows where it is.
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
            caller.call()
    faulthandler.cancel_dump_traceback_later()
    stopped.set()
    for thread in threads:
        thread.join()


def call_calmly(clients: ClientSet[Client], record: Record) -> None:
    """Make as many calls at once as need every slot, undisturbed."""
    callers = [
        clients.make_client(number, timeout=CALM_TIMEOUT, transport=clients.transport)
        for number in range(len(clients.clients))
    ]

    def call(number: int) -> None:
        record.calm_calls += 1
        try:
            rows = callers[number % len(callers)].balance()
            assert rows[0].asset == f"A{number % len(callers)}"
        # Any error is what is looked for.
        except Exception as error:  # noqa: BLE001
            record.calm_failures.append(f"{error!r:.200}")

    with ThreadPoolExecutor(CALM_CALLS) as pool:
        list(pool.map(call, range(CALM_CALLS)))


def close_all(clients: ClientSet[Client]) -> None:
    """Close every client and the transport."""
    for client in clients.clients:
        client.close()
    clients.transport.close()
    clients.clients.clear()


def make_clients(url: str, record: Record, seed: int) -> ClientSet[Client]:
    """Return the blocking clients of all accounts."""
    return ClientSet(url, Client, SyncTransport, record, seed)
