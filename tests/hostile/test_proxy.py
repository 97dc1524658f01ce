"""Network faults between client and mock exchange: a right value or an error, in time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from binance_usdm import (
    AuthenticationError,
    Client,
    DeadlineExceeded,
    RetryPolicy,
    TransportError,
    UsdmError,
)
from binance_usdm.mock import Exchange, Switches, running
from tests.hostile.catalogue import CLIENTS, SLACK, Kind
from tests.hostile.proxy import Fault, Proxy
from tests.hostile.server_behavior import GOOD, Expected, matches, outcome_of
from tests.support.canaries import KEY, SECRET
from tests.support.clients import ROW, BlockingFacade
from tests.support.timing import check_duration, retry_if_late

SEED = 20261122
SHORT, LONG = 0.2, 3.0
STEP = 3  # one bit of every third byte is inverted; `make fuzz` inverts many more
KINDS = pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.__name__)


class Way:
    """A proxy to a mock exchange."""

    def __init__(self, proxy: Proxy, url: str) -> None:
        self._proxy, self._url = proxy, url

    def call(self, kind: Kind, fault: Fault, timeout: float = LONG) -> Expected:
        """Return the outcome of a call over a connection with this fault."""
        self._proxy.set(fault)
        client = kind(
            KEY, SECRET, base_url=self._url, timeout=timeout, retry=RetryPolicy.off(), limiter=None
        )
        with (
            asyncio.Runner() as runner,
            contextlib.closing(BlockingFacade(client, runner)) as face,
        ):
            try:
                return outcome_of(face.balance_detailed())
            except UsdmError as error:
                return outcome_of(error)

    def size(self, *, reply: bool) -> int:
        """Return how many bytes the response or the request of a call has."""
        self._proxy.heard[reply] = 0
        assert matches(self.call(Client, Fault()), GOOD)
        return self._proxy.heard[reply]


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    exchange = Exchange(
        api_key=KEY, api_secret=SECRET, switches=Switches(weight_limit=10**9, used_weight=False)
    )
    exchange.seed("balance", [ROW])
    with running(exchange) as url:
        where = urlsplit(url)
        proxy = Proxy(where.hostname or "", where.port or 0)
        with proxy.running() as proxy_url:
            yield Way(proxy, proxy_url)


@pytest.mark.promise("R16")
@KINDS
def test_a_reply_that_is_cut_is_no_value(way: Way, kind: Kind) -> None:
    size = way.size(reply=True)
    for at in {0, 1, size - 1, *random.Random(SEED).sample(range(size), 20)}:
        for fault in (Fault(reset=at), Fault(end=at)):
            found = way.call(kind, fault)
            assert found[0] is TransportError, (SEED, fault, found)
    # A reset can overtake the last bytes.
    assert matches(way.call(kind, Fault(end=size)), GOOD)


@pytest.mark.promise("R1", "R16")
@KINDS
@pytest.mark.parametrize("fault", [Fault(reply=False, vanish=0), Fault(vanish=9)])
@retry_if_late
def test_bytes_that_vanish_end_at_the_deadline(way: Way, kind: Kind, fault: Fault) -> None:
    """Neither side sees an end."""
    began = time.monotonic()
    assert way.call(kind, fault, SHORT)[0] is DeadlineExceeded
    check_duration(time.monotonic() - began, at_least=SHORT, at_most=SHORT + SLACK)


@pytest.mark.promise("R16")
@KINDS
def test_a_flipped_bit_in_the_request_gives_the_right_value_or_none(way: Way, kind: Kind) -> None:
    chance = random.Random(SEED)
    outcomes = []
    for byte in range(0, way.size(reply=False), STEP):
        fault = Fault(reply=False, flip=byte * 8 + chance.randrange(8))
        found = way.call(kind, fault)
        assert matches(found, GOOD) or found[0] is not list, (SEED, fault, found)
        outcomes.append(found[0])
    # The bits did flip.
    assert {list, AuthenticationError} <= set(outcomes)
