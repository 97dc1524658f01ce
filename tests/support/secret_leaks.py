"""A pytest plugin that looks for secrets in everything that a test shows.

It records where a secret could show: log records of all loggers at all levels (message, arguments,
exception), events, warnings, output of this process and of child processes, and exceptions that
leave a call or that a test expects, with the local variables of the package's frames. A test that
shows one of its credentials or signatures fails at its end. The failure names the place, and not
the secret. The mock exchange may show its key. `-p tests.support.secret_leaks` switches the plugin
on where no conftest does.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import traceback
import tracemalloc
import warnings
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import binance_usdm
import binance_usdm_wire
from binance_usdm import AsyncClient, Client, UsdmError
from binance_usdm._auth import credentials, private_keys, signers
from binance_usdm._call import events as _call_events
from binance_usdm._call import request as _request
from binance_usdm._config import base_url as _base_url
from binance_usdm._config import environment as _environment
from binance_usdm._http.connections import proxy
from binance_usdm._policy.redis import limiter as redis_limiter
from binance_usdm.mock import DEFAULT_API_SECRET
from tests.support.paths import TESTS

# Shorter strings are words that any sentence may have.
SHORTEST = 8
_PRODUCT = tuple(
    str(Path(str(package.__file__)).parent) + os.sep
    for package in (binance_usdm, binance_usdm_wire)
)
_MOCK = (str(Path(_PRODUCT[0], "mock")), str(Path(_PRODUCT[0], "_cli", "mock.py")))
_MAY_SHOW = (*_MOCK, str(TESTS) + os.sep)
_PASSWORD = re.compile(r"://[^/@\s]*:([^/@\s]+)@")
# The worked example of the spec is one of the vectors, whose keys are published or made up.
_VECTORS = json.loads(Path(_PRODUCT[0], "vectors.json").read_bytes())
_PUBLISHED = "|".join(re.escape(vector["signature"]) for vector in _VECTORS["requests"])
_SIGNED = re.compile(rf"signature=(?!{_PUBLISHED})[0-9a-f]{{64}}")
# It is the log of the mock's server. The mock switches it off, and pytest's handler on.
_SERVER = "uvicorn.access"
# The mock prints its fake key, and its default secret, on purpose.
_OF_THE_MOCK = re.compile(
    r"^export BINANCE_API_(KEY=.*|SECRET=mock-exchange-api-secret-opens-nothing)$", re.MULTILINE
)
_OURS = (sys.executable, "binance-usdm")
_USUAL = {*vars(logging.makeLogRecord({})), "message"} - {"msg", "stack_info"}


@functools.lru_cache(1024)
def secret_encodings(secret: str) -> frozenset[str]:
    """Return the encodings in which a secret could show, in lower case."""
    raw = secret.encode("utf-8", "surrogatepass")
    # base64 depends on the bytes in front, and the ends are mixed with their neighbors.
    coded = {base64.b64encode(bytes(shift) + raw)[2 * shift : -4].decode() for shift in range(3)}
    escaped = {"".join(f"%{byte:02x}" for byte in raw), "".join(f"\\x{byte:02x}" for byte in raw)}
    wide = "".join(f"\\u{ord(character):04x}" for character in secret)
    written = {
        secret,
        repr(secret)[1:-1],
        quote(raw, safe=""),
        raw.hex(),
        wide,
        secret[::-1],
        *coded,
        *escaped,
    }
    return frozenset(form.lower() for form in written if len(form) >= SHORTEST)


class SecretLeakDetector:
    """The known secrets and the recorded texts.

    A secret that is known at import, outside of tests, is one in all tests.
    """

    def __init__(self, *known: str) -> None:
        self._always = set(known)
        # Those of this test. The latest ones suffice, since a leak shows in more than one event.
        self._known: deque[str] = deque(maxlen=256)
        self._texts: dict[str, list[str]] = {}
        self._size = 0
        self._found: list[str] = []
        self.testing = False

    def add_secrets(self, *secrets: object) -> None:
        for secret in () if tracemalloc.is_tracing() else secrets:
            text = secret.decode("latin-1") if isinstance(secret, bytes) else secret
            if isinstance(text, str) and SHORTEST <= len(text := text.strip()) <= 4096:
                self._known.append(text) if self.testing else self._always.add(text)

    def record_text(self, place: str, text: str) -> None:
        # A test that measures memory would measure the recorded texts, too.
        if tracemalloc.is_tracing():
            return
        self._texts.setdefault(place, []).append(text)
        self._size += len(text)
        if self._size > 4_000_000:
            self._look()

    def record_error(self, where: str, error: BaseException | None) -> None:
        """Record all that could be printed of an exception and its causes.

        That are the local variables of the package's frames and of all below them. The frames of
        tests have secrets, and are left out.
        """
        seen = set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            self.record_text(f"{where}: {type(error).__name__}", repr_of(error))
            is_below = False
            for frame, _ in traceback.walk_tb(error.__traceback__):
                file = frame.f_code.co_filename
                is_below = is_below or file.startswith(_PRODUCT)
                if is_below and not file.startswith(_MAY_SHOW):
                    for name, value in frame.f_locals.items():
                        self.record_text(
                            f"{where}: local {name} of {frame.f_code.co_qualname}", repr_of(value)
                        )
            error = error.__cause__ or error.__context__

    def record_log(self, record: logging.LogRecord) -> None:
        """Record a log record as it is printed, and all that it has."""
        place = f"log of {record.name} at {record.levelname}"
        # A record that cannot be formatted shows nothing.
        with contextlib.suppress(Exception):
            self.record_text(place, record.getMessage())
        arguments = record.args if isinstance(record.args, tuple) else (record.args,)
        extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
        self.record_text(place, "".join(map(repr_of, [*arguments, extra])))
        self.record_error(place, record.exc_info[1] if record.exc_info else None)

    def pop_leaks(self) -> list[str]:
        """Return the places in which a secret shows since the last call, and forget all texts."""
        self._look()
        found, self._found = self._found, []
        self._known.clear()
        return list(dict.fromkeys(found))

    def _look(self) -> None:
        texts, self._texts, self._size = self._texts, {}, 0
        if not texts:
            return
        needles = {
            form for secret in self._always.union(self._known) for form in secret_encodings(secret)
        }

        def has_secret(text: str) -> bool:
            return _SIGNED.search(text) is not None or any(needle in text for needle in needles)

        by_place = {
            place: "\n".join(dict.fromkeys(output)).lower() for place, output in texts.items()
        }
        # All texts are searched at once, since hardly any has a secret.
        if has_secret("\n".join(by_place.values())):
            self._found += [place for place, text in by_place.items() if has_secret(text)]


def repr_of(thing: object) -> str:
    """Return all that printing an object, or looking into it, would show."""
    output = ""
    for way in (repr, str) if isinstance(thing, BaseException) else (repr,):
        # What cannot be printed shows nothing.
        with contextlib.suppress(Exception):
            output += way(thing)
    if isinstance(thing, BaseException):
        output += repr(vars(thing))
    if isinstance(thing, UsdmError):
        output += repr(pickle.dumps(thing))
    return output


WATCH = SecretLeakDetector(DEFAULT_API_SECRET)


def _before(owner: Any, name: str, look: Callable[..., object]) -> None:
    """Have `look` called with the arguments of each call of a function.

    The frame in between holds none of them, for tests of tracebacks.
    """
    real = getattr(owner, name)

    @functools.wraps(real)
    def watched(*arguments: Any, **options: Any) -> Any:
        look(*arguments, **options)
        given, named = [arguments], [options]
        del arguments, options
        return real(*given.pop(), **named.pop())

    setattr(owner, name, watched)


def _after(owner: Any, name: str, look: Callable[[Any], object]) -> None:
    """Have `look` called with the result of each call of a function."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def watched(*arguments: Any, **options: Any) -> Any:
        made = real(*arguments, **options)
        look(made)
        return made

    setattr(owner, name, watched)


