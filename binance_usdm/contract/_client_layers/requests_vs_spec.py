"""Layer B: the client sends what the spec says, byte for byte, and returns what it received."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hypothesis import settings

from binance_usdm.contract._cases.assumed_cases import accepts_only_what_is_described
from binance_usdm.contract._cases.assumptions import DEFAULTS
from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    MakeExchange,
    make_exchange,
    sign,
)
from binance_usdm.contract._cases.schemathesis_setup import (
    EDGES,
    Case,
    Check,
    Problems,
    run_cases,
    run_checks,
)
from binance_usdm.contract._client_layers.calls import (
    argument_name,
)
from binance_usdm.contract._client_layers.facade import Facade
from binance_usdm.contract._client_layers.request_checks.request_parts import send_calls
from binance_usdm.contract._client_layers.sdk import Sdk, SentRequest
from binance_usdm.contract._spec.document import Json, without_credentials
from binance_usdm.contract._spec.exact_json import canonical, first_difference
from binance_usdm.contract._spec.operations import Operation, operation_by_route, operations

from .request_checks import (
    request_attempts,
    request_clock,
    request_concurrency,
    request_connections,
    request_edge_cases,
    request_environment,
    request_headers,
    request_options,
    request_safety,
    request_signing,
    request_sockets,
)

HEADERS: Final = frozenset({b"host", b"user-agent", b"accept", b"accept-encoding"})


def run_requests_vs_spec(
    document: Json, sdk: Sdk, make: MakeExchange = make_exchange, how: settings = EDGES
) -> Problems:
    """Return what the client does not keep of a document, by the name of the check.

    Args:
        document: The document, such as `SPEC`.
        sdk: The client.
        make: Makes the mock exchange behind the client.
        how: Which cases are generated, as settings of hypothesis. By default all examples and edges,
            and no random case.
    """
    problems = run_case_checks(document, sdk, make, how)
    return problems | run_checks(CHECKS, operations(document), sdk, partial(make, document))


def run_case_checks(document: Json, sdk: Sdk, make: MakeExchange, how: settings) -> Problems:
    """Run the checks of all generated calls."""
    exchange = make(document)
    for operation in operations(document):
        value = operation.richest_example
        # A row may come twice.
        exchange.seed(operation.id, value * 2 if isinstance(value, list) else value)
    facade = Facade(document, *sdk.connect(exchange))
    checks = case_checks(document, facade)
    return run_cases(without_credentials(document), facade, checks, how)


def case_checks(document: Json, facade: Facade) -> list[Check]:
    """Return the checks of what the client sends and returns for a case."""
    unsigned = without_credentials(document)
    by_route, unsigned_by_route = operation_by_route(document), operation_by_route(unsigned)

    def wire_conformance(context: Any, response: Any, case: Case) -> None:
        """One request is sent: the arguments as schemathesis writes them, timestamp, signature.

        Nothing is sent for arguments that the document does not allow.
        """
        route = (response.request.method, case.path)
        if (call := facade.calls.get(case.id)) is None:
            return
        query = urlsplit(response.request.url).query
        invalid = unsigned_by_route[route].query_problems(query)
        invalid += unsigned_by_route[route].path_problems(call.arguments)
        count = len(call.sent)
        assert count == (0 if invalid else 1), f"{count} requests; invalid arguments: {invalid}"
        path = urlsplit(response.request.url).path
        for sent in call.sent:
            problems = [*_problems(by_route[route], path, query, sent)]
            assert not problems, "; ".join(problems)

    def transparent(context: Any, response: Any, case: Case) -> None:
        """The value is what the exchange sent, field by field and digit by digit."""
        call = facade.calls.get(case.id)
        if call is not None and call.sent and call.error is None:
            received = json.loads(call.sent[-1].response_body, parse_float=Decimal)
            expected, found = _as_decimals(received, call.parsed), call.parsed
            difference = first_difference(expected, found)
            assert canonical(found) == canonical(expected), f"the value differs{difference}"

    return [wire_conformance, transparent, accepts_only_what_is_described(unsigned, DEFAULTS)]


def _as_decimals(received: Any, parsed: Any) -> Any:
    """Return what was received, with a `Decimal` for each integer that the client types as one."""
    if isinstance(parsed, Decimal) and type(received) is int:
        return Decimal(received)
    if isinstance(received, list) and isinstance(parsed, list):
        return [_as_decimals(*pair) for pair in zip_longest(received, parsed)][: len(received)]
    if isinstance(received, dict) and isinstance(parsed, dict):
        return {name: _as_decimals(each, parsed.get(name)) for name, each in received.items()}
    return received


def expected_query(operation: Operation, query: str) -> str:
    """Return what the client sends for a query of schemathesis: in the spec's order, signed."""
    by_name = {each["name"]: each for each in operation.query_parameters}
    order = [*by_name]
    # requests encodes a space as a form does, the client as RFC 3986 says. The exchange decodes
    # both.
    pairs = [pair for pair in query.replace("+", "%20").split("&") if pair]
    pairs = [_as_client(by_name[pair.partition("=")[0]], pair) for pair in pairs]
    pairs.sort(key=lambda pair: order.index(pair.partition("=")[0]))
    timestamp = [f"{operation.timestamp}={T0}"] if operation.timestamp else []
    return sign(operation, "&".join([*pairs, *timestamp]))


