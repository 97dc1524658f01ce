"""A client that receives the responses of a check, and checks of what it makes of them."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

import httpx
from hypothesis import Phase, settings

from binance_usdm import Response, RetryPolicy, UnexpectedResponse, UsdmError

from . import patch_points as points
from .exact_json import canonical, decode
from .expectations import Outcome
from .facade import Sdk, python_name, sample_arguments
from .json_of_values import choose_schema, field_schema, is_map, is_tuple, item_schema
from .raw_requests import KEY, SECRET, T0, MakeExchange
from .response_model import DescribedResponse
from .spec_model import Json, Operation, resolve

T = TypeVar("T")
Header: TypeAlias = tuple[bytes, bytes]
JSON: Final[Header] = (b"Content-Type", b"application/json")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
VALUE: Final[Outcome] = (Response, 200, None)
UNEXPECTED: Final[Outcome] = (UnexpectedResponse, 200, None)


class UnlimitedLimiter:
    """A limiter without memory, so that each response is checked alone."""

    def acquire(self, weight: int) -> float:
        return 0.0

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def cooldown_left(self) -> float:
        return 0.0

    def observe(self, used_weight: int) -> None: ...


def make_client(sdk: Sdk, transport: Any) -> Any:
    limiter = UnlimitedLimiter()
    options = {"clock": lambda: T0, "retry": RetryPolicy.off(), "limiter": limiter}
    client = sdk.client(KEY, SECRET, transport=transport, **options)
    # A ban is kept for the address.
    points.replace_shared_limiter(client, limiter)
    return client


@dataclass
class ResponseCase:
    """A described response, and a client that receives it in many forms.

    Each call has a new client, which has learned its account from no other response, unless
    `one_client` is used.

    Attributes:
        response: The response.
        sdk: The client.
        make_exchange: Makes an exchange.
        how: Whether bodies are random, too.
        number: Number of the response, by which a thinned out list starts.
        loop: Event loop for the asyncio client.
    """

    response: DescribedResponse
    sdk: Sdk = field(repr=False)
    make_exchange: MakeExchange = field(repr=False)
    how: settings = field(repr=False)
    number: int = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def __post_init__(self) -> None:
        self._client: Any = None
        self._received = httpx.Response(500)
        transport: Any = self.sdk.transport(lambda request: self._received)
        transport.handle_request = lambda request: self._received
        self._transport = transport

    @property
    def operation(self) -> Operation:
        return self.response.operation

    @contextmanager
    def one_client(self) -> Iterator[None]:
        """Use one client for all calls within the context."""
        self._client = make_client(self.sdk, self._transport)
        try:
            yield
        finally:
            self._client = None

    def receive(self, body: bytes, *headers: Header, status: int | None = None) -> Any:
        """Return the client's response or error."""
        status = status or self.response.status
        stream = httpx.ByteStream(body)
        self._received = httpx.Response(status, headers=[*headers], stream=stream)
        return self.call(self._client or make_client(self.sdk, self._transport))

    def call(self, client: Any) -> Any:
        method = getattr(client, f"{python_name(self.operation.id)}_detailed")
        try:
            result = method(**sample_arguments(self.operation))
            if not inspect.iscoroutine(result):
                return result
            return self.loop.run_until_complete(result)
        except UsdmError as error:
            return error

    def expect(
        self, expected: Outcome, body: bytes, *headers: Header, status: int | None = None
    ) -> Any:
        """Receive a response and check the outcome."""
        received = self.receive(body, *headers, status=status)
        found = outcome_of(received)
        assert found == expected, f"{received!r}, not {expected}, for {body[:400]!r}"
        return received

    def expect_value(self, body: bytes, *headers: Header) -> Any:
        """Receive a response and check that its value is that of the body."""
        received = self.receive(body, *headers)
        self.check_value(received, body)
        return received

    def check_value(self, received: Any, body: bytes) -> None:
        """Check that the value is that of the body: typed, exact, and written back the same."""
        assert isinstance(received, Response), f"{received!r} for {body[:400]!r}"
        document, schema = self.operation.document, self.response.schema
        value = _with_plain_amounts(document, schema, decode(body))
        differences = [*_differences(document, schema, received.parsed, value, "")]
        assert not differences, f"{differences[:3]} for {body[:400]!r}"

    def thin_out(self, items: Iterable[T], offset: int = 0) -> list[T]:
        """Return all items, or every third in a run without random cases, which is faster."""
        everything = list(items)
        offset += self.number
        return everything if Phase.generate in self.how.phases else everything[offset % 3 :: 3]


def outcome_of(received: Any) -> Outcome:
    """Return class, status and code; status 0 when no complete response came."""
    status = getattr(received, "status_code", getattr(received, "status", 0))
    return type(received), status, getattr(received, "code", None)


