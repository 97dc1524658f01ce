"""Key, secret, signature and password show in no repr, log or warning, and whatever holds them is neither copied nor pickled."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import logging
import pickle
import pprint
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from canaries import KEY, PASSWORD, SECRET, SIGNATURES, Own, clean, handling
from raw_server import READ, RawServer, again, reply
from support import BODY

from binance_usdm import AsyncClient, Client, HmacSigner
from binance_usdm._config import Credentials

REQUESTS: list[httpx.Request] = []


def echo(request: httpx.Request) -> httpx.Response:
    REQUESTS.append(request)
    return httpx.Response(200, headers={"X": str(request.url)}, content=BODY)


GOOD = handling(echo)
SEALED = [
    Client(KEY, SECRET, transport=GOOD),
    AsyncClient(KEY, SECRET, transport=GOOD),
    Client(KEY, signer=Own()),
    Client(KEY, SECRET, proxy=f"http://user:{PASSWORD}@localhost:1"),
    HmacSigner(SECRET),
    Credentials(KEY, HmacSigner(SECRET)),
]


def printed(thing: object) -> str:
    return "".join(
        [repr(thing), str(thing), f"{thing}", f"{thing!r:>40}", pprint.pformat({1: [thing]}), repr(dir(thing))]
    )


@pytest.mark.parametrize("thing", SEALED)
def test_what_holds_a_secret_shows_none(thing: object) -> None:
    assert clean(printed(thing))
    assert type(thing).__name__ in repr(thing)
    with pytest.raises(TypeError, match="vars"):
        vars(thing)


def test_requests_and_responses_show_no_secret() -> None:
    response = Client(KEY, SECRET, transport=GOOD).balance_detailed()
    assert SIGNATURES[-1] in response.headers["x"]
    assert clean(printed(response))
    assert clean(printed(REQUESTS[-1]))


@pytest.mark.parametrize("thing", SEALED)
def test_what_holds_a_secret_is_neither_copied_nor_pickled(thing: object) -> None:
    takes: list[Callable[[object], object]] = [copy.copy, copy.deepcopy, lambda thing: copy.deepcopy([thing])]
    takes += [functools.partial(pickle.dumps, protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for take in takes:
        with pytest.raises(TypeError, match="holds a secret and cannot be copied or pickled") as caught:
            take(thing)
        assert clean(str(caught.value))


class Everything(logging.Handler):
    """Keeps each record as it is printed and as it is built."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{self.format(record)} {vars(record)!r}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """All that any logger says at any level."""
    root, handler = logging.getLogger(), Everything()
    levels = {name: logging.getLogger(name).level for name in ("", "httpx", "httpcore", "asyncio", "binance_usdm")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.told
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_no_log_and_no_warning_tells_a_secret(logged: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    def heard(head: bytes) -> bytes:
        SIGNATURES.extend(parse_qs(head.split(b" ")[1].decode()).get("signature", []))
        return reply(BODY)

    async def calls(options: dict[str, Any]) -> None:
        async with AsyncClient(KEY, SECRET, **options) as client:
            assert len(await client.balance()) == 1

    SIGNATURES.clear()
    with RawServer(again(READ, heard)) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        proxied = {"proxy": server.url.replace("//", f"//user:{PASSWORD}@")}
        for mine, theirs in (
            ({}, {}),
            (proxied, proxied),
            ({"transport": httpx.HTTPTransport()}, {"transport": httpx.AsyncHTTPTransport()}),
        ):
            with Client(KEY, SECRET, base_url=server.url, **mine) as client:
                assert len(client.balance()) == 1
            asyncio.run(calls({"base_url": server.url, **theirs}), debug=True)
        Client(KEY, SECRET, base_url=server.url).balance()  # left open
        gc.collect()
    assert len(SIGNATURES) == 7
    assert any("httpcore" in line for line in logged)
    assert warned
    assert clean("\n".join([*logged, *(str(warning.message) for warning in warned), *capfd.readouterr()]))