def _as_client(parameter: Json, pair: str) -> str:
    """Return a pair as the client writes it: JSON without spaces, numbers in plain digits."""
    name, _, text = pair.partition("=")
    if "content" in parameter:
        value = json.dumps(json.loads(unquote(text)), ensure_ascii=False, separators=(",", ":"))
        return f"{name}={quote(value, safe='')}"
    schema = parameter["schema"]
    if schema.get("type") == "array":
        return f"{name}={quote(unquote(text), safe='')}"
    if schema.get("type") == "number" or schema.get("format") == "decimal":
        return f"{name}={format(Decimal(unquote(text)), 'f')}"
    return pair


def _problems(operation: Operation, path: str, query: str, sent: SentRequest) -> Iterator[str]:
    origin = operation.origin
    signed = expected_query(operation, query)
    target = f"{path}?{signed}" if signed else path
    names = [name.lower() for name, _ in sent.headers]
    key_name = operation.key_header.lower().encode() if operation.key_header else None
    keys = [value for name, value in sent.headers if name.lower() == key_name]
    other_values = [value for name, value in sent.headers if name.lower() != key_name]
    if sent.target != target.encode():
        yield f"target {sent.target!r}, not {target!r}"
    if (sent.method, sent.origin) != (operation.method, origin):
        yield f"{sent.method} to {sent.origin}"
    if (b"Host", origin.partition("//")[2].encode()) not in sent.headers:
        yield "another host"
    if keys != ([KEY.encode()] if key_name else []):
        yield f"{len(keys)} keys, or another one"
    if not {*names} - {key_name} <= HEADERS or len({*names}) != len(names):
        yield f"headers {names}"
    for secret in (KEY.encode(), SECRET.encode()):
        if any(secret in part for part in (*other_values, sent.target, sent.body)):
            yield "a secret elsewhere"
    if sent.body:
        yield f"a body of {len(sent.body)} bytes"


def only_given_arguments_are_sent(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The client has no default for a parameter, so a call sends required ones only."""
    _, requests = send_calls(sdk, make(), operation, {})
    required = [each["name"] for each in operation.query_parameters if each.get("required")]
    names = sorted(filter(None, (*required, operation.timestamp, operation.signature)))
    for sent in requests:
        found = sorted(name for name, _ in parse_qsl(sent.query, keep_blank_values=True))
        assert found == names, f"{sent.query}"


def arguments_are_declared(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The client lists the operations of the document with their arguments."""
    expected = {
        each.id: {argument_name(parameter) for parameter in each.parameters}
        for each in operations(operation.document)
    }
    found = {
        name: {parameter.name for parameter in each.parameters}
        for name, each in sdk.operations.items()
        # The client may have more operations than the document that is checked.
        if name in expected
    }
    assert found == expected


CHECKS: Final = (
    only_given_arguments_are_sent,
    arguments_are_declared,
    *request_edge_cases.CHECKS,
    *request_headers.CHECKS,
    *request_signing.CHECKS,
    *request_attempts.CHECKS,
    *request_clock.CHECKS,
    *request_connections.CHECKS,
    *request_environment.CHECKS,
    *request_safety.CHECKS,
    *request_options.CHECKS,
    *request_sockets.CHECKS,
    *request_concurrency.CHECKS,
)
