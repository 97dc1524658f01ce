"""What all tests share: where hypothesis keeps its notes, and one fixture that tests a claim on both clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from support import KEY, SECRET, Blocking, Handler

from binance_usdm import AsyncClient, Client


def pytest_configure(config: pytest.Config) -> None:
    """What hypothesis learns of the source stays with pytest's own cache, not beside the code. Examples are never stored."""
    cache: pytest.Cache | None = getattr(config, "cache", None)  # there is none with -p no:cacheprovider
    if cache is not None:
        set_hypothesis_home_dir(cache.mkdir("hypothesis"))


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def client_of(request: pytest.FixtureRequest) -> Iterator[Callable[..., Blocking]]:
    """Makes a client with made-up credentials: `client_of(handler, **options)`, without a handler on its default transport."""

    def client_of(handler: Handler | None = None, **options: Any) -> Blocking:
        transport = {} if handler is None else {"transport": httpx.MockTransport(handler)}
        client = request.param(**{"api_key": KEY, "api_secret": SECRET, **transport, **options})
        return stack.enter_context(contextlib.closing(Blocking(client, runner)))

    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield client_of
