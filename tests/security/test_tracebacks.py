"""No failure shows a key, secret, signature or password.

That includes its message, its arguments, its pickle and a traceback with local variables.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import io
import os
import re
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    ConfigurationError,
    DeadlineExceeded,
    HmacSigner,
    RetryPolicy,
    SyncTransport,
    UsdmError,
)
from tests.support.canaries import (
    KEY,
    PASSWORD,
    SECRET,
    SIGNATURE,
    CustomSigner,
    crash_report,
    holds_no_canary,
    mock_transport,
    remember_signature,
)
from tests.support.clients import error_response
from tests.support.paths import ROOT
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Script, Step, response_bytes

pytestmark = pytest.mark.promise("S4")


class Bad:
    def sign(self, payload: bytes) -> bytes:
        return f"{SECRET} {SIGNATURE}".encode()


class BrokenError(Exception):
    """What a seam of the user's raises."""


def broken(*arguments: object, **options: object) -> Any:
    raise BrokenError


class BrokenSigner:
    sign = staticmethod(broken)


class Full:
    def acquire(self, weight: int) -> float:
        return 60.0

    def observe(self, used_weight: int) -> None: ...

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...


class Limiter(Full):
    """One that fails, and blocks if it is said to."""

    def __init__(self, failing: str, *, blocking: bool) -> None:
        self.blocking = blocking
        setattr(self, failing, broken)

    def acquire(self, weight: int) -> float:
        return 0.0


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
    "a password in the proxy, and a bad window": {
        "proxy": f"http://user:{PASSWORD}@localhost:1",
        "recv_window": 0,
    },
    "a password as transport": {"transport": f"http://user:{PASSWORD}@proxy.example"},
    "a proxy and a transport": {
        "proxy": f"http://user:{PASSWORD}@localhost:1",
        "transport": mock_transport(lambda _: error_response(400)),
    },
    "a bad timeout": {"timeout": -1},
}
ANSWERS: dict[str, Callable[[httpx.Request], httpx.Response | BaseException]] = {
    "a transport that shows the URL": lambda request: httpx.ConnectError(
        f"cannot reach {request.url}"
    ),
    "a transport that shows the request": lambda request: httpx.ReadError(
        f"{request!r}", request=request
    ),
    "a transport out of time": lambda request: httpx.ReadTimeout(f"{request.url}", request=request),
    "a refused key": lambda _: error_response(
        401, -2015, "Invalid API-key, IP, or permissions for action."
    ),
    "a refused signature": lambda request: error_response(
        400, -1022, f"not valid: {request.url.query.decode()}"
    ),
    "a page": lambda request: httpx.Response(403, html=f"<p>{request.url}"),
    "a redirect": lambda request: httpx.Response(302, headers={"location": str(request.url)}),
    "a strange reply": lambda request: httpx.Response(
        200, json=[{"asset": str(request.url), KEY: SECRET}]
    ),
}
CALL: dict[str, dict[str, Any]] = {
    "no secret": {"api_secret": None, "signer": None},
    "a signer that makes no signature": {"api_secret": None, "signer": Bad()},
    "an exhausted budget": {"limiter": Full()},
    "nothing listens": {"base_url": "http://127.0.0.1:1"},
    "no proxy listens": {"proxy": f"http://user:{PASSWORD}@127.0.0.1:1"},
    "the last of several attempts": {
        "transport": mock_transport(lambda _: error_response(503)),
        "retry": lambda error, attempt: 0 if attempt < 3 else None,
    },
    **{name: {"transport": mock_transport(make)} for name, make in ANSWERS.items()},
    **{
        f"the exchange's time that cannot be read: {name}": {
            "transport": mock_transport(make),
            "clock": "exchange",
        }
        for name, make in ANSWERS.items()
    },
    "a clock that stays wrong": {
        "transport": mock_transport(
            lambda _: error_response(400, -1021, "outside of the recvWindow")
        )
    },
    "a clock that makes texts": {"clock": lambda: "1591702613943"},
    "a ban": {
        "transport": mock_transport(
            lambda request: error_response(418, -1003, f"{request.url} banned until 1591702613943")
        )
    },
    "too many requests": {"transport": mock_transport(lambda _: error_response(429, -1003))},
    "a server's fault": {
        "transport": mock_transport(lambda request: error_response(503, -1008, f"{request.url}"))
    },
    "a location": {
        "transport": mock_transport(
            lambda request: httpx.Response(451, text=f"{request.headers} {request.url}")
        )
    },
    "a limiter that fails to observe": {
        "limiter": Limiter("observe", blocking=True),
        "transport": mock_transport(lambda _: error_response(400, x_mbx_used_weight_1m="5")),
    },
    "a limiter that fails to start a cooldown": {
        "limiter": Limiter("start_cooldown", blocking=False),
        "transport": mock_transport(lambda _: error_response(429)),
    },
    "a reply that is too large": {
        "transport": mock_transport(lambda _: httpx.Response(200, text=SECRET * 99)),
        "max_reply_bytes": 9,
    },
}
SEAMS: dict[str, dict[str, Any]] = {
    "signer": {
        "api_secret": None,
        "signer": BrokenSigner(),
        "transport": mock_transport(lambda _: error_response(400)),
    },
    "retry": {"retry": broken, "transport": mock_transport(lambda _: error_response(503))},
    "clock": {"clock": broken, "transport": mock_transport(lambda _: error_response(400))},
    "limiter": {
        "limiter": Limiter("acquire", blocking=False),
        "transport": mock_transport(lambda _: error_response(400)),
    },
    "limiter that blocks": {"limiter": Limiter("acquire", blocking=True)},
    "transport": {"transport": mock_transport(lambda _: BrokenError())},
}


