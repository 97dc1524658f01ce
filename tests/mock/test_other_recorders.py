"""vcrpy and respx see the requests of a client with a transport of httpx, as the page says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import vcr

from binance_usdm import AsyncClient, Client, RetryPolicy, TransportError
from binance_usdm.mock import Exchange, running
from tests.support.clients import BODY
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH

CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
PAGE = (ROOT / "docs" / "mock-exchange.md").read_text(encoding="utf-8")
RECORDER_LOGS = (
    "cassette",
    "matchers",
    "request",
    "stubs",
    "stubs.httpx_stubs",
    "stubs.httpcore_stubs",
)
NOBODY = "http://127.0.0.1:1"


def call(kind: Any, exchange: Exchange, base_url: str, *, httpx_transport: bool) -> Any:
    """Return the rows that a new client reads."""
    options: dict[str, Any] = {"base_url": base_url, "retry": RetryPolicy.off()}
    key, secret = exchange.api_key, exchange.api_secret

    async def balance() -> Any:
        transport = httpx.AsyncHTTPTransport() if httpx_transport else None
        async with AsyncClient(key, secret, transport=transport, **options) as client:
            rows = await client.balance()
        if transport is not None:
            await transport.aclose()
        return rows

    if kind is AsyncClient:
        return asyncio.run(balance())
    with contextlib.ExitStack() as stack:
        transport = stack.enter_context(httpx.HTTPTransport()) if httpx_transport else None
        client = stack.enter_context(Client(key, secret, transport=transport, **options))
        return client.balance()


@pytest.fixture(autouse=True)
def quiet_recorder() -> Iterator[None]:
    """Set the level that the page sets: vcrpy logs signed URLs below it."""
    (name, level) = re.findall(r'logging\.getLogger\("(\w+)"\)\.setLevel\(logging\.(\w+)\)', PAGE)[
        0
    ]
    recorder_log = logging.getLogger(name)
    former = recorder_log.level
    recorder_log.setLevel(level)
    # The watch for secrets hears every level, but only what the filters of a logger let pass.
    children = [logging.getLogger(f"{name}.{child}") for child in RECORDER_LOGS]
    for child in children:
        child.addFilter(is_logged)
    yield
    for child in children:
        child.removeFilter(is_logged)
    recorder_log.setLevel(former)


def is_logged(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.getLogger(record.name).getEffectiveLevel()


@pytest.fixture
def served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange()
    with running(exchange) as url:
        yield exchange, url


def documented_options() -> dict[str, Any]:
    """Return the options of vcrpy that the page shows."""
    code = PAGE.partition("recorder = vcr.VCR(")[2].partition("\n)\n")[0]
    options: dict[str, Any] = eval(f"dict({code})", {})
    assert set(options) == {"filter_headers", "filter_query_parameters"}
    return options


@CLIENTS
def test_vcrpy_records_and_replays(kind: Any, served: tuple[Exchange, str], tmp_path: Path) -> None:
    """The cassette has no key and no signature, and is replayed to a later call."""
    exchange, url = served
    recorder = vcr.VCR(**documented_options())
    cassette = tmp_path / "balance.yaml"
    with recorder.use_cassette(str(cassette)):
        recorded = call(kind, exchange, url, httpx_transport=True)
    text = cassette.read_text(encoding="utf-8")
    assert BALANCE_PATH in text
    assert exchange.api_key not in text
    assert "signature" not in text.lower()
    assert len(exchange.requests) == 1
    with recorder.use_cassette(str(cassette), record_mode=vcr.mode.NONE):
        assert call(kind, exchange, url, httpx_transport=True) == recorded
    assert len(exchange.requests) == 1


@CLIENTS
def test_vcrpy_does_not_see_the_default_transport(
    kind: Any, served: tuple[Exchange, str], tmp_path: Path
) -> None:
    """Without a transport of httpx the request is sent, whatever the recorder says."""
    exchange, url = served
    cassette = tmp_path / "balance.yaml"
    with vcr.VCR().use_cassette(str(cassette), record_mode=vcr.mode.NONE):
        assert call(kind, exchange, url, httpx_transport=False)
    assert len(exchange.requests) == 1
    assert not cassette.exists()


@CLIENTS
def test_respx_answers(kind: Any) -> None:
    """A route of respx answers a client with a transport of httpx, and no other."""
    exchange = Exchange()
    with respx.mock(base_url=NOBODY, assert_all_called=False) as router:
        route = router.get(BALANCE_PATH).respond(200, content=BODY)
        assert call(kind, exchange, NOBODY, httpx_transport=True)[0].asset == "USDT"
        assert route.call_count == 1
        assert route.calls[0].request.headers["X-MBX-APIKEY"] == exchange.api_key
        with pytest.raises(TransportError):
            call(kind, exchange, NOBODY, httpx_transport=False)
        assert route.call_count == 1
