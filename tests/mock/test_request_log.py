"""Test the request log: reasons, explained signatures, counts, and assert_signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from binance_usdm import Client, TimestampError
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, ManualClock, Switches
from binance_usdm.mock.core.query import Query
from binance_usdm.mock.state.request_log import LOG_BYTES_LIMIT
from tests.support.signed_requests import PATH, T0, send_query, sign_query
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

QUERY = f"recvWindow=5000&timestamp={T0}"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


def over(payload: str | bytes, secret: str = DEFAULT_API_SECRET, query: str = QUERY) -> str:
    """Return a query with the signature of another payload."""
    signed = payload.encode() if isinstance(payload, str) else payload
    return f"{query}&signature={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


MISTAKES = {
    "alphabetical order": over(
        f"recvWindow=5000&timestamp={T0}", query=f"timestamp={T0}&recvWindow=5000"
    ),
    "percent-decoded": over(QUERY, query=QUERY.replace("5000", "%35000")),
    "a question mark": over(f"?{QUERY}"),
    "the path and the query": over(f"{PATH}?{QUERY}"),
    "a newline, not": over(f"{QUERY}\n"),
    "another ampersand": over(f"{QUERY}&"),
    "nothing at all": over(""),
    "a query without recvWindow": over(f"timestamp={T0}"),
    "the parameters as JSON, not": over(f'{{"recvWindow": "5000", "timestamp": "{T0}"}}'),
    "JSON without spaces": over(f'{{"recvWindow":"5000","timestamp":"{T0}"}}'),
    "the API key instead of the secret": over(QUERY, DEFAULT_API_KEY),
    "the secret and a newline": over(QUERY, DEFAULT_API_SECRET + "\n"),
    "the secret and a space": over(QUERY, DEFAULT_API_SECRET + " "),
    "between quotation marks": over(QUERY, f'"{DEFAULT_API_SECRET}"'),
    "an empty secret": over(QUERY, ""),
    "the secret of another key": over(QUERY, "the other's secret"),
    "is in base64": f"{QUERY}&signature="
    + quote(
        base64.b64encode(hmac.digest(DEFAULT_API_SECRET.encode(), QUERY.encode(), "sha256")),
        safe="",
    ),
    "64 hex digits expected, 7 characters received": f"{QUERY}&signature=abcdefg",
    "of other bytes or of another secret": over(QUERY + "1"),
    "signature is not the last parameter": "&".join(reversed(sign_query(QUERY).rsplit("&", 1))),
}


@pytest.mark.parametrize("says", MISTAKES)
def test_wrong_signatures_are_explained(exchange: Exchange, says: str) -> None:
    """The log says what was signed instead, or with what."""
    exchange.add_account("other", "the other's secret")
    assert send_query(exchange, MISTAKES[says]).code == -1022
    logged = exchange.requests[-1]
    assert says in logged.refusal
    assert DEFAULT_API_SECRET not in logged.refusal
    assert "the other's secret" not in logged.refusal


def test_a_wrong_signature_of_another_kind_is_explained_too(exchange: Exchange) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    exchange.add_account("asymmetric", public)
    for payload, says in ((f"?{QUERY}", "a question mark"), (f"{QUERY}1", "another private key")):
        proof = quote(base64.b64encode(private.sign(payload.encode())), safe="")
        assert send_query(exchange, f"{QUERY}&signature={proof}", "asymmetric").code == -1022
        assert says in exchange.requests[-1].refusal


def test_a_text_that_is_no_parameter_is_never_repeated(exchange: Exchange) -> None:
    exchange.switches = Switches(unknown_parameter=None)
    send_query(exchange, over(QUERY, query=f"{QUERY}&a-secret-in-the-wrong-place"))
    logged = exchange.requests[-1]
    assert (logged.code, "secret-in" in logged.refusal) == (-1022, False)


def test_a_query_of_thousands_of_names_is_judged_at_once(exchange: Exchange) -> None:
    exchange.switches = Switches(unknown_parameter=None)
    begun = time.process_time()
    send_query(
        exchange,
        over("nothing", query="&".join([QUERY, *(f"name{number}=1" for number in range(8000))])),
    )
    assert exchange.requests[-1].code == -1022
    assert time.process_time() - begun < 1


def test_no_repr_of_what_treats_a_request_shows_a_credential(exchange: Exchange) -> None:
    send_query(exchange)
    shown = repr([exchange._engine.state, Query.parse(sign_query().encode()), exchange.requests])
    assert DEFAULT_API_KEY not in shown
    assert sign_query().rpartition("=")[2] not in shown


def test_the_log_shows_what_had_to_be_signed_beside_what_came(exchange: Exchange) -> None:
    sent = sign_query(QUERY.replace("5000", "%35000"))
    send_query(exchange, sent)
    send_query(exchange, f"timestamp={T0}")
    exchange.handle("GET", TIME_PATH.encode(), [])
    first, second, third = exchange.requests
    assert (first.signed_payload, first.raw_query) == (
        QUERY.replace("5000", "%35000").encode(),
        sent.encode(),
    )
    assert (second.signed_payload, third.signed_payload) == (None, None)
    assert [logged.number for logged in exchange.requests] == [1, 2, 3]


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (1000, "1000 ms ahead of"),
        (-5001, "5001 ms behind the exchange's clock; recvWindow is 5000 ms"),
    ],
)
def test_wrong_timestamps_are_explained(exchange: Exchange, ahead: int, says: str) -> None:
    """The log says by how many milliseconds a timestamp is off."""
    assert send_query(exchange, sign_query(f"timestamp={T0 + ahead}")).code == -1021
    refusal = exchange.requests[-1].refusal
    assert says in refusal
    assert refusal.endswith(
        "; clock=exchange.clock gives a client in Python the time of this exchange"
    )


def test_the_hint_about_the_clock_helps(exchange: Exchange) -> None:
    """A client follows it, and needs no second request to correct its clock."""
    key, secret = exchange.api_key, exchange.api_secret
    with Client(key, secret, transport=exchange.transport, clock=exchange.clock) as client:
        client.balance()
    with (
        Client(key, secret, transport=exchange.transport, clock=lambda: T0 + 5000) as client,
        pytest.raises(TimestampError),
    ):
        client.balance()
    assert [request.status for request in exchange.requests] == [200, 400]
    with pytest.raises(AssertionError, match=r"clock=exchange\.clock"):
        exchange.assert_signed()


def test_rejected_keys_are_explained(exchange: Exchange) -> None:
    """The log says why a key was rejected."""
    exchange.add_account("listed", "secret", addresses=["203.0.113.1"], permissions=["futures"])
    send_query(exchange, key="unknown")
    send_query(exchange, key="listed")
    send_query(exchange, key="listed", address="203.0.113.1")
    assert [logged.refusal for logged in exchange.requests] == [
        "no account has this key",
        "the key must not be used from 127.0.0.1",
        "the key lacks the permission reading",
    ]
    assert [logged.address for logged in exchange.requests] == [
        "127.0.0.1",
        "127.0.0.1",
        "203.0.113.1",
    ]


def test_faulted_requests_are_checked_too(exchange: Exchange) -> None:
    """A request that a fault or a limit responded to is checked too."""
    exchange.switches = Switches(weight_limit=BALANCE_WEIGHT)
    exchange.fail("waf")
    send_query(exchange, sign_query(QUERY, "wrong"))
    send_query(exchange)
    send_query(exchange, key="unknown")
    fault, good, limited = exchange.requests
    assert (fault.status, fault.fault, "another secret" in fault.refusal) == (403, "waf", True)
    assert (good.status, good.fault, good.refusal) == (200, None, "")
    assert (limited.status, limited.fault, limited.refusal) == (
        429,
        None,
        "no account has this key",
    )


def test_how_requests_ended_is_counted_also_beyond_the_log() -> None:
    exchange = Exchange(clock=ManualClock(T0), log_size=2)
    for _ in range(3):
        send_query(exchange)
    send_query(exchange, key="unknown")
    exchange.handle("GET", b"/nowhere", [])
    assert exchange.counts == {
        ("balance", 200, None): 3,
        ("balance", 401, -2015): 1,
        (None, 404, -5000): 1,
    }
    assert exchange.requests[-1].number == 5


# -- assert_signed


def test_good_requests_pass_whatever_answered_them(exchange: Exchange) -> None:
    send_query(exchange)
    exchange.fail("unavailable")
    send_query(exchange)
    exchange.handle("GET", TIME_PATH.encode(), [])
    exchange.handle("GET", b"/nowhere", [])
    exchange.assert_signed()
    exchange.assert_signed(operation="balance", api_key=DEFAULT_API_KEY)


def test_a_bad_request_among_good_ones_is_named_with_its_reason(exchange: Exchange) -> None:
    send_query(exchange)
    exchange.fail("unavailable")
    send_query(exchange, over(f"?{QUERY}"))
    with pytest.raises(
        AssertionError,
        match=rf"1 of 2 requests(.|\n)*request 2, GET {BALANCE_PATH}: .*question mark",
    ) as caught:
        exchange.assert_signed()
    assert DEFAULT_API_KEY not in str(caught.value)
    exchange.add_account("other", "its secret")
    send_query(exchange, sign_query(secret="its secret"), "other")
    exchange.assert_signed(api_key="other")


@pytest.mark.parametrize(
    "asked",
    [{}, {"operation": "balance"}, {"api_key": "unknown-key"}, {"operation": "server_time"}],
)
def test_assert_signed_needs_requests(exchange: Exchange, asked: dict[str, Any]) -> None:
    """assert_signed fails without a request that needs a signature."""
    exchange.handle("GET", TIME_PATH.encode(), [])
    if "api_key" in asked:
        send_query(exchange)
    with pytest.raises(AssertionError, match="no request to an operation that needs a signature"):
        exchange.assert_signed(**asked)
    with pytest.raises(ValueError, match="unknown operation 'balence'"):
        exchange.assert_signed(operation="balence")


def test_the_log_is_bounded_in_bytes(exchange: Exchange) -> None:
    """Large requests push older ones out of the log; all of them are counted."""
    body = bytes(1024 * 1024)
    for _ in range(100):
        exchange.handle("POST", PATH.encode(), (), body)
        exchange.handle("GET", PATH.encode(), [(b"x", body)])
        exchange.handle("GET", b"/" + body.hex().encode(), ())
    kept = sum(logged.size_bytes for logged in exchange.requests)
    assert 30 * 1024 * 1024 < kept <= LOG_BYTES_LIMIT
    assert sum(exchange.counts.values()) == exchange.requests[-1].number == 300
    exchange.handle("GET", PATH.encode(), [(b"x", bytes(LOG_BYTES_LIMIT + 1))])
    assert [logged.number for logged in exchange.requests] == [301]


def test_bodies_of_unknown_paths_are_cut(exchange: Exchange) -> None:
    """Of the body of a request to an unknown path, only the beginning is kept."""
    body = b"beginning" + bytes(1024 * 1024)
    for path in (b"/nowhere", PATH.encode()):
        exchange.handle("DELETE", path, (), body)
        assert exchange.requests[-1].body == body[: 64 * 1024]
    exchange.handle("GET", PATH.encode(), (), body)
    assert exchange.requests[-1].body == body


def test_remembered_signatures_are_small() -> None:
    """A signature of any length takes the same memory, and is recognized again."""
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(refuse_replay=True))
    signatures = ("long" * 10_000, "\udcff")
    for signature in signatures:
        assert not exchange._engine.state.remember_signature(signature)
        assert exchange._engine.state.remember_signature(signature)
    assert {len(digest) for digest in exchange._engine.state.signatures} == {32}
