"""Types of operations, parameters and responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen(slots=True, kw_only=True)
class Parameter:
    """An argument of an operation, for programs that build calls from data."""

    name: str
    """Name of the Python argument."""
    type: type
    """Type of the Python argument, or of its items, without `None`."""
    required: bool
    """Whether a call needs the argument."""
    description: str
    """Meaning of the argument, from the spec."""
    choices: tuple[str | int, ...] = ()
    """Values that the spec allows, empty if it lists none."""
    is_list: bool = False
    """Whether the argument is a list of such values, sent with commas between them."""
    read_json: Callable[[Any, Any], Any] | None = field(default=None, repr=False)
    """Function that types a JSON value and its place, for an argument that is sent as JSON."""
    is_deprecated: bool = False
    """Whether the exchange is going to stop reading it."""


@frozen(slots=True, kw_only=True)
class Signing:
    """Names of the query parameters that the client adds to a signed request."""

    timestamp_parameter: str
    """Time of the request in ms, by the exchange's clock."""
    signature_parameter: str
    """Signature of the query before it; always the last parameter."""
    window_parameter: str | None
    """Maximum age of the request in ms. `None` when the operation has no such parameter."""


@frozen(slots=True, kw_only=True)
class Operation(Generic[T]):
    """An endpoint of the exchange: how to build its requests and read its responses."""

    id: str
    """Name of the method, the module and the shell command."""
    method: str
    """HTTP method."""
    path: str
    """Path of the URL."""
    weight: int
    """Request weight, counted per IP address. The largest one if it depends on an argument."""
    security_type: str
    """The exchange's name for the credentials that a call needs, such as USER_DATA."""
    key_header: str | None
    """Header for the API key. `None` when no key is sent."""
    signing: Signing | None
    """Parameters of the signature. `None` when the request is not signed."""
    parameters: tuple[Parameter, ...]
    """Arguments of the method."""
    row_class: Any
    """Class of the response's rows, or of a response that is one object, else `None`."""
    account_attribute: str | None
    """Attribute of a row that identifies the account. `None` when no attribute does."""
    summary: str
    """Meaning of the operation, from the spec."""
    build_query: Callable[..., dict[str, str]] = field(repr=False)
    """Function from arguments to percent-encoded query parameters by name.

    It raises `InvalidArgumentError`.
    """
    parse_body: Callable[[bytes], T] = field(repr=False)
    """Function from the body of a 200 response to its typed value.

    It raises `ResponseMismatch`.
    """
    is_deprecated: bool = False
    """Whether the exchange is going to remove it."""
    servers: Mapping[str, str] | None = None
    """Base URL by environment. `None` for the servers of all operations."""
    build_path: Callable[..., str] | None = field(default=None, repr=False)
    """Function from arguments to the path. `None` when `path` has no parameter."""
    weigh: Callable[[Mapping[str, Any]], int] | None = field(default=None, repr=False)
    """Function from arguments to the request weight. `None` when it is always the same."""
    dump: Callable[[Any], Any] | None = field(default=None, repr=False)
    """Function from the typed value to JSON. `None` for rows and objects, which have methods."""


@frozen(slots=True, kw_only=True)
class Response(Generic[T]):
    """A typed value with the metadata of its response."""

    parsed: T
    """The typed value."""
    status_code: int
    """HTTP status."""
    headers: Mapping[str, str] = field(repr=False)
    """Response headers. Names are not case-sensitive."""
    used_weight: int | None
    """Weight that this IP address has used in the current UTC minute.

    `None` when the response does not have it.
    """
    elapsed: float
    """Duration of the call in seconds, including retries and waiting."""
    attempts: int
    """Number of requests that were sent, at least 1."""
    received_at_ms: int
    """When the response was complete, in ms since 1970-01-01 UTC.

    By the exchange's clock if the client has synced with it, else by this machine's.
    """

    @property
    def received_at(self) -> datetime:
        """`received_at_ms` as an aware datetime in UTC."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.received_at_ms)

    @property
    def exchange_date(self) -> datetime | None:
        """Header `Date` as an aware datetime in UTC: when the exchange made the response.

        Exact to the second. `None` when the response has no date, or one that is not valid. It is
        not compared with any clock.
        """
        # Imported here: few calls need it.
        from .http_dates import parse_http_date

        return parse_http_date(self.headers.get("date", "").strip())


class SupportsCall:
    """Base class of the methods of a blocking client, which must define `_call`."""

    __slots__ = ()

    def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError


class SupportsAsyncCall:
    """Base class of the methods of an asyncio client, which must define `_call`."""

    __slots__ = ()

    async def _call(self, operation: Operation[T], arguments: dict[str, Any]) -> Response[T]:
        raise NotImplementedError
