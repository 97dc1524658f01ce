"""HTTP request, response and failure types."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self, TypeAlias

from binance_usdm._secrets import SecretHolder, SecretTexts

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
Origin: TypeAlias = tuple[bool, str, int]  # TLS, host, port
DEFAULT_MAX_RESPONSE_BYTES = (
    1 << 20
)  # where a client asks for no other bound; 500 assets are about 120 kB
MAX_TIMEOUT_SECONDS: Final = (
    86400.0  # sockets count milliseconds in 32 bits and wait wrongly beyond 24 days
)

STALE = "StaleConnection"
"""A kept connection ended before a byte of the reply came.

The request was very likely not handled: a GET may be sent again, on a connection of its own.
"""
TOO_LARGE = "ResponseTooLarge"
"""The server sent more for one reply than is accepted; the rest was not read."""


class DeadlinePassed(Exception):  # noqa: N818 - told apart from OSError by its class, met inside of transports only
    """The deadline came before the step was done. No operating system error and no signal handler raises it."""


def time_until(deadline: float) -> float:
    """Return the seconds until a deadline, an instant of `time.monotonic()`. Raises DeadlinePassed at its end."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlinePassed
    return left


class RequestTemplate(NamedTuple):
    """What many requests share: where they go, and their headers."""

    origin: Origin
    headers: RawHeaders
    encoded_headers: bytes
    """Everything after the target."""

    @classmethod
    def build(cls, origin: Origin, headers: RawHeaders) -> Self:
        """Return a template with its headers encoded."""
        lines = [b"%b: %b\r\n" % header for header in headers]
        return cls(origin, headers, b"".join([b" HTTP/1.1\r\n", *lines, b"\r\n"]))

    def __repr__(self) -> str:
        return "<RequestTemplate>"  # Its headers may hold a secret.


class HttpRequest(SecretHolder):
    """A GET without a body.

    Args:
        target: Path and query, as they are sent.
        template: Origin and headers.
        secrets: What no text about the request may show.
    """

    __slots__ = ("secrets", "target", "template")

    def __init__(
        self, target: bytes, template: RequestTemplate, secrets: Iterable[str] = ()
    ) -> None:
        self.target = target
        self.template = template
        self.secrets = SecretTexts(secrets)

    def encode(self) -> bytes:
        """Return the request's bytes."""
        return b"".join((b"GET ", self.target, self.template.encoded_headers))


class HttpFailure(NamedTuple):
    """Why there is no response. `kind` is httpx's name for such an error, STALE or TOO_LARGE."""

    kind: str
    text: str
    is_retryable: bool = True

    def __repr__(self) -> str:
        return f"<HttpFailure {self.kind}>"  # The text of another transport may show the request.


@functools.lru_cache(maxsize=64)
def _lower(name: str) -> bytes:
    return name.lower().encode()


class Headers(Mapping[str, str]):
    """Header fields of a reply: names in any case; the values of one that came more than once, joined by commas (RFC 9110 5.3)."""

    __slots__ = ("_values", "raw")

    def __init__(self, raw: RawHeaders) -> None:
        self.raw, self._values = raw, {name.lower(): value for name, value in raw}
        if len(self._values) < len(raw):
            each: dict[bytes, list[bytes]] = {}
            for name, value in raw:
                each.setdefault(name.lower(), []).append(value)
            self._values = {name: b", ".join(values) for name, values in each.items()}

    def get_bytes(self, name: bytes) -> bytes | None:
        """A value as it came, by its name in lower case; None where there is none."""
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


_NO_HEADERS = Headers(())


class HttpResponse(NamedTuple):
    """A complete reply, its body as it came."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status}>"


HttpResult: TypeAlias = HttpResponse | HttpFailure
