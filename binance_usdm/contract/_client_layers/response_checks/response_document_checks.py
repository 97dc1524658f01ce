"""Checks that the client reads headers and codes as the document names them."""

from __future__ import annotations

from typing import Final

from binance_usdm import RateLimitError, Response, ServerError
from binance_usdm.contract._cases.response_tables import expected_wait
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase
from binance_usdm.contract._spec.document import SPEC, resolve

SECONDS: Final = 7
# A status that says nothing of itself, so that the code decides.
PLAIN_STATUS: Final = 400
# Codes as near as this to a listed one are tried as well.
NEAR: Final = 8


def described_weight_is_read(case: ResponseCase) -> None:
    """The used weight is read from the header that the document describes for it."""
    body = encode(case.operation.richest_example)
    for name in _described_headers(case, "used-weight"):
        received = case.receive(body, JSON, (name.encode(), b"42"))
        # Other checks look at the value.
        if isinstance(received, Response):
            assert received.used_weight == 42, f"{name} 42: {received.used_weight}"


def described_wait_is_read(case: ResponseCase) -> None:
    """The wait is read from the header that the document describes for it."""
    for name in _described_headers(case, "retry-after"):
        error = case.receive(encode({"msg": "x"}), JSON, (name.encode(), b"%d" % SECONDS))
        wait = expected_wait(type(error), SECONDS, "x")
        assert error.retry_after == wait, f"{name} {SECONDS}: {error.retry_after}"


def unlisted_codes_are_judged_by_status(case: ResponseCase) -> None:
    """A code that the document does not list says nothing, though others near it do."""
    listed = {int(code) for code in case.operation.document.get("x-error-codes", {})}
    if case.response.status != PLAIN_STATUS:
        return
    codes = {code + step for code in listed for step in range(-NEAR, NEAR + 1)}
    codes |= {int(code) for code in SPEC["x-error-codes"]}
    with case.one_client():
        usual = case.receive(encode({"msg": "x"}), JSON)
        for code in sorted(codes - listed):
            error = case.receive(encode({"code": code, "msg": "x"}), JSON)
            found = (type(error), error.hint)
            assert found == (type(usual), usual.hint) or error.code != code, f"{error!r}"


def permanent_codes_are_not_retryable(case: ResponseCase) -> None:
    """Of the codes whose kind may succeed later, those cannot that the document says so of."""
    listed = case.operation.document.get("x-error-codes", {})
    for code, node in listed.items() if case.response.status == PLAIN_STATUS else ():
        error = case.receive(encode({"code": int(code), "msg": "x"}), JSON)
        if (error.status, error.code, error.message) != (PLAIN_STATUS, int(code), "x"):
            # Other checks look at that.
            continue
        may_succeed = type(error) in (RateLimitError, ServerError)
        is_retryable = may_succeed and node.get("retryable", True)
        assert error.retryable is is_retryable, f"{error!r}: retryable {error.retryable}"


OK_CHECKS: Final = (described_weight_is_read,)
ERROR_CHECKS: Final = (
    described_wait_is_read,
    unlisted_codes_are_judged_by_status,
    permanent_codes_are_not_retryable,
)


def _described_headers(case: ResponseCase, words: str) -> list[str]:
    """Return the described headers whose name has these words, if there is one alone."""
    status, document = str(case.response.status), case.operation.document
    node = case.operation.responses.get(status, {})
    names = [name for name in resolve(document, node).get("headers", {}) if words in name.lower()]
    return names if len(names) == 1 else []
