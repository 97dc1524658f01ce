"""Which error an error response becomes, and its message.

The codes and their kinds come from the spec, the tables of classes are repeated here.
"""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

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
from binance_usdm._call import error_mapping as _error_mapping
from binance_usdm._call.error_mapping import make_api_error
from binance_usdm_wire import error_texts
from tests.support.clients import SPEC, BlockingFacade, RecordingHandler, error_response
from tests.support.paths import ROOT

ClientOf = Callable[..., BlockingFacade]
CODES = {int(code): about["kind"] for code, about in SPEC["x-error-codes"].items()}
KINDS = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "bad-request": BadRequestError,
    "server": ServerError,
}
BAN = (
    "Way too many requests; IP banned until 1762412880142. "
    "Please use the websocket for live updates to avoid bans."
)


def caught_by(client: BlockingFacade) -> Any:
    with pytest.raises(UsdmError) as caught:
        client.balance()
    return caught.value


def test_the_spec_says_which_error_a_code_is(make_client: ClientOf) -> None:
    assert len(CODES) > 30
    for code, kind in CODES.items():
        error = caught_by(make_client(RecordingHandler(error_response(400, code))))
        assert (type(error), error.code, error.status) == (KINDS[kind], code, 400), code


def test_no_code_is_judged_that_the_spec_does_not_know() -> None:
    assert set(_error_hints.HINT_BY_CODE) == set(error_texts.MEANING_BY_CODE) == set(CODES)
    assert set(_error_mapping.ERROR_CLASS_BY_CODE) <= set(CODES)
    by_status = {code for code, kind in CODES.items() if kind == "bad-request"}
    assert (
        set(_error_mapping.ERROR_CLASS_BY_CODE) == set(CODES) - by_status
    )  # a bad request is what status 400 says by itself


def test_the_text_of_a_ban_is_a_ban_until_then(make_client: ClientOf) -> None:
    for status in (418, 429, 400):
        error = caught_by(make_client(RecordingHandler(error_response(status, -1003, BAN))))
        assert type(error) is IPBannedError
        assert error.banned_until == datetime(2025, 11, 6, 7, 8, 0, 142000, tzinfo=UTC)


def test_the_tables_are_those_of_the_spec() -> None:
    """Kind, meaning, hint and permanence of every code come from x-error-codes."""
    for code, about in ((int(code), about) for code, about in SPEC["x-error-codes"].items()):
        error = make_api_error(400, code, "", None)
        assert error.hint == about["hint"]
        assert error_texts.MEANING_BY_CODE[code] == about["meaning"]
        assert error_texts.NAME_BY_CODE[code] == about["name"]
        assert error.retryable == (type(error).retryable and about.get("retryable", True))
    permanent = {code for code, about in SPEC["x-error-codes"].items() if "retryable" in about}
    assert permanent == {"-1015", "-1016"}


ENTRY = re.compile(r"^### (.+)$", re.MULTILINE)


def test_every_error_names_its_entry() -> None:
    """The text ends with the address of an entry that docs/errors.md has."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    entries = {title.lower().replace(" ", "-") for title in ENTRY.findall(page)}
    assert {str(code) for code in CODES} <= entries
    for status in (
        0,
        200,
        400,
        401,
        402,
        403,
        404,
        405,
        408,
        418,
        429,
        451,
        500,
        503,
        *range(520, 528),
    ):
        for code in (None, 0, -9999, *CODES):
            for error_class in (APIError, IPBannedError):
                error = error_class(status, code, "words")
                address, _, entry = str(error).rpartition("; see ")[2].partition("#")
                assert (address, entry in entries) == ("docs/errors.md", True), str(error)
                assert str(error).endswith(error.address)
                assert code not in CODES or entry == ("http-418" if status == 418 else str(code))
    assert APIError(403, None, "").address.endswith("#http-403")
    assert RateLimitError(0, None, "").address.endswith("#not-sent")


def test_the_page_names_class_and_texts() -> None:
    """The entry of a code has its class, meaning and hint, in English and Chinese."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for code, about in SPEC["x-error-codes"].items():
        entry = page.partition(f"### {code}\n")[2].partition("\n### ")[0]
        assert f"`{KINDS[about['kind']].__name__}`" in entry
        assert ("never `retryable`" in entry) == ("retryable" in about)
        for key in ("meaning", "hint"):
            assert about[key][1:] in entry
            assert about[f"x-{key}-zh"] in entry


def test_only_errors_load_their_texts() -> None:
    """A program that meets no error loads neither hints nor what reads pages."""
    program = (
        "import sys, binance_usdm\n"
        "binance_usdm.Client('k' * 64, 's' * 64)\n"
        "texts = {'binance_usdm_wire.error_texts', 'binance_usdm._error_hints', 'html',\n"
        "         'binance_usdm._call.error_pages'}\n"
        "print(sorted(texts & set(sys.modules)))\n"
        "str(binance_usdm.APIError(400, -1021, ''))\n"
        "print('binance_usdm_wire.error_texts' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "True"]


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
    assert APIError(500, None, "").hint == APIError(400, -9999, "no").hint == ""


def test_an_error_is_one_line_with_status_code_and_text() -> None:
    assert (
        str(APIError(400, -9999, "Mandatory parameter"))
        == "HTTP 400, code -9999: Mandatory parameter; see docs/errors.md#http-400"
    )
    assert str(APIError(502, None, "")) == "HTTP 502: no message; see docs/errors.md#http-5xx"
    assert (
        str(APIError(451, 0, "Unavailable"))
        == "HTTP 451, code 0: Unavailable (the exchange does not serve this location, "
        "or that of a VPN or cloud in between); see docs/errors.md#http-451"
    )
    assert str(UnexpectedResponse(200, (3, "asset"), "a string", "null")) == (
        "HTTP 200, row 3, field asset: expected a string, found null"
    )
    assert str(UnexpectedResponse(302, (), "x", "y")) == "HTTP 302, response: expected x, found y"


MADE: list[UsdmError] = [
    *[
        kind(429, -1003, BAN, 2.5)
        for kind in (APIError, *KINDS.values(), IPBannedError, ForbiddenError)
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
    """The hint has the end of the ban as a date, where the exchange's message has milliseconds."""
    for status in (418, 429):
        error = make_api_error(
            status, -1003, "Way too many requests; IP banned until 1762412880142.", None
        )
        assert type(error) is IPBannedError
        assert error.hint == "send nothing before the ban ends, at 2025-11-06 07:08:00 UTC"
    error = make_api_error(418, -1003, "Way too many requests", None)
    assert error.hint == "send nothing before the ban ends"
