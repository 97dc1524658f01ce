"""A signal handler's exception within a constructor shows no secret, at whatever moment it comes.

The frame of the caller and the very beginning of the function that was called stay out of reach.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    ConfigurationError,
    Ed25519Signer,
    HmacSigner,
    RedisLimiter,
    RsaSigner,
    SyncTransport,
)
from binance_usdm._secrets import clear_frames
from tests.support.canaries import KEY, PASSWORD, SECRET, holds_no_canary
from tests.support.paths import ROOT, TESTS
from tests.support.signal_moments import SignalMoments, trace_once

pytestmark = [
    pytest.mark.promise("S4"),
    pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no SIGALRM"),
]
PROXY = f"http://user:{PASSWORD}@localhost:1"
PEM = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{SECRET}\n-----END ENCRYPTED PRIVATE KEY-----\n"
MAX_MOMENTS = 3_000


def from_env(kind: Any) -> Callable[[], object]:
    return lambda: kind.from_env(proxy=PROXY)


CONSTRUCTORS: dict[str, Callable[[], object]] = {
    "Client": lambda: Client(KEY, SECRET, proxy=PROXY),
    "AsyncClient": lambda: AsyncClient(KEY, SECRET, proxy=PROXY),
    "Client with a signer": lambda: Client(KEY, signer=HmacSigner(SECRET)),
    "Client that is rejected": lambda: Client(KEY, f"{SECRET} "),
    "Client with a transport": lambda: Client(KEY, SECRET, transport=SyncTransport(PROXY)),
    "Client.from_env": from_env(Client),
    "AsyncClient.from_env": from_env(AsyncClient),
    "Client.from_profile": lambda: Client.from_profile("desk", proxy=PROXY),
    "HmacSigner": lambda: HmacSigner(SECRET),
    "HmacSigner that is rejected": lambda: HmacSigner(f"{SECRET} "),
    "Ed25519Signer.from_pem": lambda: Ed25519Signer.from_pem(PEM.encode(), PASSWORD),
    "RsaSigner.from_pem": lambda: RsaSigner.from_pem(PEM.encode(), PASSWORD),
    "from_pem of a file": lambda: Ed25519Signer.from_pem(f"/nowhere/{SECRET}", PASSWORD),
    "SyncTransport": lambda: SyncTransport(PROXY),
    "AsyncTransport": lambda: AsyncTransport(PROXY),
    "RedisLimiter": lambda: RedisLimiter(f"redis://user:{PASSWORD}@localhost:1"),
}
OUTERMOST = {"BaseClient.__init__", "ClientFactories.from_env", "ClientFactories.from_profile",
             "HmacSigner.__init__",
             "PrivateKeySigner.from_pem", "ConnectionPool.__init__",
             "RedisLimiter.__init__"}  # fmt: skip
PACKAGE = str(ROOT / "binance_usdm")


def is_traced(file: str, function: str) -> bool:
    """Pick the package, and what it gives a secret to. An exception in a finalizer is lost."""
    if "/site-packages/redis/" in file:
        return function in {"from_url", "parse_url"}
    return file.startswith(PACKAGE) or file.endswith(("/hmac.py", "/urllib/parse.py"))


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """No finalizer of other tests' objects runs in a traced constructor."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Key and secret, and a profile that refers to them."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    file = tmp_path / "profiles.toml"
    file.write_text(
        '[profiles.desk]\napi_key = { env = "BINANCE_API_KEY" }\n'
        'api_secret = { env = "BINANCE_API_SECRET" }\n'
    )
    file.chmod(0o600)
    monkeypatch.setenv("BINANCE_PROFILES_FILE", str(file))


def locals_of(frame: FrameType) -> list[object]:
    return list(frame.f_locals.values())


def safe_repr(value: object) -> str:
    """Return what printing a value shows. A half-made object may not be able to."""
    try:
        return repr(value)
    except AttributeError:
        return ""


def shown_frames(error: BaseException) -> list[str]:
    """Return the functions, other than a test's, whose local variables show a secret."""
    found: list[str] = []
    pending: BaseException | None = error
    while pending is not None:
        traceback = pending.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            is_test = Path(frame.f_code.co_filename).is_relative_to(TESTS)
            if not is_test and not holds_no_canary("\n".join(map(safe_repr, locals_of(frame)))):
                found.append(f"{frame.f_code.co_qualname}:{traceback.tb_lineno}")
            traceback = traceback.tb_next
        pending = pending.__context__
    return found


# The interrupt may come between the opening of a file and its `with`.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_no_interrupted_constructor_shows_a_secret(name: str) -> None:
    """Wherever KeyboardInterrupt comes, no frame of the package or below it holds a secret."""
    # What is imported and cached on first use has no secret.
    trace_once(CONSTRUCTORS[name], is_traced)
    beginnings: dict[str, str] = {}
    leaks: list[str] = []
    at = 0
    while at < MAX_MOMENTS:
        at += 1
        moments = SignalMoments(KeyboardInterrupt(), at, is_traced)
        try:
            moments.run(CONSTRUCTORS[name])
        except ConfigurationError:
            assert "rejected" in name or "from_pem" in name
        except KeyboardInterrupt as error:
            function = moments.where.rpartition(":")[0]
            # The first moment of a function is its beginning, before its `try`.
            beginnings.setdefault(function, moments.where)
            allowed = beginnings[function] if function in OUTERMOST else None
            leaks += [frame for frame in shown_frames(error) if frame != allowed]
        if not moments.where:
            break
    assert leaks == []
    assert OUTERMOST & set(beginnings)
    assert 5 < at < MAX_MOMENTS


def test_other_exceptions_keep_their_frames() -> None:
    """Clearing an exception leaves what its caller handles, and the caller's own names."""

    def fail(words: str) -> None:
        raise ValueError(words)

    def fail_while_handling(words: str) -> None:
        try:
            fail(words)
        except ValueError:
            int("x")

    def caller(words: str) -> list[BaseException]:
        try:
            fail("of the caller")
        except ValueError as outer:
            try:
                fail_while_handling(words)
            except ValueError as error:
                clear_frames(error)
                return [outer, error]
        return []

    outer, error = caller("secret")
    texts = [frame_locals(each) for each in (outer, error, error.__context__)]
    assert texts[0] == ["of the caller"]
    assert texts[1:] == [[], []]
    assert error.__context__ is not None
    assert error.__context__.__context__ is outer


def frame_locals(error: BaseException | None) -> list[str]:
    """Return the argument `words` of every function that an exception has left."""
    assert error is not None
    traceback = error.__traceback__
    found = []
    while traceback is not None:
        frame = traceback.tb_frame
        if "words" in frame.f_locals and frame.f_code.co_name != "caller":
            found.append(frame.f_locals["words"])
        traceback = traceback.tb_next
    return found
