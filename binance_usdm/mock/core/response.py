"""What the mock exchange sends back: a status, headers, bytes, and how they travel. Knows no request and no rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

JSON = b"application/json"
HTML = b"text/html"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a reply travels, when it does not do so at once and whole.

    ``latency`` seconds pass before its first byte; its body comes in pieces of ``chunk`` bytes, ``pause`` seconds apart; after
    ``cut`` bytes of the body the connection ends, though more was announced. ``reset``: it ends with a TCP reset, and without
    ``cut`` before a byte is sent.
    """

    latency: float = 0.0
    chunk: int = 0
    pause: float = 0.0
    cut: int | None = None
    reset: bool = False

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """The pieces of a body, up to where it is cut."""
        sent = body if self.cut is None else body[: self.cut]
        step = self.chunk or len(sent) or 1
        for start in range(0, len(sent), step):
            yield sent[start : start + step]


IMMEDIATE: Final = Delivery()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: HTTP status, header pairs as sent, body. ``code`` is the exchange's own code, for the request log."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    code: int | None = None
    delivery: Delivery = IMMEDIATE

    def with_header(self, name: bytes, value: bytes) -> Reply:
        """The same reply with one header more."""
        return Reply(
            self.status, (*self.headers, (name, value)), self.body, self.code, self.delivery
        )


def dump_json(value: Any) -> bytes:
    """JSON text of a value. Strings go out as they are, a Decimal as its plain text; NaN and infinity are refused."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_encode_decimal
    ).encode()


def _encode_decimal(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no JSON value")
    if not value.is_finite():
        raise ValueError("NaN and infinity are no JSON values")
    return format(value, "f")


def json_ok_response(body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """A 200 with a JSON body."""
    return Reply(200, ((b"Content-Type", JSON), *headers), body)


def error_response(status: int, code: int | None, text: str) -> Reply:
    """The exchange's error payload; without a code where ``code`` is None."""
    return json_response(
        status, {"msg": text} if code is None else {"code": code, "msg": text}, code
    )


def json_response(status: int, payload: Any, code: int | None = None) -> Reply:
    """A JSON value under a status."""
    return Reply(status, ((b"Content-Type", JSON),), dump_json(payload), code)


def html_response(status: int, title: str) -> Reply:
    """A page for people, as the content network in front of the exchange sends it."""
    body = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1></body></html>\n"
    return Reply(status, ((b"Content-Type", HTML),), body.encode())
