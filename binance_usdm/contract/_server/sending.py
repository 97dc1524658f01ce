"""Valid requests to a server, each sent again with one small change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import requests

from binance_usdm.contract._cases.raw_requests import sign
from binance_usdm.contract._cases.signing import compute_signature, remove_pairs
from binance_usdm.contract._spec.operations import Operation

from .account import Account
from .session import TIMEOUT_SECONDS, Clock, ServerSession

# Age of a timestamp in ms, window, and what must come.
AGES: Final[tuple[tuple[int, int | None, int], ...]] = (
    (3_000, None, 200),
    (10_000, None, -1021),
    (-10_000, None, -1021),
    (3_000, 1_000, -1021),
    (10_000, 60_000, 200),
)
REJECTED: Final = "rejected"
ACCEPTED: Final = 200
VALID: Final = "a valid request"
METHODS: Final = ("PUT", "PATCH")


@dataclass(frozen=True)
class Variant:
    """A request and what must come of it.

    Attributes:
        name: What was changed.
        method: HTTP method.
        path: Path of the request.
        query: Query as it is sent.
        key: Value of the key header, or `None` for no header.
        expected: 200, a status or code that must come, or "rejected" for any status of 4xx.
    """

    name: str
    method: str
    path: str
    query: str = field(repr=False)
    key: str | None = field(repr=False)
    expected: int | str

    @property
    def slug(self) -> str:
        """The name as a part of an identifier."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Outcome:
    """What came of a variant: status and code, or the class of an error."""

    status: int
    code: int | None
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: str = ""

    def is_expected(self, expected: int | str) -> bool:
        """Return whether this is what must come."""
        is_rejection = 400 <= self.status < 500
        if expected == REJECTED:
            return is_rejection
        return expected in (self.status, self.code if is_rejection else None)

    def __str__(self) -> str:
        code = f", code {self.code}" if self.code is not None else ""
        return self.error or f"HTTP {self.status}{code}"


