"""The public API over every kind of transport: the default ones, those of httpx, and ASGI.

The files of SAME run over `httpx.MockTransport` and, where they open a socket, over the default
transports. Here the same functions run over all other setups. ONLY lists the promises that not
every transport can keep.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from binance_usdm import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    DeadlineExceeded,
    IPBannedError,
    RetryPolicy,
    ServerError,
    TransportError,
    UnexpectedResponse,
    UsdmError,
    reset_shared_state,
)
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.messages import HttpResponse
from binance_usdm.mock import Exchange
from tests.client import (
    test_client,
    test_deadline,
    test_errors,
    test_events,
    test_late_trouble,
    test_seams,
)
from tests.client.test_events import (
    _everything_is_logged as _everything_is_logged,
)  # a fixture of the tests from there
from tests.hostile.bodies import IN_THE_BODY
from tests.hostile.error_responses import HINTS
from tests.hostile.server_behavior import MIB, ServerBehavior, matches, outcome_of
from tests.policy import test_clock, test_retries
from tests.support.client_setups import ASGI, HTTPX, MOCK, OWN, clients
from tests.support.clients import (
    BODY,
    NOW,
    ROW,
    BlockingFacade,
    Handler,
    RecordingHandler,
    body_handler,
)
from tests.support.incidents import Incidents
from tests.support.raw_server import READ, RawServer, Script, repeat, response_bytes
from tests.support.spec_facts import BALANCE_WEIGHT
from tests.support.timing import best_duration

ClientOf = Callable[..., BlockingFacade]

SAME = {
    test_client: [
        "a_balance_is_a_list_of_typed_rows", "an_empty_list_is_an_empty_wallet",
        "server_time_needs_no_credentials",
        "the_detailed_call_tells_what_came_along",
        "the_query_is_the_window_if_any_then_the_time_then_the_signature",
        "the_default_transport_sends_exactly_these_bytes",
        "key_and_signature_go_only_where_the_operation_wants_them",
        "a_redirect_is_an_error_and_nothing_is_sent_to_its_target", "a_failed_call_is_one_request",
        "proxies_of_the_environment_are_ignored",
        "credentials_that_are_missing_are_named_before_anything_is_sent",
    ],
    test_clock: [
        "a_wrong_clock_costs_one_reading_and_one_attempt",
        "an_exchange_that_takes_no_timestamp_is_asked_twice",
        "a_clock_of_the_users_own_is_never_corrected",
    ],
    test_deadline: [
        "no_slow_reply_outlasts_the_deadline", "attempts_and_waits_share_one_deadline",
        "a_wait_beyond_the_deadline_is_not_begun_and_the_refusal_is_told",
        "a_refused_connection_is_told_at_once",
        "a_reply_within_the_deadline_is_a_reply",
    ],
    test_errors: ["the_spec_says_which_error_a_code_is"],
    test_events: ["what_happens_is_told_in_order_and_logged_at_its_level"],
    test_late_trouble: [
        "a_ban_is_kept_though_the_limiter_is_slow_to_hear_of_the_weight",
        "a_ban_is_in_force_before_anybody_is_told_of_it",
        "a_transport_that_gives_up_early_is_tried_again",
        "a_corrected_clock_leaves_the_policy_its_attempts",
    ],
    test_retries: ["so_many_attempts_and_no_more", "the_pauses_are_made_and_told"],
    test_seams: [
        "any_object_that_signs_is_a_signer",
        "what_a_signer_raises_is_the_callers_and_nothing_is_sent",
        "every_attempt_is_stamped_and_signed_afresh", "none_gives_up_and_the_last_error_is_raised",
        "weight_is_taken_before_every_attempt_and_learned_from_every_reply",
        "a_full_budget_is_waited_for_within_the_deadline",
        "a_wait_for_weight_beyond_the_deadline_sends_nothing",
    ],
}  # fmt: skip
globals().update(
    {
        f"test_{name}": getattr(module, f"test_{name}")
        for module, names in SAME.items()
        for name in names
    }
)

EVERY = [*OWN, *HTTPX, *MOCK, *ASGI]
ONLY = {
    "test_a_transport_of_ones_own_takes_no_proxy_of_ours": (
        HTTPX,
        "`proxy` is an option of the default transport; another transport may have another one",
    ),
    "test_bytes_that_nobody_asked_for_answer_no_later_call": (
        OWN, "httpx's connections keep bytes after a response and use them for the next one",
    ),
    "test_a_connection_lost_while_idle_is_replaced_and_told_quietly": (
        OWN,
        "only the default transport reports that an idle connection ended before any byte of the "
        "response; elsewhere that is a failed attempt",
    ),
    "test_a_connection_lost_while_idle_is_a_failed_attempt": (
        HTTPX, "the default transport replaces the connection",
    ),
    "test_a_reply_without_an_end_is_refused_at_its_bound": (
        [*OWN, *HTTPX, *MOCK],
        "httpx.ASGITransport collects the whole body before it returns any of it",
    ),
    "test_a_reply_that_is_cut_is_no_value": (
        [*OWN, *HTTPX, *MOCK],
        "ASGI cannot express a cut: httpx.ASGITransport raises an AssertionError",
    ),
}  # fmt: skip
"""Tests of promises that not every transport can keep: the setups that can, and why others cannot.

