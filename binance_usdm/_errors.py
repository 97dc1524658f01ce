"""The error tree and the tables that choose from it. Knows a refusal as status, code and text; knows no transport and no retry.

UsdmError
├── ConfigurationError       a key, secret, URL or argument cannot be used; nothing was sent
├── TransportError           no complete reply came
│   └── DeadlineExceeded     the call's time was up
├── UnexpectedResponse       the reply is not as the spec describes it
└── APIError                 the exchange said no
    ├── AuthenticationError  key, signature or permission
    ├── TimestampError       the request's time (-1021)
    ├── RateLimitError       too many requests (429, -1003)
    │   └── IPBannedError    banned for going on (418)
    ├── ForbiddenError       firewall (403) or location (451)
    ├── BadRequestError      any other 4xx
    └── ServerError          the exchange's own fault (5xx, 408)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from binance_usdm_wire import ResponseMismatch

from ._redaction import sanitize_text


class UsdmError(Exception):
    """Everything this package raises on purpose. `.retryable`: the same call may succeed later, with nothing changed."""

    retryable = False


class ConfigurationError(UsdmError):
    """A key, secret, URL or argument cannot be used. Raised before any byte is sent; never holds the value."""


class TransportError(UsdmError):
    """No complete reply came: name lookup, connection, TLS, reset or a reply cut short."""

    retryable = True


class DeadlineExceeded(TransportError):
    """The call's total time (`timeout`) was up before its reply was complete."""

    retryable = False


class StaleConnectionError(TransportError):
    """The server had closed the idle connection that was used. Met inside of a call only, which then tries a new one."""


class UnexpectedResponse(UsdmError):
    """A reply that the spec does not describe.

    `.status` is the HTTP status (0 when the reply was too large to be read); `.path` the place (row number, field name),
    `.expected` and `.found` kinds of values. The value itself is in none of them. `.retryable` when it is not even JSON.
    """

    def __init__(
        self,
        status: int,
        path: tuple[int | str, ...],
        expected: str,
        found: str,
        retryable: bool = False,
    ) -> None:
        super().__init__(status, path, expected, found, retryable)
        self.retryable = retryable
        self.status = status
        self.path = path
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        status = f"HTTP {self.status}, " if self.status else ""
        return f"{status}{ResponseMismatch(self.path, self.expected, self.found)}"


class APIError(UsdmError):
    """The exchange refused.

    `.status` is the HTTP status, `.code` the exchange's own code (None when it sent none), `.message` its text made safe to print,
    `.retry_after` seconds it asked to wait (None when it did not say), `.hint` what to check here ("" when there is nothing to add).
    """

    def __init__(
        self, status: int, code: int | None, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(status, code, message, retry_after)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def hint(self) -> str:
        return HINT_BY_CODE.get(self.code, "") or HINT_BY_STATUS.get(self.status, "")

    def __str__(self) -> str:
        status = f"HTTP {self.status}" if self.status else "not sent"
        code = "" if self.code is None else f", code {self.code}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{status}{code}: {self.message or 'no message'}{hint}"


class AuthenticationError(APIError):
    """The key, its permissions or the signature were refused. Asking again does not help."""


class TimestampError(APIError):
    """The request's time is outside of what the exchange accepts."""


class RateLimitError(APIError):
    """The weight limit of this IP address is used up.

    `.retry_after` is always set: what the exchange said, else until the next UTC minute. `.status` is 0 when the client itself kept
    the request back, because the weight budget has no room before the call's deadline: nothing was sent then.
    """

    retryable = True


class IPBannedError(RateLimitError):
    """This IP address is banned, from two minutes to three days, longer each time.

    `.banned_until` is an aware datetime, None when the exchange did not name it. Until `.retry_after` seconds are over, calls through this
    IP address's budget fail at once with this error, and nothing is sent.
    """

    retryable = False

    @property
    def hint(self) -> str:
        return HINT_BY_STATUS[418]

    ban_end_ms: int | None = None
    """End of the ban in ms since 1970, None when the exchange did not name it."""

    @property
    def banned_until(self) -> datetime | None:
        end = self.ban_end_ms if self.ban_end_ms is not None else parse_ban_end_ms(self.message)
        return (
            None if end is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=end)
        )


class ForbiddenError(APIError):
    """Stopped before the exchange looked at the request: by its firewall (403) or because of the location (451)."""


class BadRequestError(APIError):
    """The request itself was refused."""


class ServerError(APIError):
    """The exchange failed; reading again later is safe."""

    retryable = True


ERROR_CLASS_BY_CODE: dict[int, type[APIError]] = {
    **dict.fromkeys(
        (-1002, -1011, -1022, -1099, -2008, -2014, -2015, -2017, -4056, -4057), AuthenticationError
    ),
    -1021: TimestampError,
    **dict.fromkeys((-1003, -1015), RateLimitError),
    **dict.fromkeys((-1000, -1001, -1006, -1007, -1008, -1016), ServerError),
}
"""Exchange code -> class; a code that is not here is judged by the HTTP status."""

NON_RETRYABLE_CODES = {-1015, -1016}
"""Codes of classes that are retryable, which themselves are not: an order limit, a service that is gone."""

ERROR_CLASS_BY_STATUS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    408: ServerError,
    418: IPBannedError,
    429: RateLimitError,
    451: ForbiddenError,
}
"""HTTP status -> class; any other 4xx is a bad request, any 5xx a server error."""

HINT_BY_CODE: dict[int | None, str] = {
    -1021: "compare this machine's clock with the exchange's: client.server_time(); NTP keeps it right",
    -1022: "the secret is another key's or not complete, key and secret are swapped, or something changed the query after it was signed",
    -2008: "the exchange does not know this key here: demo and production have keys of their own, check base_url",
    -2014: "the key is cut, has a blank in it or is empty: copy it again",
    -2015: "check four things: the key exists on this environment (demo or production), this machine's IP address is on the key's list, "
    "Enable Futures is ticked for the key, and the account is no portfolio-margin account; after earlier success it can be a short ban",
    -4109: "the futures account was never opened: activate it on the website",
}
HINT_BY_STATUS: dict[int, str] = {
    403: "the exchange's firewall stopped it: too many requests, or text in them that it does not like",
    404: "check base_url: there is no such path here",
    418: "send nothing before the ban ends",
    429: "slow down: the limit counts all programs behind this IP address",
    451: "the exchange does not serve this location",
}

_BAN_END = re.compile(r"banned until (\d{13})\b")


def parse_ban_end_ms(message: str) -> int | None:
    """End of a ban, ms since 1970, from the only text that is ever matched: "… banned until <ms>"."""
    match = _BAN_END.search(message)
    return int(match[1]) if match else None


def make_api_error(
    status: int, code: int | None, message: str, retry_after: float | None, *secrets: str
) -> APIError:
    """Return the error for an error response: by code, else by status. HTTP 418 always means a ban, regardless of the code."""
    error_class = ERROR_CLASS_BY_STATUS.get(
        status, ServerError if status >= 500 else BadRequestError
    )
    if code is not None and error_class is not IPBannedError:
        error_class = ERROR_CLASS_BY_CODE.get(code, error_class)
    ban_end_ms = parse_ban_end_ms(
        message
    )  # Before secrets are redacted: a short key may be a part of the number.
    if error_class is RateLimitError and ban_end_ms is not None:
        error_class = IPBannedError
    error = error_class(status, code, sanitize_text(message, *secrets), retry_after)
    if isinstance(error, IPBannedError):
        error.ban_end_ms = ban_end_ms
    if code in NON_RETRYABLE_CODES:
        error.retryable = False
    return error
