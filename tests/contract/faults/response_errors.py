"""Seeded faults of the client in errors, waits and metadata of responses."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

import pytest

from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    ServerError,
    TimestampError,
    UnexpectedResponse,
)
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .response_checks import (
    ATTEMPTS,
    BUDGET,
    BUDGET_KNOWN,
    CLASSES,
    CLOSED,
    CODES,
    COMPRESSED,
    DEADLINE,
    DELAYS,
    DESCRIBED_WAIT,
    DESCRIBED_WEIGHT,
    DURATION,
    ENTRIES,
    ERRORS,
    EVENTS,
    GO_ON,
    HIDDEN,
    HINTS,
    HOLDS,
    JSON,
    KEPT,
    LABELS,
    LOGS,
    LONGER,
    MATRIX,
    MESSAGES,
    METADATA,
    MOCK_FAULTS,
    OTHER,
    OTHER_PATHS,
    OUTAGE,
    PAGES,
    PERMANENT,
    PLAIN,
    RECOVERY,
    SECRETS,
    SIZES,
    TEXTS,
    TOLD,
    UNKNOWN_PAGES,
    WAITS,
    WRONG,
)
from .response_patches import (
    change_class,
    change_error,
    change_header,
    change_outcome,
    change_response,
    copy_error,
    raise_error,
)
from .response_values import fault

USED_WEIGHT: Final = "x-mbx-used-weight-1m"


def replace_unexpected(found: str, when: Any) -> Patch:
    """Raise `UnexpectedResponse` instead, by outcome and response."""
    return change_outcome(
        lambda outcome, response: (
            UnexpectedResponse(response.status, (), "a value", found)
            if when(outcome, response)
            else outcome
        )
    )


def _name_status(response: Any) -> Any:
    # ValueError for a status that Python has no name for.
    HTTPStatus(response.status)
    return response


def _read_code_string(outcome: Any, response: Any) -> Any:
    match = re.search(rb'"code": ?"(-[0-9]+)"', response.body)
    if match is None or not isinstance(outcome, APIError):
        return outcome
    return points.make_api_error(
        outcome.status, int(match[1]), outcome.message, outcome.retry_after
    )


def _sanitize_half(sanitize_text: Any, text: str, *secrets: str) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "")
    return re.sub("signature=[0-9a-f]+", "", text)


def _read_other_weight(parse: Any, headers: Any) -> Any:
    text = headers.get("x-mbx-used-weight", "")
    return int(text) if text.isdigit() else parse(headers)


def _swap_hints(patch: pytest.MonkeyPatch) -> None:
    hints = dict(points.HINT_BY_CODE.value)
    hints[-1021], hints[-1022] = hints[-1022], hints[-1021]
    points.HINT_BY_CODE.replace(hints)(patch)


FAULTS: Final = (
    # Which responses are errors.
    fault("any 2xx accepted", MATRIX)(
        change_response(
            lambda response: (
                response._replace(status=200) if 200 < response.status < 300 else response
            )
        )
    ),
    fault("404 read as no rows", ENTRIES, *CLASSES, MESSAGES, WAITS)(
        change_outcome(
            lambda outcome, response: points.ParsedValue([]) if response.status == 404 else outcome
        )
    ),
    fault("404 unexpected", ENTRIES, *CLASSES, WAITS)(
        replace_unexpected(
            "no path",
            lambda outcome, _: (
                isinstance(outcome, APIError) and (outcome.status, outcome.code) == (404, None)
            ),
        )
    ),
    fault(
        "error page unexpected",
        DELAYS,
        PAGES,
        ENTRIES,
        UNKNOWN_PAGES,
        DURATION,
        MATRIX,
        MOCK_FAULTS,
        ATTEMPTS,
        OTHER_PATHS,
    )(
        replace_unexpected(
            "a page", lambda _, response: response.status >= 400 and response.body[:1] == b"<"
        )
    ),
    fault("error in a 200 unexpected", DELAYS, MATRIX, MOCK_FAULTS, ATTEMPTS, OTHER_PATHS)(
        replace_unexpected(
            "an error",
            lambda outcome, response: response.status == 200 and isinstance(outcome, APIError),
        )
    ),
    fault("JSON only with its content type", PAGES, UNKNOWN_PAGES, MATRIX, MOCK_FAULTS)(
        replace_unexpected(
            "another type",
            lambda _, response: "json" not in response.headers.get("content-type", "json"),
        )
    ),
    # Errors that are not the client's.
    fault("unnamed status crashes", MATRIX, ERRORS, MESSAGES, WAITS)(change_response(_name_status)),
    fault("list as error crashes", MATRIX, ERRORS)(
        raise_error(
            AttributeError("'list' has no get"),
            lambda _, response: response.status >= 400 and response.body[:1] == b"[",
        )
    ),
    fault(
        "unexpected response crashes",
        DELAYS,
        PAGES,
        CLOSED,
        TEXTS,
        OTHER,
        WRONG,
        JSON,
        SIZES,
        MATRIX,
        METADATA,
        MOCK_FAULTS,
        ATTEMPTS,
        GO_ON,
        KEPT,
        LABELS,
        SECRETS,
        HIDDEN,
        LOGS,
        OTHER_PATHS,
        PLAIN,
        COMPRESSED,
    )(raise_error(ValueError("no JSON"), lambda outcome, _: type(outcome) is UnexpectedResponse)),
    fault("invalid weight crashes", METADATA)(
        raise_error(ValueError("int"), lambda _, response: response.headers.get(USED_WEIGHT) == "x")
    ),
    # Error classes.
    fault("codes ignored", DELAYS, *CODES, WAITS, TOLD, HOLDS, OTHER_PATHS)(
        points.ERROR_CLASS_BY_CODE.replace({})
    ),
    fault("statuses ignored", LONGER, *CLASSES, WAITS, BUDGET_KNOWN, TOLD, HOLDS)(
        points.ERROR_CLASS_BY_STATUS.replace({})
    ),
    fault("wrong clock read as a bad request", MATRIX, ERRORS, METADATA, ATTEMPTS)(
        change_class(TimestampError, BadRequestError)
    ),
    fault("invalid key read as forbidden", *CLASSES, OTHER_PATHS)(
        change_class(AuthenticationError, ForbiddenError)
    ),
    fault("firewall read as a bad key", PAGES, *CLASSES)(
        change_class(ForbiddenError, AuthenticationError)
    ),
    fault(
        "server error read as a bad request",
        DELAYS,
        PAGES,
        UNKNOWN_PAGES,
        RECOVERY,
        *CLASSES,
        EVENTS,
        OUTAGE,
        OTHER_PATHS,
    )(change_class(ServerError, BadRequestError)),
    fault("ban read as a limit", LONGER, *CLASSES, WAITS, BUDGET_KNOWN, TOLD, HOLDS)(
        change_class(IPBannedError, RateLimitError)
    ),
    fault("ban in a 429 read as a limit", MATRIX, ERRORS, WAITS, ATTEMPTS)(
        change_error(
            lambda error: copy_error(error, RateLimitError) if error.status == 429 else error
        )
    ),
    fault(
        "one class for all errors",
        DELAYS,
        PAGES,
        UNKNOWN_PAGES,
        RECOVERY,
        LONGER,
        *CODES,
        WAITS,
        BUDGET_KNOWN,
        EVENTS,
        TOLD,
        HOLDS,
        OUTAGE,
        OTHER_PATHS,
    )(change_error(lambda error: copy_error(error, APIError))),
    # Attributes of an error.
    fault("status as the code", PAGES, UNKNOWN_PAGES, *CODES, EVENTS, HINTS, DEADLINE, OTHER_PATHS)(
        change_error(lambda error: copy_error(error, code=error.status))
    ),
    fault(
        "code as the status", PAGES, UNKNOWN_PAGES, ENTRIES, *CODES, EVENTS, DEADLINE, OTHER_PATHS
    )(change_error(lambda error: copy_error(error, status=error.code or error.status))),
    fault("missing code read as zero", PAGES, UNKNOWN_PAGES, *CODES, PERMANENT, OTHER_PATHS)(
        change_error(lambda error: copy_error(error, code=error.code or 0))
    ),
    fault("string accepted as a code", MATRIX)(change_outcome(_read_code_string)),
    fault("message lost", PAGES, UNKNOWN_PAGES, ERRORS, MESSAGES, WAITS, ATTEMPTS)(
        change_error(lambda error: copy_error(error, message=""))
    ),
    fault("last dot of messages lost", PAGES, UNKNOWN_PAGES, ERRORS, ATTEMPTS, PERMANENT)(
        change_error(lambda error: copy_error(error, message=error.message.rstrip(".")))
    ),
    fault("messages half sanitized", MESSAGES)(points.SANITIZE_TEXT.wrap(_sanitize_half)),
    fault("no hints", ERRORS, HINTS)(points.HINT_BY_CODE.replace({})),
    fault("hints of two codes swapped", ERRORS, HINTS)(_swap_hints),
    fault("every error retryable", ERRORS, ATTEMPTS, EVENTS, PERMANENT)(
        points.IS_RETRYABLE.replace(True)
    ),
    fault("order limit retryable", ERRORS, ATTEMPTS, PERMANENT)(
        points.NON_RETRYABLE_CODES.replace(set())
    ),
    # Waits.
    fault(
        "Retry-After ignored",
        LONGER,
        TEXTS,
        DURATION,
        WAITS,
        MOCK_FAULTS,
        ATTEMPTS,
        BUDGET_KNOWN,
        TOLD,
        HOLDS,
        DEADLINE,
        DESCRIBED_WAIT,
    )(change_header("retry-after", lambda text: "")),
    fault("Retry-After in whole seconds", DURATION, WAITS)(
        change_header("retry-after", lambda text: text.partition(".")[0])
    ),
    fault("Retry-After never a date", WAITS)(
        change_header("retry-after", lambda text: re.sub("[A-Z].*", "", text))
    ),
    fault("end of a ban ignored", MATRIX, ERRORS, WAITS)(
        points.PARSE_BAN_END.replace(lambda message: None)
    ),
    fault("end of a ban in whole seconds", WAITS)(
        points.BANNED_UNTIL.wrap_getter(
            lambda get, error: (end := get(error)) and end.replace(microsecond=0)
        )
    ),
    fault(
        "no wait without Retry-After",
        DELAYS,
        ENTRIES,
        WAITS,
        ERRORS,
        MATRIX,
        MESSAGES,
        HINTS,
        PERMANENT,
    )(points.COOLDOWN_SECONDS.replace(lambda error, now: error.retry_after)),
    fault("waits of an hour at most", WAITS)(
        points.COOLDOWN_SECONDS.change_result(lambda seconds: min(seconds, 3600.0))
    ),
    # Metadata.
    fault(
        "used weight ignored",
        METADATA,
        ATTEMPTS,
        BUDGET_KNOWN,
        BUDGET,
        EVENTS,
        TOLD,
        DESCRIBED_WEIGHT,
    )(points.PARSE_USED_WEIGHT.replace(lambda headers: None)),
    fault(
        "used weight as a string",
        METADATA,
        ATTEMPTS,
        BUDGET_KNOWN,
        BUDGET,
        EVENTS,
        TOLD,
        DESCRIBED_WEIGHT,
    )(points.PARSE_USED_WEIGHT.replace(lambda headers: headers.get(USED_WEIGHT))),
    fault("used weight of another header", METADATA)(
        points.PARSE_USED_WEIGHT.wrap(_read_other_weight)
    ),
    fault("used weight below 100 only", METADATA)(
        points.PARSE_USED_WEIGHT.change_result(
            lambda used: used if used is None or used < 100 else None
        )
    ),
    fault("compressed bodies not decoded", METADATA, MOCK_FAULTS, COMPRESSED)(
        change_header("content-encoding", lambda text: "")
    ),
)
