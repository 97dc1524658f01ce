"""Objects that hold a secret show none, and cannot be compared, copied or pickled.

What errors, logs, events and outputs show, `tests/support/secret_leaks.py` watches in all tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import gc
import json
import logging
import pickle
import pprint
import re
import subprocess
import types
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx
import pytest

import binance_usdm
from binance_usdm import AsyncClient, AsyncTransport, Client, HmacSigner, RsaSigner, SyncTransport
from binance_usdm._auth.credentials import Credentials
from binance_usdm._http.httpx_adapter import request_from_httpx
from binance_usdm._http.messages import HttpFailure, HttpRequest
from binance_usdm._policy.redis.limiter import RedisLimiter
from binance_usdm._secrets import SecretTexts
from tests.auth.test_signing import PUBLISHED
from tests.client.test_vectors import VECTORS
from tests.support.canaries import (
    KEY,
    PASSWORD,
    SECRET,
    SIGNATURES,
    CustomSigner,
    holds_no_canary,
    mock_transport,
)
from tests.support.clients import BODY
from tests.support.paths import ROOT
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Script, repeat, response_bytes

REQUESTS: list[httpx.Request] = []
FOLDERS = ("binance_usdm", "generated_client", "generator", "spec", "tests")


def echo(request: httpx.Request) -> httpx.Response:
    REQUESTS.append(request)
    return httpx.Response(200, headers={"X": str(request.url)}, content=BODY)


GOOD = mock_transport(echo)
SEALED = [
    Client(KEY, SECRET, transport=GOOD),
    AsyncClient(KEY, SECRET, transport=GOOD),
    Client(KEY, signer=CustomSigner()),
    Client(KEY, SECRET, proxy=f"http://user:{PASSWORD}@localhost:1"),
    HmacSigner(SECRET),
    RsaSigner(lambda payload: SECRET.encode()),
    RedisLimiter(f"redis://user:{PASSWORD}@localhost:1"),
    Client(KEY, SECRET)._request_builder,
    Credentials(KEY, HmacSigner(SECRET)),
]


def printed(thing: object) -> str:
    return "".join(
        [
            repr(thing),
            str(thing),
            f"{thing}",
            f"{thing!r:>40}",
            pprint.pformat({1: [thing]}),
            repr(dir(thing)),
        ]
        + [json.dumps([thing], default=way) for way in (str, repr)]
    )


def public(thing: object) -> dict[str, object]:
    return {name: getattr(thing, name, None) for name in dir(thing) if not name.startswith("_")}


@pytest.mark.promise("S1")
@pytest.mark.parametrize("thing", SEALED)
def test_what_holds_a_secret_shows_none(thing: object) -> None:
    assert holds_no_canary(printed(thing))
    assert type(thing).__name__ in repr(thing)
    if type(thing).__name__ in binance_usdm.__all__:
        assert holds_no_canary(printed(public(thing)))
    looks: list[Callable[[Any], object]] = [
        vars,
        attrs.asdict,
        lambda thing: json.dumps(thing, default=vars),
    ]
    for look in looks:
        if isinstance(thing, Client | AsyncClient) and look is not attrs.asdict:
            # A client's `__dict__` is for methods that tests replace.
            assert look(thing) in ({}, "{}")
            continue
        with pytest.raises((TypeError, attrs.exceptions.NotAnAttrsClassError)) as caught:
            look(thing)
        assert holds_no_canary(str(caught.value))


@pytest.mark.promise("S1")
@pytest.mark.parametrize("thing", SEALED)
def test_comparing_reveals_nothing_of_a_secret(thing: Any) -> None:
    """Signers are equal by identity only, so a comparison does not confirm a guessed secret."""
    for method in ("__eq__", "__hash__"):
        assert getattr(type(thing), method) is getattr(object, method)
    with pytest.raises(TypeError, match="not supported"):
        sorted([thing, thing])


@pytest.mark.promise("S1")
def test_requests_and_responses_show_no_secret() -> None:
    response = Client(KEY, SECRET, transport=GOOD).balance_detailed()
    assert SIGNATURES[-1] in response.headers["x"]
    assert holds_no_canary(printed(response))
    assert holds_no_canary(printed(REQUESTS[-1]))
    call, _, _ = request_from_httpx(REQUESTS[-1])
    assert isinstance(call, HttpRequest)
    assert SIGNATURES[-1].encode() in call.encode()
    parts = [call, call.template, SecretTexts([SECRET]), HttpFailure("ConnectError", SECRET)]
    # As JSON a tuple shows its items.
    assert holds_no_canary("".join(f"{part} {part!r}" for part in parts))
    with pytest.raises(TypeError, match="holds a secret"):
        pickle.dumps(call)


@pytest.mark.promise("S2")
@pytest.mark.parametrize("thing", SEALED)
def test_what_holds_a_secret_is_neither_copied_nor_pickled(thing: Any) -> None:
    takes: list[Callable[[Any], object]] = [
        copy.copy,
        copy.deepcopy,
        lambda thing: copy.deepcopy([thing]),
    ]
    takes += [
        functools.partial(pickle.dumps, protocol=protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    takes += [lambda thing: thing.__reduce__(), lambda thing: thing.__getstate__()]
    takes += [ForkingPickler.dumps]
    for take in takes:
        with pytest.raises(
            TypeError, match="holds a secret and cannot be copied or pickled"
        ) as caught:
            take(thing)
        assert holds_no_canary(str(caught.value))


@pytest.mark.promise("S2")
@pytest.mark.parametrize("kind", [SyncTransport, AsyncTransport])
def test_a_transport_does_not_carry_its_proxys_password_away(kind: Any) -> None:
    transport = kind(f"http://user:{PASSWORD}@localhost:1")
    assert holds_no_canary(printed(transport))
    for take in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a secret"):
            take(transport)


# what is kept after a call


SKIPPED = (type, types.ModuleType, types.CodeType, types.FrameType, asyncio.AbstractEventLoop)


def find_holders(thing: object, *texts: str) -> list[tuple[str, str]]:
    """Yield holder and string for each place from which an object leads to one of the strings.

    Globals of tests are left out.
    """
    found, seen, ahead = list[tuple[str, str]](), set[int](), [thing]
    while ahead:
        holder = ahead.pop()
        if id(holder) in seen or isinstance(holder, SKIPPED):
            continue
        seen.add(id(holder))
        if isinstance(holder, types.FunctionType):
            referents = [holder.__closure__, holder.__defaults__, holder.__kwdefaults__]
        else:
            referents = gc.get_referents(holder)
        for referent in referents:
            if isinstance(referent, (str, bytes, bytearray)):
                whole = referent if isinstance(referent, str) else bytes(referent).decode("latin-1")
                found += [(type(holder).__name__, text) for text in texts if text in whole]
            else:
                ahead.append(referent)
    return found


@pytest.mark.promise("S20")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_after_calls_no_object_holds_the_secret_or_a_signature(kind: Any) -> None:
    async def calls() -> None:
        assert len(await client.balance()) == 1

    seen: list[str] = []

    def heard(head: bytes) -> bytes:
        seen.extend(parse_qs(head.split(b" ")[1].decode())["signature"])
        return response_bytes(BODY)

    secret = "".join(["HeldNever", "577215"])  # no constant of this test's code
    with RawServer(repeat(READ, heard)) as server, asyncio.Runner() as runner:
        client = kind(KEY, secret, base_url=server.url)
        for _ in range(2):
            len(client.balance()) if kind is Client else runner.run(calls())
        assert len(seen) == 2
        assert find_holders(client, secret, *seen) == []
        assert {holder for holder, _ in find_holders(client, KEY)} == {
            "Credentials",
            "RequestTemplate",
            "tuple",
        }, "the key, and its ready header"
        client.close() if kind is Client else runner.run(client.aclose())


@pytest.mark.promise("S3")
@pytest.mark.parametrize(
    "options", [{}, {"transport": httpx.AsyncHTTPTransport}], ids=["own", "httpx"]
)
def test_asyncio_that_tells_of_every_callback_tells_no_secret(
    options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Asyncio's debug mode logs slow callbacks with their arguments, and lost exceptions."""
    contexts: list[dict[str, Any]] = []

    async def calls(base_url: str) -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0

        def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            contexts.append(context)
            loop.default_exception_handler(context)

        loop.set_exception_handler(note)
        made = {name: make() for name, make in options.items()}
        async with contextlib.AsyncExitStack() as stack:
            for transport in made.values():
                await stack.enter_async_context(transport)
            client, impatient = [
                await stack.enter_async_context(
                    AsyncClient(KEY, SECRET, base_url=base_url, timeout=timeout, **made)
                )
                for timeout in (10, 0.2)
            ]
            assert len(await client.balance()) == 1
            forgotten = asyncio.create_task(impatient.balance())
            await asyncio.wait([forgotten])
            del forgotten
            gc.collect()
            abandoned = asyncio.create_task(client.balance())
            await asyncio.sleep(0.02)
            abandoned.cancel()
            await asyncio.wait([abandoned])

    script: Script = [READ, response_bytes(BODY), STAY_SILENT]
    with RawServer(script, [STAY_SILENT]) as server, caplog.at_level(logging.DEBUG):
        asyncio.run(calls(server.url), debug=True)
    assert "Executing" in caplog.text
    assert any("never retrieved" in context["message"] for context in contexts)
    assert holds_no_canary(repr(contexts))


