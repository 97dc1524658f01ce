"""Signed calls a second that the mock exchange answers, beside the same server stack with one constant reply. Knows sockets and `/proc`.

Both are processes of their own on one CPU, the load comes from another one; what they send is the same to the byte.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import re
import selectors
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.baseline import PATH
from benchmarks.side_by_side import Settings, environment, interpreter
from benchmarks.statistics import Table, figure

KEY, SECRET = (
    "mock-exchange-api-key-opens-nothing",
    "mock-exchange-api-secret-opens-nothing",
)  # the mock's own
CONNECTIONS: Final = 16
OURS: Final = (
    "-m",
    "binance_usdm",
    "mock",
    "serve",
    "--port",
    "0",
    "--switch",
    "weight_limit=1000000000000",
)
# the mock's own server with its own settings; only what it serves is another application
CONSTANT: Final = """
import sys
from binance_usdm.mock import Exchange, app
head, _, body = sys.stdin.buffer.read().partition(b"\\r\\n\\r\\n")
fields = [tuple(line.split(b": ", 1)) for line in head.split(b"\\r\\n")[1:]]
async def constant(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
app.application = lambda *_, **__: constant
app.serve(Exchange(), port=0, ready=lambda url: print(url, file=sys.stderr, flush=True))
"""


@contextmanager
def serving(arguments: tuple[str, ...], given: bytes, cpu: int | None) -> Iterator[tuple[int, int]]:
    """Port and process of a server; it reads `given` first."""
    python = interpreter("uvicorn")
    if python is None:
        raise RuntimeError("needs uvicorn: make install")
    command, pipe = [str(python), "-I", *arguments], subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stderr=pipe) as server:
        try:
            assert server.stdin
            assert server.stderr
            server.stdin.write(given)
            server.stdin.close()
            said = server.stderr.readline().decode()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
            if found is None:
                raise RuntimeError(f"the server did not start: {said.strip()}")
            threading.Thread(
                target=deque, args=(server.stderr, 0), daemon=True
            ).start()  # so that it never waits for a reader
            if cpu is not None:
                os.sched_setaffinity(server.pid, {cpu})
            yield int(found[1]), server.pid
        finally:
            server.terminate()


def requests(port: int, count: int) -> list[bytes]:
    """Each with a time and a signature of its own."""
    now, made = time.time_ns() // 1_000_000, []
    for number in range(count):
        query = f"recvWindow=60000&timestamp={now - number}"
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        fields = (
            f"Host: 127.0.0.1:{port}\r\nAccept: application/json\r\nX-MBX-APIKEY: {KEY}\r\n\r\n"
        )
        made.append(f"GET {PATH}?{query}&signature={signature} HTTP/1.1\r\n{fields}".encode())
    return made


def cpu_of(process: int) -> float:
    """Seconds that the threads of a process have run; finer than the ticks that ps shows."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


def run_load(port: int, process: int, end: bytes, seconds: float) -> tuple[float, float]:
    """Calls a second, and the server's CPU seconds a call, under as much load as the connections allow."""
    asked, answered = itertools.cycle(requests(port, 500)), 0
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, (connection, bytearray()))
            connection.sendall(next(asked))
        began, cpu = time.perf_counter(), cpu_of(process)
        while time.perf_counter() < began + seconds:
            for key, _ in selector.select(5):
                connection, got = key.data
                got += connection.recv(65536)
                if got.endswith(end):
                    if not got.startswith(b"HTTP/1.1 200 "):
                        raise RuntimeError("the server refused a call")
                    got.clear()
                    answered += 1
                    connection.sendall(next(asked))
        took, cpu = time.perf_counter() - began, cpu_of(process) - cpu
    return answered / took, cpu / answered


def reply_of(port: int) -> bytes:
    """What one call is answered."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            requests(port, 1)[0].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        return b"".join(iter(lambda: connection.recv(65536), b""))


def mock(settings: Settings) -> list[Table]:
    """The mock exchange under load, one process."""
    with ExitStack() as stack:
        if settings.cpus[1] is not None:
            stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            os.sched_setaffinity(0, {settings.cpus[1]})
        ours = stack.enter_context(serving(OURS, b"", settings.cpus[0]))
        reply = reply_of(ours[0])
        reply = re.sub(rb"(?i)\r\nConnection: close", b"", reply)
        body = reply.partition(b"\r\n\r\n")[2]
        constant = stack.enter_context(serving(("-c", CONSTANT), reply, settings.cpus[0]))
        servers = {"mock exchange": ours, "a constant reply": constant}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for number in range(settings.rounds):
            for name in list(servers)[:: -1 if number % 2 else 1]:
                found[name].append(run_load(*servers[name], body[-20:], settings.seconds * 5))
    columns = ("signed calls a second", "CPU of a call, µs")
    taken = {
        name: ([rate for rate, _ in each], [cpu * 1e6 for _, cpu in each])
        for name, each in found.items()
    }
    base = "a constant reply"
    rows = {
        name: {column: figure(each[at], taken[base][at]) for at, column in enumerate(columns)}
        for name, each in taken.items()
    }
    notes = (
        f"{CONNECTIONS} connections; a constant reply: the same uvicorn with the same settings, which judges nothing",
    )
    return [
        Table("mock", "The mock exchange, one process", "server side", columns, rows, base, notes)
    ]