def _learn_url(*arguments: Any, **options: Any) -> None:
    for text in (*arguments, *options.values()):
        if isinstance(text, str):
            WATCH.add_secrets(*_PASSWORD.findall(text))


def _learn_pem(source: object, password: object) -> None:
    WATCH.add_secrets(
        password,
        *(line for line in source.split() if len(line) == 64) if isinstance(source, bytes) else (),
    )


def _learn_child(_: object, command: Any, *__: Any, **options: Any) -> None:
    given = list(map(os.fspath, command)) if isinstance(command, (list, tuple)) else []
    WATCH.add_secrets(
        *(value for flag, value in itertools.pairwise(given) if flag == "--api-secret")
    )
    names = (
        _environment.ENV_API_KEY,
        _environment.ENV_API_SECRET,
        _environment.ENV_PRIVATE_KEY_PASSWORD,
    )
    WATCH.add_secrets(*((options.get("env") or os.environ).get(name) for name in names))


def _watch_children() -> None:
    communicate = subprocess.Popen.communicate

    @functools.wraps(communicate)
    def ended(self: subprocess.Popen[Any], *arguments: Any, **options: Any) -> Any:
        output = communicate(self, *arguments, **options)
        # Not openssl, which signs too.
        if isinstance(self.args, (list, tuple)) and os.fspath(self.args[0]).endswith(_OURS):
            _note_output(*output)
        return output

    subprocess.Popen.communicate = ended  # type: ignore[method-assign]


