"""Calls of a client's methods by the names of the spec."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import json
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from binance_usdm import ConfigurationError, UsdmError
from binance_usdm.contract._client_layers.sdk import SentRequest
from binance_usdm.contract._spec.document import Json, resolve
from binance_usdm.contract._spec.json_of_values import to_json
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.contract._spec.parameters import parse_value, sample_value
from binance_usdm_wire import OPERATIONS

RESERVED: Final = {*keyword.kwlist, *dir(builtins), "self", "datetime"} - {"id"}
"""Names that get an underscore, so that they do not hide one of Python."""


@dataclass
class RecordedCall:
    """A call of the client, the requests that it sent, and its value or error."""

    arguments: dict[str, Any]
    sent: list[SentRequest] = field(default_factory=list)
    parsed: Any = None
    error: Exception | None = None


async def call_method(client: Any, operation: Operation, call: RecordedCall) -> Any:
    """Call the client and record the outcome; return the response, or `None` for an error."""
    method = getattr(client, f"{python_name(operation.id)}_detailed")
    names = {argument_name(parameter) for parameter in operation.parameters}
    try:
        inspect.signature(method).bind(**call.arguments)
    except TypeError as error:
        call.error = ConfigurationError(str(error))
        return None
    try:
        result = method(**call.arguments)
        response = await result if inspect.isawaitable(result) else result
    except UsdmError as error:
        call.error = error
        return None
    except TypeError as error:
        # A method with **arguments notices an unknown one later. With known ones it is a crash.
        if {*call.arguments} <= names:
            raise
        call.error = ConfigurationError(str(error))
        return None
    call.parsed = to_json(operation.document, operation.result, response.parsed)
    return response


async def call_plain_method(client: Any, operation: Operation, call: RecordedCall) -> None:
    """Call the client's method that returns the value alone, and record the outcome."""
    method = getattr(client, python_name(operation.id))
    try:
        result = method(**call.arguments)
        value = await result if inspect.isawaitable(result) else result
    except UsdmError as error:
        call.error = error
        return
    call.parsed = to_json(operation.document, operation.result, value)


async def close(owner: Any) -> None:
    """Close a client or a transport, if it can be closed."""
    end = getattr(owner, "aclose", None) or getattr(owner, "close", None)
    result = end() if end is not None else None
    if inspect.isawaitable(result):
        await result


def call_each(client: Any, operation: Operation, *arguments: dict[str, Any]) -> list[RecordedCall]:
    """Call a client once with each arguments and those that a caller must give, and close it."""
    return call_in_turn([client], operation, *arguments)


def call_in_turn(
    clients: Sequence[Any], operation: Operation, *arguments: dict[str, Any], transport: Any = None
) -> list[RecordedCall]:
    """Call all clients with each arguments, and close them and the transport that they share."""
    required = sample_arguments(operation)
    calls = [(client, RecordedCall(required | each)) for each in arguments for client in clients]

    async def call_all() -> None:
        for client, call in calls:
            await call_method(client, operation, call)
        for each in (*clients, transport):
            await close(each)

    asyncio.run(call_all())
    return [call for _, call in calls]


def python_name(wire_name: str) -> str:
    """Return the Python name, by the rule of the generator: recvWindow -> recv_window."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()
    return f"{name}_" if name in RESERVED else name


def arguments_of(operation: Operation, query: str) -> dict[str, Any]:
    """Return a query as arguments of the client's method.

    A value that has not its type stays a string, and a repeated parameter is a list.
    """
    parameters = {each["name"]: each for each in operation.parameters}
    arguments: dict[str, Any] = {}
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, text in pairs:
        parameter = parameters.get(name, {"schema": {}})
        key = argument_name(parameter) if name in parameters else name
        value = typed_value(operation, parameter, text)
        arguments[key] = [arguments[key], value] if key in arguments else value
    return arguments


def sample_arguments(operation: Operation, *pairs: str) -> dict[str, Any]:
    """Return the arguments that a caller must give, with valid values, and those of pairs."""
    in_path = [f"{each['name']}={sample_value(each)}" for each in operation.path_parameters]
    return arguments_of(operation, "&".join([*in_path, operation.required_query, *pairs]))


def optional_arguments(operation: Operation) -> dict[str, Any]:
    """Return valid values of the arguments that a caller may leave out."""
    optional = [each for each in operation.query_parameters if not each.get("required")]
    pairs = {each["name"]: f"{each['name']}={sample_value(each)}" for each in optional}
    wrong = {name for name, pair in pairs.items() if name in operation.query_problems(pair)}
    return arguments_of(operation, "&".join(pairs[name] for name in pairs if name not in wrong))


def argument_name(parameter: Json) -> str:
    """Return the name of a method's argument."""
    return str(parameter.get("x-python-name", python_name(parameter["name"])))


def typed_value(operation: Operation, parameter: Json, text: str) -> Any:
    """Return a text as a caller passes it: an amount or a number as a `Decimal`, JSON as typed."""
    schema = parameter["schema"]
    if "content" in parameter:
        return _typed_json(operation, parameter, text)
    if schema.get("type") == "array":
        item = {"schema": resolve(operation.document, schema["items"])}
        return [typed_value(operation, item, part) for part in text.split(",")]
    is_number = schema.get("type") == "number" or schema.get("format") == "decimal"
    if is_number and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?", text):
        return Decimal(text)
    return parse_value(schema, text)


def _typed_json(operation: Operation, parameter: Json, text: str) -> Any:
    name = argument_name(parameter)
    declared = {one.name: one for one in OPERATIONS[operation.id].parameters}
    try:
        return declared[name].read_json(json.loads(text), None)  # type: ignore[misc]
    except ValueError:
        return text