@pytest.mark.promise("S3", "S4")
def test_a_cancelled_httpx_transport_shows_no_signature() -> None:
    """The functions of a foreign transport that a cancellation leaves lose their variables."""

    class SilentTransport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            target = request.url.raw_path
            entered.set()
            await asyncio.Event().wait()
            return httpx.Response(200, content=target)

    async def cancel_a_call() -> BaseException:
        async with (
            SilentTransport() as transport,
            AsyncClient(KEY, SECRET, transport=transport) as c,
        ):
            task = asyncio.create_task(c.balance())
            await entered.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    entered = asyncio.Event()
    traceback = asyncio.run(cancel_a_call()).__traceback__
    functions = {}
    while traceback is not None:
        functions[traceback.tb_frame.f_code.co_name] = traceback.tb_frame.f_locals
        traceback = traceback.tb_next
    assert "target" not in functions["handle_async_request"]


# what the documents and the tree say


@pytest.mark.promise("S8", "S20")
def test_the_security_page_says_what_a_user_should_do() -> None:
    page = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    for advice in (
        "can only read",
        "restricted to your IP addresses",
        "one for each program",
        "replace it",
        "`ulimit -c 0`",
    ):
        assert advice in page
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "read-only key restricted to your IP addresses" in readme


HASHED = re.compile(r"sha256[:=][0-9a-f]{64}")
KEYLIKE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{64}(?![A-Za-z0-9])")
PRINTED = {  # in documents, which the two files name
    *KEYLIKE.findall(
        (ROOT / "tests" / "data" / "signature_vectors.json").read_text(encoding="utf-8")
    ),
    *(number for numbers in PUBLISHED.values() for number in numbers),
    # tests/client/test_vectors.py shows that the keys are published, and the signatures theirs.
    *(vector["signature"] for vector in VECTORS["requests"]),
    *(key["private_key"] for key in VECTORS["keys"].values() if "private_key" in key),
}


@pytest.mark.promise("S8")
def test_no_file_of_the_tree_holds_what_looks_like_a_key() -> None:
    """A key and a secret of the exchange are 64 letters and digits. One letter 64 times is none."""
    git = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(git, capture_output=True, check=False).stdout.decode().split("\0")
    files = [ROOT / name for name in listed if name] or [
        file for folder in FOLDERS for file in (ROOT / folder).rglob("*")
    ]
    texts = {file: file.read_bytes().decode("utf-8", "replace") for file in files if file.is_file()}
    assert len(texts) > 100
    found = {
        file.relative_to(ROOT): set(KEYLIKE.findall(HASHED.sub("", text))) - PRINTED
        for file, text in texts.items()
    }
    assert {
        str(file): len(tokens)
        for file, tokens in found.items()
        if any(len(set(token)) > 1 for token in tokens)
    } == {}
