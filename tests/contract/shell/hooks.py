"""Hooks of schemathesis: sign each request as it is sent, and check what no schema states.

Key and secret come from BINANCE_API_KEY and BINANCE_API_SECRET, all names from the spec.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus

import requests
import schemathesis

from binance_usdm.contract._cases.schemathesis_setup import Case, accepts_only_what_is_described
from binance_usdm.contract._cases.signing import Signer, compute_signature, remove_pairs
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.operations import Operation, operation_by_route

Variant: TypeAlias = tuple[str, list[str], str, int | str]
KEY, SECRET = os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"]
# Timestamps are ahead, where less than 1000 ms is allowed, so that a generated window of 1 ms
# outlasts the network.
AHEAD_MS: Final = 750
BY_ROUTE: Final = operation_by_route(SPEC)
TIMESTAMPS: Final = {each.timestamp for each in BY_ROUTE.values() if each.timestamp}
# What schemathesis prints instead of a secret.
FILTERED: Final = "[Filtered]"
# Age of a timestamp in ms, window, and what must come.
AGES: Final[tuple[tuple[int, int | None, int], ...]] = (
    (3_000, None, 200),
    (10_000, None, -1021),
    (-10_000, None, -1021),
    (3_000, 1_000, -1021),
    (10_000, 60_000, 200),
)


class TimedSigner(Signer):
    """Signs with the account of the environment, with the present time in valid timestamps."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if FILTERED in request.headers.values() or quote_plus(FILTERED) in str(request.url):
            # Schemathesis makes the request once more only to print it.
            return request
        address, mark, query = (request.url or "").partition("?")
        pairs = set_timestamp(query.split("&"), now() + AHEAD_MS)
        request.url = f"{address}{mark}{'&'.join(pairs)}"
        return super().__call__(request)


signer = TimedSigner(BY_ROUTE.values(), KEY, SECRET)
# The attribute is added at run time.
schemathesis.auths.auth.set_from_requests(signer)  # type: ignore[attr-defined]
schemathesis.check(accepts_only_what_is_described(SPEC))


@schemathesis.check
def undeclared_method(context: Any, response: Any, case: Case) -> None:
    """A method that a path does not have is rejected with 404, as the exchange does, or 405."""
    if (response.request.method, case.path) not in BY_ROUTE:
        status = response.status_code
        assert status in (404, 405), f"{response.request.method}: {status}"


_checked: set[str] = set()


@schemathesis.check
def small_changes(context: Any, response: Any, case: Case) -> None:
    """An accepted request with another signature, time or key. Checked once per operation."""
    operation = BY_ROUTE.get((response.request.method, case.path))
    if response.status_code != 200 or operation is None or operation.signature is None:
        return
    if operation.id in _checked:
        return
    address, _, query = response.request.url.partition("?")
    pairs = remove_pairs(query.split("&"), operation.signature)
    for name, changed, key, expected in iter_variants(operation, pairs):
        headers = {**response.request.headers, str(operation.key_header): key}
        received = send(operation.method, f"{address}?{'&'.join(changed)}", headers, name)
        code = re.search(rb'"code": *(-?[0-9]+)', received.content)
        is_rejected = 400 <= received.status_code < 500
        found: int | str = "rejected" if is_rejected else received.status_code
        codes = (found, int(code[1]) if code and is_rejected else found)
        assert expected in codes, f"{name}: {found}, not {expected}"
    _checked.add(operation.id)


def send(method: str, url: str, headers: dict[str, str], name: str) -> requests.Response:
    try:
        return requests.request(method, url, headers=headers, timeout=10, allow_redirects=False)
    except requests.RequestException as error:
        # Without its message, which has the signature.
        raise AssertionError(f"{name}: {type(error).__name__}") from None


def iter_variants(operation: Operation, pairs: list[str]) -> Iterator[Variant]:
    """Yield name, pairs, key and what must come: 200, a code, or "rejected" with any code."""
    started_at = now()
    pairs = remove_pairs(set_timestamp(pairs, started_at), str(operation.window))
    *valid, signature = add_signature(operation, pairs)
    prefix, _, digits = signature.partition("=")
    other_digit = signature[:-1] + "10"[signature[-1] == "1"]
    yield "a signature in uppercase", [*valid, f"{prefix}={digits.upper()}"], KEY, 200
    yield "a signature with another last digit", [*valid, other_digit], KEY, -1022
    yield "a cut signature", [*valid, signature[:-2]], KEY, -1022
    other_bytes = add_signature(operation, [*pairs, ""])[-1]
    yield "a signature over other bytes", [*valid, other_bytes], KEY, -1022
    yield "a signature that is not the last", [signature, *valid], KEY, -1022
    yield "no signature", pairs, KEY, "rejected"
    yield "an unknown key", [*valid, signature], KEY[:-1] + "10"[KEY[-1] == "1"], -2015
    if KEY.swapcase() != KEY:
        yield "a key in the other case", [*valid, signature], KEY.swapcase(), -2015
    twice = add_signature(operation, [*pairs, pairs[0]])
    yield "a parameter twice", twice, KEY, "rejected"
    for age, window, expected in AGES if operation.timestamp else ():
        if window is None or operation.window:
            first = [] if window is None else [f"{operation.window}={window}"]
            aged = [*first, *set_timestamp(pairs, started_at - age)]
            name = f"a timestamp {age} ms old, window {window}"
            yield name, add_signature(operation, aged), KEY, expected


def now() -> int:
    return time.time_ns() // 1_000_000


def set_timestamp(pairs: list[str], ms: int) -> list[str]:
    """Return pairs with another time where there is a valid one."""
    return [
        f"{name}={ms}" if name in TIMESTAMPS and is_time(text) else pair
        for pair in pairs
        for name, _, text in [pair.partition("=")]
    ]


def is_time(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdigit() and 1 <= int(text) < 2**63


def add_signature(operation: Operation, pairs: list[str]) -> list[str]:
    return [*pairs, f"{operation.signature}={compute_signature('&'.join(pairs), SECRET)}"]
