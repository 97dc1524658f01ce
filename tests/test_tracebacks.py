"""No failure shows a key, secret, signature or password: not in its text, its arguments, its pickle or a traceback with locals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from canaries import KEY, PASSWORD, SECRET, SIGNATURE, Own, clean, crash_report, handling
from raw_server import HOLD, RawServer
from support import refused

from binance_usdm import AsyncClient, Client, HmacSigner, UsdmError


class Bad:
    def sign(self, payload: bytes) -> bytes:
        return f"{SECRET} {SIGNATURE}".encode()


class Full:
    def acquire(self, weight: int) -> float:
        return 60.0

    def observe(self, used_weight: int) -> None: ...


CONSTRUCTOR: dict[str, dict[str, Any]] = {
    "a blank in the key": {"api_key": f"{KEY} "},
    "a blank in the secret": {"api_secret": f"{SECRET} "},
    "a secret of bytes": {"api_secret": SECRET.encode()},
    "a secret that is no ASCII": {"api_secret": f"é{SECRET}"},
    "a secret without a key": {"api_key": None},
    "a secret and a signer": {"api_secret": SECRET, "signer": HmacSigner(SECRET)},
    "a secret as signer": {"api_secret": None, "signer": SECRET},
    "a password in the base URL": {"base_url": f"https://user:{PASSWORD}@fapi.binance.com"},
    "a password in the proxy": {"proxy": f"ftp://user:{PASSWORD}@proxy.example"},
    "a password in the proxy, and a bad window": {"proxy": f"http://user:{PASSWORD}@localhost:1", "recv_window": 0},
    "a password as transport": {"transport": f"http://user:{PASSWORD}@proxy.example"},
    "a proxy and a transport": {
        "proxy": f"http://user:{PASSWORD}@localhost:1",
        "transport": handling(lambda _: refused(400)),
    },
    "a bad timeout": {"timeout": -1},
}
ANSWERS: dict[str, Callable[[httpx.Request], httpx.Response | BaseException]] = {
    "a transport that tells the URL": lambda request: httpx.ConnectError(f"cannot reach {request.url}"),
    "a transport that tells the request": lambda request: httpx.ReadError(f"{request!r}", request=request),
    "a transport out of time": lambda request: httpx.ReadTimeout(f"{request.url}", request=request),
    "a refused key": lambda _: refused(401, -2015, "Invalid API-key, IP, or permissions for action."),
    "a refused signature": lambda request: refused(400, -1022, f"not valid: {request.url.query.decode()}"),
    "a page": lambda request: httpx.Response(403, html=f"<p>{request.url}"),
    "a redirect": lambda request: httpx.Response(302, headers={"location": str(request.url)}),
    "a strange reply": lambda request: httpx.Response(200, json=[{"asset": str(request.url), KEY: SECRET}]),
}
CALL: dict[str, dict[str, Any]] = {
    "no secret": {"api_secret": None, "signer": None},
    "a signer that makes no signature": {"api_secret": None, "signer": Bad()},
    "no room in the budget": {"limiter": Full()},
    "nobody listens": {"base_url": "http://127.0.0.1:1"},
    "no proxy listens": {"proxy": f"http://user:{PASSWORD}@127.0.0.1:1"},
    "the last of several attempts": {
        "transport": handling(lambda _: refused(503)),
        "retry": lambda error, attempt: 0 if attempt < 3 else None,
    },
    **{name: {"transport": handling(make)} for name, make in ANSWERS.items()},
}


def failing(kind: type[Client] | type[AsyncClient], scenario: str, signer: object) -> UsdmError:
    """The error of a scenario; its options stay in frames of this file, which the report leaves out."""
    credentials = {"api_secret": SECRET} if signer is None else {"api_secret": None, "signer": signer}
    options = {"api_key": KEY, **credentials, **{**CONSTRUCTOR, **CALL}[scenario]}

    async def balance() -> None:
        async with AsyncClient(**options) as client:
            await client.balance()

    def call() -> None:
        if kind is AsyncClient:
            asyncio.run(balance())
        else:
            with Client(**options) as client:
                client.balance()

    with pytest.raises(UsdmError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("scenario", [*CONSTRUCTOR, *CALL])
def test_no_failure_tells_a_secret(kind: type[Client] | type[AsyncClient], scenario: str) -> None:
    for signer in (None, Own()):
        error = failing(kind, scenario, signer)
        assert (error.__cause__, error.__context__) == (None, None)
        report = crash_report(error)
        assert clean(report), report


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("variable", ["BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL"])
def test_no_variable_of_the_environment_shows(kind: Any, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("BINANCE_API_KEY", KEY),
        ("BINANCE_API_SECRET", SECRET),
        ("BINANCE_BASE_URL", f"https://{PASSWORD}@x"),
    ):
        monkeypatch.setenv(name, text + " " if name == variable else text)
    with pytest.raises(UsdmError) as caught:
        kind.from_env(proxy=f"http://user:{PASSWORD}@localhost:1")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert clean(crash_report(caught.value))


UNFIT: list[Any] = [f"{SECRET} ", f"é{SECRET}", SECRET.encode()]


@pytest.mark.parametrize("number", range(len(UNFIT)))
def test_a_signer_that_cannot_be_made_shows_nothing(number: int) -> None:
    with pytest.raises(UsdmError) as caught:
        HmacSigner(UNFIT[number])
    assert clean(crash_report(caught.value))


INTERRUPTING = handling(lambda request: KeyboardInterrupt())


def test_an_interrupted_call_shows_nothing() -> None:
    with Client(KEY, SECRET, transport=INTERRUPTING) as client, pytest.raises(KeyboardInterrupt) as interrupted:
        client.balance()
    assert clean(crash_report(interrupted.value))


def test_a_cancelled_call_shows_nothing() -> None:
    async def cancelled(base_url: str) -> BaseException:
        async with AsyncClient(KEY, SECRET, base_url=base_url) as client:
            task = asyncio.create_task(client.balance())
            await asyncio.to_thread(server.wait, lambda: server.connections == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    with RawServer([HOLD]) as server:
        assert clean(crash_report(asyncio.run(cancelled(server.url))))
