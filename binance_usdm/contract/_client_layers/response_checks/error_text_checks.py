"""Checks of what people read of an error: its text, its entry, and the cause of a page."""

from __future__ import annotations

import re
from typing import Final

from binance_usdm import APIError, UnexpectedResponse
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.raw_requests import KEY
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase

SAID: Final = "said by the exchange"
WAIT_SECONDS: Final = 7


def texts_say_what_is_known(case: ResponseCase) -> None:
    """The text of an error has its status, code, message, advice and wait, or its path."""
    header = (b"Retry-After", b"%d" % WAIT_SECONDS)
    value = case.operation.richest_example
    # The last row has a field of another type.
    row = value[-1] if isinstance(value, list) else value
    if isinstance(row, dict):
        row |= {name: [None] for name in [*row][:1]}
    for status, body in (*tables.RETRIED, *tables.NOT_RETRIED, (200, encode(value))):
        error = case.receive(body.replace(b'"no"', encode(SAID)), JSON, header, status=status)
        text = str(error)
        if isinstance(error, APIError):
            code = [] if error.code is None else [f"code {error.code}"]
            said = [f"HTTP {error.status}", *code, error.message, error.hint]
            said += [] if error.retry_after is None else [f"{error.retry_after:g} s"]
            assert text.endswith(f" {error.address}"), f"{text}: not {error.address} at its end"
        elif isinstance(error, UnexpectedResponse):
            said = [str(error.status), error.expected, error.found, error.hint]
            said += [f" {step}" for step in error.path]
        else:
            continue
        missing = [part for part in said if part not in text]
        assert not missing, f"{text}: without {missing}"


def statuses_have_their_entries(case: ResponseCase) -> None:
    """An error without a known code refers to the entry of its status in the documentation."""
    status = case.response.status
    # Of a range of statuses any one may stand here.
    if str(status) not in case.operation.responses:
        return
    for body in (b"<html>", encode({"msg": SAID}), encode({"code": -9999, "msg": SAID})):
        error = case.receive(body, JSON)
        entry = error.address.partition("#")[2]
        assert entry == f"http-{status}", f"{error!r}: entry {entry}"


def pages_are_explained(case: ResponseCase) -> None:
    """The hint of a page that came instead of JSON names its cause, if that is known."""
    if case.number:
        return
    for status in (200, 403, 503):
        for headers, page, words in tables.PAGES:
            error = case.receive(page, *headers, status=status)
            place = f"{status} {headers} {page!r}: {error.hint!r}"
            assert words in error.hint, f"{place}, without {words!r}"
            assert error.hint in str(error), f"{place}, but {error}"


def unknown_pages_are_shown(case: ResponseCase) -> None:
    """Of any other page the hint shows a title or the first words, without secrets."""
    if case.number:
        return
    for page, words in tables.UNKNOWN_PAGES:
        error = case.receive(page, tables.HTML, status=503)
        assert words in error.hint, f"{page!r}: {error.hint!r}, without {words!r}"
        assert error.hint in str(error), f"{page!r}: {error}"
    error = case.receive(tables.LONG_PAGE, tables.HTML, status=503)
    shown = re.findall(tables.LONG_PAGE_WORD, f"{error} {error.hint}")
    # Both have them.
    length = len(" ".join(shown)) // 2
    assert 0 < length <= tables.MAX_PAGE_CHARACTERS, f"{length} characters of a page: {error}"
    for unsafe in tables.UNSAFE_PAGE_PARTS:
        page = f"<title>sorry, {unsafe} was stopped</title>".encode()
        error = case.receive(page, tables.HTML, status=503)
        # A call that sends no key has none to remove.
        if unsafe != KEY or case.operation.key_header:
            assert unsafe not in f"{error} {error!r} {error.hint}", f"{error}: shows {unsafe}"


OK_CHECKS: Final = (texts_say_what_is_known, pages_are_explained, unknown_pages_are_shown)
ERROR_CHECKS: Final = (statuses_have_their_entries,)