def send_variant(
    session: ServerSession, url: str, operation: Operation, variant: Variant
) -> Outcome:
    """Send a variant, and return what came of it."""
    query = f"?{variant.query}" if variant.query else ""
    headers = {} if variant.key is None else {str(operation.key_header): variant.key}
    try:
        response = session.request(
            variant.method,
            f"{url.rstrip('/')}{variant.path}{query}",
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
    except requests.RequestException as error:
        # Without its message, which has the signature.
        return Outcome(0, None, b"", error=type(error).__name__)
    code = re.search(rb'"code": *(-?[0-9]+)', response.content)
    number = int(code[1]) if code else None
    return Outcome(response.status_code, number, response.content, response.headers)


def iter_variants(operation: Operation, account: Account, now: Clock) -> Iterator[Variant]:
    """Yield the variants of a valid request to an operation, the valid one first.

    Each is made when it is taken, so that its timestamp is that of the moment.
    """
    builder = _Builder(operation, account, now)
    yield builder.build(VALID, builder.query(), ACCEPTED)
    for method in METHODS:
        yield builder.build(f"method {method}", builder.query(), REJECTED, method=method)
    yield builder.build("an unknown path", builder.query(), REJECTED, path=f"{operation.path}/x")
    yield from _iter_parameter_variants(operation, builder)
    if operation.key_header is not None:
        key = account.api_key
        yield builder.build("no key", builder.query(), 401, key=None)
        yield builder.build("an empty key", builder.query(), 401, key="")
        yield builder.build("an unknown key", builder.query(), -2015, key=_other_end(key))
        if key.swapcase() != key:
            yield builder.build(
                "a key in the other case", builder.query(), -2015, key=key.swapcase()
            )
    if operation.signature is not None:
        yield from _iter_signature_variants(operation, builder)
    if operation.timestamp is not None:
        yield from _iter_time_variants(operation, builder)


class _Builder:
    """Builds variants of the valid requests to an operation."""

    def __init__(self, operation: Operation, account: Account, now: Clock) -> None:
        self._operation = operation
        self._account = account
        self.now = now

    def pairs(self, *more: str, age_ms: int = 0) -> list[str]:
        """Return the pairs of a valid query before it is signed."""
        query = self._operation.query(self.now() - age_ms, *more)
        return query.split("&") if query else []

    def sign(self, pairs: list[str]) -> str:
        return sign(self._operation, "&".join(pairs), self._account.api_secret)

    def signature(self, payload: str) -> str:
        return compute_signature(payload, self._account.api_secret)

    def query(self, *more: str, age_ms: int = 0) -> str:
        return self.sign(self.pairs(*more, age_ms=age_ms))

    def build(self, name: str, query: str, expected: int | str, **changes: str | None) -> Variant:
        key = self._account.api_key if self._operation.key_header is not None else None
        key = changes.get("key", key)
        method = changes.get("method") or self._operation.method
        path = changes.get("path") or self._operation.sample_path
        return Variant(name, method, path, query, key, expected)


def _iter_parameter_variants(operation: Operation, builder: _Builder) -> Iterator[Variant]:
    """Yield what no generated query has: repeated, empty and blank values, other writings."""
    yield builder.build("an unknown parameter", builder.query("noSuchParameter=1"), REJECTED)
    for parameter in operation.declared:
        name = parameter["name"]
        if parameter["in"] != "query":
            continue
        rest = remove_pairs(builder.pairs(), name)
        known = [pair for pair in builder.pairs() if pair.partition("=")[0] == name]
        [valid] = known or [f"{name}=5000"]
        for what, pairs in {
            f"{name} twice": [*rest, valid, valid],
            f"{name} twice, with different values": [*rest, valid, f"{valid}1"],
            f"{name} empty": [*rest, f"{name}="],
            f"{name} with a space": [*rest, f"{name}=%20"],
            f"{name} with a plus": [*rest, f"{name}=+"],
        }.items():
            yield builder.build(what, builder.sign(pairs), REJECTED)


def _iter_signature_variants(operation: Operation, builder: _Builder) -> Iterator[Variant]:
    payload = "&".join(builder.pairs())
    digits = builder.signature(payload)
    other_bytes, other_secret = builder.signature(payload + "&"), compute_signature(payload, "x")
    for what, signature, expected in (
        ("a signature in uppercase", digits.upper(), ACCEPTED),
        ("a signature with another last digit", _other_end(digits), -1022),
        ("a cut signature", digits[:-2], -1022),
        ("a signature over other bytes", other_bytes, -1022),
        ("a signature of another secret", other_secret, -1022),
        ("an empty signature", "", REJECTED),
    ):
        yield builder.build(what, f"{payload}&{operation.signature}={signature}", expected)
    first = f"{operation.signature}={digits}&{payload}"
    yield builder.build("a signature that is not the last", first, -1022)
    yield builder.build("no signature", payload, REJECTED)


def _iter_time_variants(operation: Operation, builder: _Builder) -> Iterator[Variant]:
    for age, window, expected in AGES:
        if window is None or operation.window:
            more = [] if window is None else [f"{operation.window}={window}"]
            what = f"a timestamp {age} ms old, window {window}"
            yield builder.build(what, builder.query(*more, age_ms=age), expected)
    if operation.window:
        query = builder.query(f"{operation.window}=60000")
        yield builder.build("the longest usual window", query, ACCEPTED)
    name = operation.timestamp
    for unit, factor in {"seconds": 0.001, "microseconds": 1000}.items():
        pairs = [*remove_pairs(builder.pairs(), str(name)), f"{name}={int(builder.now() * factor)}"]
        yield builder.build(f"a timestamp in {unit}", builder.sign(pairs), REJECTED)


def _other_end(text: str) -> str:
    """Return text of the same length that ends in another character."""
    return text[:-1] + "10"[text[-1:] == "1"]
