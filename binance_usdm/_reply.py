"""Status, headers and bytes -> a typed value or an error of the tree. Pure: sends nothing, waits for nothing."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple, TypeVar

from binance_usdm_wire import Mismatch, Operation
from binance_usdm_wire.errors import NotJson
from binance_usdm_wire.reading import decode

from ._errors import APIError, UnexpectedResponse, refusal

T = TypeVar("T")

USED_WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"
DECODED: Final = 4
"""A compressed body may grow to so many times the size that a reply may have."""
_ENCODINGS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_SECONDS: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?").fullmatch
_DATE: Final = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT").fullmatch


@functools.lru_cache(maxsize=64)
def _lower(name: str) -> bytes:
    return name.lower().encode()


class Fields(Mapping[str, str]):
    """Header fields of a reply: names in any case; the values of one that came more than once, joined by commas (RFC 9110 5.3).

    It is made of names in lower case.
    """

    __slots__ = ("_values",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._values = dict(raw)
        if len(self._values) < len(raw):
            self._values = {name: b", ".join([value for other, value in raw if other == name]) for name in self._values}

    def __getitem__(self, name: str) -> str:
        return self._values[_lower(name)].decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._values.get(_lower(name))
        return default if value is None else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self._values)

    def __len__(self) -> int:
        return len(self._values)


class Reply(NamedTuple):
    """A complete reply, its body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"<Reply {self.status}>"


class Value(NamedTuple):
    """A good reply's typed value; its repr says nothing of the account."""

    parsed: Any

    def __repr__(self) -> str:
        return "<Value>"


def read(
    operation: Operation[T], reply: Reply, *, hidden: Sequence[str], limit: int
) -> Value | APIError | UnexpectedResponse:
    """What a reply means: the operation's value, the exchange's refusal, or something the spec does not describe.

    What is `hidden` is taken out of the exchange's texts; `limit` bounds a body that comes compressed.
    """
    status, body, wrong = reply.status, b"", None
    try:
        body = inflated(reply, limit)
        if status == 200:
            return Value(operation.parse(body))
    except Mismatch as mismatch:  # a ban is a ban in whatever encoding
        wrong = mismatch
    code, message = _error_payload(body)
    refused = 400 <= status < 600 or (status == 200 and code is not None and code <= 0)  # above 0 it says "ok"
    if refused:
        return refusal(status, code, message, retry_after(reply.headers), *hidden)
    if status == 200 and wrong is not None:
        return UnexpectedResponse(200, wrong.path, wrong.expected, wrong.found, isinstance(wrong, NotJson))
    found = "a redirect, which is never followed" if 300 <= status < 400 else "another status"
    return UnexpectedResponse(status, (), "status 200 or an error status", found)


def _error_payload(body: bytes) -> tuple[int | None, str]:
    """Code and message of an error body; None and "" where there is none, as in a page."""
    try:
        payload = decode(body)
    except Mismatch:
        return None, ""
    code, message = (payload.get("code"), payload.get("msg")) if type(payload) is dict else (None, "")
    return code if type(code) is int else None, message if type(message) is str else ""


def inflated(reply: Reply, limit: int) -> bytes:
    """The body without its Content-Encoding; a compressed one (never asked for) grows to `limit` bytes and no further."""
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return reply.body
    if encoding not in _ENCODINGS:
        raise Mismatch((), "a body as asked for", "an unknown content encoding")
    inflater = zlib.decompressobj(_ENCODINGS[encoding])
    try:
        body = inflater.decompress(reply.body, limit)
    except zlib.error:
        raise Mismatch((), f"a body in {encoding}", "something else") from None
    if inflater.unconsumed_tail:
        raise Mismatch((), f"at most {limit} bytes", "more")
    if not inflater.eof or inflater.unused_data:
        raise Mismatch((), f"a body in {encoding}", "more or less than one")
    return body


def used_weight(headers: Mapping[str, str]) -> int | None:
    """Weight used in the current UTC minute, None when the exchange did not say so in plain digits."""
    text = headers.get(USED_WEIGHT_HEADER, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the exchange asks to wait, None when it does not. Plain digits, or a date: measured from the reply's own."""
    text = headers.get("retry-after", "").strip()
    if _SECONDS(text):
        return float(text)
    then, now = _ms(text), dated(headers)
    return None if then is None or now is None else max(then - now, 0) / 1000


def dated(headers: Mapping[str, str]) -> int | None:
    """When the reply was made, in ms and to the second, None when it does not say."""
    return _ms(headers.get("date", "").strip())


def _ms(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp()) * 1000 if _DATE(date) else None
    except ValueError:
        return None
