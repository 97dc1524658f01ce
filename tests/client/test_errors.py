"""Which error an error response becomes, and its message.

The codes and their kinds come from the spec, the tables of classes are repeated here.
"""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import binance_usdm
from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DeadlineExceeded,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    ServerError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
    _error_hints,
    _errors,
)
from binance_usdm._errors import make_api_error
from tests.support.clients import SPEC, BlockingFacade, RecordingHandler, error_response

ClientOf = Callable[..., BlockingFacade]
CODES = {int(code): about["kind"] for code, about in SPEC["x-error-codes"].items()}
KINDS = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "bad-request": BadRequestError,
    "server": ServerError,
}
STATUSES = {
    400: BadRequestError, 401: AuthenticationError, 402: BadRequestError, 403: ForbiddenError,
    404: BadRequestError,
    405: BadRequestError, 408: ServerError, 418: IPBannedError, 422: BadRequestError,
    429: RateLimitError, 451: ForbiddenError,
    499: BadRequestError, 500: ServerError, 502: ServerError, 503: ServerError, 504: ServerError,
    520: ServerError, 599: ServerError,
}  # fmt: skip
PAGES = [
    b"",
    b"<html>blocked</html>",
    b"[]",
    b"null",
    b'"text"',
    b'{"error": 1}',
    b'{"code": "-1021"}',
    b"\xff\xfe",
    b"{" * 2000,
]
BAN = (
    "Way too many requests; IP banned until 1762412880142. "
    "Please use the websocket for live updates to avoid bans."
)


def caught_by(client: BlockingFacade) -> Any:
    with pytest.raises(UsdmError) as caught:
        client.balance()
    return caught.value


def test_the_spec_says_which_error_a_code_is(client_of: ClientOf) -> None:
    assert len(CODES) > 30
    for code, kind in CODES.items():
        error = caught_by(client_of(RecordingHandler(error_response(400, code))))
        assert (type(error), error.code, error.status) == (KINDS[kind], code, 400), code


def test_no_code_is_judged_that_the_spec_does_not_know() -> None:
    assert set(_errors.ERROR_CLASS_BY_CODE) | {
        code for code in _error_hints.HINT_BY_CODE if code
    } <= set(CODES)
    by_status = {code for code, kind in CODES.items() if kind == "bad-request"}
    assert (
        set(_errors.ERROR_CLASS_BY_CODE) == set(CODES) - by_status
    )  # a bad request is what status 400 says by itself


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_without_a_known_code_the_status_decides(
    client_of: ClientOf, status: int, kind: type[APIError]
) -> None:
    for code in (0, -9999, -1):
        error = caught_by(client_of(RecordingHandler(error_response(status, code, "no"))))
        assert (type(error), error.status, error.code, error.message) == (kind, status, code, "no")
    error = caught_by(client_of(RecordingHandler(error_response(status, None, "no"))))
    assert (type(error), error.status, error.code, error.message) == (kind, status, None, "no")
    for page in PAGES:
        error = caught_by(client_of(RecordingHandler(httpx.Response(status, content=page))))
        assert (type(error), error.status, error.code, error.message) == (kind, status, None, ""), (
            page
        )


@pytest.mark.parametrize(
    "headers",
    [{"content-encoding": "br"}, {"content-encoding": "gzip"}, {"content-encoding": "gzip, gzip"}],
)
def test_a_refusal_whose_body_cannot_be_read_is_still_that_refusal(
    client_of: ClientOf, headers: dict[str, str]
) -> None:
    stream = httpx.ByteStream(b"\x1f\x8bnot what it says")
    for status, kind in STATUSES.items():
        error = caught_by(
            client_of(
                lambda _, status=status: httpx.Response(status, headers=headers, stream=stream)
            )
        )
        assert (type(error), error.status, error.code, error.message) == (kind, status, None, "")


def test_418_is_a_ban_whatever_its_body_says(client_of: ClientOf) -> None:
    for code in (*CODES, 0, None, -9999):
        error = caught_by(client_of(RecordingHandler(error_response(418, code))))
        assert (type(error), error.status, error.code, error.banned_until) == (
            IPBannedError,
            418,
            code,
            None,
        )