A call ends by its deadline over each of them. A blocking transport of httpx may continue in its
thread after that, without any effect.
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the setups of a test: those of ONLY, else all that its own file leaves out."""
    test = metafunc.function
    if "make_client" not in metafunc.fixturenames:
        return
    if test.__name__ in ONLY:
        setups, _ = ONLY[test.__name__]
    elif test.__module__ == __name__:
        setups = EVERY
    else:
        setups = HTTPX if "RawServer(" in inspect.getsource(test) else [*OWN, *HTTPX, *ASGI]
    metafunc.parametrize("make_client", setups, ids=lambda setup: setup.name, indirect=True)


@pytest.fixture
def make_client(request: pytest.FixtureRequest) -> Iterator[ClientOf]:
    with clients(request.param) as make_client:
        yield make_client


# the mock exchange, over all setups


def keys(exchange: Exchange) -> dict[str, Any]:
    return {"api_key": exchange.api_key, "api_secret": exchange.api_secret}


def test_the_mock_exchange_gets_the_same_signed_call(make_client: ClientOf) -> None:
    exchange = Exchange()
    exchange.seed("balance", [ROW])
    client = make_client(exchange, **keys(exchange))
    response = client.balance_detailed(recv_window=3000)
    assert ([row.to_dict() for row in response.parsed], response.used_weight) == (
        [ROW],
        BALANCE_WEIGHT,
    )
    assert client.server_time().server_time > 0
    with pytest.raises(AuthenticationError):
        make_client(exchange, **{**keys(exchange), "api_secret": "another-secret"}).balance()
    logged = [
        (each.operation, each.status, [name for name, _ in each.query])
        for each in exchange.requests
    ]
    signed = ["recvWindow", "timestamp", "signature"]
    assert logged == [
        ("balance", 200, signed),
        ("server_time", 200, []),
        ("balance", 400, signed[1:]),
    ]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "unavailable"}, ServerError),
        ({"fault": "banned"}, IPBannedError),
        ({"fault": "waf"}, APIError),
        ({"fault": "latency", "seconds": 2}, DeadlineExceeded),
        ({"fault": "reset"}, TransportError),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else value.__name__,
)
def test_a_fault_of_the_mock_exchange_is_the_same_error(
    make_client: ClientOf, fault: Any, error: type
) -> None:
    exchange = Exchange()
    exchange.fail(**fault, times=None)
    client = make_client(exchange, **keys(exchange), timeout=0.3)

    def call() -> None:
        with pytest.raises(error):
            client.balance()

    assert best_duration(call, 0.5) <= 0.5
    assert {each.fault for each in exchange.requests} == {fault["fault"]}


# responses of the catalogue, over all setups


def replay(behavior: ServerBehavior) -> Handler:
    """Return a handler that gives the response of a behavior."""
    parser = ResponseParser(MIB)
    for step in behavior.all_steps():
        assert isinstance(step, bytes)
        parser.feed(step)
    response = parser.result()
    assert isinstance(response, HttpResponse)
    headers, stream = [*response.headers.raw], httpx.ByteStream(response.body)
    return lambda _: httpx.Response(response.status, headers=headers, stream=stream)


@pytest.mark.promise("R16", "S14")
@pytest.mark.parametrize("family", [*IN_THE_BODY, "hints"])
def test_a_body_has_the_same_outcome(make_client: ClientOf, family: str) -> None:
    """Encoding, JSON, fields and error bodies are judged alike, whatever transport gave them."""
    for behavior in HINTS if family == "hints" else IN_THE_BODY[family][::3]:
        # A ban would hold the next client, too.
        reset_shared_state()
        client = make_client(replay(behavior), limiter=None, clock=lambda: NOW)
        try:
            found: object = client.balance_detailed()
        except UsdmError as error:
            found = error
        assert matches(outcome_of(found), behavior.due), behavior.name


# what not every way can promise


def test_a_transport_of_ones_own_takes_no_proxy_of_ours(make_client: ClientOf) -> None:
    with pytest.raises(ConfigurationError, match="proxy and transport are both set"):
        make_client(base_url="https://exchange.invalid", proxy="http://127.0.0.1:1")


def test_bytes_that_nobody_asked_for_answer_no_later_call(make_client: ClientOf) -> None:
    with RawServer(repeat(READ, response_bytes(BODY) + response_bytes(b"[]"))) as server:
        client = make_client(base_url=server.url)
        assert [len(client.balance()) for _ in range(3)] == [1, 1, 1]
    assert server.connections == 3


LOST: list[Script] = [[READ, response_bytes(BODY), READ], repeat(READ, response_bytes(BODY))]


def told_of_a_lost_connection(make_client: ClientOf) -> list[str]:
    events = Incidents()
    with RawServer(*LOST) as server:
        client = make_client(
            base_url=server.url, retry=RetryPolicy(random=lambda: 0.0), on_event=events.append
        )
        assert [len(client.balance()) for _ in range(2)] == [1, 1]
    return [event.kind for event in events]


def test_a_connection_lost_while_idle_is_replaced_and_told_quietly(make_client: ClientOf) -> None:
    assert told_of_a_lost_connection(make_client) == ["reconnect"]


def test_a_connection_lost_while_idle_is_a_failed_attempt(make_client: ClientOf) -> None:
    assert told_of_a_lost_connection(make_client) == ["retry"]


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Body without an end: the client must stop reading."""

    sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.sent += 9999
            yield b" " * 9999

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


