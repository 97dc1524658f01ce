"""A process with the mock exchange, which writes every request to a file.

    python -m tests.hostile.recording_exchange RECORD SETTINGS     SETTINGS is a JSON object

It prints its URL, takes one command a line on its standard input, and ends when that is closed.
The file outlives the process, so that requests before and after a restart of the exchange are
judged together. `exchange_process` is its parent's side.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from binance_usdm.mock import Delivery, Exchange, Reply, Switches, serve
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

WEIGHT_BY_PATH = {BALANCE_PATH: 5, TIME_PATH: 1}
"""What a request costs, written down here so that neither the client nor the mock is asked."""
NO_BALANCE = b'"balance":"0.00000000"'
_TIMESTAMP = re.compile(rb"(?:^|&)timestamp=(\d+)")
_RECV_WINDOW = re.compile(rb"(?:^|&)recvWindow=(\d+)")


class Arrival(NamedTuple):
    """One request, as the exchange saw it. Instants are in ms of the exchange's clock."""

    start: int
    """Number of the exchange's start, from 0."""
    at_ms: int
    response_at_ms: int
    path: str
    status: int
    code: int | None
    retry_after_ms: int
    """How long a 429 or 418 asks to send nothing, else 0."""
    timestamp_ms: int | None
    """When the client signed the request. `None` for a request without a timestamp."""

    @property
    def weight(self) -> int:
        return WEIGHT_BY_PATH.get(self.path, 0)


def read_arrivals(record: Path) -> Iterator[Arrival]:
    """Yield the requests of a file, without a last line that a killed process left incomplete."""
    with record.open(encoding="ascii") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Arrival(*json.loads(line))


class RecordingExchange(Exchange):
    """A mock exchange that writes down each request and delays its good responses.

    Args:
        record: File that each request is appended to.
        start: Number of this start.
        delay: Shortest and longest delay of a response with status 200, in seconds.
        ahead_ms: How far the exchange's clock is ahead of this machine's.
        weight_limit: Weight in a minute above which the exchange itself responds with 429.
        seed: Of the delays and of faults with a probability.
    """

    def __init__(
        self,
        record: Path,
        start: int,
        *,
        delay: tuple[float, float],
        ahead_ms: int,
        weight_limit: int,
        seed: int,
    ) -> None:
        super().__init__(
            clock=lambda: time.time_ns() // 1_000_000 + ahead_ms,
            switches=Switches(weight_limit=weight_limit),
            log_size=1,
            random_seed=seed,
        )
        self._start, self._delay, self._rng = start, delay, Random(seed)
        self._next_ban_seconds = 0
        self._file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def handle(
        self,
        method: str,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes = b"",
        address: str = "127.0.0.1",
    ) -> Reply:
        at_ms = self.clock()
        if self._next_ban_seconds:
            self.ban(self._next_ban_seconds)
            self._next_ban_seconds = 0
        reply = super().handle(method, target, headers, body, address)
        path, _, query = target.partition(b"?")
        if reply.status == 200:
            reply = self._delay_response(_echo_recv_window(reply, query))
        self._write(at_ms, path.decode("latin-1"), query, reply)
        return reply

    def _delay_response(self, reply: Reply) -> Reply:
        seconds = self._rng.uniform(*self._delay)
        if not seconds or reply.delivery != Delivery():
            return reply
        return replace(reply, delivery=Delivery(latency=seconds))

    def _write(self, at_ms: int, path: str, query: bytes, reply: Reply) -> None:
        timestamp = _TIMESTAMP.search(query)
        arrival = Arrival(
            start=self._start,
            at_ms=at_ms,
            response_at_ms=at_ms + round(reply.delivery.latency * 1000),
            path=path,
            status=reply.status,
            code=reply.code,
            retry_after_ms=_retry_after_ms(reply),
            timestamp_ms=int(timestamp[1]) if timestamp else None,
        )
        # One unbuffered write a line: a killed process has lost none.
        os.write(self._file, json.dumps(arrival).encode() + b"\n")

    def run_command(self, name: str, options: dict[str, Any]) -> None:
        """Run a command: "recover", "fail", "cooldown", which is one 429, or "ban".

        The next request meets the 429 or the ban, whenever it comes.

        Raises:
            ValueError: There is no such command, fault or option.
        """
        if name == "cooldown":
            seconds = b"%d" % options.pop("seconds")
            limited = Reply(
                429, ((b"Retry-After", seconds),), b'{"code":-1003,"msg":"Too many"}', -1003
            )
            self.fail(limited, **options)
        elif name == "ban":
            self._next_ban_seconds = options["seconds"]
        elif name in {"recover", "fail"}:
            getattr(self, name)(**options)
        else:
            raise ValueError(f"there is no command {name}")


def _echo_recv_window(reply: Reply, query: bytes) -> Reply:
    """Return the response with the request's recvWindow as its balance."""
    match = _RECV_WINDOW.search(query)
    if match is None or NO_BALANCE not in reply.body:
        return reply
    return replace(reply, body=reply.body.replace(NO_BALANCE, b'"balance":"%b"' % match[1]))


def _retry_after_ms(reply: Reply) -> int:
    if reply.status not in (418, 429):
        return 0
    return 1000 * int(dict(reply.headers).get(b"Retry-After", b"0"))


def make_rows(number: int) -> list[dict[str, Any]]:
    """Return the rows of an account; the asset names the account."""
    amounts = ("crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
    row: dict[str, Any] = {"accountAlias": f"a{number}", "asset": f"A{number}"}
    row |= dict.fromkeys(("balance", *amounts), "0.00000000")
    return [row | {"marginAvailable": True, "updateTime": 0}]


def api_key(number: int) -> str:
    """Return the test key of an account."""
    return f"test-key-{number:04}-opens-nothing"


def api_secret(number: int) -> str:
    """Return the test secret of an account."""
    return f"test-secret-{number:04}-opens-nothing"


def run_commands(exchange: RecordingExchange) -> None:
    """Run the commands of the standard input, and end the process at its end."""
    for line in sys.stdin:
        name, options = json.loads(line)
        exchange.run_command(name, options)
    os._exit(0)


def main() -> None:
    record, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    exchange = RecordingExchange(
        record,
        settings["start"],
        delay=tuple(settings["delay"]),
        ahead_ms=settings["ahead_ms"],
        weight_limit=settings["weight_limit"],
        seed=settings["seed"] + settings["start"],
    )
    for number in range(settings["accounts"]):
        exchange.add_account(api_key(number), api_secret(number), balance=make_rows(number))
    threading.Thread(target=run_commands, args=(exchange,), daemon=True).start()
    serve(exchange, port=settings["port"], ready=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
