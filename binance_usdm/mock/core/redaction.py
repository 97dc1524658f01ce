"""The request log, and what went wrong, as others may see them: signatures cut, secrets gone. Knows log and keys; judges nothing."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

from .accounts import ApiKey
from .request_log import Logged

_SHOWN_CHARACTERS: Final = 6
_MIN_SECRET_LENGTH: Final = 8
_MEMBERS: Final = ("number", "at_ms", "address", "method", "status", "code", "operation", "fault")
_HMAC: Final = re.compile(
    rf"([0-9a-f]{{{_SHOWN_CHARACTERS}}})[0-9a-f]{{{64 - _SHOWN_CHARACTERS},}}", re.IGNORECASE
)
_FRAMES: Final = 20


def log_entries(
    requests: Iterable[Logged], redact: Callable[[bytes | str], str], *, after: int, limit: int
) -> list[dict[str, Any]]:
    """Return the oldest requests with a number above `after`, at most `limit`, redacted by `hide`."""
    later = (logged for logged in requests if logged.number > after)
    return [
        {name: getattr(logged, name) for name in _MEMBERS}
        | {
            "path": redact(logged.path),
            "received": redact(logged.raw_query),
            "signed": None if logged.signed_payload is None else redact(logged.signed_payload),
            "refusal": redact(logged.refusal),
        }
        for logged in islice(later, limit)
    ]


def make_redactor(
    keys: Iterable[ApiKey], signature_parameters: Iterable[str]
) -> Callable[[bytes | str], str]:
    """Return a function that decodes bytes one by one, cuts signatures and replaces keys and secrets in any encoding."""
    names = {"signature", *signature_parameters}
    cut = re.compile(
        rf"((?:{'|'.join(map(re.escape, names))})=[^&;]{{{_SHOWN_CHARACTERS}}})[^&;]+",
        re.IGNORECASE,
    )
    keys = tuple(keys)
    known = {key.api_key: "(key)" for key in keys}
    known |= {key.secret: "(secret)" for key in keys if isinstance(key.secret, str)}
    # in a text of bytes one by one, UTF-8 is too; a shorter one is a word like any other
    worded = [
        (text.encode().decode("latin-1"), word)
        for text, word in known.items()
        if len(text) >= _MIN_SECRET_LENGTH
    ]
    worded.sort(key=lambda pair: len(pair[0]), reverse=True)

    def mask(text: str) -> str:
        for secret, word in worded:
            text = text.replace(secret, word)
        return _HMAC.sub(r"\1…", cut.sub(r"\1…", text))

    def redact_part(piece: str) -> str:
        piece = mask(piece)
        plain = unquote(piece, "latin-1")
        hidden = mask(plain)
        return piece if hidden == plain else hidden

    def redact(raw: bytes | str) -> str:
        text = raw if isinstance(raw, str) else raw.decode("latin-1")
        return "&".join(map(redact_part, text.split("&")))

    return redact


class _LastResortHandler(logging.Handler):
    """Speaks on stderr where nobody has set up logging, as Python does by itself: but the client's NullHandler keeps it quiet."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = [
            each
            for name in (None, "binance_usdm", record.name)
            for each in logging.getLogger(name).handlers
        ]
        if logging.lastResort is not None and all(
            isinstance(each, logging.NullHandler | _LastResortHandler) for each in heard
        ):
            logging.lastResort.handle(record)


_LOGGER: Final = logging.getLogger("binance_usdm.mock")
_LOGGER.addHandler(_LastResortHandler())


def log_internal_error(error: Exception) -> None:
    """Log what was raised inside the mock, and where. No message, no source line and no local: each may hold credentials."""
    _LOGGER.error(
        "a request was answered 500, for this was raised inside the mock:\n%s",
        "\n".join(_format_frames(error)),
    )


def _format_frames(error: BaseException) -> Iterator[str]:
    """Types and frames, the latest exception first, then those it came from."""
    link: BaseException | None = error
    while link is not None:
        yield f"{type(link).__qualname__} (its message may hold credentials, and is left out), raised at"
        walk = traceback.walk_tb(link.__traceback__)
        for frame in traceback.StackSummary.extract(walk, limit=-_FRAMES, lookup_lines=False):
            yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
