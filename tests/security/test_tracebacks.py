"""Failures that could show a key, secret, signature or password, and do not.

The tests provoke them. `tests/support/secret_leaks.py` looks: into the message, the attributes, the
pickle and the local variables of every exception, and into every log record, event and output of
the whole suite. The last test proves that it can fail.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
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
    HmacSigner,
    RetryPolicy,
    SyncTransport,
    TransportError,
    UsdmError,
    reset_shared_state,
)
from binance_usdm._http.connections.lease import Lease
from tests.support.canaries import (
    KEY,
    PASSWORD,
    PROXY_LOGIN,
    SECRET,
    SIGNATURE,
    CustomSigner,
    holds_no_canary,
    mock_transport,
)
from tests.support.clients import error_response
from tests.support.paths import ROOT
from tests.support.raw_server import STAY_SILENT, RawServer

pytestmark = pytest.mark.promise("S4")
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])


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
    "a transport that shows the URL": lambda sent: httpx.ConnectError(f"cannot reach {sent.url}"),
    "a transport that shows the request": lambda sent: httpx.ReadError(f"{sent!r}", request=sent),
    "a transport out of time": lambda sent: httpx.ReadTimeout(f"{sent.url}", request=sent),
    "a refused key": lambda _: error_response(401, -2015, f"no {KEY}"),
    "a refused signature": lambda sent: error_response(400, -1022, f"no {sent.url.query.decode()}"),
    "a page": lambda sent: httpx.Response(403, html=f"<p>{sent.url}"),
    "a redirect": lambda sent: httpx.Response(302, headers={"location": str(sent.url)}),
    "a strange reply": lambda sent: httpx.Response(200, json=[{"asset": f"{sent.url}", KEY: 1}]),
    "a wrong clock": lambda _: error_response(400, -1021, "outside of the recvWindow"),
    "a ban": lambda sent: error_response(418, -1003, f"{sent.url} banned until 1591702613943"),
    "too many requests": lambda _: error_response(429, -1003),
    "a server's fault": lambda sent: error_response(503, -1008, f"{sent.url}"),
    "a location": lambda sent: httpx.Response(451, text=f"{sent.headers} {sent.url}"),
}


def over(
    make: Callable[[httpx.Request], httpx.Response | BaseException], **options: Any
) -> dict[str, Any]:
    """Return options with a transport that answers this way."""
    return {"transport": mock_transport(make), **options}


MISTAKES: dict[str, dict[str, Any]] = {
    "no secret": {"api_secret": None, "signer": None},
    "a signer that makes no signature": over(ANSWERS["a page"], api_secret=None, signer=Bad()),
    "a clock that makes texts": over(ANSWERS["a page"], clock=lambda: "1591702613943"),
}
CALL: dict[str, dict[str, Any]] = {
    "an exhausted budget": {"limiter": Full()},
    "nothing listens": {"base_url": "http://127.0.0.1:1"},
    "no proxy listens": {"proxy": f"http://user:{PASSWORD}@127.0.0.1:1"},
    "the last of several attempts": over(
        lambda _: error_response(503), retry=lambda error, attempt: 0 if attempt < 3 else None
    ),
    **{name: over(make) for name, make in ANSWERS.items()},
    **{f"the exchange's time: {name}": over(make, clock="exchange")
       for name, make in ANSWERS.items()},
    "a limiter that fails to observe": over(
        lambda _: error_response(400, x_mbx_used_weight_1m="5"),
        limiter=Limiter("observe", blocking=True),
    ),
    "a limiter that fails to start a cooldown": over(
        lambda _: error_response(429), limiter=Limiter("start_cooldown", blocking=False)
    ),
    "a reply that is too large": over(
        lambda _: httpx.Response(200, text=SECRET * 99), max_reply_bytes=9
    ),
}  # fmt: skip
SEAMS: dict[str, dict[str, Any]] = {
    "signer": over(ANSWERS["a page"], api_secret=None, signer=BrokenSigner()),
    "retry": over(ANSWERS["a server's fault"], retry=broken),
    "clock": over(ANSWERS["a page"], clock=broken),
    "limiter": over(ANSWERS["a page"], limiter=Limiter("acquire", blocking=False)),
    "limiter that blocks": {"limiter": Limiter("acquire", blocking=True)},
    "transport": over(lambda _: BrokenError()),
}


def call(kind: type[Client] | type[AsyncClient], options: dict[str, Any]) -> None:
    async def balance() -> None:
        async with AsyncClient(**options) as client:
            await client.balance()

    if kind is AsyncClient:
        asyncio.run(balance())
    else:
        with Client(**options) as client:
            client.balance()


@KINDS
@pytest.mark.parametrize("scenario", [*CONSTRUCTOR, *MISTAKES, *CALL, *SEAMS])
def test_no_failure_tells_a_secret(kind: type[Client] | type[AsyncClient], scenario: str) -> None:
    """Its error is of the tree, or the one of the seam, and has no cause that could tell."""
    kind_of_error: type[Exception] = BrokenError if scenario in SEAMS else UsdmError
    if scenario in CONSTRUCTOR or scenario in MISTAKES:
        kind_of_error = ConfigurationError
    own: list[dict[str, Any]] = [
        {"api_secret": SECRET},
        {"api_secret": None, "signer": CustomSigner()},
    ]
    for credentials in own:
        # A cooldown would be waited for.
        reset_shared_state()
        common = {"api_key": KEY, "retry": RetryPolicy.off(), **credentials}
        options = {**common, **{**CONSTRUCTOR, **MISTAKES, **CALL, **SEAMS}[scenario]}
        with pytest.raises(kind_of_error) as caught:
            call(kind, options)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)


UNFIT: list[Callable[[], object]] = [
    lambda: SyncTransport(f"ftp://user:{PASSWORD}@proxy.example"),
    lambda: AsyncTransport(f"ftp://user:{PASSWORD}@proxy.example"),
    lambda: HmacSigner(f"{SECRET} "),
    lambda: HmacSigner(f"é{SECRET}"),
    lambda: HmacSigner(SECRET.encode()),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("make", UNFIT)
def test_what_cannot_be_made_shows_nothing(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


PEM = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n\n{SECRET}\n-----END PRIVATE KEY-----\n"
PRIVATE_KEY = {"BINANCE_API_KEY": KEY, "BINANCE_API_PRIVATE_KEY_PASSWORD": PASSWORD}
HMAC = {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": SECRET}
ENVIRONMENTS: list[dict[str, str]] = [
    {**HMAC, "BINANCE_API_KEY": f"{KEY} "},
    {**HMAC, "BINANCE_API_SECRET": f"{SECRET} "},
    {**HMAC, "BINANCE_BASE_URL": f"https://{PASSWORD}@x"},
    {**PRIVATE_KEY, "BINANCE_API_PRIVATE_KEY": PEM},
    {**PRIVATE_KEY, "BINANCE_API_PRIVATE_KEY": PEM, "BINANCE_API_PRIVATE_KEY_PASSWORD": ""},
    {**PRIVATE_KEY, "BINANCE_API_PRIVATE_KEY_FILE": f"/nowhere/{SECRET}"},
]


@KINDS
@pytest.mark.parametrize("number", range(len(ENVIRONMENTS)))
def test_no_variable_of_the_environment_shows(
    kind: Any, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("BINANCE_")]:
        monkeypatch.delenv(name)
    for name, text in ENVIRONMENTS[number].items():
        monkeypatch.setenv(name, text)
    with pytest.raises(ConfigurationError) as caught:
        kind.from_env(proxy=f"http://user:{PASSWORD}@localhost:1")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "text", [f"407 {PASSWORD}", f"407 Basic {PROXY_LOGIN}", f"{PASSWORD} 407", ""]
)
def test_of_a_proxys_error_only_the_status_is_told(text: str) -> None:
    """A proxy may echo its password in a reason phrase, which httpx makes the message."""
    transport = mock_transport(lambda _: httpx.ProxyError(text))
    said = "407 " if text.startswith("407") else "nothing valid "
    with (
        Client(KEY, SECRET, transport=transport, retry=RetryPolicy.off()) as client,
        pytest.raises(TransportError, match=f"the proxy answered {said}"),
    ):
        client.balance()


def test_an_interrupt_while_sending_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame that sends holds the bytes of the request."""
    time_left = Lease.time_left

    def interrupt(lease: Lease[Any]) -> float:
        if sys._getframe(1).f_code.co_name == "send":
            raise KeyboardInterrupt
        return time_left(lease)

    monkeypatch.setattr(Lease, "time_left", interrupt)
    with (
        RawServer([STAY_SILENT]) as server,
        Client(KEY, SECRET, base_url=server.url) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.balance()


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
        'events.emit(Event(kind="cooldown", operation="x", attempt=1, '
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
    "with pytest.raises(ZeroDivisionError): RsaSigner(fail).sign(b'')": (
        "expected: local text of fail"
    ),
    "with pytest.raises(UsdmError): raise Quiet(CLIENT_KEY)": "expected: Quiet",
}
INNER = """
import base64, contextlib, logging, subprocess, sys, warnings
import httpx, pytest
import binance_usdm
from binance_usdm import (
    Client, Event, HmacSigner, RetryPolicy, RsaSigner, TransportError, UsdmError,
)
from binance_usdm._call import events, request

CLIENT_KEY, CLIENT_SECRET = "InnerKey" + "173205", "InnerSecret" + "223606"
Client(CLIENT_KEY, CLIENT_SECRET)
SIGNATURE = request.compute_signature(HmacSigner(CLIENT_SECRET), b"timestamp=1")
SIGNED = "/x?signature=" + SIGNATURE.decode()

class Odd:
    __repr__ = lambda self: CLIENT_SECRET

class Quiet(UsdmError):
    __repr__ = __str__ = lambda self: ""

def fail(payload, text=CLIENT_SECRET):
    return 1 / 0

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
    # Other plugins take seconds to load.
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    sections = re.split(
        r"^_+ ERROR at teardown of test_([0-9]+) _+$", done.stdout, flags=re.MULTILINE
    )
    shown = {
        int(number): places for number, places in zip(sections[1::2], sections[2::2], strict=True)
    }
    assert f"{len(LEAKS) + 1} passed, {len(LEAKS)} errors" in done.stdout
    assert [
        place
        for number, place in enumerate(LEAKS.values(), 1)
        if f"\n  {place}\n" not in shown.get(number, "")
    ] == []
    assert not [
        line for line in done.stdout.splitlines() if line.startswith("  ") and "Inner" in line
    ]
