"""Errors after the response is complete, or before anything is sent, hide no response."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    Client,
    ConfigurationError,
    DeadlineExceeded,
    Event,
    IPBannedError,
    RetryPolicy,
    TransportError,
    WeightLimiter,
)
from binance_usdm._concurrency import threads as threads
from tests.support.clients import (
    BODY,
    KEY,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.timing import best_duration

ClientOf = Callable[..., BlockingFacade]


class Slow(WeightLimiter):
    """A limiter far away, which hears of the used weight late."""

    blocking = True

    def observe(self, used_weight: int) -> None:
        time.sleep(0.3)
        super().observe(used_weight)


USED = {"X_MBX_USED_WEIGHT_1M": "7"}


@pytest.mark.promise("R12")
def test_a_ban_is_kept_though_the_limiter_is_slow_to_hear_of_the_weight(
    make_client: ClientOf,
) -> None:
    exchange = RecordingHandler(error_response(418, -1003, Retry_After="300", **USED), BODY)
    client = make_client(exchange, limiter=Slow(), timeout=0.15)
    for _ in range(2):
        with pytest.raises(IPBannedError):
            client.balance()
    assert len(exchange.requests) == 1


@pytest.mark.promise("R1")
def test_a_good_reply_is_not_thrown_away_because_the_limiter_is_slow(make_client: ClientOf) -> None:
    good = httpx.Response(200, content=BODY, headers={"X-MBX-USED-WEIGHT-1M": "7"})
    assert (
        make_client(RecordingHandler(good), limiter=Slow(), timeout=0.15).balance()[0].asset
        == "USDT"
    )


@pytest.mark.promise("R12")
def test_a_ban_is_in_force_before_anybody_is_told_of_it(make_client: ClientOf) -> None:
    exchange, found = (
        RecordingHandler(error_response(418, -1003, Retry_After="300"), BODY),
        list[object](),
    )

    def observe(event: Event) -> None:
        if event.kind == "cooldown":
            with pytest.raises(IPBannedError) as caught:
                client.client._shared.limiter.cooldown_left()
            found.append(caught.type)

    client = make_client(exchange, on_event=observe)
    with pytest.raises(IPBannedError):
        client.balance()
    assert found == [IPBannedError]


@pytest.mark.promise("S4")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_slip_in_an_options_name_shows_no_secret_of_the_environment(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", "KeyOfTheEnvironment")
    monkeypatch.setenv("BINANCE_API_SECRET", "SecretOfTheEnvironment")
    with pytest.raises(ConfigurationError, match="did you mean 'timeout'") as caught:
        kind.from_env(timout=5)
    records_text = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "OfTheEnvironment" not in records_text


@pytest.mark.promise("R16")
@pytest.mark.parametrize("host", ["xn--a", "xn--0.com", "xn--ls8h.la"])
def test_a_host_in_odd_punycode_is_named_as_it_was_given(make_client: ClientOf, host: str) -> None:
    with pytest.raises(TransportError, match=rf"\({host}\)$"):
        make_client(
            RecordingHandler(httpx.ConnectError("down")), base_url=f"https://{host}"
        ).balance()


@pytest.mark.promise("R4")
@pytest.mark.parametrize("early", [httpx.ConnectTimeout("early"), TimeoutError(110, "timed out")])
def test_a_transport_that_gives_up_early_is_tried_again(
    make_client: ClientOf, early: Exception
) -> None:
    exchange = RecordingHandler(early, BODY)
    assert (
        make_client(exchange, retry=RetryPolicy(random=lambda: 0.0)).balance_detailed().attempts
        == 2
    )
    with pytest.raises(TransportError) as caught:
        make_client(RecordingHandler(early)).balance()
    assert not isinstance(caught.value, DeadlineExceeded)


@pytest.mark.promise("R1")
def test_a_users_own_blocking_transport_does_not_outlast_the_deadline() -> None:
    class Sleeps(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            time.sleep(1)
            return httpx.Response(200, content=BODY)

    def call() -> None:
        with (
            Client(KEY, SECRET, transport=Sleeps(), timeout=0.1) as client,
            pytest.raises(DeadlineExceeded),
        ):
            client.balance()

    assert best_duration(call, 0.2) < 0.2


@pytest.mark.promise("R16")
def test_a_machine_without_threads_to_spare_is_an_error_of_the_tree(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    exchange = RecordingHandler()
    client = make_client(exchange, limiter=Slow())
    monkeypatch.setattr(threads, "_user_code", threads.WorkerPool())
    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(TransportError, match="can't start new thread"):
        client.balance()
    assert exchange.requests == []


@pytest.mark.promise("R6")
def test_a_corrected_clock_leaves_the_policy_its_attempts(make_client: ClientOf) -> None:
    time_ = httpx.Response(200, content=b'{"serverTime": %d}' % (time.time_ns() // 1_000_000))
    exchange = RecordingHandler(
        error_response(400, -1021), time_, error_response(500), error_response(500), BODY
    )
    assert (
        make_client(exchange, retry=RetryPolicy(random=lambda: 0.0)).balance_detailed().attempts
        == 4
    )


def test_a_closed_client_is_no_reason_to_try_again(make_client: ClientOf) -> None:
    client = make_client(RecordingHandler())
    client.close()
    with pytest.raises(TransportError) as caught:
        client.balance()
    assert not caught.value.retryable