def ended(kind: type[Client] | type[AsyncClient], options: dict[str, Any]) -> BaseException:
    """The error of a call; its options stay in frames of this file, which the report leaves out."""

    async def balance() -> None:
        async with AsyncClient(**options) as client:
            await client.balance()

    def call() -> None:
        if kind is AsyncClient:
            asyncio.run(balance())
        else:
            with Client(**options) as client:
                client.balance()

    with pytest.raises((UsdmError, BrokenError)) as caught:
        call()
    return caught.value


def failing(kind: type[Client] | type[AsyncClient], scenario: str, signer: object) -> BaseException:
    credentials = (
        {"api_secret": SECRET} if signer is None else {"api_secret": None, "signer": signer}
    )
    return ended(
        kind,
        {
            "api_key": KEY,
            "retry": RetryPolicy.off(),
            **credentials,
            **{**CONSTRUCTOR, **CALL, **SEAMS}[scenario],
        },
    )


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("scenario", [*CONSTRUCTOR, *CALL, *SEAMS])
def test_no_failure_tells_a_secret(kind: type[Client] | type[AsyncClient], scenario: str) -> None:
    for signer in (None, CustomSigner()):
        error = failing(kind, scenario, signer)
        assert isinstance(error, BrokenError if scenario in SEAMS else UsdmError)
        assert (error.__cause__, error.__context__) == (None, None)
        report = crash_report(error)
        assert holds_no_canary(report), report


def refusing_proxy(kind: type[SyncTransport] | type[AsyncTransport]) -> UsdmError | None:
    try:
        kind(f"ftp://user:{PASSWORD}@proxy.example")
    except UsdmError as error:
        return error
    return None


@pytest.mark.parametrize("kind", [SyncTransport, AsyncTransport])
def test_no_refused_proxy_of_a_transport_tells_its_password(
    kind: type[SyncTransport] | type[AsyncTransport],
) -> None:
    error = refusing_proxy(kind)
    assert isinstance(error, ConfigurationError)
    assert holds_no_canary(crash_report(error))


def heard(*parts: bytes | float) -> Script:
    """Return a script that reads the request, sends the parts, and then stays silent.

    The signature of the request is remembered, so that reports are searched for it.
    """

    def first(head: bytes) -> bytes:
        remember_signature(httpx.Request("GET", "http://x" + head.split(b" ")[1].decode()))
        return parts[0] if parts and isinstance(parts[0], bytes) else b""

    return [READ, first, *parts[1:], STAY_SILENT]


