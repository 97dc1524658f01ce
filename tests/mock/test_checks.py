"""Test the checks of the mock: key, parameters, timestamp and signature, beside each limit."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, ManualClock, Reply
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from binance_usdm.mock.spec.schema import allowed_pattern, compile_validator
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

T0 = 1_591_702_613_943
PATH = BALANCE_PATH.encode()
STAMP = f"timestamp={T0}"


def sign(query: str, secret: str = DEFAULT_API_SECRET) -> str:
    return hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()


def send(
    exchange: Exchange, query: str, *keys: str, path: bytes = PATH, body: bytes = b""
) -> Reply:
    """One GET with the query exactly as given; the default key unless others are named."""
    headers = [(b"x-mbx-apikey", key.encode()) for key in keys or (DEFAULT_API_KEY,)]
    return exchange.handle("GET", path + (b"?" + query.encode() if query else b""), headers, body)


def send_signed(exchange: Exchange, query: str) -> Reply:
    return send(exchange, f"{query}&signature={sign(query)}" if query else f"signature={sign('')}")


def message(reply: Reply) -> str:
    text = json.loads(reply.body)["msg"]
    assert isinstance(text, str)
    return text


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


def wider(*parameters: dict[str, Any]) -> Exchange:
    """An exchange whose balance operation takes more parameters."""
    spec: Any = copy.deepcopy(load_packaged_spec())
    spec["paths"][BALANCE_PATH]["get"]["parameters"].extend(
        {"in": "query", **each} for each in parameters
    )
    return Exchange(clock=ManualClock(T0), spec=spec)


# -- signature


def test_the_published_vector_is_verified() -> None:
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
    signature = "5581570ecf76b9b74c6f1a66ef6520c2959a75c32641affb2634d655d6e64db8"
    exchange = Exchange(api_secret=secret, clock=ManualClock(T0))
    assert send(exchange, f"recvWindow=5000&timestamp={T0}&signature={signature}").status == 200


def test_a_signed_call_is_answered_with_the_example(exchange: Exchange) -> None:
    reply = send_signed(exchange, STAMP)
    assert (reply.status, reply.code) == (200, None)
    assert json.loads(reply.body)[0]["balance"] == "122607.35137903"


@pytest.mark.parametrize("secret", ["s", "x" * 63, "x" * 64, "x" * 65, "x" * 200, "\u00e9" * 33])
def test_a_secret_may_be_of_any_length(secret: str) -> None:
    exchange = Exchange(api_secret=secret, clock=ManualClock(T0))
    for _ in range(2):
        assert send(exchange, f"{STAMP}&signature={sign(STAMP, secret)}").status == 200
    assert send(exchange, f"{STAMP}&signature={sign(STAMP, secret + 'x')}").status == 400


def test_the_hex_of_a_signature_may_be_upper_case(exchange: Exchange) -> None:
    assert send(exchange, f"{STAMP}&signature={sign(STAMP).upper()}").status == 200


@pytest.mark.promise("M1")
def test_signatures_are_compared_in_constant_time(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def note(due: bytes, came: bytes) -> bool:
        compared.append((due, came))
        return compare(due, came)

    monkeypatch.setattr(hmac, "compare_digest", note)
    assert send_signed(exchange, STAMP).status == 200
    assert len(compared) == 1
    monkeypatch.setattr(hmac, "compare_digest", lambda due, came: False)
    assert send_signed(exchange, STAMP).status == 400, "nothing else decides"


@pytest.mark.parametrize(
    "order", ["recvWindow=5000&timestamp={t}", "timestamp={t}&recvWindow=5000"]
)
@pytest.mark.promise("M1")
def test_the_signature_covers_the_order_that_was_sent(exchange: Exchange, order: str) -> None:
    sent = order.format(t=T0)
    other = "&".join(reversed(sent.split("&")))
    assert send(exchange, f"{sent}&signature={sign(sent)}").status == 200
    assert send(exchange, f"{sent}&signature={sign(other)}").code == -1022


@pytest.mark.promise("M1")
def test_signature_covers_sent_bytes(
    exchange: Exchange,
) -> None:
    """The signature covers the bytes that were sent, not the decoded values."""
    encoded = f"timestamp=%31{str(T0)[1:]}"
    assert send(exchange, f"{encoded}&signature={sign(encoded)}").status == 200
    assert send(exchange, f"{encoded}&signature={sign(STAMP)}").code == -1022


@pytest.mark.parametrize(
    "signature",
    [
        sign(STAMP)[:-1],
        sign(STAMP) + "0",
        sign(STAMP, "another secret"),
        sign(STAMP)[:-1] + "é",
        "0" * 64,
        "x",
    ],
)
@pytest.mark.promise("M1")
def test_any_other_signature_is_refused(exchange: Exchange, signature: str) -> None:
    reply = send(exchange, f"{STAMP}&signature={signature}")
    assert (reply.status, reply.code, message(reply)) == (
        400,
        -1022,
        "Signature for this request is not valid.",
    )


def test_a_signature_that_is_not_last_is_refused(exchange: Exchange) -> None:
    assert send(exchange, f"signature={sign(STAMP)}&{STAMP}").code == -1022
    tail = f"{STAMP}&signature={sign(STAMP)}&recvWindow=5000"
    assert send(exchange, tail).code == -1022


def test_a_signature_alone_is_over_the_empty_string() -> None:
    spec: Any = copy.deepcopy(load_packaged_spec())
    spec["paths"][BALANCE_PATH]["get"]["parameters"] = []
    bare = Exchange(clock=ManualClock(T0), spec=spec)
    assert send(bare, f"signature={sign('')}").status == 200
    assert send(bare, f"signature={sign('x')}").code == -1022


def test_the_signature_covers_the_body_too(exchange: Exchange) -> None:
    query = f"{STAMP}&signature={sign(STAMP + 'x=1')}"
    assert send(exchange, query, body=b"x=1").status == 200
    assert send(exchange, query).code == -1022


def test_custom_verifier_checks_signatures(
    exchange: Exchange,
) -> None:
    """A verifier function of an account verifies its signatures."""
    seen: list[tuple[bytes, str]] = []

    def verifier(payload: bytes, signature: str) -> bool:
        seen.append((payload, signature))
        return signature == "a+b/c=="

    exchange.add_account("ed25519", verifier)
    assert send(exchange, f"{STAMP}&signature=a%2Bb%2Fc%3D%3D", "ed25519").status == 200
    assert seen == [(STAMP.encode(), "a+b/c==")]
    assert send(exchange, f"{STAMP}&signature=a+b/c==", "ed25519").code == -1022, (
        "a bare plus is a blank"
    )


# -- time


@pytest.mark.promise("R8", "M3")
@pytest.mark.parametrize(
    ("ahead", "window", "text"),
    [
        (999, None, ""),
        (1000, None, "ahead of the server's time"),
        (-5000, None, ""),
        (-5001, None, "outside of the recvWindow"),
        (-1, 1, ""),
        (-2, 1, "outside of the recvWindow"),
        (-60000, 60000, ""),
        (-60001, 60000, "outside of the recvWindow"),
        (1000, 60000, "ahead of the server's time"),
    ],
)
def test_the_time_window_ends_where_it_is_documented(
    exchange: Exchange, ahead: int, window: int | None, text: str
) -> None:
    query = (
        f"timestamp={T0 + ahead}"
        if window is None
        else f"recvWindow={window}&timestamp={T0 + ahead}"
    )
    reply = send_signed(exchange, query)
    assert (reply.status, reply.code) == ((400, -1021) if text else (200, None))
    assert not text or text in message(reply)


def test_the_window_is_measured_by_the_exchanges_own_clock() -> None:
    clock = ManualClock(T0)
    exchange = Exchange(clock=clock)
    clock.advance(5000)
    assert send_signed(exchange, STAMP).status == 200
    clock.advance(1)
    assert send_signed(exchange, STAMP).code == -1021


# -- key


@pytest.mark.parametrize("key", ["", "two words", "tab\there", "ключ", "x" * 129])
@pytest.mark.promise("M2")
def test_a_malformed_key_is_refused(exchange: Exchange, key: str) -> None:
    reply = send(exchange, f"{STAMP}&signature={sign(STAMP)}", key)
    assert (reply.status, reply.code, message(reply)) == (401, -2014, "API-key format invalid.")


@pytest.mark.promise("M2")
def test_no_key_and_two_keys_are_malformed(exchange: Exchange) -> None:
    target = PATH + f"?{STAMP}&signature={sign(STAMP)}".encode()
    assert exchange.handle("GET", target, []).code == -2014
    assert (
        send(exchange, target.partition(b"?")[2].decode(), DEFAULT_API_KEY, DEFAULT_API_KEY).code
        == -2014
    )


@pytest.mark.parametrize("key", ["x", "x" * 128, DEFAULT_API_KEY.upper()])
@pytest.mark.promise("M2")
def test_an_unknown_key_is_refused_and_keys_are_case_sensitive(
    exchange: Exchange, key: str
) -> None:
    reply = send(exchange, f"{STAMP}&signature={sign(STAMP)}", key)
    assert (reply.status, reply.code) == (401, -2015)
    assert message(reply) == "Invalid API-key, IP, or permissions for action."


def test_every_account_has_its_own_secret(exchange: Exchange) -> None:
    exchange.add_account("second", "its secret")
    assert send(exchange, f"{STAMP}&signature={sign(STAMP, 'its secret')}", "second").status == 200
    assert send(exchange, f"{STAMP}&signature={sign(STAMP)}", "second").code == -1022


def test_an_unsigned_operation_looks_at_no_key(exchange: Exchange) -> None:
    for keys in ((), (b"",), (b"no such key",)):
        headers = [(b"X-MBX-APIKEY", key) for key in keys]
        assert exchange.handle("GET", TIME_PATH.encode(), headers).status == 200


# -- parameters


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        (f"{STAMP}&{STAMP}", -1101, "Duplicate values for a parameter detected."),
        (f"recvWindow=1&recvWindow=2&{STAMP}", -1101, "Duplicate"),
        (f"{STAMP}&%74imestamp={T0}", -1101, "Duplicate"),
        ("", -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."),
        ("recvWindow=5000", -1102, "'timestamp'"),
        ("timestamp=", -1102, "'timestamp'"),
        ("timestamp", -1102, "'timestamp'"),
        (f"Timestamp={T0}", -1102, "'timestamp'"),
        (f"recvWindow=&{STAMP}", -1105, "Parameter 'recvWindow' was empty."),
        (f"recvWindow&{STAMP}", -1105, "'recvWindow'"),
        (f"symbol=BTCUSDT&{STAMP}", -1104, "read '2' parameter(s) but was sent '3'."),
        (f"x=1&y=2&{STAMP}", -1104, "read '2' parameter(s) but was sent '4'."),
        (f"&{STAMP}", -1104, "Not all sent parameters were read"),
        (f"recvwindow=1&{STAMP}", -1104, "Not all sent parameters were read"),
        ("timestamp=abc", -1102, "'timestamp'"),
        (f"timestamp={T0}.0", -1102, "'timestamp'"),
        (f"timestamp=+{T0}", -1102, "'timestamp'"),
        (f"timestamp=%20{T0}", -1102, "'timestamp'"),
        (f"timestamp={T0}%0A", -1102, "'timestamp'"),
        ("timestamp=١٥٩١٧٠٢٦١٣٩٤٣", -1102, "'timestamp'"),
        ("timestamp=1_591", -1102, "'timestamp'"),
        (f"timestamp={2**63}", -1102, "'timestamp'"),
        (f"timestamp={'9' * 5000}", -1102, "'timestamp'"),
        (f"timestamp={'0' * 5000}{T0}", -1102, "'timestamp'"),
        (f"timestamp={2**63 - 1}", -1021, "ahead"),
        (f"recvWindow=5e3&{STAMP}", -1100, "parameter 'recvWindow'; legal range is '"),
        (f"recvWindow={-(2**63) - 1}&{STAMP}", -1100, "'recvWindow'"),
        (
            f"recvWindow={-(2**63)}&{STAMP}",
            -1130,
            "Data sent for parameter 'recvWindow' is not valid.",
        ),
        (f"recvWindow=0&{STAMP}", -1130, "'recvWindow'"),
        (f"recvWindow=-1&{STAMP}", -1130, "'recvWindow'"),
        ("timestamp=0", -1130, "'timestamp'"),
        (f"recvWindow={2**63 - 1}&{STAMP}", 200, ""),
        (f"recvWindow=1&{STAMP}", 200, ""),
    ],
)
@pytest.mark.promise("M4")
def test_parameters_are_read_from_the_raw_query(
    exchange: Exchange, query: str, code: int, text: str
) -> None:
    reply = send_signed(exchange, query)
    if code == 200:
        assert reply.status == 200
    else:
        assert (reply.status, reply.code) == (400, code)
        assert text in message(reply)


def test_a_call_without_a_signature_is_told_so(exchange: Exchange) -> None:
    for query in (STAMP, f"{STAMP}&signature=", f"{STAMP}&signature"):
        reply = send(exchange, query)
        assert (reply.status, reply.code) == (400, -1102)
        assert "'signature'" in message(reply)


@pytest.mark.promise("M4")
def test_two_signatures_are_a_duplicate(exchange: Exchange) -> None:
    assert send_signed(exchange, f"{STAMP}&signature={sign(STAMP)}").code == -1101


def test_an_unsigned_operation_reads_no_signing_parameters(exchange: Exchange) -> None:
    assert send(exchange, STAMP, path=TIME_PATH.encode()).code == -1104
    assert send(exchange, f"signature={sign('')}", path=TIME_PATH.encode()).code == -1104


@pytest.mark.parametrize(
    ("schema", "good", "malformed", "outside"),
    [
        ({"type": "boolean"}, ["true", "false"], ["True", "1", "yes"], []),
        ({"type": "boolean", "const": True}, ["true"], ["TRUE"], ["false"]),
        ({"type": "string", "enum": ["BUY", "SELL"]}, ["BUY"], ["B%20"], ["buy", "HOLD"]),
        ({"type": "string", "pattern": "^[A-Z]+$"}, ["BTC"], ["btc", "BTC%0A", "%FF"], []),
        (
            {"type": "string", "minLength": 2, "maxLength": 3},
            ["ab", "abc"],
            ["a%20b", "a+b"],
            ["a", "abcd"],
        ),
        ({"type": "string"}, ["%E5%B8%81", "a%2Bb"], ["a%00", "%7F", "%FF"], []),
        ({"type": "string", "enum": ["币", "+"]}, ["%E5%B8%81", "%2B"], ["+"], ["B"]),
        (
            {"type": "string", "format": "decimal"},
            ["1", "-0.10"],
            ["1e5", "NaN", ".5", "1_0", "٣"],
            [],
        ),
        (
            {"type": "number", "minimum": 0, "maximum": 1},
            ["0", "1", "0.5"],
            ["1e0", "x"],
            ["-0.1", "1.00001"],
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ["0.1"],
            ["--1"],
            ["0", "1"],
        ),
        (
            {"type": "integer", "format": "int32"},
            ["2147483647", "-2147483648"],
            ["2147483648", "1.0"],
            [],
        ),
        ({"type": "integer", "enum": [5, 10]}, ["5", "10"], ["5.0"], ["6"]),
    ],
)
def test_values_are_judged_by_their_schema(
    schema: dict[str, Any], good: list[str], malformed: list[str], outside: list[str]
) -> None:
    exchange = wider({"name": "x", "schema": schema})
    for values, code in ((good, None), (malformed, -1100), (outside, -1130)):
        for value in values:
            assert send_signed(exchange, f"x={value}&{STAMP}").code == code, (value, code)
    strict = wider({"name": "x", "schema": schema, "required": True})
    assert [send_signed(strict, f"x={value}&{STAMP}").code for value in malformed] == [-1102] * len(
        malformed
    )
    assert send_signed(strict, STAMP).code == -1102


@given(
    st.from_regex(r"-?[0-9]*", fullmatch=True) | st.text("-+_ 09٣²\n\0x", max_size=43) | st.text()
)
@example("-")
@example("9" * 40)
@example("9" * 41)
@example("-" + "9" * 41)
def test_an_integer_is_what_the_refusal_says_that_one_is(text: str) -> None:
    """The reported pattern and the check without a regular expression agree."""
    schema = {"type": "integer"}
    assert (compile_validator(schema)(text) is None) == (
        re.fullmatch(allowed_pattern(schema), text) is not None
    )


# -- route


@pytest.mark.parametrize(
    "path",
    [
        b"/fapi/v2/balance",
        BALANCE_PATH.encode() + b"/",
        b"/" + BALANCE_PATH.encode(),
        b"/",
        b"",
    ],
)
def test_an_unknown_path_is_not_found(exchange: Exchange, path: bytes) -> None:
    reply = send(exchange, STAMP, path=path)
    assert (reply.status, reply.code) == (404, -5000)
    assert b"X-MBX-USED-WEIGHT-1M" not in dict(reply.headers)


@pytest.mark.parametrize("method", ["POST", "HEAD", "get", "PUT"])
def test_a_known_path_has_only_its_own_methods(exchange: Exchange, method: str) -> None:
    reply = exchange.handle(method, PATH + b"?" + STAMP.encode(), [])
    assert (reply.status, message(reply)) == (
        404,
        f"Path {BALANCE_PATH}, Method {method} is invalid",
    )