@pytest.mark.promise("S14")
def test_a_reply_without_an_end_is_refused_at_its_bound(
    make_client: ClientOf, request: pytest.FixtureRequest
) -> None:
    body, setup = Endless(), request.node.callspec.params["make_client"]
    for stream in (body, httpx.ByteStream(BODY.ljust(MIB + 1))):
        client = make_client(lambda _, stream=stream: httpx.Response(200, stream=stream))
        with pytest.raises(UnexpectedResponse, match="at most 1048576 bytes, found more"):
            client.balance()
    assert body.sent > MIB
    # A socket takes more than is read of it.
    assert body.sent <= MIB + 9999 or setup not in MOCK
    # The default transports count the head, too.
    assert setup in OWN or len(make_client(body_handler(BODY.ljust(MIB))).balance()) == 1


@pytest.mark.parametrize("after", [0, 5])
def test_a_reply_that_is_cut_is_no_value(make_client: ClientOf, after: int) -> None:
    exchange = Exchange()
    exchange.fail("cut", after=after)
    client = make_client(exchange, **keys(exchange))
    with pytest.raises(TransportError):
        client.balance()
    assert client.balance()


def test_a_closed_client_refuses_calls(make_client: ClientOf) -> None:
    client = make_client(RecordingHandler())
    client.balance()
    client.close()
    with pytest.raises(TransportError, match="closed"):
        client.balance()
