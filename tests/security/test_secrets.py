"""Key, secret, signature and password show in no repr, log or warning.

Objects that hold one cannot be copied or pickled.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import gc
import ipaddress
import json
import logging
import multiprocessing
import pickle
import pprint
import re
import subprocess
import types
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.reduction import ForkingPickler
from typing import Any
from urllib.parse import parse_qs

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import binance_usdm
from binance_usdm import (
    APIError,
    AsyncClient,
    AsyncTransport,
    Client,
    Event,
    HmacSigner,
    RateLimitError,
    RetryPolicy,
    RsaSigner,
    SyncTransport,
    TransportError,
    UsdmError,
    WeightLimiter,
)
from binance_usdm._auth.credentials import Credentials
from binance_usdm._errors import make_api_error
from binance_usdm._http.httpx_adapter import request_from_httpx
from binance_usdm._http.messages import HttpRequest
from binance_usdm._policy.redis_limiter import RedisLimiter
from binance_usdm._redaction import MAX_MESSAGE_LENGTH, sanitize_text
from tests.auth.test_signing import PUBLISHED
from tests.support.canaries import (
    KEY,
    PASSWORD,
    PROXY_LOGIN,
    SECRET,
    SIGNATURE,
    SIGNATURES,
    CustomSigner,
    holds_no_canary,
    mock_transport,
)
from tests.support.clients import BODY, BlockingFacade, error_response
from tests.support.paths import ROOT
from tests.support.raw_server import READ, STAY_SILENT, RawServer, repeat, response_bytes
from tests.support.timing import best_duration

REQUESTS: list[httpx.Request] = []
FOLDERS = ("binance_usdm", "generated_client", "generator", "spec", "tests")
ClientOf = Callable[..., BlockingFacade]


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
    assert holds_no_canary(printed(call))
    with pytest.raises(TypeError, match="holds a secret"):
        pickle.dumps(call)


@pytest.mark.promise("S1")
def test_what_a_call_tells_and_takes_shows_no_secret() -> None:
    """Errors, events, policies and budgets of a client, with all that is in them."""
    events: list[Event] = []
    limiter, retry = WeightLimiter(), RetryPolicy(2)
    refusing = mock_transport(
        lambda request: error_response(503, -1008, f"{KEY} {request.url}", retry_after="0")
    )
    client = Client(
        KEY, SECRET, transport=refusing, on_event=events.append, limiter=limiter, retry=retry
    )
    with pytest.raises(UsdmError) as caught:
        client.balance()
    assert [event.kind for event in events] == ["retry"]
    for thing in [caught.value, *events, limiter, retry]:
        assert holds_no_canary(printed(thing) + printed(public(thing)))
    assert holds_no_canary(repr(attrs.asdict(events[0])) + repr(vars(caught.value)))
    takes: list[Callable[[Any], Any]] = [
        copy.copy,
        copy.deepcopy,
        lambda error: pickle.loads(pickle.dumps(error)),
    ]
    for take in takes:
        assert holds_no_canary(printed(vars(take(caught.value))))


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


@pytest.mark.promise("S2")
def test_a_client_is_not_sent_to_another_process() -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, pytest.raises(TypeError, match="holds a secret") as caught:
        ours.send({"client": SEALED[0]})
    assert holds_no_canary(str(caught.value))


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


# logs and warnings


class Everything(logging.Handler):
    """Keeps each record as it is printed and as it is built."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {vars(record)!r}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """All that any logger says at any level."""
    root, handler = logging.getLogger(), Everything()
    names = ["", "httpx", "httpcore", "asyncio", "binance_usdm", *logging.Logger.manager.loggerDict]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.lines
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def heard(head: bytes) -> bytes:
    SIGNATURES.extend(parse_qs(head.split(b" ")[1].decode()).get("signature", []))
    return b"HTTP/1.1 200 OK\r\n\r\n" if head.startswith(b"CONNECT") else response_bytes(BODY)


@pytest.mark.promise("S3", "S4")
def test_no_log_and_no_warning_tells_a_secret(
    logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    async def calls(options: dict[str, Any]) -> None:
        async with AsyncClient(KEY, SECRET, **options) as client:
            assert len(await client.balance()) == 1
        if "transport" in options:
            await options["transport"].aclose()

    SIGNATURES.clear()
    with RawServer(repeat(READ, heard)) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        proxied = {"proxy": server.url.replace("//", f"//user:{PASSWORD}@")}
        transport = httpx.HTTPTransport()
        for mine, theirs in (
            ({}, {}),
            (proxied, proxied),
            ({"transport": transport}, {"transport": httpx.AsyncHTTPTransport()}),
        ):
            with Client(KEY, SECRET, base_url=server.url, **mine) as client:
                assert len(client.balance()) == 1
            asyncio.run(calls({"base_url": server.url, **theirs}), debug=True)
        transport.close()
        Client(KEY, SECRET, base_url=server.url).balance()  # left open
        gc.collect()
    assert len(SIGNATURES) == 7
    assert any("httpcore" in line for line in logged)
    assert warned
    assert holds_no_canary(
        "\n".join([*logged, *(str(warning.message) for warning in warned), *capfd.readouterr()])
    )


@pytest.mark.promise("S3")
@pytest.mark.parametrize(
    "options", [{}, {"transport": httpx.AsyncHTTPTransport}], ids=["own", "httpx"]
)
def test_asyncio_that_tells_of_every_callback_tells_no_secret(
    options: dict[str, Any], logged: list[str]
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
            client = await stack.enter_async_context(
                AsyncClient(KEY, SECRET, base_url=base_url, timeout=0.2, **made)
            )
            assert len(await client.balance()) == 1
            forgotten = asyncio.create_task(client.balance())
            await asyncio.wait([forgotten])
            del forgotten
            gc.collect()
            abandoned = asyncio.create_task(client.balance())
            await asyncio.sleep(0.02)
            abandoned.cancel()
            await asyncio.wait([abandoned])

    with RawServer([READ, heard, STAY_SILENT], [STAY_SILENT]) as server:
        asyncio.run(calls(server.url), debug=True)
    assert any("Executing" in line for line in logged)
    assert any("never retrieved" in context["message"] for context in contexts)
    assert holds_no_canary("\n".join([*logged, repr(contexts)]))


# texts of a server


def told_by(message: str) -> str:
    """All that an error made from a server's message could print."""
    error = make_api_error(400, -1102, message, None, KEY)
    return f"{error} {error!r} {vars(error)}"


