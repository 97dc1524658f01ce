"""Redact keys and signatures in logged requests."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from .accounts import ApiKey
from .request_log import STUB_PREFIX, Logged

_SHOWN_CHARACTERS: Final = 6
_MIN_SECRET_LENGTH: Final = 8
_FIELDS: Final = ("number", "at_ms", "address", "method", "status", "code", "operation", "fault")
_HMAC: Final = re.compile(
    rf"([0-9a-f]{{{_SHOWN_CHARACTERS}}})[0-9a-f]{{{64 - _SHOWN_CHARACTERS},}}", re.IGNORECASE
)
_MAX_FRAMES: Final = 20
_MAX_BODY_CHARACTERS: Final = 4096
_GZIP_MAGIC: Final = b"\x1f\x8b"

Redact = Callable[[bytes | str], str]
"""Function that returns text without keys, secrets and whole signatures."""


def log_entries(requests: Iterable[Logged], redact: Redact) -> list[dict[str, Any]]:
    """Return redacted entries of the request log.

    Args:
        requests: Logged requests.
        redact: Function of `make_redactor`.
    """
    return [
        {name: getattr(logged, name) for name in _FIELDS}
        | {
            "path": redact(logged.path),
            "received": redact(logged.raw_query),
            "signed": None if logged.signed_payload is None else redact(logged.signed_payload),
            "refusal": redact(logged.refusal),
            "response": _show_body(redact, logged.response_body),
        }
        for logged in requests
    ]


def format_logged(logged: Logged, redact: Redact) -> str:
    """Return a line about a request, without its query.

    Args:
        logged: Logged request.
        redact: Function of `make_redactor`.
    """
    line = f"{logged.number:4} {logged.method} {redact(logged.path)!r} HTTP {logged.status}"
    if logged.code is not None:
        line += f", code {logged.code}"
    if logged.fault:
        line += f", fault {logged.fault}"
    elif logged.operation is not None and logged.operation.startswith(STUB_PREFIX):
        line += ", stub"
    if logged.rejection_reason:
        line += f": {redact(logged.rejection_reason)}"
    return escape_unprintable(line)


def escape_unprintable(text: str) -> str:
    """Return text with escapes for line breaks and other characters that do not print."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _show_body(redact: Redact, body: bytes) -> str:
    if body.startswith(_GZIP_MAGIC):
        return f"({len(body)} bytes, compressed)"
    # Redacted as a whole, since a cut could go through a secret.
    text = redact(body.decode("utf-8", "replace"))
    if len(text) <= _MAX_BODY_CHARACTERS:
        return text
    return f"{text[:_MAX_BODY_CHARACTERS]}… ({len(body)} bytes)"


def make_redactor(keys: Iterable[ApiKey], signature_parameters: Iterable[str]) -> Redact:
    """Return a function that redacts keys, secrets and signatures.

    It cuts signatures after six characters and replaces keys and HMAC secrets, also when they are
    percent-encoded. Bytes are decoded as Latin-1.

    Args:
        keys: Keys whose strings are replaced.
        signature_parameters: Names of the parameters that hold a signature.
    """
    return _Redactor(keys, signature_parameters).redact


class _Redactor:
    def __init__(self, keys: Iterable[ApiKey], signature_parameters: Iterable[str]) -> None:
        names = "|".join(map(re.escape, {"signature", *signature_parameters}))
        self._signature = re.compile(
            rf"((?:{names})=[^&;]{{{_SHOWN_CHARACTERS}}})[^&;]+", re.IGNORECASE
        )
        keys = tuple(keys)
        labels = {key.api_key: "(key)" for key in keys}
        labels |= {key.secret: "(secret)" for key in keys if isinstance(key.secret, str)}
        # A string of less than 8 characters may be part of any word. Bytes are decoded as Latin-1
        # before they get here, so strings must be encoded in the same way.
        self._replacements = [
            (text.encode().decode("latin-1"), label)
            for text, label in labels.items()
            if len(text) >= _MIN_SECRET_LENGTH
        ]
        self._replacements.sort(key=lambda replacement: len(replacement[0]), reverse=True)

    def redact(self, raw: bytes | str) -> str:
        text = raw if isinstance(raw, str) else raw.decode("latin-1")
        return "&".join(map(self._redact_piece, text.split("&")))

    def _redact_piece(self, piece: str) -> str:
        piece = self._mask(piece)
        decoded = unquote(piece, "latin-1")
        masked = self._mask(decoded)
        return piece if masked == decoded else masked

    def _mask(self, text: str) -> str:
        for secret, label in self._replacements:
            text = text.replace(secret, label)
        return _HMAC.sub(r"\1…", self._signature.sub(r"\1…", text))


class _LastResortHandler(logging.Handler):
    """Handler that prints on stderr if the program did not configure logging.

    Python does so by default, but not beside the NullHandler of the client.
    """

    def emit(self, record: logging.LogRecord) -> None:
        handlers = [
            handler
            for name in (None, "binance_usdm", record.name)
            for handler in logging.getLogger(name).handlers
        ]
        if logging.lastResort is not None and all(
            isinstance(handler, logging.NullHandler | _LastResortHandler) for handler in handlers
        ):
            logging.lastResort.handle(record)


_LOGGER: Final = logging.getLogger("binance_usdm.mock")
_LOGGER.addHandler(_LastResortHandler())


def log_internal_error(error: Exception) -> None:
    """Log the type of an exception of the mock, and where it was raised.

    Messages, source lines and locals are left out, since each may hold credentials.
    """
    _LOGGER.error(
        "unhandled exception in the mock exchange; responded with 500:\n%s",
        "\n".join(_format_frames(error)),
    )


def _format_frames(error: BaseException) -> Iterator[str]:
    """Return types and frames: the latest exception first, then those that led to it."""
    link: BaseException | None = error
    while link is not None:
        yield (f"{type(link).__qualname__} (message left out, it may hold credentials), raised at")
        frames = traceback.walk_tb(link.__traceback__)
        for frame in traceback.StackSummary.extract(frames, limit=-_MAX_FRAMES, lookup_lines=False):
            yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        context = None if link.__suppress_context__ else link.__context__
        link = link.__cause__ or context
