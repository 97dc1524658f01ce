"""A pytest plugin that watches every test for secrets: the credentials and signatures it made may show nowhere. Knows no test.

It listens where a secret could come out: records of all loggers at all levels, whatever these are set to (message, arguments, exception),
events, warnings, what is printed here and by child processes, and exceptions that leave a call or that a test expects, with the local
variables of the package's own frames. A test that lets a secret out fails at its end; the place is named, the secret is not.
The mock exchange may show its key: it opens nothing. `-p watch` switches the watch on where no conftest does.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import logging
import os
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
from binance_usdm import AsyncClient, Client, _call_context, _config, _environment, _request
from binance_usdm._auth import credentials, private_keys, signers
from binance_usdm._http import proxy
from binance_usdm._policy import redis_limiter
from binance_usdm.mock import DEFAULT_API_SECRET

SHORTEST = 8  # shorter texts are words that any sentence may have
_PRODUCT = tuple(
    str(Path(str(package.__file__)).parent) + os.sep
    for package in (binance_usdm, binance_usdm_wire)
)
_MOCK = (str(Path(_PRODUCT[0], "mock")), str(Path(_PRODUCT[0], "_cli", "mock.py")))
_PASSWORD = re.compile(r"://[^/@\s]*:([^/@\s]+)@")
_SIGNED = re.compile(r"signature=[0-9a-f]{64}")
_SERVER = "uvicorn.access"  # the mock's server, not the client; the mock switches it off, only pytest's own handler makes it speak
_OF_THE_MOCK = re.compile(
    r"^mock exchange on .*$", re.MULTILINE
)  # its key is on this line on purpose
_OURS = (sys.executable, "binance-usdm")
_USUAL = {*vars(logging.makeLogRecord({})), "message"} - {"msg", "stack_info"}


@functools.lru_cache(1024)
def secret_encodings(secret: str) -> frozenset[str]:
    """The ways in which a secret could be written down, in lower case."""
    raw = secret.encode("utf-8", "surrogatepass")
    # base64 depends on what stands in front; the ends are mixed with their neighbours
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
    """Secrets known and texts seen. A secret known outside of tests, at import, is one in all of them."""

    def __init__(self, *known: str) -> None:
        self._always = set(known)
        self._known: deque[str] = deque(
            maxlen=256
        )  # of this test: the latest, for a leak is no single event
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
        if tracemalloc.is_tracing():  # the test weighs memory, and what is heard would count
            return
        self._texts.setdefault(place, []).append(text)
        self._size += len(text)
        if self._size > 4_000_000:
            self._look()

    def record_error(self, where: str, error: BaseException | None) -> None:
        """All that could be printed of an exception and its causes; the frames of tests, which must know secrets, are left out."""
        seen = set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            self.record_text(f"{where}: {type(error).__name__}", repr_of(error))
            for frame, _ in traceback.walk_tb(error.__traceback__):
                file = frame.f_code.co_filename
                if file.startswith(_PRODUCT) and not file.startswith(_MOCK):
                    for name, value in frame.f_locals.items():
                        self.record_text(
                            f"{where}: local {name} of {frame.f_code.co_qualname}", repr_of(value)
                        )
            error = error.__cause__ or error.__context__

    def record_log(self, record: logging.LogRecord) -> None:
        """A log record as printed, and all that it carries."""
        place = f"log of {record.name} at {record.levelname}"
        with contextlib.suppress(
            Exception
        ):  # a record that cannot be formatted is no claim of a watch
            self.record_text(place, record.getMessage())
        arguments = record.args if isinstance(record.args, tuple) else (record.args,)
        extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
        self.record_text(place, "".join(map(repr_of, [*arguments, extra])))
        self.record_error(place, record.exc_info[1] if record.exc_info else None)

    def pop_leaks(self) -> list[str]:
        """Places in which a secret was seen since the last time, then all is forgotten."""
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

        def tells(text: str) -> bool:
            return _SIGNED.search(text) is not None or any(needle in text for needle in needles)

        by_place = {place: "\n".join(dict.fromkeys(told)).lower() for place, told in texts.items()}
        if tells("\n".join(by_place.values())):  # hardly ever: then which of them?
            self._found += [place for place, text in by_place.items() if tells(text)]


def repr_of(thing: object) -> str:
    """What printing a thing, and what looking into it, would show."""
    told = ""
    for way in (repr, str) if isinstance(thing, BaseException) else (repr,):
        with contextlib.suppress(Exception):  # what cannot be printed shows nothing
            told += way(thing)
    return told + (repr(vars(thing)) if isinstance(thing, BaseException) else "")


WATCH = SecretLeakDetector(DEFAULT_API_SECRET)


def _before(owner: Any, name: str, look: Callable[..., object]) -> None:
    """Have `look` see the arguments of each call of a function; the frame in between holds none of them, for tests of tracebacks."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def watched(*arguments: Any, **options: Any) -> Any:
        look(*arguments, **options)
        given, named = [arguments], [options]
        del arguments, options
        return real(*given.pop(), **named.pop())

    setattr(owner, name, watched)


def _after(owner: Any, name: str, look: Callable[[Any], object]) -> None:
    """Have `look` see what each call of a function returns."""
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
        told = communicate(self, *arguments, **options)
        if isinstance(self.args, (list, tuple)) and os.fspath(self.args[0]).endswith(
            _OURS
        ):  # not openssl, which signs too
            _note_output(*told)
        return told

    subprocess.Popen.communicate = ended  # type: ignore[method-assign]


def _note_output(*told: Any) -> None:
    for text in told:
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
        others = record.name == _SERVER or (
            record.name == "httpx" and not _is_in_product()
        )  # tests may use httpx.Client
        if not others and self.filter(record):  # a filter may redact
            WATCH.record_log(record)
        if enabled(self, record.levelno):
            handle(self, record)

    logging.Logger.isEnabledFor = lambda self, level: True  # type: ignore[method-assign]
    logging.Logger.handle = hear  # type: ignore[method-assign]


@functools.cache
def install() -> None:
    """Watch this process from now on; there is no way back, and none is needed."""
    for module in (credentials, signers):
        _before(module, "credential_problem", WATCH.add_secrets)
    _before(_config, "parse_base_url", _learn_url)
    _before(proxy.Proxy, "from_url", _learn_url)
    _before(redis_limiter.RedisLimiter, "__init__", _learn_url)
    _before(private_keys, "_load_signer", _learn_pem)
    _before(subprocess.Popen, "__init__", _learn_child)
    _after(_request, "compute_signature", WATCH.add_secrets)
    _watch_children()
    _before(_call_context, "emit", _note_event)
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
    _after(pytest.CaptureFixture, "readouterr", lambda told: _note_output(*told))
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
            if not title.startswith("Captured log"):  # heard already
                _note_output(text)
        leaks = WATCH.pop_leaks()
        if (
            leaks and item.get_closest_marker("xfail") is None
        ):  # a strict one says itself that there is a leak
            report.outcome, report.longrepr = "failed", "\n  ".join(["a secret shows in:", *leaks])
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    WATCH.testing = True
    return (yield)
