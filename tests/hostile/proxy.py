"""A TCP proxy with faults, between a client and a real server on this machine. Knows bytes and time; nothing of HTTP.

A fault belongs to one connection and is asked for with `set` before it is made. Positions count the bytes of one direction.
It is an event loop in a thread of its own, so that a blocking client can be behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the bytes of one direction. Numbers that are None mean never, 0 at once."""

    reply: bool = True  # the reply's direction, else the request's
    latency: float = 0.0  # seconds before each piece
    jitter: float = 0.0  # and up to so many more
    bandwidth: float | None = None  # bytes a second
    slice: int | None = None  # bytes of a piece
    reset: int | None = None  # RST to the client after so many bytes
    end: int | None = None  # FIN to the client after so many bytes; the other direction stays open
    vanish: int | None = None  # nothing more after so many bytes, and no end either
    flip: int | None = None  # the bit of that number is the other one

    def cut(self) -> int | None:
        """After how many bytes nothing more gets through."""
        return next((at for at in (self.reset, self.end, self.vanish) if at is not None), None)


class Proxy:
    """Listens on a free loopback port while used as a context manager."""

    def __init__(self, host: str, port: int, seed: int) -> None:
        self.connections = 0
        self.heard = {
            True: 0,
            False: 0,
        }  # bytes of replies and of requests that came from either side
        self._target, self._seed = (host, port), seed
        self._fault = Fault()
        self._tasks: set[asyncio.Task[None]] = set()

    def set(self, fault: Fault) -> None:
        """For connections from now on."""
        self._fault = fault

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The URL to ask."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), loop
        ).result(5)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(server), loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)
            loop.close()

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task, fault = asyncio.current_task(), self._fault
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        chance = random.Random(self._seed * 1_000_003 + self.connections)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(*self._target)
            ways = [
                asyncio.ensure_future(self._carry(reader, back, fault if not fault.reply else Fault(), False, chance, writer)),
                asyncio.ensure_future(self._carry(there, writer, fault if fault.reply else Fault(), True, chance, writer)),
            ]  # fmt: skip
            try:  # either side's end is the other's, unless it is the fault to keep it open
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                if fault.end is not None or fault.vanish is not None:
                    await asyncio.wait(ways)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                for side in (back, writer):
                    side.close()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, fault: Fault, is_reply: bool, chance: random.Random,
        client: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        seen, cut = 0, fault.cut()
        while data := await source.read(65536):
            self.heard[is_reply] += len(data)
            piece = bytearray(data if cut is None else data[: max(cut - seen, 0)])
            if fault.flip is not None and 0 <= (at := fault.flip // 8 - seen) < len(piece):
                piece[at] ^= 1 << fault.flip % 8
            await self._forward(bytes(piece), sink, fault, chance)
            seen += len(data)
            if cut is not None and seen >= cut:
                self._break(fault, client)
                if fault.reset is not None:
                    return
                while await source.read(65536):  # to the end, of which nobody is told
                    pass
                return
        with contextlib.suppress(OSError):
            sink.write_eof()

    async def _forward(
        self, data: bytes, sink: asyncio.StreamWriter, fault: Fault, chance: random.Random
    ) -> None:
        size = fault.slice or max(len(data), 1)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            pause = (
                fault.latency
                + fault.jitter * chance.random()
                + (len(piece) / fault.bandwidth if fault.bandwidth else 0)
            )
            if pause:
                await asyncio.sleep(pause)
            sink.write(piece)
            await sink.drain()

    def _break(self, fault: Fault, client: asyncio.StreamWriter) -> None:
        if fault.reset is not None:
            linger = struct.pack("ii", 1, 0)  # close with RST
            client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.transport.abort()
        elif fault.end is not None:
            client.write_eof()
