"""Test the switches: each changes the behavior that it names."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import inspect
import itertools
import json
import re
from typing import Any

import pytest

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Exchange,
    ManualClock,
    Reply,
    Switches,
)
from binance_usdm.mock.core import switches as module
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

T0 = 1_700_000_000_000
STAMP = f"timestamp={T0}"
TIME = TIME_PATH.encode()


def exchange(**switches: Any) -> Exchange:
    return Exchange(clock=ManualClock(T0), switches=Switches(**switches))


def ask(
    asked: Exchange, query: str = STAMP, key: str = DEFAULT_API_KEY, signature: str | None = None
) -> Reply:
    proof = hmac.new(DEFAULT_API_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    target = f"{BALANCE_PATH}?{query}&signature={signature or proof}"
    return asked.handle("GET", target.encode(), [(b"X-MBX-APIKEY", key.encode())])


def header(reply: Reply, name: bytes) -> bytes | None:
    return {known.lower(): value for known, value in reply.headers}.get(name.lower())


@pytest.mark.parametrize(
    "order", list(itertools.permutations(("key", "parameters", "timestamp", "signature")))
)
@pytest.mark.promise("M15")
def test_the_first_check_in_order_speaks(order: tuple[str, ...]) -> None:
    asked = exchange(order=order)
    mistakes = {
        "key": "unknown",
        "parameters": "x=1&",
        "timestamp": str(T0 - 9000),
        "signature": "0" * 64,
    }
    codes = {"key": -2015, "parameters": -1104, "timestamp": -1021, "signature": -1022}
    # No signature can be verified with an unknown key, so the signature check reports the key.
    reply = ask(
        asked,
        f"{mistakes['parameters']}timestamp={mistakes['timestamp']}",
        signature=mistakes["signature"],
    )
    first = next(check for check in order if check != "key")
    assert reply.code == codes[first]
    reply = ask(
        asked, f"{mistakes['parameters']}timestamp={mistakes['timestamp']}", key=mistakes["key"]
    )
    first = order[0]
    assert reply.code == codes["key" if first == "signature" else first]


def test_a_check_that_comes_early_still_reads_what_it_needs() -> None:
    asked = exchange(order=("signature", "timestamp", "key", "parameters"))
    assert asked.handle("GET", BALANCE_PATH.encode(), []).code == -1102
    assert ask(asked, "recvWindow=1").code == -1102
    assert ask(asked, "timestamp=x").code == -1102
    assert ask(asked, f"recvWindow=x&{STAMP}").code == -1100


@pytest.mark.parametrize("code", [-1104, -1103, -1101, None])
def test_an_unknown_parameter_is_answered_as_switched(code: int | None) -> None:
    assert ask(exchange(unknown_parameter=code), f"x=1&{STAMP}").code == code


@pytest.mark.parametrize("code", [-1100, -1102, -1130])
def test_malformed_values_are_answered_as_switched(code: int) -> None:
    assert ask(exchange(malformed_mandatory=code), "timestamp=x").code == code
    assert ask(exchange(malformed_optional=code), f"recvWindow=x&{STAMP}").code == code
    assert ask(exchange(out_of_range=code), f"recvWindow=0&{STAMP}").code == code


@pytest.mark.parametrize("code", [-1102, -1022])
def test_a_missing_signature_is_answered_as_switched(code: int) -> None:
    headers = [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
    reply = exchange(missing_signature=code).handle(
        "GET", f"{BALANCE_PATH}?{STAMP}".encode(), headers
    )
    assert (reply.status, reply.code) == (400, code)


def test_a_signature_elsewhere_can_be_allowed() -> None:
    rest = f"recvWindow=5000&{STAMP}"
    proof = hmac.new(DEFAULT_API_SECRET.encode(), rest.encode(), hashlib.sha256).hexdigest()
    headers = [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
    for query in (f"signature={proof}&{rest}", f"recvWindow=5000&signature={proof}&{STAMP}"):
        target = f"{BALANCE_PATH}?{query}".encode()
        assert exchange(signature_last=False).handle("GET", target, headers).status == 200
        assert exchange(signature_last=True).handle("GET", target, headers).code == -1022


def test_a_reused_signature_can_be_refused() -> None:
    strict, real = exchange(refuse_replay=True), exchange()
    assert [ask(strict).code, ask(strict).code, ask(strict, f"timestamp={T0 + 1}").code] == [
        None,
        -1022,
        None,
    ]
    assert [ask(real).code, ask(real).code] == [None, None]


def test_a_signature_that_ran_into_a_fault_counts_as_used() -> None:
    strict = exchange(refuse_replay=True)
    strict.fail("unavailable")
    assert [ask(strict).status, ask(strict).code] == [503, -1022]


@pytest.mark.promise("M18")
def test_the_window_can_have_a_maximum() -> None:
    capped = exchange(window_maximum=60000)
    assert ask(capped, f"recvWindow=60000&{STAMP}").status == 200
    reply = ask(capped, f"recvWindow=60001&{STAMP}")
    assert (reply.status, reply.code, json.loads(reply.body)["msg"]) == (
        400,
        -1131,
        "recvWindow must be less than 60000",
    )
    assert ask(exchange(), f"recvWindow=60001&{STAMP}").status == 200


@pytest.mark.promise("M19")
def test_microseconds_can_be_understood() -> None:
    assert ask(exchange(microseconds=True), f"timestamp={T0}999").status == 200
    assert ask(exchange(microseconds=True)).status == 200
    assert ask(exchange(), f"timestamp={T0}999").code == -1021


def test_the_format_of_a_key_can_be_narrowed() -> None:
    key = "aZ09" * 16
    strict = Exchange(
        api_key=key, clock=ManualClock(T0), switches=Switches(key_format="[A-Za-z0-9]{64}")
    )
    assert [
        ask(strict, key=sent).code for sent in (key, "x" * 64, key[:-1], f"{key}x", f"{key[:-1]}-")
    ] == [*(None, -2015, -2014, -2014, -2014)]
    assert ask(exchange(), key=key[:-1]).code == -2015, (
        "short fake keys must work, so a cut key looks unknown"
    )
    with pytest.raises(ValueError, match="key_format"):
        exchange(key_format="[A-Za-z0-9]{64}")


@pytest.mark.promise("M16")
def test_a_doubtful_status_can_be_set_by_code() -> None:
    asked = exchange(statuses={-1131: 422, -2015: 400, -2008: 400}, window_maximum=1)
    assert ask(asked, f"recvWindow=2&{STAMP}").status == 422
    assert ask(asked, key="unknown").status == 400
    asked.fail("wrong-environment")
    assert ask(asked).status == 400


@pytest.mark.promise("M8")
def test_an_unknown_path_can_be_a_page() -> None:
    for kind, mime in (("json", b"application/json"), ("html", b"text/html")):
        reply = exchange(not_found=kind).handle("GET", b"/nowhere", [])
        assert (reply.status, header(reply, b"Content-Type")) == (404, mime)


def test_a_wrong_method_can_be_a_405_that_names_the_right_one() -> None:
    reply = exchange(wrong_method=405, not_found="html").handle("POST", TIME, [])
    assert (reply.status, reply.code, header(reply, b"Allow")) == (405, -5000, b"GET")
    assert exchange(wrong_method=405).handle("POST", b"/nowhere", []).status == 404
    assert exchange().handle("POST", TIME, []).status == 404


@pytest.mark.promise("M10")
def test_the_callers_address_can_be_named() -> None:
    reply = ask(exchange(caller_ip="203.0.113.7"), key="unknown")
    assert json.loads(reply.body)["msg"].endswith("for action., request ip: 203.0.113.7")
    banned = exchange(caller_ip="203.0.113.7", weight_limit=1, ban_after=0)
    banned.spend(1)
    assert "IP(203.0.113.7) banned until" in json.loads(banned.handle("GET", TIME, []).body)["msg"]
    assert b"203" not in ask(exchange(), key="unknown").body


@pytest.mark.parametrize("ban_after", [0, 1])
@pytest.mark.promise("M6", "M17")
def test_retry_after_can_be_left_out(ban_after: int) -> None:
    for sent in (True, False):
        asked = exchange(retry_after=sent, weight_limit=1, ban_after=ban_after)
        asked.spend(1)
        reply = asked.handle("GET", TIME, [])
        assert (header(reply, b"Retry-After") is not None) is sent


def test_the_used_weight_can_be_left_out() -> None:
    assert header(ask(exchange()), b"X-MBX-USED-WEIGHT-1M") == b"%d" % BALANCE_WEIGHT
    assert header(ask(exchange(used_weight=False)), b"X-MBX-USED-WEIGHT-1M") is None


@pytest.mark.parametrize(
    ("offset", "date"),
    [
        (0, b"Tue, 14 Nov 2023 22:13:20 GMT"),
        (46_800, b"Wed, 15 Nov 2023 11:13:20 GMT"),
        (-1_699_999_999, b"Thu, 01 Jan 1970 00:00:01 GMT"),
        (-1_700_000_001, None),
        (10**12, None),
        (None, None),
    ],
)
def test_the_date_is_the_mocks_or_another_one(offset: int | None, date: bytes | None) -> None:
    """It follows the mock's clock, on rejections and faults too; a custom response has none."""
    asked = exchange(date_offset=offset)
    asked.fail("waf", nth=3)
    replies = [ask(asked), ask(asked, key="unknown"), ask(asked), asked.handle("GET", b"/x", [])]
    assert [reply.status for reply in replies] == [200, 401, 403, 404]
    assert [header(reply, b"Date") for reply in replies] == [date] * 4
    asked.fail(Reply(200))
    assert ask(asked).headers == ()


