"""Measure signed calls per second of the mock exchange, and of its server with a constant response.

Each server is a process on the same CPU; the load comes from another CPU. Both send the same bytes.
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
from benchmarks.tables import Table, figure
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET

CONNECTIONS: Final = 16
CONSTANT_NAME: Final = "a constant response"
RATE: Final = "signed calls a second"
CPU: Final = "CPU of a call, µs"
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
# The mock's server with its settings serves another application.
CONSTANT: Final = """
import sys
from binance_usdm.mock.server import process
head, _, body = sys.stdin.buffer.read().partition(b"\\r\\n\\r\\n")
fields = [tuple(line.split(b": ", 1)) for line in head.split(b"\\r\\n")[1:]]
async def constant(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
def print_url(url):
    print(url, file=sys.stderr, flush=True)
process.run_until_signal(constant, process.HOST, 0, 1, print_url)
"""


@contextmanager
def run_server(
    arguments: tuple[str, ...], stdin: bytes, cpu: int | None
) -> Iterator[tuple[int, int]]:
    """Run a server while the context lasts. Yields its port and its process id."""
    python = interpreter("uvicorn")
    if python is None:
        raise RuntimeError("needs uvicorn: make install")
    command = [str(python), "-I", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stderr=pipe) as server:
        try:
            assert server.stdin
            assert server.stderr
            server.stdin.write(stdin)
            server.stdin.close()
            line = server.stderr.readline().decode()
            port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if port is None:
                raise RuntimeError(f"the server did not start: {line.strip()}")
            # A thread reads stderr, so that the server never waits for a reader.
            threading.Thread(target=deque, args=(server.stderr, 0), daemon=True).start()
            if cpu is not None:
                os.sched_setaffinity(server.pid, {cpu})
            yield int(port[1]), server.pid
        finally:
            server.terminate()


def build_requests(port: int, count: int) -> list[bytes]:
    """Return requests with different timestamps and signatures."""
    now = time.time_ns() // 1_000_000
    requests = []
    for number in range(count):
        query = f"recvWindow=60000&timestamp={now - number}"
        signature = hmac.new(
            DEFAULT_API_SECRET.encode(), query.encode(), hashlib.sha256
        ).hexdigest()
        headers = (
            f"Host: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
            f"X-MBX-APIKEY: {DEFAULT_API_KEY}\r\n\r\n"
        )
        requests.append(f"GET {PATH}?{query}&signature={signature} HTTP/1.1\r\n{headers}".encode())
    return requests


def cpu_seconds(process: int) -> float:
    """Return the CPU seconds of a process's threads, more exactly than in ticks."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def run_load(port: int, process: int, end: bytes, seconds: float) -> tuple[float, float]:
    """Send requests on all connections, each as soon as the response to the last one is complete.

    Args:
        port: Port of the server.
        process: Process id of the server.
        end: Last bytes of a response.
        seconds: How long to send.

    Returns:
        Calls per second, and the server's CPU seconds per call.
    """
    requests = itertools.cycle(build_requests(port, 500))
    response_count = 0
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, (connection, bytearray()))
            connection.sendall(next(requests))
        started_at = time.perf_counter()
        started_cpu = cpu_seconds(process)
        while time.perf_counter() < started_at + seconds:
            for key, _ in selector.select(5):
                connection, received = key.data
                received += connection.recv(65536)
                if not received.endswith(end):
                    continue
                if not received.startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError("the server rejected a call")
                received.clear()
                response_count += 1
                connection.sendall(next(requests))
        elapsed = time.perf_counter() - started_at
        cpu = cpu_seconds(process) - started_cpu
    return response_count / elapsed, cpu / response_count


def read_response(port: int) -> bytes:
    """Return the response to one call."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        request = build_requests(port, 1)[0]
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def mock(settings: Settings) -> list[Table]:
    """Measure the mock exchange under load, one process."""
    with ExitStack() as stack:
        if settings.cpus[1] is not None:
            stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            os.sched_setaffinity(0, {settings.cpus[1]})
        ours = stack.enter_context(run_server(OURS, b"", settings.cpus[0]))
        response = re.sub(rb"(?i)\r\nConnection: close", b"", read_response(ours[0]))
        body = response.partition(b"\r\n\r\n")[2]
        constant = stack.enter_context(run_server(("-c", CONSTANT), response, settings.cpus[0]))
        servers = {"mock exchange": ours, CONSTANT_NAME: constant}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for number in range(settings.rounds):
            for name in list(servers)[:: -1 if number % 2 else 1]:
                found[name].append(run_load(*servers[name], body[-20:], settings.seconds * 5))
    base_rates, base_cpu = zip(*found[CONSTANT_NAME], strict=True)
    rows = {}
    for name, loads in found.items():
        rates, cpu = zip(*loads, strict=True)
        rows[name] = {
            RATE: figure(rates, base_rates),
            CPU: figure([seconds * 1e6 for seconds in cpu], [s * 1e6 for s in base_cpu]),
        }
    notes = (
        f"{CONNECTIONS} connections; {CONSTANT_NAME}: the same uvicorn with the same settings, "
        "without any checks",
    )
    title = "The mock exchange, one process"
    return [Table("mock", title, "server side", (RATE, CPU), rows, CONSTANT_NAME, notes)]