def _with_plain_amounts(document: Json, schema: Json | None, value: Any) -> Any:
    """Return the value with each amount in plain digits, as it is written back."""
    if schema is None or value is None:
        return value
    schema = choose_schema(document, schema, value)
    if isinstance(value, list):
        return [
            _with_plain_amounts(document, item_schema(schema, index), each)
            for index, each in enumerate(value)
        ]
    if isinstance(value, dict):
        return {
            name: _with_plain_amounts(document, field_schema(schema, name), each)
            for name, each in value.items()
        }
    return format(Decimal(value), "f") if schema.get("format") == "decimal" else value


def _differences(document: Json, schema: Json, parsed: Any, value: Any, path: str) -> Iterator[str]:
    schema = choose_schema(document, schema, value)
    if isinstance(value, list) and is_tuple(schema):
        yield from _tuple_differences(document, schema, parsed, value, path)
    elif isinstance(value, list):
        if type(parsed) is not list or len(parsed) != len(value):
            yield f"{path}: {type(parsed).__name__}"
            return
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            yield from _differences(document, schema["items"], parsed[index], item, place)
    elif isinstance(value, dict) and is_map(schema):
        if type(parsed) is not dict or [*parsed] != [*value]:
            yield f"{path}: {type(parsed).__name__}"
            return
        for name, item in value.items():
            place = f"{path}.{name}"
            entries = schema["additionalProperties"]
            yield from _differences(document, entries, parsed[name], item, place)
    elif isinstance(value, dict):
        yield from _object_differences(document, schema, parsed, value, path)
    elif value is not None and (is_number(schema) or schema.get("format") == "decimal"):
        if type(parsed) is not Decimal or parsed.as_tuple() != Decimal(value).as_tuple():
            yield f"{path}: {parsed!r}, not {value!r}"
    elif type(parsed) is not type(value) or parsed != value:
        yield f"{path}: {parsed!r}, not {value!r}"


def is_number(schema: Json) -> bool:
    return "number" in schema.get("type", ())


def _tuple_differences(
    document: Json, schema: Json, parsed: Any, value: list[Any], path: str
) -> Iterator[str]:
    known = schema["prefixItems"]
    if canonical(_as_numbers(parsed.to_list())) != canonical(_as_numbers(value)):
        yield f"{path}: written back as {canonical(parsed.to_list())[:400]}"
    if canonical(list(parsed.additional_items)) != canonical(value[len(known) :]):
        yield f"{path}: additional {parsed.additional_items!r}"
    for node, item in zip(known, value, strict=False):
        attribute = _attribute(parsed, node, node["x-name"])
        yield from _differences(document, node, attribute, item, f"{path}.{node['x-name']}")


def _as_numbers(value: Any) -> Any:
    """Return JSON with all numbers as `Decimal`: an integer may be typed as a number."""
    if isinstance(value, list):
        return [_as_numbers(each) for each in value]
    if isinstance(value, dict):
        return {name: _as_numbers(each) for name, each in value.items()}
    return Decimal(value) if type(value) is int else value


def _attribute(parsed: Any, node: Json, name: str) -> Any:
    """Return the attribute of a field. That of a deprecated one warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(parsed, node.get("x-python-name", python_name(name)))


def _object_differences(
    document: Json, schema: Json, parsed: Any, value: Json, path: str
) -> Iterator[str]:
    schemas = schema.get("properties", {})
    if canonical(_as_numbers(parsed.to_dict())) != canonical(_as_numbers(value)):
        yield f"{path}: written back as {canonical(parsed.to_dict())[:400]}"
    unknown = {name: each for name, each in value.items() if name not in schemas}
    if canonical(dict(parsed.additional_properties)) != canonical(unknown):
        yield f"{path}: additional {parsed.additional_properties!r}"
    for name, node in schemas.items():
        place, attribute = f"{path}.{name}", _attribute(parsed, node, name)
        if name in value:
            yield from _differences(document, node, attribute, value[name], place)
            instant = resolve(document, node).get("x-instant")
            if instant and (found := _read_instant(parsed, instant)) != _instant(value[name]):
                yield f"{place}: {instant} is {found!r}"
        elif "null" in resolve(document, node).get("type", ()):
            if type(attribute).__name__ != "Missing":
                yield f"{place}: {attribute!r}, not MISSING"
        elif attribute is not None:
            yield f"{place}: {attribute!r}, not None"


def _read_instant(parsed: Any, name: str) -> Any:
    try:
        instant = getattr(parsed, name)
    except OverflowError as error:
        return type(error)
    return instant and (instant, instant.utcoffset())


def _instant(ms: int) -> Any:
    """Return an instant and its zone: exact to the ms, `None` for 0, no year beyond 9999."""
    try:
        return (EPOCH + timedelta(milliseconds=ms), timedelta(0)) if ms else None
    except OverflowError as error:
        return type(error)