def test_the_date_moves_with_the_clock_of_the_mock() -> None:
    asked = exchange()
    asked.clock.advance(86_400_999)
    assert header(asked.handle("GET", TIME, []), b"Date") == b"Wed, 15 Nov 2023 22:13:20 GMT"


@pytest.mark.promise("M11")
def test_header_names_can_be_lower_case() -> None:
    used = b"%d" % BALANCE_WEIGHT
    assert (b"x-mbx-used-weight-1m", used) in ask(exchange(lower_case_headers=True)).headers
    assert (b"X-MBX-USED-WEIGHT-1M", used) in ask(exchange()).headers


def test_the_limit_the_patience_and_the_ban_can_be_set() -> None:
    asked = exchange(weight_limit=1, ban_after=2, ban_seconds=7)
    replies = [asked.handle("GET", TIME, []) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 429, 429, 418]
    assert header(replies[3], b"Retry-After") == b"7"
    assert b"current limit is 1 requests" in replies[1].body


def test_switches_can_be_turned_while_the_exchange_runs() -> None:
    asked = exchange()
    asked.switches = dataclasses.replace(asked.switches, unknown_parameter=None)
    assert ask(asked, f"x=1&{STAMP}").status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": ("key", "parameters", "timestamp")},
        {"order": ("key", "key", "timestamp", "signature")},
        {"unknown_parameter": -1},
        {"malformed_mandatory": -1021},
        {"malformed_optional": None},
        {"out_of_range": -1104},
        {"missing_signature": -2014},
        {"not_found": "xml"},
        {"wrong_method": 400},
        *({"date_offset": value} for value in (True, 1.5, "0")),
        *({"weight_limit": value} for value in (0, -1, 1.5, "1", True)),
        *({"ban_after": value} for value in (-1, 0.5, None)),
        *({"ban_seconds": value} for value in (-1, 0.5, None)),
        *({"window_maximum": value} for value in (0, "x", 1.5)),
        *(
            {"statuses": value}
            for value in ({-1021: 999}, {-1021: 200}, {-1021: "400"}, {"-1021": 400}, [-1021])
        ),
        *({"key_format": value} for value in ("[", None)),
    ],
)
def test_a_switch_in_no_position_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Switches(**wrong)