PHASES: dict[str, list[Script]] = {
    "before the head": [heard()],
    "within the head": [heard(b"HTTP/1.1 200 OK\r\nContent-")],
    "within the body": [heard(response_bytes(b"[{}]")[:-2])],
    "within a body without length": [heard(b"HTTP/1.1 200 OK\r\n\r\n[")],
    "after an interim reply": [heard(b"HTTP/1.1 103 Early Hints\r\n\r\n")],
}
TRANSPORTS: dict[str, Callable[[type], Any]] = {
    "own": lambda kind: None,
    "httpx": lambda kind: httpx.HTTPTransport() if kind is Client else httpx.AsyncHTTPTransport(),
}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("phase", PHASES)
def test_no_deadline_tells_a_secret(
    kind: type[Client] | type[AsyncClient], transport: str, phase: str
) -> None:
    with RawServer(*PHASES[phase]) as server:
        error = ended(
            kind,
            {
                "api_key": KEY,
                "api_secret": SECRET,
                "base_url": server.url,
                "timeout": 0.15,
                "transport": TRANSPORTS[transport](kind),
            },
        )
    assert isinstance(error, DeadlineExceeded)
    assert holds_no_canary(crash_report(error))


WIRE: dict[str, list[Step]] = {
    "no HTTP": [READ, lambda head: head],
    "a head echoed": [
        READ,
        lambda head: b"HTTP/1.1 200 OK\r\nX: " + head.replace(b"\r\n", b" ") + b"\r\n\r\n[",
    ],
    "a head echoed wrongly": [READ, lambda head: b"HTTP/1.1 200 OK\r\n" + head],
    "a reason phrase": [
        READ,
        lambda head: (
            b"HTTP/1.1 400 " + head.replace(b"\r\n", b" ") + b"\r\nContent-Length: 0\r\n\r\n"
        ),
    ],
    "a body echoed": [READ, lambda head: response_bytes(head)],
    "an end": [READ],
}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("wire", WIRE)
def test_no_server_that_echoes_makes_an_error_tell(
    kind: type[Client] | type[AsyncClient], wire: str
) -> None:
    with RawServer(WIRE[wire]) as server:
        error = ended(
            kind,
            {
                "api_key": KEY,
                "signer": CustomSigner(),
                "base_url": server.url,
                "retry": RetryPolicy.off(),
            },
        )
    assert isinstance(error, UsdmError)
    assert holds_no_canary(crash_report(error))


