"""Seeded faults of the client: one small patch each, and the checks of layer B that notice it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest
from attrs import evolve

from binance_usdm import _call, _request
from binance_usdm._http import httpx_adapter
from binance_usdm._http.lease import EmptyLease
from binance_usdm._http.messages import HttpRequest, RequestTemplate
from binance_usdm_wire import OPERATIONS
from binance_usdm_wire.api.account import balance

from .faults_reply import rows
from .raw_requests import KEY, SECRET

Patch = pytest.MonkeyPatch
FaultPatch = Callable[[Patch], None]
Query = dict[str, str]


@dataclass
class RequestParts:
    """What a request is made of, to be changed."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


class RequestWithBody(HttpRequest):
    """A call that has what no call can have."""

    def __init__(
        self,
        method: str,
        target: bytes,
        template: RequestTemplate,
        body: bytes,
        secrets: tuple[str, ...],
    ) -> None:
        super().__init__(target, template, secrets)
        self.method, self.body = method, body


def sent(change: Callable[[RequestParts], RequestParts]) -> FaultPatch:
    """The finished request is changed before it leaves."""
    make, for_httpx = _request.RequestBuilder.build_signed, httpx_adapter._to_httpx_request

    def changed(self: Any, *given: Any) -> HttpRequest:
        made = make(self, *given)
        new = change(RequestParts("GET", made.target, [*made.template.headers]))
        template = RequestTemplate.build(made.template.origin, new.headers)
        return RequestWithBody(new.method, new.target, template, new.body, made.secrets)

    def with_body(lease: EmptyLease, call: RequestWithBody) -> httpx.Request:
        request = for_httpx(lease, call)
        request.method = call.method
        request.stream = httpx.ByteStream(call.body)
        del request._content
        return request

    def plant(patch: Patch) -> None:
        patch.setattr(_request.RequestBuilder, "build_signed", changed)
        patch.setattr(httpx_adapter, "_to_httpx_request", with_body)

    return plant


def asked(change: Callable[[Query], Query]) -> FaultPatch:
    """The parameters are changed before they are signed, so that the signature is good."""
    real = _request.append_timestamp

    def stamped(query: str, stamp: str) -> str:
        return "&".join(map("=".join, change(pairs(real(query, stamp))).items()))

    return lambda patch: patch.setattr(_request, "append_timestamp", stamped)


def pairs(query: str) -> Query:
    """The parameters of a text that is sent, as they stand there."""
    return dict(pair.split("=", 1) for pair in query.split("&") if pair)


def _signs(sign: Callable[[Any, bytes], bytes]) -> FaultPatch:
    return lambda patch: patch.setattr(_request, "compute_signature", sign)


def _hex(payload: bytes, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), payload, "sha256").hex().encode()


def _header(name: bytes, value: bytes) -> FaultPatch:
    return sent(lambda parts: replace(parts, headers=[*parts.headers, (name, value)]))