CUTS = [
    *range(MAX_MESSAGE_LENGTH - 24, MAX_MESSAGE_LENGTH + 2),
    *range(2 * MAX_MESSAGE_LENGTH - 24, 2 * MAX_MESSAGE_LENGTH + 2),
]
SPOKEN = "".join(f"\\u{ord(character):04x}" for character in KEY)


@pytest.mark.promise("S5", "S4")
@pytest.mark.parametrize(
    "body",
    [
        f'{{"code": -2014, "msg": "API-key {KEY} is not known"}}',
        f'{{"code": -2014, "msg": "{KEY}{KEY}, key={KEY}"}}',
        f'{{"code": -2014, "msg": "{SPOKEN}"}}',
        f'{{"msg": "{KEY}", "{KEY}": "{KEY}"}}',
        f'{{"code": "{KEY}", "msg": ["{KEY}"]}}',
        f'[{{"asset": "{KEY}", "{KEY}": 1}}]',
        f"<html><body><h1>403</h1>{KEY}</body></html>",
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 418, 429, 500])
def test_a_key_that_is_echoed_is_not_repeated(client_of: ClientOf, status: int, body: str) -> None:
    headers = {
        "Retry-After": KEY,
        "Location": f"https://x/{KEY}",
        "Content-Encoding": "identity",
        f"X-{KEY}": KEY,
    }
    with pytest.raises(UsdmError) as caught:
        client_of(
            lambda _: httpx.Response(status, headers=headers, content=body.encode()),
            api_key=KEY,
            api_secret=SECRET,
        ).balance()
    assert holds_no_canary(f"{caught.value} {caught.value!r} {vars(caught.value)}")


