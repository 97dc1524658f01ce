"""Seeded faults of the client: one small patch each, and the checks of layer B that notice it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest
from attrs import evolve

from binance_usdm import _client, _request
from binance_usdm._reply import Value, read
from binance_usdm_wire import OPERATIONS
from binance_usdm_wire.api.account import balance

from .wire import KEY, SECRET

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]
Query = dict[str, str]


@dataclass
class Parts:
    """What a request is made of, to be changed."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


def _sent(change: Callable[[Parts], Parts]) -> Plant:
    """The finished request is changed before it leaves."""
    make = _request.Requests.made

    def changed(self: Any, *given: Any, **extensions: Any) -> httpx.Request:
        made = make(self, *given, **extensions)
        old = Parts(made.method, made.extensions.get("target", made.url.raw_path), made.headers.raw)
        new = change(old)
        extensions = {**made.extensions, **({"target": new.target} if "target" in made.extensions else {})}
        url = made.url.copy_with(raw_path=new.target)
        body = httpx.ByteStream(new.body)
        return _request.Request(new.method, url, headers=new.headers, stream=body, extensions=extensions)

    return lambda patch: patch.setattr(_request.Requests, "made", changed)


def _asked(change: Callable[[Query], Query]) -> Plant:
    """The parameters are changed before they are signed, so that the signature is good."""
    encode = _request._encoded
    return lambda patch: patch.setattr(_request, "_encoded", lambda query: encode(change(query)))


def _signs(sign: Callable[[Any, bytes], bytes]) -> Plant:
    return lambda patch: patch.setattr(_request, "signature", sign)


def _hex(payload: bytes, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), payload, "sha256").hex().encode()


def _header(name: bytes, value: bytes) -> Plant:
    return _sent(lambda parts: replace(parts, headers=[*parts.headers, (name, value)]))


def _scaled(name: str) -> Callable[[Query], Query]:
    return lambda query: {each: str(int(text) // 1000) if each == name else text for each, text in query.items()}


def _constant(query: Query) -> Query:
    return {**query, "recvWindow": "5000"} if "recvWindow" in query else query


def _first(parts: Parts) -> Parts:
    path, _, query = parts.target.partition(b"?")
    *rest, last = query.split(b"&")
    return replace(parts, target=path + b"?" + b"&".join([last, *rest]) if query else path)


def _twice(parts: Parts) -> Parts:
    path, _, query = parts.target.partition(b"?")
    return replace(parts, target=path + b"?" + query.split(b"&")[0] + b"&" + query if query else path)


def _two_requests(patch: Patch) -> None:
    once, once_awaited = _client.Client._do, _client.AsyncClient._do

    def twice(self: Any, step: Any, deadline: float) -> Any:
        once(self, step, deadline)
        return once(self, step, deadline)

    async def twice_awaited(self: Any, step: Any) -> Any:
        await once_awaited(self, step)
        return await once_awaited(self, step)

    patch.setattr(_client.Client, "_do", twice)
    patch.setattr(_client.AsyncClient, "_do", twice_awaited)


def _values(change: Callable[[Any], Any]) -> Plant:
    """The rows that were read are changed on their way to the caller."""

    def changed(operation: Any, reply: Any, **options: Any) -> Any:
        made = read(operation, reply, **options)
        return Value(change(made.parsed)) if isinstance(made, Value) and isinstance(made.parsed, list) else made

    return lambda patch: patch.setattr("binance_usdm._call.read", changed)


def _writes(write: Callable[[str, Any], str]) -> Plant:
    return lambda patch: patch.setattr(balance, "_write_recv_window", write)


def _mended(name: str, value: Any) -> str:
    return str(value if isinstance(value, int) and 1 <= value < 2**63 else 5000)


def _backwards(payload: bytes) -> bytes:
    return b"&".join(sorted(payload.split(b"&"), reverse=True))


SEEN = {"wire_conformance"}  # the exchange answers as before: only who looks at the request notices
BARRED = SEEN | {
    "window_is_respected"
}  # the answer is another one, but no 400: to schemathesis no proof that data were bad
REFUSED = BARRED | {"positive_data_acceptance"}
MORE = {"only_what_is_asked_is_sent"}

FAULTS: Final[dict[str, tuple[Plant, set[str]]]] = {
    "timestamp in seconds": (_asked(_scaled("timestamp")), REFUSED),
    "signature first": (_sent(_first), REFUSED),
    "signature over the sorted query": (_signs(lambda signer, payload: _hex(_backwards(payload))), REFUSED),
    "signature over the path as well": (_signs(lambda signer, payload: _hex(b"/fapi?" + payload)), REFUSED),
    "signature with another secret": (_signs(lambda signer, payload: _hex(payload, "another")), REFUSED),
    "window dropped": (
        _asked(lambda query: {name: text for name, text in query.items() if name != "recvWindow"}),
        BARRED,
    ),
    "window always 5000": (_asked(_constant), BARRED),
    "window in seconds": (_asked(_scaled("recvWindow")), REFUSED),
    "window sent though nobody asked": (
        _asked(lambda query: {"recvWindow": "5000", **query} if "timestamp" in query else query),
        MORE,
    ),
    "parameter twice": (_sent(_twice), REFUSED | MORE),
    "parameter nobody asked for": (_asked(lambda query: {**query, "source": "sdk"}), REFUSED | MORE),
    "key in the query": (_asked(lambda query: {**query, "apiKey": KEY}), REFUSED | MORE),
    "no key": (
        _sent(lambda parts: replace(parts, headers=[each for each in parts.headers if each[1] != KEY.encode()])),
        BARRED,
    ),
    "key twice": (_header(b"X-MBX-APIKEY", KEY.encode()), BARRED),
    "secret as key": (
        _sent(
            lambda parts: replace(
                parts, headers=[(n, SECRET.encode() if v == KEY.encode() else v) for n, v in parts.headers]
            )
        ),
        BARRED,
    ),
    "secret in a header of its own": (_header(b"X-Debug", SECRET.encode()), SEEN),
    "secret in the user agent": (
        _sent(
            lambda parts: replace(
                parts, headers=[(n, v + SECRET.encode() if n == b"User-Agent" else v) for n, v in parts.headers]
            )
        ),
        SEEN,
    ),
    "a cookie": (_header(b"Cookie", b"a=b"), SEEN),
    "two requests": (_two_requests, SEEN),
    "POST": (_sent(lambda parts: replace(parts, method="POST")), BARRED),
    "another path": (_sent(lambda parts: replace(parts, target=parts.target.replace(b"/v3/", b"/v2/"))), BARRED),
    "a body": (_sent(lambda parts: replace(parts, body=b"{}")), REFUSED),
    "last row lost": (_values(lambda rows: rows[:-1]), {"transparent"}),
    "arguments not checked": (_writes(lambda name, value: str(value)), SEEN),
    "bad arguments made good": (_writes(_mended), SEEN | {"negative_data_rejection", "only_described_is_accepted"}),
    "an argument lost": (
        lambda patch: patch.setitem(OPERATIONS, "balance", evolve(OPERATIONS["balance"], parameters=())),
        {"arguments_are_declared"},
    ),
    "rows in another order": (_values(lambda rows: rows[::-1]), {"transparent"}),
}
"""Name -> how to plant it, and by which checks it is caught."""