def _scaled(name: str) -> Callable[[Query], Query]:
    return lambda query: {
        each: str(int(text) // 1000) if each == name else text for each, text in query.items()
    }


def _constant(query: Query) -> Query:
    return {**query, "recvWindow": "5000"} if "recvWindow" in query else query


def _first(parts: RequestParts) -> RequestParts:
    path, _, query = parts.target.partition(b"?")
    *rest, last = query.split(b"&")
    return replace(parts, target=path + b"?" + b"&".join([last, *rest]) if query else path)


def _repeat_parameter(parts: RequestParts) -> RequestParts:
    path, _, query = parts.target.partition(b"?")
    return replace(
        parts, target=path + b"?" + query.split(b"&")[0] + b"&" + query if query else path
    )


def _two_requests(patch: Patch) -> None:
    once: Any = _call.CallRunner._send_once

    async def twice(*given: Any, **options: Any) -> Any:
        await once(*given, **options)
        return await once(*given, **options)

    patch.setattr(_call.CallRunner, "_send_once", twice)


def _writes(write: Callable[[str, Any], str]) -> FaultPatch:
    return lambda patch: patch.setattr(balance, "_write_recv_window", write)


def _mended(name: str, value: Any) -> str:
    return str(value if isinstance(value, int) and 1 <= value < 2**63 else 5000)


def _elsewhere(patch: Patch) -> None:
    """Every request goes to another host, with the Host header of the right one."""
    make = _request.RequestBuilder.build_signed

    def changed(self: Any, *given: Any) -> HttpRequest:
        made = make(self, *given)
        tls, _, port = made.template.origin
        made.template = made.template._replace(origin=(tls, "elsewhere.invalid", port))
        return made

    patch.setattr(_request.RequestBuilder, "build_signed", changed)


def _later(query: Query) -> Query:
    return {
        name: str(int(text) + 1) if name == "timestamp" else text for name, text in query.items()
    }


def _cut_signature(parts: RequestParts) -> RequestParts:
    return replace(
        parts, target=parts.target[:-1] if b"signature=" in parts.target else parts.target
    )


def _unencoded(query: Query) -> Query:
    return {
        name: f"%3{text[0]}{text[1:]}" if name == "recvWindow" else text
        for name, text in query.items()
    }


def _backwards(payload: bytes) -> bytes:
    return b"&".join(sorted(payload.split(b"&"), reverse=True))


SEEN = {"wire_conformance"}  # the exchange answers as before: only who looks at the request notices
BARRED = SEEN | {
    "window_is_respected"
}  # the answer is another one, but no 400: to schemathesis no proof that data were bad
REFUSED = BARRED | {"positive_data_acceptance"}
MORE = {"only_what_is_asked_is_sent"}

FAULTS: Final[dict[str, tuple[FaultPatch, set[str]]]] = {
    "timestamp in seconds": (asked(_scaled("timestamp")), REFUSED),
    "signature first": (sent(_first), REFUSED),
    "signature over the sorted query": (
        _signs(lambda signer, payload: _hex(_backwards(payload))),
        REFUSED,
    ),
    "signature over the path as well": (
        _signs(lambda signer, payload: _hex(b"/fapi?" + payload)),
        REFUSED,
    ),
    "signature with another secret": (
        _signs(lambda signer, payload: _hex(payload, "another")),
        REFUSED,
    ),
    "window dropped": (
        asked(lambda query: {name: text for name, text in query.items() if name != "recvWindow"}),
        BARRED,
    ),
    "window always 5000": (asked(_constant), BARRED),
    "window in seconds": (asked(_scaled("recvWindow")), REFUSED),
    "window sent though nobody asked": (
        asked(lambda query: {"recvWindow": "5000", **query} if "timestamp" in query else query),
        MORE,
    ),
    "parameter twice": (sent(_repeat_parameter), REFUSED | MORE),
    "parameter nobody asked for": (asked(lambda query: {**query, "source": "sdk"}), REFUSED | MORE),
    "key in the query": (asked(lambda query: {**query, "apiKey": KEY}), REFUSED | MORE),
    "no key": (
        sent(
            lambda parts: replace(
                parts, headers=[each for each in parts.headers if each[1] != KEY.encode()]
            )
        ),
        BARRED,
    ),
    "key twice": (_header(b"X-MBX-APIKEY", KEY.encode()), BARRED),
    "secret as key": (
        sent(
            lambda parts: replace(
                parts,
                headers=[
                    (n, SECRET.encode() if v == KEY.encode() else v) for n, v in parts.headers
                ],
            )
        ),
        BARRED,
    ),
    "secret in a header of its own": (_header(b"X-Debug", SECRET.encode()), SEEN),
    "secret in the user agent": (
        sent(
            lambda parts: replace(
                parts,
                headers=[
                    (n, v + SECRET.encode() if n == b"User-Agent" else v) for n, v in parts.headers
                ],
            )
        ),
        SEEN,
    ),
    "a cookie": (_header(b"Cookie", b"a=b"), SEEN),
    "two requests": (_two_requests, SEEN),
    "POST": (sent(lambda parts: replace(parts, method="POST")), BARRED),
    "another path": (
        sent(lambda parts: replace(parts, target=parts.target.replace(b"/v3/", b"/v2/"))),
        BARRED,
    ),
    "a body": (sent(lambda parts: replace(parts, body=b"{}")), REFUSED),
    "last row lost": (rows(lambda found: found[:-1]), {"transparent"}),
    "arguments not checked": (_writes(lambda name, value: str(value)), SEEN),
    "bad arguments made good": (
        _writes(_mended),
        SEEN | {"negative_data_rejection", "only_described_is_accepted"},
    ),
    "an argument lost": (
        lambda patch: patch.setitem(
            OPERATIONS, "balance", evolve(OPERATIONS["balance"], parameters=())
        ),
        {"arguments_are_declared"},
    ),
    "timestamp of the next millisecond": (asked(_later), SEEN | {"window_is_respected"}),
    "signature cut": (sent(_cut_signature), REFUSED),
    "digits written longer than needed": (asked(_unencoded), SEEN),
    "empty parameter at the end": (
        sent(
            lambda parts: replace(
                parts, target=parts.target + b"&" if b"?" in parts.target else parts.target
            )
        ),
        REFUSED,
    ),
    "another host": (_elsewhere, SEEN),
    "key in capitals": (
        sent(
            lambda parts: replace(
                parts,
                headers=[(n, v.upper() if v == KEY.encode() else v) for n, v in parts.headers],
            )
        ),
        BARRED,
    ),
    "rows in another order": (rows(lambda found: found[::-1]), {"transparent"}),
}
"""Name -> how to plant it, and by which checks it is caught."""

EQUIVALENT: Final[dict[str, tuple[FaultPatch, str]]] = {
    "another user agent": (
        sent(
            lambda parts: replace(
                parts,
                headers=[
                    (n, b"sdk" if n.lower() == b"user-agent" else v) for n, v in parts.headers
                ],
            )
        ),
        "the spec does not say what a client calls itself",
    ),
    "key header in lower case": (
        sent(
            lambda parts: replace(
                parts,
                headers=[(n.lower() if v == KEY.encode() else n, v) for n, v in parts.headers],
            )
        ),
        "names of headers are the same in any case (RFC 9110, 5.1)",
    ),
    "another order of headers": (
        sent(lambda parts: replace(parts, headers=parts.headers[::-1])),
        "headers of different names have no order (RFC 9110, 5.3)",
    ),
}
"""Changes that keep every promise: name -> how to plant it, and why nothing is to be noticed."""
