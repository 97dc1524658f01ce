"""A client that gets the reply it is to get, and the judge of what it makes of it. Knows no reply and no table."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from binance_usdm import Response, RetryPolicy, UsdmError

from .error_tables import ExpectedOutcome
from .facade import Sdk, arguments_of, python_name
from .raw_requests import KEY, SECRET, T0
from .response_bodies import DescribedResponse, decode_value, exact
from .spec_facts import Json, OperationFact, resolve

Ask = Callable[..., Any]
"""(operation, status, body, *headers) -> the client's response or its error; whatever else it raises is a finding."""


class _NoBudget:
    """A limiter that remembers nothing: each reply is judged alone."""

    def acquire(self, weight: int) -> float:
        return 0.0

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def cooldown_left(self) -> float:
        return 0.0

    def observe(self, used_weight: int) -> None: ...


def client_of(sdk: Sdk, transport: Any) -> Any:
    limiter = _NoBudget()
    client = sdk.client(
        KEY, SECRET, transport=transport, clock=lambda: T0, retry=RetryPolicy.off(), limiter=limiter
    )
    client._shared = client._shared._replace(
        limiter=limiter
    )  # nor is a ban remembered for the address
    return client


@contextmanager
def listening(sdk: Sdk, *, one_client: bool = False) -> Iterator[Ask]:
    """Yield a function that has a client get a response, whatever it asks.

    Each response has a new client, which has learned its account from no other response, unless
    `one_client` is set.
    """
    reply = httpx.Response(500)
    transport: Any = sdk.recorder(lambda request: reply)
    transport.handle_request = lambda request: reply
    client = client_of(sdk, transport)
    with asyncio.Runner() as runner:

        def ask(
            fact: OperationFact, status: int, body: bytes, *headers: tuple[bytes, bytes]
        ) -> Any:
            nonlocal reply
            reply = httpx.Response(status, headers=[*headers], stream=httpx.ByteStream(body))
            return asked(client if one_client else client_of(sdk, transport), fact, runner)

        yield ask


def asked(client: Any, fact: OperationFact, runner: asyncio.Runner) -> Any:
    try:
        made = getattr(client, f"{python_name(fact.id)}_detailed")(
            **arguments_of(fact, fact.required)
        )
        return runner.run(made) if inspect.iscoroutine(made) else made
    except UsdmError as error:
        return error


def outcome(came: Any) -> ExpectedOutcome:
    """Class, HTTP status and code of a response or an error; status 0 where no complete reply came."""
    status = came.status_code if isinstance(came, Response) else getattr(came, "status", 0)
    return type(came), status, getattr(came, "code", None)


def same(document: Json, reply: DescribedResponse, came: Any, body: bytes) -> None:
    """A response whose value is that of the body: each attribute typed and exact, and all of it written back the same."""
    assert isinstance(came, Response), f"{reply.fact.id}: {came!r} for {body[:400]!r}"
    value = _with_plain_amounts(document, reply.schema, decode_value(body))
    departures = [*_departures(document, reply.schema, came.parsed, value, reply.fact.id)]
    assert not departures, f"{departures[:3]} for {body[:400]!r}"


def _with_plain_amounts(document: Json, schema: Json, value: Any) -> Any:
    """The value with each amount in plain digits, as it is written back."""
    schema = resolve(document, schema)
    if isinstance(value, list):
        return [_with_plain_amounts(document, schema["items"], each) for each in value]
    if isinstance(value, dict):
        known = schema["properties"]
        return {
            name: _with_plain_amounts(document, known[name], each) if name in known else each
            for name, each in value.items()
        }
    is_amount = schema.get("format") == "decimal" and value is not None
    return format(Decimal(value), "f") if is_amount else value


def _departures(document: Json, schema: Json, parsed: Any, value: Any, where: str) -> Iterator[str]:
    schema = resolve(document, schema)
    if isinstance(value, list):
        if type(parsed) is not list or len(parsed) != len(value):
            yield f"{where}: {type(parsed).__name__}"
            return
        for row, each in enumerate(value):
            yield from _departures(document, schema["items"], parsed[row], each, f"{where}[{row}]")
    elif isinstance(value, dict):
        yield from _object_departures(document, schema["properties"], parsed, value, where)
    elif schema.get("format") == "decimal" and value is not None:
        if type(parsed) is not Decimal or format(parsed, "f") != value:
            yield f"{where}: {parsed!r}, not {value!r}"
    elif type(parsed) is not type(value) or parsed != value:
        yield f"{where}: {parsed!r}, not {value!r}"


def _object_departures(
    document: Json, members: Json, parsed: Any, value: Json, where: str
) -> Iterator[str]:
    if exact(parsed.to_dict()) != exact(value):
        yield f"{where}: written back as {exact(parsed.to_dict())[:400]}"
    rest = {name: each for name, each in value.items() if name not in members}
    if exact(dict(parsed.additional_properties)) != exact(rest):
        yield f"{where}: additional {parsed.additional_properties!r}"
    for name, member in members.items():
        attribute, place = python_name(name), f"{where}.{name}"
        if name in value:
            yield from _departures(document, member, getattr(parsed, attribute), value[name], place)
            instant = resolve(document, member).get("x-instant")
            if instant and _instant(parsed, instant) != _moment(value[name]):
                yield f"{place}: {instant} is {_instant(parsed, instant)!r}"
        elif getattr(parsed, attribute) is not None:
            yield f"{place}: {getattr(parsed, attribute)!r}, not None"


def _instant(parsed: Any, name: str) -> Any:
    try:
        moment = getattr(parsed, name)
    except OverflowError as error:
        return type(error)
    return moment and (moment, moment.utcoffset())


def _moment(ms: int) -> Any:
    """What an instant must be: with its zone, exact to the millisecond; nothing for 0, no year beyond 9999."""
    try:
        return (
            (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms), timedelta(0))
            if ms
            else None
        )
    except OverflowError as error:
        return type(error)


def judged(wanted: ExpectedOutcome, came: Any, reply: DescribedResponse, body: bytes) -> None:
    assert outcome(came) == wanted, f"{reply.fact.id}: {came!r}, not {wanted}, for {body[:400]!r}"
