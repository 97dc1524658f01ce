"""What an operation is, what a call returns, and what a client brings. Nothing here sends, signs or waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen(slots=True, kw_only=True)
class Parameter:
    """An argument of an operation, for programs that build a call from data."""

    name: str
    """Name of the Python argument."""
    type: type
    required: bool
    description: str


@frozen(slots=True, kw_only=True)
class Signing:
    """What the client adds to a signed request; all values are names."""

    timestamp_parameter: str
    """Query parameter: when the request was made, ms by the exchange's clock."""
    signature_parameter: str
    """Query parameter, the last one: signature over the query before it."""
    window_parameter: str | None
    """Query parameter that bounds the request's age, ms."""


@frozen(slots=True, kw_only=True)
class Operation(Generic[T]):
    """An endpoint of the exchange and how its reply is read."""

    id: str
    """Name of the method, the module and the shell command."""
    method: str
    path: str
    weight: int
    """Request weight, counted per IP address."""
    security_type: str
    """The exchange's own name for what a call must carry."""
    key_header: str | None
    """Header that carries the API key; None: no key is sent."""
    signing: Signing | None
    """None: the call is not signed."""
    parameters: tuple[Parameter, ...]
    row_class: Any
    """Class of the reply's rows, or of the reply itself when it is one object."""
    account_attribute: str | None
    """Attribute of a row that identifies the account; None when no attribute does."""
    summary: str
    build_query: Callable[..., dict[str, str]] = field(repr=False)
    """Arguments -> query parameters by wire name, checked and percent-encoded; raises `InvalidArgumentError`."""
    parse_body: Callable[[bytes], T] = field(repr=False)
    """Body of a 200 reply -> typed value; raises `ResponseMismatch`."""


@frozen(slots=True, kw_only=True)
class Response(Generic[T]):
    """A successful reply with what came along."""

    parsed: T
    """The typed value."""
    status_code: int
    """HTTP status."""
    headers: Mapping[str, str] = field(repr=False)
    """Reply headers; names in any case."""
    used_weight: int | None
    """Weight this IP address has used in the current UTC minute, if the exchange said so."""
    elapsed: float
    """Seconds from the call to its value, waits and attempts included."""
    attempts: int
    """How many requests were sent, 1 or more."""


class SupportsCall:
    """What methods need of a blocking client."""

    __slots__ = ()

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError


class SupportsAsyncCall:
    """What methods need of an asyncio client."""

    __slots__ = ()

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError
