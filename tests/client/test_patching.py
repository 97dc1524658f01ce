"""Replace methods of a client in tests, and what stays impossible."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from functools import partial
from typing import Any
from unittest import mock

import pytest

from binance_usdm import AsyncClient, Client
from binance_usdm.mock import Exchange
from tests.support.canaries import KEY, SECRET, holds_no_canary

CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
METHODS = ["balance", "balance_detailed", "server_time", "server_time_detailed", "connect"]


def make_client(kind: Any, **options: Any) -> Any:
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    return kind(KEY, SECRET, transport=exchange.transport, **options)


def call(method: Any) -> Any:
    """Return the result of a method of either client."""
    result = method()
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


@CLIENTS
@pytest.mark.parametrize("name", [*METHODS, "close"])
def test_method_is_patched_with_mock(kind: Any, name: str) -> None:
    """`mock.patch.object` replaces a method of one client, and restores it."""
    client, other = make_client(kind), make_client(kind)
    name = "aclose" if (kind, name) == (AsyncClient, "close") else name
    original = getattr(client, name)
    with mock.patch.object(client, name) as replaced:
        replaced.side_effect = [["patched"]]
        assert call(getattr(client, name)) == ["patched"]
        assert getattr(other, name).__func__ is original.__func__
    with mock.patch.object(client, name, autospec=True) as replaced, pytest.raises(TypeError):
        call(partial(getattr(client, name), no_such_argument=1))
    assert getattr(client, name) == original
    assert vars(client) == {}


@CLIENTS
@pytest.mark.parametrize("name", METHODS)
def test_method_is_patched_with_pytest(
    kind: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`monkeypatch.setattr` replaces a method of one client, and restores it."""
    client = make_client(kind)
    original = getattr(client, name)
    with monkeypatch.context() as patched:
        patched.setattr(client, name, lambda: ["patched"])
        assert call(getattr(client, name)) == ["patched"]
    assert getattr(client, name) == original


@CLIENTS
def test_method_is_assigned_and_deleted(kind: Any) -> None:
    """An assigned method hides the class's until it is deleted."""
    client = make_client(kind)
    client.balance = lambda: ["assigned"]
    assert client.balance() == ["assigned"]
    del client.balance
    assert call(client.balance)[0].asset == "USDT"


@CLIENTS
@pytest.mark.promise("S1", "S2")
def test_patched_client_shows_no_secret(kind: Any) -> None:
    """A client with a patched method still has no copy and no pickle, and shows no secret."""
    client = make_client(kind)
    client.balance = client.server_time
    shown = f"{client!r} {client} {vars(client)} {client.__dict__} {dir(client)}"
    assert holds_no_canary(shown)
    takes: list[Any] = [copy.copy, copy.deepcopy, pickle.dumps, lambda taken: taken.__getstate__()]
    for take in takes:
        with pytest.raises(TypeError, match="holds a secret and cannot be copied or pickled"):
            take(client)
    reference = weakref.ref(client)
    del client
    gc.collect()
    assert reference() is None
