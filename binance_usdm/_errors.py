"""Exceptions.

UsdmError
├── ConfigurationError       a key, secret, URL or argument is invalid; nothing was sent
├── TransportError           no complete response
│   └── DeadlineExceeded     the call's total time was over
├── UnexpectedResponse       a response that the spec does not describe
└── APIError                 the exchange rejected the request
    ├── AuthenticationError  key, signature or permission
    ├── TimestampError       the request's time (-1021)
    ├── RateLimitError       too many requests (429, -1003)
    │   └── IPBannedError    banned after too many requests (418)
    ├── ForbiddenError       firewall (403) or location (451)
    ├── BadRequestError      any other 4xx
    └── ServerError          the exchange failed (5xx, 408)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from binance_usdm_wire import ResponseMismatch


class UsdmError(Exception):
    """Base class of all exceptions of this package.

    Attributes:
        retryable: Whether the same call may succeed later.
        label: The option `label` of the client whose call failed. The text begins with it.
        status: HTTP status, 0 when there was no response.
        code: The exchange's error code, None when it sent none.
        retry_after: Seconds to wait before another call, None when that is not known.
        hint: What to check, "" when there is no advice.
    """

    retryable = False
    label: str | None = None
    status: int = 0
    code: int | None = None
    retry_after: float | None = None

    # The cause of a page that came instead of JSON. It is safe to show.
    _page_hint = ""

    @property
    def hint(self) -> str:
        return self._page_hint

    def __str__(self) -> str:
        text = self._describe()
        return text if self.label is None else f"{self.label}: {text}"

    def _describe(self) -> str:
        """Return the text without the label."""
        return super().__str__()


class ConfigurationError(UsdmError):
    """A key, secret, URL or argument is invalid. Nothing was sent; the message has no value."""


class TransportError(UsdmError):
    """No complete response arrived: name lookup, connection, TLS or an incomplete response."""

    retryable = True


class DeadlineExceeded(TransportError):
    """The call's total time (`timeout`) was over before the response was complete."""

    retryable = False


class StaleConnectionError(TransportError):
    """The server had closed the idle connection. A call catches this and uses a new connection."""


class UnexpectedResponse(UsdmError):
    """A response that the spec does not describe. No value of the response is in the error.

    Attributes:
        status: HTTP status, 0 when the response was larger than `max_reply_bytes`.
        path: Row number and field name, empty for the whole response.
        expected: What the spec describes there.
        found: What was there instead, in words.
        hint: What to check when a page came whose cause is known, else "".
        retryable: True when the body is not JSON.
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

    def _describe(self) -> str:
        status = f"HTTP {self.status}, " if self.status else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{status}{ResponseMismatch(self.path, self.expected, self.found)}{hint}"


class APIError(UsdmError):
    """The exchange rejected the request.

    Attributes:
        status: HTTP status.
        code: The exchange's error code, None when it sent none.
        message: The exchange's message, sanitized.
        retry_after: Seconds that the exchange asks to wait, None when it does not say.
        hint: What to check, "" when there is no advice. Of a page instead of JSON it has the cause,
            else its title or first words, 120 characters at most.
        time_left: Seconds of the call's `timeout` that were left when it ended because the next
            attempt would have come later, else None.
    """

    time_left: float | None = None

    # First words of a page that came instead of JSON. They are safe to show.
    _page_excerpt = ""

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
        from ._error_hints import compose_hint

        return compose_hint(self.status, self.code, self._page_hint, self._page_excerpt)

    def _describe(self) -> str:
        from ._error_hints import describe_waits

        status = f"HTTP {self.status}" if self.status else "not sent"
        code = "" if self.code is None else f", code {self.code}"
        hint = f" ({self.hint})" if self.hint else ""
        text = f"{status}{code}: {self.message or 'no message'}{hint}"
        return f"{text}{describe_waits(self.retry_after, self.time_left)}; see {self.address}"

    @property
    def address(self) -> str:
        """Address of the error's entry in the documentation."""
        from ._error_hints import error_address

        return error_address(self.status, self.code)


class AuthenticationError(APIError):
    """The exchange rejected the key, its permissions or the signature. A retry does not help."""


class TimestampError(APIError):
    """The request's timestamp is too old or too far ahead."""


class RateLimitError(APIError):
    """The weight limit of this IP address is used up.

    Attributes:
        status: 0 when the request was not sent, because the client's weight budget is exhausted
            until after the call's deadline.
        retry_after: Seconds to wait, never None: until the next UTC minute if the exchange does
            not say.
    """

    retryable = True

    @property
    def hint(self) -> str:
        from ._error_hints import wait_hint

        if self.status == 0 and self.retry_after is not None:
            return wait_hint(self.retry_after)
        return super().hint


class IPBannedError(RateLimitError):
    """This IP address is banned, for two minutes up to three days.

    Until `retry_after` seconds are over, calls that share the weight budget raise this error and
    nothing is sent.

    Attributes:
        ban_end_ms: End of the ban in ms since 1970-01-01 UTC, None when it is not known.
        banned_until: The same as a datetime with time zone.
    """

    retryable = False

    def __init__(
        self, status: int, code: int | None, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(status, code, message, retry_after)
        self.ban_end_ms: int | None = parse_ban_end_ms(message)

    @property
    def hint(self) -> str:
        from ._error_hints import ban_hint

        return ban_hint(self.banned_until)

    @property
    def banned_until(self) -> datetime | None:
        if self.ban_end_ms is None:
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.ban_end_ms)


class ForbiddenError(APIError):
    """The request was stopped by the exchange's firewall (403) or for its location (451)."""


class BadRequestError(APIError):
    """The exchange rejected the request itself."""


class ServerError(APIError):
    """The exchange failed. Reading again later is safe."""

    retryable = True


_BAN_END = re.compile(r"banned until (\d{13})\b")


def parse_ban_end_ms(message: str) -> int | None:
    """Return the end of a ban, in ms since 1970, from a message with "banned until <ms>"."""
    match = _BAN_END.search(message)
    return int(match[1]) if match else None
