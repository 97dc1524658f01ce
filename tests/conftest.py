"""One fixture: a claim about the client's behaviour is tested on both clients. What it opens is closed after the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support import KEY, SECRET, Blocking, Handler

from binance_usdm import AsyncClient, Client


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def client_of(request: pytest.FixtureRequest) -> Iterator[Callable[..., Blocking]]:
    """Makes a client with made-up credentials: `client_of(handler, **options)`, without a handler on its default transport."""

    def client_of(handler: Handler | None = None, **options: Any) -> Blocking:
        transport = {} if handler is None else {"transport": httpx.MockTransport(handler)}
        client = request.param(**{"api_key": KEY, "api_secret": SECRET, **transport, **options})
        return stack.enter_context(contextlib.closing(Blocking(client, runner)))

    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield client_of
