"""Layer B, what one call with default settings does not show: the next call, settings, types of arguments. One function a claim.

Each takes a document, an SDK and a way to make an exchange, goes through every operation and raises AssertionError.
"""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from binance_usdm import APIError, ConfigurationError, RetryPolicy
from binance_usdm.mock import Reply

from .facade import RecordedCall, Sdk, SentRequest, arguments_of, call_method, python_name
from .raw_requests import KEY, SECRET, T0, MakeExchange
from .spec_facts import Json, OperationFact, operation_facts

# What is no value of a type, though Python or a web form would take it for one.
OTHERS: Final[dict[str, tuple[Any, ...]]] = {
    "integer": (True, 5000.0, "5000", Decimal(5000), b"5000", [5000]),
    "boolean": (1, 0, "true", "false"),
    "string": (1, 1.5, True, b"x", ["x"]),
}
# (status, code, requests that a client with three attempts makes)
ATTEMPTS: Final = (
    (400, -1022, 1),
    (400, -1102, 1),
    (401, -2015, 1),
    (403, None, 1),
    (404, None, 1),
    (500, -1000, 3),
    (503, None, 3),
    (302, None, 1),
)


def each_call_is_stamped_afresh(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        ticks = itertools.count(T0, 7)
        _, sent = _calls(sdk, make(document), fact, [{}, {}, {}], clock=lambda: next(ticks))  # noqa: B023 - called at once
        stamps = [_query(each).get(fact.timestamp or "") for each in sent]
        assert stamps == (
            [[str(T0 + 7 * place)] for place in range(3)] if fact.timestamp else [None] * 3
        ), f"{fact.id}: {stamps}"


def each_attempt_is_stamped_afresh(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """A request that is made again is another one."""
    retry = RetryPolicy(attempts=3, random=lambda: 0.0)
    for fact in operation_facts(document):
        exchange, ticks = make(document), itertools.count(T0, 7)
        exchange.fail(Reply(500), times=2)
        calls, sent = _calls(sdk, exchange, fact, [{}], retry=retry, clock=lambda: next(ticks))  # noqa: B023 - called at once
        assert calls[0].error is None, f"{fact.id}: {calls[0].error!r}"
        stamps = [_query(each).get(fact.timestamp or "") for each in sent]
        assert stamps == (
            [[str(T0 + 7 * place)] for place in range(3)] if fact.timestamp else [None] * 3
        ), f"{fact.id}: {stamps}"


def a_window_of_the_clients_own_is_sent(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """With every signed call that has none of its own, and with no other."""
    for fact in operation_facts(document):
        given = [{}, {python_name(fact.window): 1500}] if fact.window else [{}]
        _, sent = _calls(sdk, make(document), fact, given, recv_window=3000)
        windows = [_query(each).get(fact.window or "recvWindow") for each in sent]
        assert windows == ([["3000"], ["1500"]] if fact.window else [None]), f"{fact.id}: {windows}"


def a_path_before_the_exchanges_is_kept(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    for fact in operation_facts(document):
        _, sent = _calls(
            sdk, make(document), fact, [{}], base_url="https://gateway.invalid:8443/a/b/"
        )
        assert [each.origin for each in sent] == ["https://gateway.invalid:8443"], fact.id
        assert [each.target.partition(b"?")[0].decode() for each in sent] == [f"/a/b{fact.path}"], (
            fact.id
        )


def arguments_keep_their_type(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    """What is of another type is refused, and nothing is sent."""
    for fact in operation_facts(document):
        for parameter in fact.parameters:
            for value in (
                OTHERS.get(parameter["schema"]["type"], ())
                if parameter["schema"].get("format") != "decimal"
                else ()
            ):
                calls, sent = _calls(
                    sdk, make(document), fact, [{python_name(parameter["name"]): value}]
                )
                assert isinstance(calls[0].error, ConfigurationError), (
                    f"{fact.id}: {parameter['name']}={value!r}"
                )
                assert not sent, f"{fact.id}: {parameter['name']}={value!r}"


def only_what_may_pass_is_tried_again(document: Json, sdk: Sdk, make: MakeExchange) -> None:
    retry = RetryPolicy(attempts=3, random=lambda: 0.0)
    for fact in operation_facts(document):
        for status, code, requests in ATTEMPTS:
            exchange = make(document)
            body = b"<html>" if code is None else b'{"code":%d,"msg":"no"}' % code
            exchange.fail(Reply(status, (), body), times=None)
            calls, sent = _calls(sdk, exchange, fact, [{}], retry=retry)
            assert len(sent) == requests, f"{fact.id}: {status} {code}: {len(sent)} requests"
            assert getattr(calls[0].error, "status", None) == status, (
                f"{fact.id}: {calls[0].error!r}"
            )
            assert status == 302 or isinstance(calls[0].error, APIError), (
                f"{fact.id}: {calls[0].error!r}"
            )


CHECKS: Final = (
    each_call_is_stamped_afresh,
    each_attempt_is_stamped_afresh,
    a_window_of_the_clients_own_is_sent,
    a_path_before_the_exchanges_is_kept,
    arguments_keep_their_type,
    only_what_may_pass_is_tried_again,
)


def _calls(
    sdk: Sdk, exchange: Any, fact: OperationFact, given: list[dict[str, Any]], **options: Any
) -> tuple[list[RecordedCall], list[SentRequest]]:
    """Calls of one client with these settings, and the requests that left it."""
    recorder = sdk.recorder(exchange)
    client = sdk.client(KEY, SECRET, transport=recorder, **{"clock": lambda: T0, **options})
    calls = [RecordedCall(arguments_of(fact, fact.required) | more) for more in given]

    async def run() -> None:
        for call in calls:
            await call_method(client, python_name(fact.id), call)

    asyncio.run(run())
    return calls, recorder.sent


def _query(sent: SentRequest) -> dict[str, list[str]]:
    return parse_qs(sent.target.partition(b"?")[2].decode(), keep_blank_values=True)
