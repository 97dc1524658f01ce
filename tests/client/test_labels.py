"""The label of a client: in its repr, events, log records and errors, on both clients."""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    Client,
    ConfigurationError,
    RetryPolicy,
    UnexpectedResponse,
    UsdmError,
)
from tests.support.clients import (
    BODY,
    KEY,
    SECRET,
    BlockingFacade,
    RecordingHandler,
    error_response,
)
from tests.support.incidents import Incidents

ClientOf = Callable[..., BlockingFacade]
LABEL = "desk-07"
FAILURES: dict[str, Any] = {
    "transport": httpx.ConnectError("down"),
    "rejected": error_response(401, -2015),
    "limited": error_response(429, -1003, Retry_After="60"),
    "not json": httpx.Response(200, content=b"<html>"),
    "argument": BODY,
}


def fail(make_client: ClientOf, name: str, label: str | None) -> UsdmError:
    client = make_client(RecordingHandler(FAILURES[name]), label=label, timeout=0.5)
    with pytest.raises(UsdmError) as caught:
        client.balance(recv_window=0 if name == "argument" else None)
    return caught.value


@pytest.mark.parametrize("name", FAILURES)
def test_every_error_of_a_call_begins_with_the_label(make_client: ClientOf, name: str) -> None:
    """The text is that of a client without a label, with the label before it."""
    error = fail(make_client, name, LABEL)
    plain = fail(make_client, name, None)
    assert (error.label, plain.label) == (LABEL, None)
    assert str(error) == f"{LABEL}: {plain}"
    assert str(copy.copy(error)) == str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_errors_of_the_constructor_begin_with_the_label(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unusable option or variable names the account, and keeps its own text."""
    unusable: tuple[dict[str, Any], ...] = (
        {"timeout": 0}, {"api_secret": "S S"}, {"base_url": "x"}, {"x": 1},
    )  # fmt: skip
    for wrong in unusable:
        options = {"api_key": KEY, "api_secret": SECRET, **wrong}
        texts = []
        for label in (LABEL, None):
            with pytest.raises(ConfigurationError) as caught:
                kind(**options, label=label)
            texts.append(str(caught.value))
        assert texts[0] == f"{LABEL}: {texts[1]}"
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", "S S")
    with pytest.raises(ConfigurationError, match=r"^desk-07: BINANCE_API_SECRET contains a space"):
        kind.from_env(label=LABEL)


def test_connecting_and_a_closed_client_name_the_account() -> None:
    client = Client(KEY, SECRET, base_url="http://127.0.0.1:1", label=LABEL)
    with client, pytest.raises(UsdmError, match=r"^desk-07: .*127\.0\.0\.1"):
        client.connect()
    with pytest.raises(UsdmError, match=r"^desk-07: client is closed"):
        client.balance()
    with pytest.raises(ConfigurationError, match=r"^desk-07: no asyncio event loop is running"):
        AsyncClient(KEY, SECRET, label=LABEL).balance().send(None)
    with pytest.raises(ConfigurationError, match=r"^desk-07: no asyncio event loop is running"):
        AsyncClient(KEY, SECRET, label=LABEL).connect().send(None)


def test_events_and_log_records_name_the_account(
    make_client: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    """`Event.label`, `record.account`, the message and the event's error have the label."""
    events = Incidents()
    handler = RecordingHandler(error_response(500), BODY)
    retry = RetryPolicy(2, random=lambda: 0.0)
    with caplog.at_level(logging.DEBUG, "binance_usdm"):
        for label in (LABEL, None):
            handler.requests.clear()
            make_client(handler, label=label, retry=retry, on_event=events.append).balance()
    assert [(event.kind, event.label) for event in events] == [("retry", LABEL), ("retry", None)]
    assert [event.error and event.error.label for event in events] == [LABEL, None]
    records = [record for record in caplog.records if record.name == "binance_usdm"]
    assert {getattr(record, "account", "none") for record in records} == {LABEL, None}
    records = [record for record in records if record.levelno > logging.DEBUG]
    assert [getattr(record, "account", "none") for record in records] == [LABEL, None]
    assert records[0].getMessage().startswith(f"{LABEL}: balance, attempt 1: next attempt in")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_repr_shows_the_label(kind: Any) -> None:
    shown = repr(kind(KEY, SECRET, label="Kasse 7 – €"))
    assert shown == f"{kind.__name__}(base_url='https://fapi.binance.com', label='Kasse 7 – €')"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("label", ["", "a\nb", "\x1b[2J", " a", "a" * 65, 7, KEY, SECRET])
def test_an_unusable_label_is_rejected(kind: Any, label: Any) -> None:
    """A label is short and printable, and never the key or the secret, which it would show."""
    with pytest.raises(ConfigurationError, match=r"^label must ") as caught:
        kind(KEY, SECRET, label=label)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_label_changes_no_equality(make_client: ClientOf) -> None:
    """What a caller compares of an error stays as it is."""
    error = fail(make_client, "not json", LABEL)
    assert isinstance(error, UnexpectedResponse)
    assert (error.path, error.status, error.retryable) == ((), 200, True)
