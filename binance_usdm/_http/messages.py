"""HTTP request, response and failure types."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self, TypeAlias

from binance_usdm._secrets import SecretHolder, SecretTexts

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as they are sent or were received."""
Origin: TypeAlias = tuple[bool, str, int]
"""Whether TLS is used, host, port."""

DEFAULT_MAX_RESPONSE_BYTES = 1 << 20
"""Bound of a response when a client sets no other one. The rows of 500 assets are about 120 kB."""
MAX_TIMEOUT_SECONDS: Final = 86400.0
"""Longest accepted timeout. Sockets count milliseconds in 32 bits and fail beyond 24 days."""

TLS_ALERT: Final = b"\x15\x03"
"""First bytes from a server that expects TLS and received something else (RFC 8446, 5.1)."""

STALE = "StaleConnection"
"""Kind of failure: an idle connection ended before the first byte of the response.

The server very likely did not handle the request, so a GET may be sent again on a new connection.
"""
TOO_LARGE = "ResponseTooLarge"
"""Kind of failure: the server sent more for one response than the bound. The rest was not read."""


# The name has no "Error": it is not a failure of the network, and stays inside of transports.
class DeadlinePassed(Exception):  # noqa: N818
    """The deadline came before the step was done.

    Only transports raise it, so it cannot be mistaken for a timeout that the operating system or
    a signal handler reports.
    """


def time_until(deadline: float) -> float:
    """Return the seconds until a deadline.

    Args:
        deadline: Instant of `time.monotonic()`.

    Raises:
        DeadlinePassed: The deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlinePassed
    return left


class RequestTemplate(NamedTuple):
    """What many requests share: their origin and their headers."""

    origin: Origin
    headers: RawHeaders
    encoded_headers: bytes
    """All bytes of a request that follow its target."""

    @classmethod
    def build(cls, origin: Origin, headers: RawHeaders) -> Self:
        """Return a template with its headers encoded."""
        lines = [b"%b: %b\r\n" % header for header in headers]
        return cls(origin, headers, b"".join([b" HTTP/1.1\r\n", *lines, b"\r\n"]))

    def __repr__(self) -> str:
        # The headers may hold a secret.
        return "<RequestTemplate>"


class HttpRequest(SecretHolder):
    """A GET request without a body.

    Args:
        target: Path and query, as they are sent.
        template: Origin and headers.
        secrets: Strings that no message about the request may contain.
    """

    __slots__ = ("secrets", "target", "template")

    def __init__(
        self, target: bytes, template: RequestTemplate, secrets: Iterable[str] = ()
    ) -> None:
        self.target: bytes = target
        self.template: RequestTemplate = template
        self.secrets: SecretTexts = SecretTexts(secrets)

    def encode(self) -> bytes:
        """Return the request's bytes."""
        return b"".join((b"GET ", self.target, self.template.encoded_headers))


class HttpFailure(NamedTuple):
    """Reason why there is no response.

    `kind` is the name of httpx's exception for it, `STALE` or `TOO_LARGE`.
    """

    kind: str
    text: str
    is_retryable: bool = True

    def __repr__(self) -> str:
        # The text comes from a custom transport at times, and then may show the request.
        return f"<HttpFailure {self.kind}>"


@functools.lru_cache(maxsize=64)
def _lower(name: str) -> bytes:
    return name.lower().encode()


class Headers(Mapping[str, str]):
    """Header fields of a response, by name in any case.

    The values of a field that was sent more than once are joined by commas (RFC 9110, 5.3).
    """

    __slots__ = ("_values", "raw")

    def __init__(self, raw: RawHeaders) -> None:
        self.raw: RawHeaders = raw
        self._values = {name.lower(): value for name, value in raw}
        if len(self._values) < len(raw):
            values_by_name: dict[bytes, list[bytes]] = {}
            for name, value in raw:
                values_by_name.setdefault(name.lower(), []).append(value)
            self._values = {name: b", ".join(values) for name, values in values_by_name.items()}

    def get_bytes(self, name: bytes) -> bytes | None:
        """Return a value as it was received, by its name in lower case, or None."""
        return self._values.get(name)

    def __getitem__(self, name: str) -> str:
        return self._values[_lower(name)].decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._values.get(_lower(name))
        return default if value is None else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self._values)

    def __len__(self) -> int:
        return len(self._values)


NO_HEADERS: Final = Headers(())


class HttpResponse(NamedTuple):
    """A complete response, its body as it was received."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status}>"


HttpResult: TypeAlias = HttpResponse | HttpFailure