def test_every_switch_says_why_it_exists() -> None:
    source = inspect.getsource(module.Switches)
    fields = [field.name for field in dataclasses.fields(Switches)]
    assert [name for name in fields if not re.search(rf"    # [^\n]+\n    {name}:", source)] == []


def test_a_key_format_of_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="key_format"):
        Switches(key_format=b"x")  # type: ignore[arg-type]


def test_switches_are_turned_by_values_as_json_has_them() -> None:
    order = ["signature", "key", "parameters", "timestamp"]
    turned = Switches(gzip=True).with_changes(
        {"order": order, "statuses": {"-1131": 418}, "window_maximum": None}
    )
    assert turned == Switches(gzip=True, order=tuple(order), statuses={-1131: 418})


@pytest.mark.parametrize(
    "wrong",
    [
        *({"order": order} for order in ("key", None, [1, 2], [["key"]], ["key"] * 4)),
        {"statuses": {"x": 400}},
        {"statuses": {"1": "400"}},
        {"statuses": []},
        {"statuses": None},
        *(
            {"caller_ip": 5},
            {"missing_signature": -1102.0},
            {"wrong_method": 405.0},
            {"key_format": 5},
            {"gzip": 1},
            {"signature_last": None},
            {"needed_permission": "withdrawals"},
            {"no_switch": 1},
        ),
    ],
    ids=str,
)
def test_json_that_is_no_position_of_a_switch_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Switches().with_changes(wrong)


def test_codes_of_statuses_may_be_integers() -> None:
    """In Python a code is an integer; in JSON it can only be the string of one."""
    for statuses in ({-1022: 401}, {"-1022": 401}):
        assert Switches().with_changes({"statuses": statuses}).statuses == {-1022: 401}