@pytest.mark.parametrize("status", [418, 429, 400, 403, 503])
def test_the_text_of_a_ban_is_a_ban_until_then(client_of: ClientOf, status: int) -> None:
    error = caught_by(client_of(RecordingHandler(error_response(status, -1003, BAN))))
    assert type(error) is IPBannedError
    assert error.banned_until == datetime(2025, 11, 6, 7, 8, 0, 142000, tzinfo=UTC)
    for text in (
        "IP banned until soon",
        "IP banned until 176241288014",
        "IP banned until 17624128801420",
        "banned 1762412880142",
    ):
        error = caught_by(client_of(RecordingHandler(error_response(429, -1003, text))))
        assert type(error) is RateLimitError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0), ("7", 7), (" 7 ", 7), ("1.5", 1.5), ("1000000000", 1e9), ("007", 7),
        *((text, None) for text in ("", "-1", "inf", "nan", "1e3", "1e400", "1_000", "+5", "0x10",
          "7s", "٧", ".", "5.", ".5", "1,5")),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 28), ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("Wed, 99 Oct 2026 07:28:00 GMT", None),
        ("Wed, 21 Okt 2026 07:28:00 GMT", None), ("5, 9", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_in_plain_digits_or_a_date_or_nothing(
    client_of: ClientOf, header: str, seconds: float | None
) -> None:
    headers = [(b"retry-after", header.encode()), (b"date", b"Wed, 21 Oct 2026 07:27:32 GMT")]
    error = caught_by(client_of(lambda _: httpx.Response(503, headers=headers)))
    assert error.retry_after == seconds
    assert (type(error.retry_after) is float) == (seconds is not None)


def test_retry_after_is_none_when_missing_or_sent_twice(client_of: ClientOf) -> None:
    assert caught_by(client_of(RecordingHandler(error_response(503)))).retry_after is None
    twice = [(b"Retry-After", b"5"), (b"Retry-After", b"9")]
    assert caught_by(client_of(lambda _: httpx.Response(503, headers=twice))).retry_after is None
    dated = {
        "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"
    }  # and no date of the reply to measure it from
    assert caught_by(client_of(lambda _: httpx.Response(503, headers=dated))).retry_after is None


def test_a_refusal_within_a_200_is_a_refusal(client_of: ClientOf) -> None:
    error = caught_by(client_of(RecordingHandler(error_response(200, -1021, "late"))))
    assert (type(error), error.status, error.code, error.message) == (
        TimestampError,
        200,
        -1021,
        "late",
    )
    for code in (0, -9999):
        error = caught_by(client_of(RecordingHandler(error_response(200, code))))
        assert (type(error), error.status, error.code) == (BadRequestError, 200, code)


@pytest.mark.parametrize(
    "body",
    [b'{"code": 200, "msg": "success"}', b'{"msg": "hello"}', b'{"code": null, "msg": "x"}', b"{}"],
)
def test_a_200_that_neither_answers_nor_refuses_is_unexpected(
    client_of: ClientOf, body: bytes
) -> None:
    error = caught_by(client_of(RecordingHandler(body)))
    assert (type(error), error.status, error.expected, error.found) == (
        UnexpectedResponse,
        200,
        "an array",
        "an object",
    )


def test_a_code_is_never_taken_for_a_status_nor_a_status_for_a_code(client_of: ClientOf) -> None:
    for status, code in ((400, 401), (500, 418), (404, 429), (503, 403)):
        error = caught_by(client_of(RecordingHandler(error_response(status, code))))
        assert (type(error), error.status, error.code) == (STATUSES[status], status, code)


def test_every_refusal_that_a_user_can_mend_says_how() -> None:
    for code in (-1021, -1022, -2008, -2014, -2015, -4109):
        hint = APIError(400, code, "no").hint
        assert len(hint) > 30
        assert hint in str(APIError(400, code, "no"))
    for status in (403, 404, 418, 429, 451):
        assert len(APIError(status, None, "").hint) > 15
        assert (
            APIError(status, 0, "").hint
            == APIError(status, -9999, "").hint
            == APIError(status, None, "").hint
        )
    assert APIError(400, -1102, "no").hint == APIError(500, None, "").hint == ""


def test_an_error_is_one_line_with_status_code_and_text() -> None:
    assert (
        str(APIError(400, -1102, "Mandatory parameter"))
        == "HTTP 400, code -1102: Mandatory parameter"
    )
    assert str(APIError(502, None, "")) == "HTTP 502: no message"
    assert (
        str(APIError(451, 0, "Unavailable"))
        == "HTTP 451, code 0: Unavailable (the exchange does not serve this location)"
    )
    assert str(UnexpectedResponse(200, (3, "asset"), "a string", "null")) == (
        "HTTP 200, row 3, field asset: expected a string, found null"
    )
    assert str(UnexpectedResponse(302, (), "x", "y")) == "HTTP 302, response: expected x, found y"


MADE: list[UsdmError] = [
    *[
        kind(429, -1003, BAN, 2.5)
        for kind in dict.fromkeys([APIError, *KINDS.values(), *STATUSES.values()])
    ],
    UnexpectedResponse(200, (3, "asset"), "a string", "null"),
    *[kind("words") for kind in (UsdmError, ConfigurationError, TransportError, DeadlineExceeded)],
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_errors_can_be_pickled_and_copied(error: UsdmError) -> None:
    twins = [copy.copy(error), copy.deepcopy(error)]
    twins += [
        pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for twin in twins:
        assert type(twin) is type(error)
        assert (str(twin), repr(twin), vars(twin)) == (str(error), repr(error), vars(error))


def test_the_drawn_tree_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above = {0: "Exception"}
    for line in (_errors.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)([A-Z]\w+(?:Error|Exceeded|Response))(?=\s|$)", line):
            depth = len(match[1]) // 4
            drawn[match[2]], above[depth + 1] = above[depth], match[2]
    built = {
        name: kind.__mro__[1].__name__
        for name, kind in vars(_errors).items()
        if isinstance(kind, type) and issubclass(kind, UsdmError)
    }
    assert built.pop("StaleConnectionError") == "TransportError"  # never leaves a call
    assert drawn == built
    assert set(drawn) <= set(binance_usdm.__all__)
    assert {type(error).__name__ for error in MADE} == set(drawn)


def test_a_ban_says_that_nothing_may_be_sent_whatever_its_status() -> None:
    for status in (418, 429):
        error = make_api_error(
            status, -1003, "Way too many requests; IP banned until 1762412880142.", None
        )
        assert type(error) is IPBannedError
        assert error.hint == "send nothing before the ban ends"
