"""Which error of the tree a response or a failure becomes."""

from __future__ import annotations

import time
from typing import Final

from binance_usdm._concurrency.threads import TIMEOUT_MESSAGE
from binance_usdm._errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    DeadlineExceeded,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    ServerError,
    StaleConnectionError,
    TimestampError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
    parse_ban_end_ms,
)
from binance_usdm._http.messages import STALE, TOO_LARGE, HttpFailure
from binance_usdm._redaction import sanitize_text
from binance_usdm_wire.error_codes import KIND_BY_CODE, PERMANENT_CODES

_DEADLINE_TOLERANCE_SECONDS: Final = 0.02

ERROR_CLASS_BY_KIND: Final[dict[str, type[APIError]]] = {
    "authentication": AuthenticationError,
    "timestamp": TimestampError,
    "rate-limit": RateLimitError,
    "server": ServerError,
}
"""By the kind of a code in the spec. A bad request is what the HTTP status says anyway."""

ERROR_CLASS_BY_CODE: dict[int, type[APIError]] = {
    code: ERROR_CLASS_BY_KIND[kind]
    for code, kind in KIND_BY_CODE.items()
    if kind in ERROR_CLASS_BY_KIND
}
"""Any other code is classified by the HTTP status."""

NON_RETRYABLE_CODES: Final = PERMANENT_CODES
"""Exceptions to the `retryable` of their class: an order limit, a service that was shut down."""

ERROR_CLASS_BY_STATUS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: ForbiddenError,
}
"""Any other 4xx is a BadRequestError, any other 5xx a ServerError.

Which errors are retried follows from `retryable` of their class.
"""


def make_api_error(
    status: int, code: int | None, message: str, retry_after: float | None, *secrets: str
) -> APIError:
    """Return the error for an error response.

    The class follows from the code, else from the status. HTTP 418 always means a ban, regardless
    of the code.

    Args:
        status: HTTP status.
        code: The exchange's error code, or None.
        message: The exchange's message, not sanitized.
        retry_after: Seconds that the exchange asks to wait, or None.
        secrets: Strings that are redacted in the message.
    """
    default_class = ServerError if status >= 500 else BadRequestError
    error_class = ERROR_CLASS_BY_STATUS.get(status, default_class)
    if code is not None and error_class is not IPBannedError:
        error_class = ERROR_CLASS_BY_CODE.get(code, error_class)
    # Parsed before secrets are redacted: a short key may be a part of the number.
    ban_end_ms = parse_ban_end_ms(message)
    if error_class is RateLimitError and ban_end_ms is not None:
        error_class = IPBannedError
    error = error_class(status, code, sanitize_text(message, *secrets), retry_after)
    if isinstance(error, IPBannedError):
        error.ban_end_ms = ban_end_ms
    if code in NON_RETRYABLE_CODES:
        error.retryable = False
    return error


def error_from_failure(
    failure: HttpFailure,
    host: str,
    secrets: tuple[str, ...],
    max_response_bytes: int,
    deadline: float,
) -> UsdmError:
    """Return the error for a request without a response.

    Args:
        failure: What the transport reports.
        host: Host for the message.
        secrets: Strings that are redacted in the message.
        max_response_bytes: Maximum size of a response, for the message.
        deadline: Instant of `time.monotonic()`. After it the error is a DeadlineExceeded.
    """
    if failure.kind == TOO_LARGE:
        return UnexpectedResponse(0, (), f"at most {max_response_bytes} bytes", "more")
    if failure.kind == STALE:
        return StaleConnectionError(f"{failure.kind}: {failure.text} ({host})")
    error: UsdmError
    if failure.kind == "ProxyError":
        error = TransportError(f"{_proxy_problem(failure)} ({host})")
    else:
        text = f"{failure.kind}: {failure.text}" if failure.kind else failure.text
        # The timer of a transport may fire a little before the deadline.
        is_late = time.monotonic() > deadline - _DEADLINE_TOLERANCE_SECONDS
        error_class = DeadlineExceeded if is_late else TransportError
        error = error_class(f"{sanitize_text(text, *secrets)} ({host})")
    if not failure.is_retryable:
        error.retryable = False
    return error


def _proxy_problem(failure: HttpFailure) -> str:
    """Return a message with the proxy's status. Its reason phrase may contain a password."""
    status, _, hint = failure.text.partition(":")
    answer = status[:3] if status[:3].isdigit() else "nothing valid"
    problem = f"the proxy answered {answer}"
    return f"{problem}:{hint}" if hint and not failure.is_retryable else problem


def note_time_left(error: UsdmError, delay: float | None, left: float) -> UsdmError:
    """Return an error with the time that its call had left.

    Args:
        error: What the last attempt failed with.
        delay: Seconds after which it would have been retried, None if never.
        left: Seconds until the call's deadline.
    """
    if delay is not None and isinstance(error, APIError):
        error.time_left = max(left, 0.0)
    return error


def map_thread_error(error: OSError | UsdmError) -> UsdmError:
    """Return the error for a function that failed in a thread, or for which no thread started."""
    if isinstance(error, UsdmError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(TIMEOUT_MESSAGE)
    return TransportError(sanitize_text(str(error)))