@pytest.mark.promise("S3")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("proxied", [False, True], ids=["directly", "through a proxy"])
@pytest.mark.parametrize("wire", WIRE)
def test_no_log_repeats_what_a_server_echoes(
    kind: type[Client] | type[AsyncClient],
    proxied: bool,
    wire: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The default transports log nothing. (With httpx, httpcore logs headers at DEBUG.)"""
    options = {
        "api_key": KEY,
        "signer": CustomSigner(),
        "retry": lambda error, attempt: 0.0 if attempt == 1 else None,
    }
    script = [READ, b"HTTP/1.1 200 OK\r\n\r\n", *WIRE[wire]] if proxied else WIRE[wire]
    with RawServer(script) as server, caplog.at_level("DEBUG"):
        proxy = server.url.replace("//", f"//user:{PASSWORD}@") if proxied else None
        error = ended(kind, {**options, "base_url": server.url, "proxy": proxy})
    assert holds_no_canary(crash_report(error))
    assert holds_no_canary(caplog.text)
    assert not any(record.name.startswith("http") for record in caplog.records)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("variable", ["BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL"])
def test_no_variable_of_the_environment_shows(
    kind: Any, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("BINANCE_API_KEY", KEY),
        ("BINANCE_API_SECRET", SECRET),
        ("BINANCE_BASE_URL", f"https://{PASSWORD}@x"),
    ):
        monkeypatch.setenv(name, text + " " if name == variable else text)
    with pytest.raises(UsdmError) as caught:
        kind.from_env(proxy=f"http://user:{PASSWORD}@localhost:1")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert holds_no_canary(crash_report(caught.value))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("password", ["", PASSWORD])
@pytest.mark.parametrize("variable", ["BINANCE_API_PRIVATE_KEY", "BINANCE_API_PRIVATE_KEY_FILE"])
def test_no_private_key_of_the_environment_shows(
    kind: Any, variable: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n\n{SECRET}\n-----END PRIVATE KEY-----\n"
    for name, text in (("", ""), ("_FILE", ""), ("_PASSWORD", password)):
        monkeypatch.setenv(f"BINANCE_API_PRIVATE_KEY{name}", text)
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.delenv("BINANCE_API_SECRET", raising=False)
    monkeypatch.setenv(variable, pem if variable.endswith("KEY") else f"/nowhere/{SECRET}")
    with pytest.raises(UsdmError, match=variable) as caught:
        kind.from_env()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert holds_no_canary(crash_report(caught.value))


UNFIT: list[Any] = [f"{SECRET} ", f"é{SECRET}", SECRET.encode()]


@pytest.mark.parametrize("number", range(len(UNFIT)))
def test_a_signer_that_cannot_be_made_shows_nothing(number: int) -> None:
    with pytest.raises(UsdmError) as caught:
        HmacSigner(UNFIT[number])
    assert holds_no_canary(crash_report(caught.value))


INTERRUPTING = mock_transport(lambda request: KeyboardInterrupt())


def test_an_interrupted_call_shows_nothing() -> None:
    with (
        Client(KEY, SECRET, transport=INTERRUPTING) as client,
        pytest.raises(KeyboardInterrupt) as interrupted,
    ):
        client.balance()
    assert holds_no_canary(crash_report(interrupted.value))


def test_a_cancelled_call_shows_nothing() -> None:
    async def cancelled(base_url: str) -> BaseException:
        async with AsyncClient(KEY, SECRET, base_url=base_url) as client:
            task = asyncio.create_task(client.balance())
            await asyncio.to_thread(server.wait, lambda: server.connections == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value

    with RawServer([STAY_SILENT]) as server:
        assert holds_no_canary(crash_report(asyncio.run(cancelled(server.url))))


# what the interpreter prints by itself


def dead(*_: object) -> httpx.Response:
    raise httpx.ConnectError("refused")


def printing(hook: Any, *arguments: Any) -> str:
    """What a hook that prints tracebacks writes to stderr, with all frames."""
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        hook(*arguments)
    return stderr.getvalue()


def test_the_interpreters_own_hooks_print_no_secret(tmp_path: Path) -> None:
    failed: list[threading.ExceptHookArgs] = []
    client = Client(KEY, SECRET, transport=mock_transport(dead), retry=RetryPolicy.off())
    error = ended(Client, {"api_key": KEY, "api_secret": SECRET, "transport": mock_transport(dead)})
    assert holds_no_canary(
        shown := printing(sys.excepthook, type(error), error, error.__traceback__)
    )
    assert "TransportError" in shown
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading, "excepthook", failed.append)
        thread = threading.Thread(target=client.balance)
        thread.start()
        thread.join()
    assert holds_no_canary(shown := printing(threading.__excepthook__, failed[0]))
    assert "TransportError" in shown


def test_a_dump_of_all_stacks_in_the_middle_of_a_call_shows_no_secret(tmp_path: Path) -> None:
    dumped = tmp_path / "stacks"

    def dump(request: httpx.Request) -> httpx.Response:
        with dumped.open("w") as file:
            faulthandler.dump_traceback(file)
        return error_response(400)

    with Client(KEY, SECRET, transport=mock_transport(dump)) as client, pytest.raises(UsdmError):
        client.balance()
    text = dumped.read_text()
    assert "_call" in text
    assert holds_no_canary(text)


def test_a_running_call_shows_no_secret_to_a_debugger() -> None:
    """Frames of a running call show no secret, as a crash reporter sees them in all threads."""
    shown: list[str] = []

    def look(request: httpx.Request) -> httpx.Response:
        for frame, _ in traceback.walk_stack(None):
            if "binance_usdm" in frame.f_globals.get("__name__", ""):
                shown.extend(f"{name}={value!r}" for name, value in frame.f_locals.items())
        return error_response(400)

    with Client(KEY, SECRET, transport=mock_transport(look)) as client, pytest.raises(UsdmError):
        client.balance()
    assert any(text.startswith("request=") for text in shown)
    assert holds_no_canary("\n".join(shown))


# the watch over all tests must be able to fail

LEAKS = {
    'logging.getLogger("some.library").debug(f"sent {CLIENT_KEY}")': "log of some.library at DEBUG",
    'logging.getLogger("other").info("sent", CLIENT_KEY)': "log of other at INFO",
    'logging.getLogger("other").info("sent", extra={"url": SIGNED})': "log of other at INFO",
    'logging.getLogger("binance_usdm").debug("GET %s", SIGNED)': "log of binance_usdm at DEBUG",
    (
        '_call_context.emit(Event(kind="cooldown", operation="x", attempt=1, '
        "error=TransportError(CLIENT_KEY)), None)"
    ): "event cooldown",
    "print(base64.b64encode(CLIENT_SECRET.encode()).decode())": "output",
    "print(CLIENT_SECRET.encode().hex(), file=sys.stderr)": "output",
    "with warnings.catch_warnings(record=True): warnings.warn(CLIENT_KEY, stacklevel=1)": "warning",
    (
        "subprocess.run([sys.executable, '-c', f'raise SystemExit({CLIENT_KEY[::-1]!r})'], "
        "stderr=subprocess.PIPE)"
    ): "output",
    "with pytest.raises(UsdmError): raise TransportError(CLIENT_KEY.upper())": (
        "expected: TransportError"
    ),
    (
        "with contextlib.suppress(UsdmError): "
        "Client(CLIENT_KEY, transport=ECHO, retry=RetryPolicy.off()).server_time()"
    ): "call: local error of CallRunner._run_call",
    "with pytest.raises(UsdmError): Client(CLIENT_KEY, CLIENT_SECRET, timeout=Odd())": (
        "expected: local timeout of BaseClient.__init__"
    ),
}
INNER = """
import base64, contextlib, logging, subprocess, sys, warnings
import httpx, pytest
import binance_usdm
from binance_usdm import Client, Event, HmacSigner, RetryPolicy, TransportError, UsdmError
from binance_usdm import _call_context, _request

CLIENT_KEY, CLIENT_SECRET = "InnerKey" + "173205", "InnerSecret" + "223606"
Client(CLIENT_KEY, CLIENT_SECRET)
SIGNATURE = _request.compute_signature(HmacSigner(CLIENT_SECRET), b"timestamp=1")
SIGNED = "/x?signature=" + SIGNATURE.decode()

class Odd:
    __repr__ = lambda self: CLIENT_SECRET

def echo(request):
    raise httpx.ConnectError(SIGNED.replace("signature", "sent"))

ECHO = httpx.MockTransport(echo)

def test_0_quiet():
    with contextlib.suppress(UsdmError):
        Client(CLIENT_KEY, CLIENT_SECRET, timeout=0)
    logging.getLogger("other").debug("nothing %s", 1)
    print("nothing")
"""


@pytest.mark.promise("S1", "S3", "S4")
def test_the_watch_sees_a_secret_in_every_channel(tmp_path: Path) -> None:
    tests = [f"def test_{number}():\n    {code}\n" for number, code in enumerate(LEAKS, 1)]
    (tmp_path / "test_leaks.py").write_text("\n".join([INNER, *tests]), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.support.secret_leaks",
        "-p",
        "no:cacheprovider",
        "-rA",
        "--show-capture=no",
        "test_leaks.py",
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    sections = re.split(
        r"^_+ ERROR at teardown of test_([0-9]+) _+$", done.stdout, flags=re.MULTILINE
    )
    shown = {
        int(number): places for number, places in zip(sections[1::2], sections[2::2], strict=True)
    }
    assert "13 passed, 12 errors" in done.stdout
    assert [
        place
        for number, place in enumerate(LEAKS.values(), 1)
        if f"\n  {place}\n" not in shown.get(number, "")
    ] == []
    assert not [
        line for line in done.stdout.splitlines() if line.startswith("  ") and "Inner" in line
    ]