def _note_output(*output: Any) -> None:
    for text in output:
        decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if isinstance(decoded, str) and decoded:
            WATCH.record_text("output", _OF_THE_MOCK.sub("", decoded))


def _note_event(event: Any, *_: object) -> None:
    WATCH.record_text(f"event {event.kind}", repr_of(event))
    WATCH.record_error(f"event {event.kind}", event.error)


def _watch_calls() -> None:
    blocking, awaiting = Client._call, AsyncClient._call

    @functools.wraps(blocking)
    def call(self: Client, operation: Any, arguments: Any) -> Any:
        try:
            return blocking(self, operation, arguments)
        except BaseException as error:
            WATCH.record_error("call", error)
            raise

    @functools.wraps(awaiting)
    async def call_async(self: AsyncClient, operation: Any, arguments: Any) -> Any:
        try:
            return await awaiting(self, operation, arguments)
        except BaseException as error:
            WATCH.record_error("call", error)
            raise

    Client._call, AsyncClient._call = call, call_async  # type: ignore[method-assign, assignment]


def _is_in_product() -> bool:
    files = (frame.f_code.co_filename for frame, _ in traceback.walk_stack(None))
    return any(file.startswith(_PRODUCT) and not file.startswith(_MOCK) for file in files)


def _watch_loggers() -> None:
    enabled, handle = logging.Logger.isEnabledFor, logging.Logger.handle

    def hear(self: logging.Logger, record: logging.LogRecord) -> None:
        # Tests may use httpx.Client.
        others = record.name == _SERVER or (record.name == "httpx" and not _is_in_product())
        # A filter may redact.
        if not others and self.filter(record):
            WATCH.record_log(record)
        if enabled(self, record.levelno):
            handle(self, record)

    logging.Logger.isEnabledFor = lambda self, level: True  # type: ignore[method-assign]
    logging.Logger.handle = hear  # type: ignore[method-assign]


@functools.cache
def install() -> None:
    """Record the texts of this process from now on. It cannot be undone."""
    for module in (credentials, signers):
        _before(module, "credential_problem", WATCH.add_secrets)
    _before(_base_url, "parse_base_url", _learn_url)
    _before(proxy.Proxy, "from_url", _learn_url)
    _before(redis_limiter.RedisLimiter, "__init__", _learn_url)
    _before(private_keys, "_load_signer", _learn_pem)
    _before(subprocess.Popen, "__init__", _learn_child)
    _after(_request, "compute_signature", WATCH.add_secrets)
    _watch_children()
    _before(_call_events, "emit", _note_event)
    _before(
        warnings.WarningMessage,
        "__init__",
        lambda _, message, *__, **___: WATCH.record_text("warning", repr_of(message)),
    )
    _before(
        pytest.RaisesExc,
        "__exit__",
        lambda _, __, error, *___: WATCH.record_error("expected", error),
    )
    _after(pytest.CaptureFixture, "readouterr", lambda output: _note_output(*output))
    _watch_calls()
    _watch_loggers()


def pytest_configure() -> None:
    install()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: object
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    WATCH.testing = report.when != "teardown"
    if report.when == "teardown":
        for title, text in report.sections:
            # Log records are recorded already.
            if not title.startswith("Captured log"):
                _note_output(text)
        leaks = WATCH.pop_leaks()
        # A strict one says itself that there is a leak.
        if leaks and item.get_closest_marker("xfail") is None:
            report.outcome, report.longrepr = "failed", "\n  ".join(["a secret shows in:", *leaks])
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    WATCH.testing = True
    return (yield)
