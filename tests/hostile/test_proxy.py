"""Network faults between client and mock exchange: a right value or an error, in time."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from binance_usdm import (
    AsyncClient,
    AuthenticationError,
    Client,
    DeadlineExceeded,
    RetryPolicy,
    TransportError,
    UsdmError,
)
from binance_usdm.mock import Exchange, Switches, running
from tests.hostile.catalogue import CLIENTS, SLACK
from tests.hostile.proxy import Fault, Proxy
from tests.hostile.server_behavior import GOOD, LATE, Expected, matches, outcome_of
from tests.support.canaries import KEY, SECRET
from tests.support.clients import ROW, BlockingFacade
from tests.support.timing import check_duration, retry_if_late

SEED = 20261122
SHORT, LONG = 0.3, 3.0
STEP = 3  # one bit of every third byte is inverted; `make fuzz` inverts many more
LANES = 8  # proxies, each with one call at a time
Kind = type[Client] | type[AsyncClient]
Ask = tuple[Kind, Fault]


@dataclass(frozen=True, slots=True)
class Way:
    """Proxies to one mock exchange, and the bytes that a call without faults sends and receives."""

    lanes: queue.SimpleQueue[tuple[Proxy, str]] = field(default_factory=queue.SimpleQueue)
    sizes: dict[bool, int] = field(default_factory=dict)

    def call(
        self, client_class: Kind, fault: Fault, timeout: float = SHORT, calls: int = 1
    ) -> tuple[Expected, float]:
        """Return the last outcome of `count` calls of one client, and the longest time of one."""
        proxy, url = self.lanes.get()
        proxy.set(fault)
        options: dict[str, Any] = {"timeout": timeout, "retry": RetryPolicy.off(), "limiter": None}
        found, most = (), 0.0
        try:
            with (
                asyncio.Runner() as runner,
                contextlib.closing(
                    BlockingFacade(client_class(KEY, SECRET, base_url=url, **options), runner)
                ) as face,
            ):
                for _ in range(calls):
                    began = time.monotonic()
                    try:
                        found = outcome_of(face.balance_detailed())
                    except UsdmError as error:
                        found = outcome_of(error)
                    most = max(most, time.monotonic() - began)
        finally:
            self.lanes.put((proxy, url))
        return found, most

    def all(
        self, faults: Iterable[Fault], timeout: float = SHORT
    ) -> list[tuple[Kind, Fault, Expected]]:
        """Run each fault on both clients, side by side. None may outlast its deadline.

        One that does is repeated alone.
        """
        asked: list[Ask] = [(client_class, fault) for fault in faults for client_class in CLIENTS]
        with ThreadPoolExecutor(LANES) as pool:
            found = list(pool.map(lambda ask: self.call(ask[0], ask[1], timeout), asked))
        for (client_class, fault), (due, seconds) in zip(asked, found, strict=True):
            if seconds > timeout + SLACK:
                seconds = min(self.call(client_class, fault, timeout)[1] for _ in range(3))
            assert seconds <= timeout + SLACK, (SEED, client_class, fault, seconds, due)
        return [
            (client_class, fault, due)
            for (client_class, fault), (due, _) in zip(asked, found, strict=True)
        ]


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    exchange = Exchange(
        api_key=KEY, api_secret=SECRET, switches=Switches(weight_limit=10**9, used_weight=False)
    )
    exchange.seed("balance", [ROW])
    made = Way()
    with running(exchange) as url, contextlib.ExitStack() as stack:
        where = urlsplit(url)
        for number in range(LANES):
            proxy = Proxy(where.hostname or "", where.port or 0, SEED + number)
            made.lanes.put((proxy, stack.enter_context(proxy.running())))
        assert matches(made.call(Client, Fault(), LONG)[0], GOOD)
        for _ in range(LANES):
            proxy, url = made.lanes.get()
            made.sizes.update({way: size for way, size in proxy.heard.items() if size})
            made.lanes.put((proxy, url))
        yield made


@pytest.fixture(params=CLIENTS, ids=lambda client_class: client_class.__name__)
def client_class(request: pytest.FixtureRequest) -> Kind:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.promise("R16")
@pytest.mark.parametrize("reply", [True, False], ids=["reply", "request"])
@pytest.mark.parametrize(
    "how", [{"slice": 1}, {"latency": 0.02, "jitter": 0.02}, {"bandwidth": 5000.0, "slice": 50}],
    ids=["slices", "latency", "bandwidth"]
)  # fmt: skip
def test_a_slow_way_changes_nothing(
    way: Way, client_class: Kind, reply: bool, how: dict[str, Any]
) -> None:
    found, _ = way.call(client_class, Fault(reply=reply, **how), LONG, calls=3)
    assert matches(found, GOOD)


@pytest.mark.promise("R1")
@pytest.mark.parametrize("reply", [True, False], ids=["reply", "request"])
@retry_if_late
def test_a_way_that_is_too_slow_ends_at_the_deadline(
    way: Way, client_class: Kind, reply: bool
) -> None:
    for fault in (Fault(reply=reply, latency=2.0), Fault(reply=reply, slice=1, bandwidth=300.0)):
        found, seconds = way.call(client_class, fault)
        assert matches(found, LATE), (SEED, fault)
        check_duration(seconds, at_least=SHORT, at_most=SHORT + SLACK)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("how", ["reset", "end"])
def test_a_reply_that_is_cut_is_no_value(way: Way, how: str) -> None:
    def cut(at: int) -> Fault:
        return Fault(reset=at) if how == "reset" else Fault(end=at)

    size = way.sizes[True]
    places = {0, 1, size - 1, *random.Random(SEED).sample(range(size), 40)}
    for client_class, fault, found in way.all(map(cut, sorted(places)), LONG):
        assert found[0] is TransportError, (SEED, client_class, fault, found)
    for client_class, fault, found in way.all([cut(size)], LONG):
        # A reset can overtake the last bytes.
        assert matches(found, GOOD) or how == "reset", (SEED, client_class, fault, found)


@pytest.mark.promise("R1", "R16")
def test_a_reply_that_stops_at_any_byte_ends_at_the_deadline(way: Way) -> None:
    places = random.Random(SEED).sample(range(way.sizes[True]), 10)
    faults = [Fault(vanish=at) for at in places] + [
        Fault(reply=False, vanish=at) for at in (0, 1, way.sizes[False] - 1)
    ]
    for client_class, fault, found in way.all(faults):
        assert found[0] is DeadlineExceeded, (SEED, client_class, fault, found)


def flips(size: int) -> list[int]:
    """Return the position of a bit of every third byte, the same for the same seed."""
    chance = random.Random(SEED)
    return [byte * 8 + chance.randrange(8) for byte in range(0, size, STEP)]


@pytest.mark.promise("R16")
def test_a_flipped_bit_in_the_reply_raises_nothing_foreign(way: Way) -> None:
    """A flipped bit may change a value in a valid response. TLS would prevent that."""
    outcomes = [
        found[0] for _, _, found in way.all(Fault(flip=bit) for bit in flips(way.sizes[True]))
    ]
    assert {list, TransportError} <= set(outcomes)


@pytest.mark.promise("R16")
def test_a_flipped_bit_in_the_request_gives_the_right_value_or_none(way: Way) -> None:
    outcomes = way.all(Fault(reply=False, flip=bit) for bit in flips(way.sizes[False]))
    for client_class, fault, found in outcomes:
        assert matches(found, GOOD) or found[0] is not list, (SEED, client_class, fault, found)
    # The bits did flip.
    assert {list, AuthenticationError} <= {found[0] for _, _, found in outcomes}