@pytest.mark.promise("S5", "S4")
@pytest.mark.parametrize("filler", ["x", " ", "\n", "é", "💰"])
def test_a_key_or_a_signed_query_at_a_cut_is_not_repeated(filler: str) -> None:
    signed = f"recvWindow=5000&timestamp=1591702613943&signature={SIGNATURE}"
    for start in CUTS:
        for leaks in (
            KEY,
            f"key={KEY}",
            signed,
            f"/fapi/v3/balance?{signed}",
            f"?signature={SIGNATURE}&x=1",
        ):
            text = told_by(filler * (start - len(leaks) // 2) + leaks + filler * 600)
            assert KEY[:12] not in text
            assert SIGNATURE[:12] not in text


@pytest.mark.promise("S5")
@pytest.mark.parametrize("filler", ["x", "1 ", ",", "\n", "::", "signature="])
@pytest.mark.parametrize(
    "address", ["203.0.113.77", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "::ffff:203.0.113.77"]
)
def test_an_address_at_a_cut_is_not_repeated(filler: str, address: str) -> None:
    for start in CUTS:
        front = (
            (filler if len(filler) < 3 else filler + "f" * 2 * MAX_MESSAGE_LENGTH)
            * 2
            * MAX_MESSAGE_LENGTH
        )  # a signature shrinks: what follows moves up
        text = told_by(f"{front[: start - 8]} {address} {filler * 600}")
        assert "203.0" not in text
        assert "85a3" not in text


ADDRESSES = {
    "203.0.113.7": [
        "{}",
        "ip: {}",
        "ip:{}",
        "ip={}",
        "{}:443",
        "({})",
        "[{}]",
        "'{}'",
        "{}/32",
        "{}.",
        "x{}x",
        "\u200b{}\u200b",
    ],
    "2001:db8::7:1": [
        "{}",
        "ip: {}",
        "ip={}",
        "[{}]:443",
        "({})",
        "'{}'",
        "{}/64",
        "{}.",
        "{}%eth0",
    ],
    "::ffff:203.0.113.7": ["{}", "ip: {}", "[{}]:443", "{}%1"],
    "2001:db8:1:2:3:4:5:6": ["{}", "ip: {}", "[{}]:443", "{},{}"],
    "2001:DB8::": ["{}", "ip: {}", "{}/32"],
}


@pytest.mark.promise("S5")
@pytest.mark.parametrize(("address", "frames"), ADDRESSES.items())
def test_an_address_in_any_dress_is_not_repeated(address: str, frames: list[str]) -> None:
    for frame in frames:
        assert address.lower() not in told_by(frame.format(address, address)).lower(), frame


@pytest.mark.promise("S5")
@pytest.mark.parametrize("frame", ["request ip:{}", "IP:{}."])
def test_an_ipv6_address_right_behind_a_word_is_not_repeated(frame: str) -> None:
    assert "2001:db8" not in told_by(frame.format("2001:db8::7:1"))


@pytest.mark.promise("S5", "S4")
@pytest.mark.parametrize(
    "frame", ["Signature {} is not valid.", '"signature":"{}"', "signature: {}", "signature%3D{}"]
)
def test_a_signature_that_is_echoed_alone_is_not_repeated(client_of: ClientOf, frame: str) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return error_response(
            400, -1022, frame.format(parse_qs(request.url.query.decode())["signature"][0])
        )

    with pytest.raises(APIError) as caught:
        client_of(refuse, api_key=KEY, api_secret=None, signer=CustomSigner()).balance()
    assert holds_no_canary(str(caught.value))


@pytest.mark.promise("S5", "S4")
@pytest.mark.parametrize("text", [PASSWORD, f"Basic {PROXY_LOGIN}"])
@pytest.mark.parametrize("way", ["proxy", "transport"])
def test_what_a_proxy_echoes_in_its_reason_phrase_is_not_repeated(text: str, way: str) -> None:
    phrase = f"407 {text} is not welcome"
    with RawServer([READ, response_bytes(b"", status=phrase)]) as server:
        options: dict[str, Any] = {"proxy": server.url.replace("//", f"//user:{PASSWORD}@")}
        if way == "transport":
            options = {
                "transport": mock_transport(lambda _: httpx.ProxyError(phrase))
            }  # as httpx's own raise it
        with (
            Client(KEY, SECRET, **options, retry=RetryPolicy.off()) as client,
            pytest.raises(TransportError, match=r"the proxy answered 407[ :]") as caught,
        ):
            client.balance()
    assert holds_no_canary(str(caught.value))


@pytest.mark.promise("S5", "S4")
@pytest.mark.parametrize("text", [PASSWORD, f"{PASSWORD} 407", ""])
def test_a_proxys_error_without_a_status_is_not_repeated(text: str) -> None:
    client = Client(
        KEY,
        SECRET,
        transport=mock_transport(lambda _: httpx.ProxyError(text)),
        retry=RetryPolicy.off(),
    )
    with pytest.raises(TransportError, match="the proxy answered nothing valid ") as caught:
        client.balance()
    assert holds_no_canary(str(caught.value))


HOSTILE = (
    "\r\n\x1b[2J\x1b]0;x\x07\x00\x7f\x80\x85\x9b"
    "\u200b\u200e\u202e\u2028\u2029\u2066\u2069\ufeff\U000e0041\ud800"
)


@pytest.mark.promise("S5")
@pytest.mark.parametrize("character", HOSTILE)
def test_no_character_moves_a_cursor_hides_or_breaks_a_line(character: str) -> None:
    text = sanitize_text(f"a{character}b" * 3)
    assert text.isprintable()
    assert len(text.splitlines()) == 1
    text.encode()


@pytest.mark.promise("S5")
@pytest.mark.parametrize(
    "text",
    [
        *(
            piece * ((1 << 20) // len(piece))
            for piece in ("x", "1.", "a:", ":", "\x1b", KEY, "signature=", "1.1.1.", "f", "ffff:")
        ),
        *(character * (1 << 20) for character in " \u202e"),
    ],
    ids=range(12),
)
def test_a_megabyte_costs_no_time_and_little_room(text: str) -> None:
    assert best_duration(lambda: sanitize_text(text, KEY), 0.05) < 0.05
    assert len(sanitize_text(text, KEY)) <= MAX_MESSAGE_LENGTH + 1


IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).filter(lambda address: str(address).count(":") > 2).map(str)
PIECES = st.lists(
    st.text() | st.sampled_from([*HOSTILE, KEY, " ", "signature="]) | IPV4 | IPV6.map(" {} ".format)
).map("".join)
_V4 = re.compile(r"(?<![0-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]+(?![0-9A-Za-z:.])")


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@pytest.mark.promise("S5")
@given(PIECES)
def test_server_text_is_sanitized_in_errors(
    text: str,
) -> None:
    """Text of a server is one printable line in errors, without the key and without addresses."""
    safe = sanitize_text(text, KEY)
    assert safe.isprintable()
    assert len(safe) <= MAX_MESSAGE_LENGTH + 1
    assert KEY not in safe
    assert not [found for found in _V4.findall(safe) if is_address(found)]
    assert not [found for found in _V6.findall(safe) if found.count(":") > 2 and is_address(found)]


@pytest.mark.promise("S5")
def test_a_ban_is_read_from_a_text_full_of_noise() -> None:
    error = make_api_error(
        429, -1003, f"\x1b[1m{KEY} 203.0.113.7 banned until 1591702673943.\r\n", None, KEY
    )
    assert isinstance(error, RateLimitError)
    assert "1591702673943" in error.message
    assert holds_no_canary(told_by(error.message))


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
    assert "read-only key restricted to your IP addresses" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )


HASHED = re.compile(r"sha256[:=][0-9a-f]{64}")
KEYLIKE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{64}(?![A-Za-z0-9])")
PRINTED = {  # in documents, which the two files name
    *KEYLIKE.findall(
        (ROOT / "tests" / "data" / "signature_vectors.json").read_text(encoding="utf-8")
    ),
    *(number for numbers in PUBLISHED.values() for number in numbers),
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
