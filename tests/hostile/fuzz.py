"""Random responses, as `random_responses` makes them: each is a value or an error of the package.

    python -m tests.hostile.fuzz --cases 1000000 --seed 1 [--start N] [--sockets]

A case is made from seed and number alone, so `--start N --cases 1` is case N again. Without
`--sockets` the bytes go straight into the parser and the reader of the balance; with it, through a
socket into both clients. Exits with 1 at the first foreign exception.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from binance_usdm import (
    AsyncClient,
    Client,
    IPBannedError,
    RateLimitError,
    RetryPolicy,
    UnexpectedResponse,
    UsdmError,
    reset_shared_state,
)
from binance_usdm._call.response import ParsedValue, parse_response, parse_used_weight
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.messages import HttpFailure, HttpResult
from binance_usdm._policy.cooldown import cooldown_seconds
from binance_usdm_wire import OPERATIONS
from tests.hostile.catalogue import CLIENTS
from tests.hostile.random_responses import make_case
from tests.hostile.server_behavior import MIB
from tests.support.amounts import with_plain_amounts
from tests.support.canaries import KEY, SECRET
from tests.support.clients import NOW
from tests.support.raw_server import READ, RESET, RawServer, Step

BALANCE: Any = OPERATIONS["balance"]
PART = 50_000  # cases between two lines of progress


def classify(result: object, body: bytes | None) -> str:
    """Return the name of an outcome that is allowed, and raise one that is not.

    `body` is the uncompressed JSON of a value.
    """
    if isinstance(result, UsdmError):
        text = f"{result} {result!r} {getattr(result, 'hint', '')}"
        assert len(text) < 5000 or isinstance(result, UnexpectedResponse)
        assert str(result).isprintable(), "a text that is not fit for a log"
        assert RetryPolicy(random=lambda: 0.5)(result, 1) in {None, 0.1, 0.5}
        if isinstance(result, RateLimitError):
            assert 0 <= cooldown_seconds(result, NOW) <= 3 * 86400
        assert not isinstance(result, IPBannedError) or isinstance(
            result.banned_until, datetime | None
        )
        return type(result).__name__
    assert isinstance(result, list), type(result)
    if body is not None:
        rows = with_plain_amounts(json.loads(body, parse_float=Decimal))
        assert [row.to_dict() for row in result] == rows, "another value than was sent"
    return "an empty list" if not result else "rows"


def parse_pieces(pieces: Iterable[bytes]) -> HttpResult:
    """Parse a response and its end. `keep_alive` may depend on bytes after the end."""
    parser = ResponseParser(MIB)
    for piece in [*filter(None, pieces), b""]:
        parser.feed(piece)
    result = parser.result()
    assert parser.complete
    assert not parser.keep_alive
    assert isinstance(result, HttpFailure) or 200 <= result.status <= 999
    return result


def comparable(result: HttpResult) -> tuple[object, ...]:
    if isinstance(result, HttpFailure):
        return tuple(result)
    return result.status, result.headers.raw, result.body


def parse_directly(data: bytes, cut: int = 0, *, bytewise: bool = False) -> str:
    """Parse and read bytes in one and two pieces, as the transports and the clients do."""
    outcome = parse_pieces([data])
    assert comparable(parse_pieces([data[:cut], data[cut:]])) == comparable(outcome)
    if bytewise:
        single = (data[at : at + 1] for at in range(len(data)))
        assert comparable(parse_pieces(single)) == comparable(outcome)
    if isinstance(outcome, HttpFailure):
        assert outcome.text.isprintable()
        return outcome.kind
    parse_used_weight(outcome.headers)
    result = parse_response(BALANCE, outcome, (KEY,), MIB)
    if isinstance(result, ParsedValue):
        return classify(
            result.parsed, None if "content-encoding" in outcome.headers else outcome.body
        )
    return classify(result, None)


def through_sockets(seed: int, numbers: Iterator[int]) -> Iterator[str]:
    """Send each case to each client, over a connection that then ends, at times by a reset."""
    case: tuple[bytes, float] = (b"", 0.0)

    def script() -> Iterator[Step]:
        data, how = case
        cut = int(how * len(data))
        yield from (READ, data[:cut], data[cut:])
        if how > 0.95:
            yield from (0.001, RESET)

    with RawServer(script) as server, asyncio.Runner() as runner:
        for number in numbers:
            case = make_case(seed, number), random.Random(number).random()
            for kind in CLIENTS:
                yield judged_call(kind, server.url, runner)


def judged_call(kind: type[Client] | type[AsyncClient], url: str, runner: asyncio.Runner) -> str:
    options: Any = {
        "timeout": 2.0,
        "retry": RetryPolicy.off(),
        "limiter": None,
        "clock": lambda: NOW,
    }
    # Without this, every case after a ban would end before it is sent.
    reset_shared_state()
    made_client = kind(KEY, SECRET, base_url=url, **options)
    try:
        if isinstance(made_client, Client):
            with made_client:
                return classify(made_client.balance(), None)
        return classify(runner.run(_called(made_client)), None)
    except UsdmError as error:
        return classify(error, None)


async def _called(made_client: AsyncClient) -> object:
    async with made_client:
        return await made_client.balance()


def run(
    seed: int, start: int, cases: int, *, sockets: bool, say: Callable[[str], None]
) -> Counter[str]:
    """Run all cases.

    Raises:
        AssertionError: A case was neither a value nor an error of the tree. Names seed and number.
    """
    found: Counter[str] = Counter()
    numbers = iter(range(start, start + cases))
    current, began = start, time.monotonic()

    def counted() -> Iterator[int]:
        nonlocal current
        for current in numbers:
            done = current - start
            if done % PART == 0 and done:
                rate = done / (time.monotonic() - began)
                say(f"{done} cases, {rate:.0f}/s, {dict(found.most_common())}")
            yield current

    try:
        if sockets:
            found.update(through_sockets(seed, counted()))
        else:
            for number in counted():
                data = make_case(seed, number)
                cut = number % (len(data) + 1)
                found[parse_directly(data, cut, bytewise=number % 8 == 0)] += 1
    except BaseException as error:
        raise AssertionError(
            f"seed {seed}, case {current}: {make_case(seed, current)!r}"
        ) from error
    rate = cases / (time.monotonic() - began)
    found_counts = dict(found.most_common())
    say(f"seed {seed}, cases {start} to {start + cases - 1}: {rate:.0f} cases/s, {found_counts}")
    return found


def main() -> int:
    options = argparse.ArgumentParser()
    for name, default in (("--cases", 100_000), ("--seed", 1), ("--start", 0)):
        options.add_argument(name, type=int, default=default)
    options.add_argument("--sockets", action="store_true")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    try:
        run(
            chosen.seed,
            chosen.start,
            chosen.cases,
            sockets=chosen.sockets,
            say=lambda text: print(text, flush=True),
        )
    except AssertionError:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
