"""A call that is cancelled at any moment leaves nothing behind.

There is no socket, no closed connection in the pool, and no response for the next call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import types
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from binance_usdm._http.async_transport import AsyncTransport
from tests.http.drivers import (
    CertificateAuthority,
    SyncDriver,
    add_deadline,
    idle,
    make_request,
    send,
)
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Script, repeat, response_bytes

pytestmark = pytest.mark.promise("R14")


def echo(head: bytes) -> bytes:
    return response_bytes(head.split()[1])


HALF: Script = [READ, b"HTTP/1.1 200 OK\r\nX: ", STAY_SILENT]
SERVERS: dict[str, tuple[str, bool, Script]] = {
    "a reply": ("http", False, repeat(READ, echo)),
    "a reply over TLS": ("https", True, repeat(READ, echo)),
    "half a reply": ("http", False, HALF),
    "half a reply over TLS": ("https", True, HALF),
    "half a handshake": ("https", False, [STAY_SILENT]),
    "a handshake and no goodbye": ("https", True, [2.0]),
}


@types.coroutine
def _cancelled(call: Coroutine[Any, Any, Any], pause: int, late: bool) -> Generator[Any, Any, bool]:
    task = asyncio.current_task()
    assert task is not None
    for number in range(1000):
        try:
            awaited = call.send(None)
        except StopIteration:
            return False
        if number == pause and late and awaited is not None:
            # It is called before the callback that wakes the task.
            awaited.add_done_callback(lambda _: task.cancel())
        elif number == pause:
            task.cancel()
        try:
            yield awaited
        except asyncio.CancelledError as error:
            with contextlib.suppress(asyncio.CancelledError):
                call.throw(error)
            return number >= pause
    raise AssertionError("it never ends")


async def cancelled(call: Coroutine[Any, Any, Any], pause: int, late: bool) -> bool:
    """Cancel the call in its n-th wait.

    Args:
        call: The call.
        pause: Number of the wait.
        late: Whether to cancel it when what it waited for has just come.

    Returns:
        Whether it got that far.
    """
    return await _cancelled(call, pause, late)


async def becomes(true: Callable[[], bool]) -> bool:
    for _ in range(200):
        if true():
            return True
        await asyncio.sleep(0.005)
    return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def none_dead(transport: AsyncTransport) -> bool:
    return all(connection.is_usable() for kept in idle(transport) for connection in kept)


async def every_pause(
    transport: AsyncTransport, url: str, *, late: bool, fresh: bool, patience: float = 1.0
) -> int:
    """Cancel calls in their first, second, … wait, and return the number of waits.

    Args:
        transport: Makes the calls.
        url: Where they go, without their number.
        late: Whether to cancel them when what they waited for has just come.
        fresh: Whether they need a new connection.
        patience: Seconds after which a call hangs.
    """
    for pause in range(1000):
        if not fresh:
            await send(transport, make_request(url + "kept"))
        call = transport.handle_async_request(
            add_deadline(make_request(f"{url}{pause}", fresh=fresh), 5)
        )
        task = asyncio.create_task(cancelled(call, pause, late))
        # A call that hangs is not cancelled in this pause, but ended now.
        await asyncio.wait([task], timeout=patience)
        task.cancel()
        if not await task:
            return pause
        await asyncio.sleep(0)
        assert none_dead(transport)
    raise AssertionError("it never ends")


async def reaches_two_pauses(
    transport: AsyncTransport, url: str, *, late: bool, answers: bool
) -> bool:
    """Return whether calls can be cancelled in two waits. A busy machine gets more time."""
    for patience in (1.0,) if answers else (0.05, 0.5, 2.0):
        if await every_pause(transport, url, late=late, fresh=True, patience=patience) >= 2:
            return True
    return False


@pytest.mark.parametrize("late", [False, True], ids=["while waiting", "when it came"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_call_cancelled_in_any_pause_leaves_nothing_behind(
    name: str, late: bool, authority: CertificateAuthority
) -> None:
    scheme, tls, script = SERVERS[name]
    answers = name.startswith("a reply")

    async def scenario(server: RawServer) -> None:
        transport = AsyncTransport()
        url = f"{scheme}://localhost:{server.port}/"
        before = descriptors()
        assert await reaches_two_pauses(transport, url, late=late, answers=answers)
        if answers:
            assert await every_pause(transport, url, late=late, fresh=False) >= 1
            assert (await send(transport, make_request(url + "last"))).content == b"/last"
        else:
            assert not any(idle(transport))
        await transport.aclose()
        # Those are the descriptors of the server.
        assert await becomes(lambda: descriptors() - before <= server.connections - server.ended)
        assert len(asyncio.all_tasks()) == 1

    with (
        RawServer(script, tls=authority.server() if tls else None) as server,
        authority.trust_system_wide(),
    ):
        asyncio.run(scenario(server))
        assert server.connections >= 2


def test_a_call_cancelled_before_it_is_connected_leaves_nothing_behind(
    swallower: tuple[str, int],
) -> None:
    async def scenario() -> None:
        transport, before = AsyncTransport(), descriptors()
        url = "http://{}:{}/".format(*swallower)
        assert await every_pause(transport, url, late=False, fresh=True, patience=0.05) >= 1
        assert descriptors() == before

    asyncio.run(scenario())


def test_tasks_get_their_own_responses() -> None:
    """A hundred tasks share connections. Each gets its own response, and no connection leaks."""

    async def calls(transport: AsyncTransport, url: str, task: int) -> None:
        for number in range(20):
            assert (
                await send(transport, make_request(f"{url}{task}/{number}"))
            ).content == b"/%d/%d" % (task, number)

    async def scenario(server: RawServer) -> None:
        transport, before = AsyncTransport(), descriptors()
        await asyncio.gather(*[calls(transport, server.url, task) for task in range(100)])
        assert none_dead(transport)
        await transport.aclose()
        assert await becomes(lambda: descriptors() <= before)

    with RawServer(repeat(READ, echo)) as server:
        asyncio.run(scenario(server))
    assert server.connections <= 100


def test_threads_get_their_own_responses() -> None:
    """Eight threads share the connections, each gets its own response, and no connection leaks."""
    with (
        RawServer(repeat(READ, echo)) as server,
        contextlib.closing(SyncDriver()) as wire,
        ThreadPoolExecutor(8) as pool,
    ):
        before = descriptors()
        numbers = range(8 * 150)
        replies = pool.map(
            lambda number: wire.send(make_request(f"{server.url}{number}")).content, numbers
        )
        assert list(replies) == [b"/%d" % number for number in numbers]
        assert server.connections == sum(map(len, idle(wire.transport))) <= 8
        wire.shut_down()
        assert server.wait(lambda: server.ended == server.connections)
        assert descriptors() <= before
