"""Response type and constructors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

JSON = b"application/json"
HTML = b"text/html"
_HEADER_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_HEADER_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*").fullmatch


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a response is delivered: late, in pieces, cut or reset. The default is at once.

    Attributes:
        latency: Seconds before the first byte.
        chunk: Bytes of the body in each piece. 0 sends the body in one piece.
        pause: Seconds between two pieces.
        cut: Number of bytes of the body after which the connection ends, although more were
            announced. `None` sends the whole body.
        reset: Whether the connection ends with a TCP reset; without `cut`, before any byte.
    """

    latency: float = 0.0
    chunk: int = 0
    pause: float = 0.0
    cut: int | None = None
    reset: bool = False

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """Return the pieces of a body, up to the byte at which it is cut."""
        sent = body if self.cut is None else body[: self.cut]
        step = self.chunk or len(sent) or 1
        for start in range(0, len(sent), step):
            yield sent[start : start + step]


IMMEDIATE: Final = Delivery()


# Not frozen: two are made for every request, and frozen ones take 4 % of its time.
@dataclass(slots=True)
class Reply:
    """HTTP response of the mock exchange.

    Attributes:
        status: HTTP status.
        headers: Header names and values, as they are sent.
        body: Body as it is sent.
        code: The exchange's own code, for the request log, or `None`.
        delivery: How the response is delivered.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    code: int | None = None
    delivery: Delivery = IMMEDIATE

    def with_header(self, name: bytes, value: bytes) -> Reply:
        """Return the response with one more header."""
        return Reply(
            self.status, (*self.headers, (name, value)), self.body, self.code, self.delivery
        )


def validate_response(reply: Reply) -> None:
    """Check that a server can send a response that a test made.

    Raises:
        ValueError: The status or a header is not valid HTTP.
    """
    if not 200 <= reply.status <= 599:
        raise ValueError("the status of a response must be from 200 to 599")
    for name, value in reply.headers:
        if not _HEADER_NAME(name) or not _HEADER_VALUE(value):
            raise ValueError("headers must have names and values that are valid HTTP")
        if name.lower() == b"content-length" and not value.isdigit():
            raise ValueError("the Content-Length of a response must be a number")


def dump_json(value: Any) -> bytes:
    """Serialize a JSON value. A Decimal becomes a string without an exponent.

    Raises:
        ValueError: The value has NaN or infinity.
        TypeError: The value has a type that JSON lacks.
    """
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_encode_decimal
    ).encode()


def _encode_decimal(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not a JSON value")
    if not value.is_finite():
        raise ValueError("NaN and infinity are not JSON values")
    return format(value, "f")


def json_ok_response(body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """Return a 200 with a JSON body and more headers."""
    return Reply(200, ((b"Content-Type", JSON), *headers), body)


def error_response(status: int, code: int | None, text: str) -> Reply:
    """Return the exchange's error payload under an HTTP status.

    Args:
        status: HTTP status.
        code: The exchange's own code. With `None` the payload has no code.
        text: Error message.
    """
    payload = {"msg": text} if code is None else {"code": code, "msg": text}
    return json_response(status, payload, code)


def json_response(status: int, payload: Any, code: int | None = None) -> Reply:
    """Return a JSON value under an HTTP status.

    Args:
        status: HTTP status.
        payload: JSON value.
        code: The exchange's own code, for the request log.
    """
    return Reply(status, ((b"Content-Type", JSON),), dump_json(payload), code)


def html_response(status: int, title: str) -> Reply:
    """Return an HTML page, as the content delivery network of the exchange sends it."""
    body = (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><h1>{title}</h1></body></html>\n"
    )
    return Reply(status, ((b"Content-Type", HTML),), body.encode())
