"""Schemathesis's hooks: each request is stamped and signed as it goes out, and what no schema says is checked. Knows no mock.

Key and secret come from BINANCE_API_KEY and BINANCE_API_SECRET. The names of what is stamped and signed come from the spec.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import requests
import schemathesis
from requests.auth import AuthBase

sys.path.append(str(Path(__file__).parents[3]))  # schemathesis loads this file by its path

from tests.contract.schemathesis_setup import Case, accepts_only_what_is_described
from tests.contract.spec_facts import SPEC, OperationFact, operation_facts

KEY, SECRET = os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"]
AHEAD = 750
"""Stamps are this far ahead, ms, where less than 1000 is allowed: so a generated window of 1 ms outlasts the way to the server."""
FACTS = {(fact.method, fact.path): fact for fact in operation_facts(SPEC)}
SIGNATURES = {fact.signature for fact in FACTS.values() if fact.signature}
STAMPS = {fact.timestamp for fact in FACTS.values() if fact.timestamp}
KEYS = {fact.key_header for fact in FACTS.values() if fact.key_header}
FILTERED = "[Filtered]"  # what schemathesis writes instead of a secret
WINDOWS = (
    ("a stamp 3 s old, a window of 1 s", 1_000, 3_000, -1021),
    ("a stamp 10 s old, a window of 60 s", 60_000, 10_000, 200),
)
Pieces = list[str]


class Signed(AuthBase):
    """Puts good credentials in the place of generated ones, and the time of now in that of a good timestamp.

    What a case lacks on purpose it goes on lacking, and what is bad stays bad; only its age is never what is wrong with it.
    """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if FILTERED in request.headers.values() or quote_plus(FILTERED) in str(request.url):
            return request  # made a second time, masked, only to be printed
        for header in KEYS & {*request.headers}:
            request.headers[header] = KEY
        address, mark, query = (request.url or "").partition("?")
        pieces = with_timestamp(query.split("&"), now() + AHEAD)
        for name in SIGNATURES:
            rest = without(pieces, name)
            if len(rest) == len(pieces) - 1:
                pieces = with_signature(rest, name)
        request.url = f"{address}{mark}{'&'.join(pieces)}"
        return request


schemathesis.auths.auth.set_from_requests(Signed())  # type: ignore[attr-defined]  # it is put on the function at run time
schemathesis.check(accepts_only_what_is_described(SPEC))


@schemathesis.check
def undeclared_method(context: Any, response: Any, case: Case) -> None:
    """A method that a path does not have is refused: with 404, as the exchange does it, or 405."""
    if (response.request.method, case.path) not in FACTS:
        assert response.status_code in (404, 405), (
            f"{response.request.method}: {response.status_code}"
        )


_proved: set[str] = set()


@schemathesis.check
def small_changes(context: Any, response: Any, case: Case) -> None:
    """What was accepted once is accepted and refused as it must be with another signature, time and key. Once an operation."""
    fact = FACTS.get((response.request.method, case.path))
    if response.status_code != 200 or fact is None or fact.signature is None or fact.id in _proved:
        return
    address, _, query = response.request.url.partition("?")
    for about, pieces, key, expected in variants(fact, without(query.split("&"), fact.signature)):
        headers = {**response.request.headers, str(fact.key_header): key}
        url = f"{address}?{'&'.join(pieces)}"
        try:
            answer = requests.request(
                fact.method, url, headers=headers, timeout=10, allow_redirects=False
            )
        except requests.RequestException as error:
            raise AssertionError(
                f"{about}: {type(error).__name__}"
            ) from None  # its text has the signature
        code = re.search(rb'"code": *(-?[0-9]+)', answer.content)
        got = "refused" if 400 <= answer.status_code < 500 else answer.status_code
        assert expected in (got, int(code[1]) if code and got == "refused" else got), (
            f"{about}: {got}, not {expected}"
        )
    _proved.add(fact.id)


def variants(fact: OperationFact, pieces: Pieces) -> Iterator[tuple[str, Pieces, str, int | str]]:
    """What is special, the query, the key, and what must come: 200, the code of a refusal, or "refused" where no code is documented."""
    name, when = str(fact.signature), now()
    pieces = [
        piece for piece in with_timestamp(pieces, when) if not piece.startswith(f"{fact.window}=")
    ]
    *good, signature = with_signature(pieces, name)
    digits, other_key = signature.partition("=")[2], KEY[:-1] + "10"[KEY[-1] == "1"]
    yield "a signature in upper case", [*good, f"{name}={digits.upper()}"], KEY, 200
    yield (
        "a signature with another last digit",
        [*good, signature[:-1] + "10"[signature[-1] == "1"]],
        KEY,
        -1022,
    )
    yield "a signature cut short", [*good, signature[:-2]], KEY, -1022
    yield (
        "a signature over other bytes",
        [*good, with_signature([*pieces, ""], name)[-1]],
        KEY,
        -1022,
    )
    yield "a signature that is not the last", [signature, *good], KEY, -1022
    yield "no signature", pieces, KEY, "refused"
    yield "an unknown key", [*good, signature], other_key, -2015
    if KEY.swapcase() != KEY:
        yield "a key in the other case", [*good, signature], KEY.swapcase(), -2015
    yield "a parameter twice", with_signature([*pieces, pieces[0]], name), KEY, "refused"
    if fact.timestamp:
        yield (
            "a stamp 3 s old",
            with_signature(with_timestamp(pieces, when - 3_000), name),
            KEY,
            200,
        )
        yield (
            "a stamp 10 s old",
            with_signature(with_timestamp(pieces, when - 10_000), name),
            KEY,
            -1021,
        )
        yield (
            "a stamp 10 s ahead",
            with_signature(with_timestamp(pieces, when + 10_000), name),
            KEY,
            -1021,
        )
    if fact.timestamp and fact.window:
        for about, window, age, expected in WINDOWS:
            pair = f"{fact.window}={window}"
            yield (
                about,
                with_signature([pair, *with_timestamp(pieces, when - age)], name),
                KEY,
                expected,
            )


def now() -> int:
    return time.time_ns() // 1_000_000


def with_timestamp(pieces: Pieces, ms: int) -> Pieces:
    """The same pieces with another time where there is a good one."""
    return [
        f"{name}={ms}" if name in STAMPS and is_time(text) else piece
        for piece in pieces
        for name, _, text in [piece.partition("=")]
    ]


def is_time(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdigit() and 1 <= int(text) < 2**63


def without(pieces: Pieces, name: str) -> Pieces:
    return [piece for piece in pieces if piece.partition("=")[0] != name]


def with_signature(pieces: Pieces, name: str) -> Pieces:
    """The pieces with their signature at the end."""
    return [
        *pieces,
        f"{name}={hmac.new(SECRET.encode(), '&'.join(pieces).encode(), hashlib.sha256).hexdigest()}",
    ]
