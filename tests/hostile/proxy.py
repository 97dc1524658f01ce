"""A TCP proxy with faults, between a client and a real server on this machine.

A fault belongs to one connection and is set with `set()` before the connection is made. Positions
count the bytes of one direction. The proxy is an event loop in a thread, so that a blocking client
can use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the bytes of one direction.

    Args:
        reply: Whether it is the direction of the response, else of the request.
        reset: Number of bytes after which the client gets a RST. `None` for never, here and below.
        end: Number of bytes after which the client gets a FIN. The other direction stays open.
        vanish: Number of bytes after which nothing more is sent, not even an end.
        flip: Number of the bit that is inverted.
    """

    reply: bool = True
    reset: int | None = None
    end: int | None = None
    vanish: int | None = None
    flip: int | None = None

    def cut(self) -> int | None:
        """Return the number of bytes after which nothing more is forwarded."""
        return next((at for at in (self.reset, self.end, self.vanish) if at is not None), None)


class Proxy:
    """Listens on a free loopback port while used as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        # Bytes of responses and of requests, as they were received.
        self.heard = {True: 0, False: 0}
        self._target = (host, port)
        self._fault = Fault()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

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
        # A stream that is still open when its loop is closed warns in another test.
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(2):
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, fault = asyncio.current_task(), self._fault
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(*self._target)
            self._writers.append(back)
            ways = [
                asyncio.ensure_future(self._carry(*streams, fault, is_reply, writer))
                for is_reply, streams in ((False, (reader, back)), (True, (there, writer)))
            ]
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
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, fault: Fault,
        is_reply: bool, client: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        fault = fault if fault.reply == is_reply else Fault()
        seen, cut = 0, fault.cut()
        while data := await source.read(65536):
            self.heard[is_reply] += len(data)
            piece = bytearray(data if cut is None else data[: max(cut - seen, 0)])
            if fault.flip is not None and 0 <= (at := fault.flip // 8 - seen) < len(piece):
                piece[at] ^= 1 << fault.flip % 8
            sink.write(piece)
            await sink.drain()
            seen += len(data)
            if cut is not None and seen >= cut:
                self._break(fault, client)
                if fault.reset is not None:
                    return
                # The rest is read and dropped, and so is the end.
                while await source.read(65536):
                    pass
                return
        with contextlib.suppress(OSError):
            sink.write_eof()

    def _break(self, fault: Fault, client: asyncio.StreamWriter) -> None:
        if fault.reset is not None:
            linger = struct.pack("ii", 1, 0)  # close with RST
            client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.transport.abort()
        elif fault.end is not None:
            client.write_eof()
