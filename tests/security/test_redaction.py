"""Text of the exchange, a proxy or a transport is sanitized before it is logged or raised."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_usdm import APIError, RateLimitError, TransportError
from binance_usdm._call.error_mapping import make_api_error
from binance_usdm._call.response import parse_response
from binance_usdm._http.messages import Headers, HttpResponse
from binance_usdm._redaction import MAX_MESSAGE_LENGTH, sanitize_text
from binance_usdm_wire import OPERATIONS
from tests.support.canaries import KEY, SIGNATURE, holds_no_canary
from tests.support.clients import BlockingFacade, RecordingHandler, error_response
from tests.support.spec_facts import BALANCE_PATH

pytestmark = pytest.mark.promise("S5")
ClientOf = Callable[..., BlockingFacade]
FOREIGN = {
    "one line": "one line",
    "a\r\nERROR forged\x1b[31m\x00\x85\u2028": "a\\r\\nERROR forged\\x1b[31m\\x00\\x85\\u2028",
    "right\u202eleft\u2066\u200b\ufeff": "right\\u202eleft\\u2066\\u200b\\ufeff",
    "余额不足 é": "余额不足 é",
    "permissions for action., request ip: 203.0.113.7":
        "permissions for action., request ip: [address]",
    "from 203.0.113.7:443, ip203.0.113.8 and \x1b[1m203.0.113.9":
        "from [address]:443, ip[address] and \\x1b[1m[address]",
    "ip 2001:db8:0:1:2:3:4:5, 2001:db8::1, fe80::1, ::ffff:203.0.113.7!":
        "ip [address], [address], [address], [address]!",
    "at 12:34:56, a::b, not addresses: 1.2.3 or std::min":
        "at 12:34:56, [address], not addresses: 1.2.3 or std::min",
    "ip2001:db8::1, 2001:db8::1y, 地址2001:db8::1是, _::1_, x1:2:3:4:5:6:7:8x, face2001:db8::2":
        "ip[address], [address]y, 地址[address]是, _[address]_, x[address]x, face[address]",
    "ip::ffff:203.0.113.7port ::203.0.113.7 ipfe80::1%eth0 add2001:db8::/32 [2001:DB8::1]:443":
        "ip[address]port [address] ip[address]%eth0 add[address]/32 [[address]]:443",
    "std::abs, std::bad_alloc, at12:34:56, Foo::bar and dead::beef":
        "std::abs, std::bad_alloc, at12:34:56, Foo::bar and [address]",
    "GET /x?a=1&signature=3c66%2B&b=2 SIGNATURE=f00":
        "GET /x?a=1&signature=[redacted]&b=2 SIGNATURE=[redacted]",
    "x" * 1_000_000: "x" * 512 + "…",
    "\n" * 500_000: "\\n" * 256 + "…",
    "signature=" + "f" * 1_000_000: "signature=[redacted]",
}  # fmt: skip


@pytest.mark.parametrize(("text", "safe"), FOREIGN.items(), ids=range(len(FOREIGN)))
def test_foreign_text_is_made_safe_for_a_log(make_client: ClientOf, text: str, safe: str) -> None:
    assert sanitize_text(text) == safe
    body = json.dumps({"code": -1102, "msg": text}, ensure_ascii=False).encode()
    with pytest.raises(APIError) as refused:
        make_client(RecordingHandler(httpx.Response(400, content=body))).balance()
    assert refused.value.message == safe
    hint = refused.value.hint
    assert str(refused.value) == f"HTTP 400, code -1102: {safe} ({hint}); see docs/errors.md#-1102"
    with pytest.raises(TransportError) as failed:
        make_client(RecordingHandler(httpx.ConnectError(text))).balance()
    assert str(failed.value).startswith(f"ConnectError: {safe}"[:512])


# secrets and addresses, in any form and at any place


REJECTION = "Invalid API-key, IP, or permissions for action."


def test_short_key_leaves_words_whole(make_client: ClientOf) -> None:
    """A key that may be part of a word, as in tests, is not redacted."""
    for key in ("key", "a", "e", "API", "API-key", "reda", "[", "Invalid"):
        assert sanitize_text(REJECTION, key) == REJECTION
    client = make_client(RecordingHandler(error_response(401, -2015, REJECTION)), api_key="API-key")
    with pytest.raises(APIError) as rejected:
        client.balance()
    assert rejected.value.message == REJECTION


LONG_KEY = "Key4Redaction" * 5


CHANGES: tuple[Callable[[str], str], ...] = (str.upper, str.lower, str.swapcase, str.title, str)
FRAMES = ("{}", "x{}y", "İ{}İ", "é'{}'", "{0}{0} {0}", "[redacted]{}")


def test_key_in_any_letter_case_is_redacted(make_client: ClientOf) -> None:
    """A server that changes the letter case of a key does not reveal it."""
    for change, frame in itertools.product(CHANGES, FRAMES):
        safe = frame.format("[redacted]")
        assert sanitize_text(frame.format(change(LONG_KEY)), LONG_KEY) == safe
    echo = error_response(401, -2014, f"no {LONG_KEY.swapcase()}")
    with pytest.raises(APIError) as rejected:
        make_client(RecordingHandler(echo), api_key=LONG_KEY).balance()
    assert rejected.value.message == "no [redacted]"


SPOKEN = "".join(f"\\u{ord(character):04x}" for character in KEY)
ECHOES = [
    f'{{"code": -2014, "msg": "API-key {KEY} is not known"}}',
    f'{{"code": -2014, "msg": "{KEY}{KEY}, key={KEY}"}}',
    f'{{"code": -2014, "msg": "{SPOKEN}"}}',
    f'{{"msg": "{KEY}", "{KEY}": "{KEY}"}}',
    f'{{"code": "{KEY}", "msg": ["{KEY}"]}}',
    f'[{{"asset": "{KEY}", "{KEY}": 1}}]',
    f"<html><body><h1>403</h1>{KEY}</body></html>",
]


@pytest.mark.promise("S4")
def test_a_key_that_is_echoed_is_not_repeated() -> None:
    """Neither the body nor a header of a response brings it into an error."""
    fields = {"Retry-After": KEY, "Location": f"https://x/{KEY}", f"X-{KEY}": KEY}
    headers = Headers([(name.encode(), text.encode()) for name, text in fields.items()])
    balance: Any = OPERATIONS["balance"]
    for status, body in itertools.product((200, 302, 400, 403, 404, 418, 429, 500), ECHOES):
        response = HttpResponse(status, headers, body.encode())
        error = parse_response(balance, response, (KEY,), 1 << 20)
        assert isinstance(error, Exception)
        assert holds_no_canary(f"{error} {error!r} {vars(error)}"), (status, body)


@pytest.mark.parametrize(
    "frame", ["Signature {} is not valid.", '"signature":"{}"', "signature: {}", "signature%3D{}"]
)
def test_a_signature_that_is_echoed_is_not_repeated(frame: str) -> None:
    assert holds_no_canary(sanitize_text(frame.format(SIGNATURE), KEY, SIGNATURE))


def test_replacement_is_not_searched() -> None:
    """What replaces one secret is not searched for another, and the longest is replaced first."""
    assert sanitize_text("a [redacted] b", "redacted", "[redacted]") == "a [redacted] b"
    assert sanitize_text("1234567890", "12345678", "1234567890") == "[redacted]"
    assert sanitize_text("abcdefgh12", "abcdefgh", "redacted", "[redacte") == "[redacted]12"
    encoded = "abc%2Bdef%3D"
    assert sanitize_text("ABC+DEF= abc%2bdef%3d", encoded) == "[redacted] [redacted]"


@pytest.mark.parametrize("length", [8, 64, 344, 4096])
@pytest.mark.parametrize("separator", ["", " ", "x"])
def test_cut_text_shows_no_half_secret(length: int, separator: str) -> None:
    """No length of a message makes the cut leave a part of a secret."""
    secret = "Zq9" * (length // 3) + "Zq9"[: length % 3]
    for lead in (*range(500, 530), *range(1000, 1100, 7), 2 * length + 1000):
        for text in ("-" * lead + secret, "-" * lead + (secret + separator) * 400):
            shown = sanitize_text(text, secret)
            assert "Zq" not in shown
            assert "[redacted]" in shown or lead > 480


SIGNED = f"recvWindow=5000&timestamp=1591702613943&signature={SIGNATURE}"
LEAKS = [KEY, f"key={KEY}", SIGNED, f"{BALANCE_PATH}?{SIGNED}", f"?signature={SIGNATURE}&x=1"]
CUTS = [
    *range(MAX_MESSAGE_LENGTH - 24, MAX_MESSAGE_LENGTH + 2),
    *range(2 * MAX_MESSAGE_LENGTH - 24, 2 * MAX_MESSAGE_LENGTH + 2),
]


@pytest.mark.promise("S4")
@pytest.mark.parametrize("filler", ["x", " ", "\n", "é", "💰"])
def test_a_key_or_a_signed_query_at_a_cut_is_not_repeated(filler: str) -> None:
    for start, leak in itertools.product(CUTS, LEAKS):
        text = sanitize_text(filler * (start - len(leak) // 2) + leak + filler * 600, KEY)
        assert KEY[:12] not in text
        assert SIGNATURE[:12] not in text


@pytest.mark.parametrize("filler", ["x", "1 ", ",", "\n", "::", "signature="])
def test_an_address_at_a_cut_is_not_repeated(filler: str) -> None:
    # A signature shrinks: what follows moves up.
    front = filler * 2 * MAX_MESSAGE_LENGTH if len(filler) < 3 else filler + "f" * 5_000
    addresses = ["203.0.113.77", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "::ffff:203.0.113.77"]
    for start, address in itertools.product(CUTS, addresses):
        text = sanitize_text(f"{front[: start - 8]} {address} {filler * 600}", KEY)
        assert "203.0" not in text
        assert "85a3" not in text


DRESSES = {
    "203.0.113.7": "{}|ip: {}|ip:{}|ip={}|{}:443|({})|[{}]|'{}'|{}/32|{}.|x{}x|\u200b{}\u200b",
    "2001:db8::7:1": "{}|ip: {}|ip={}|[{}]:443|({})|'{}'|{}/64|{}.|{}%eth0|request ip:{}|IP:{}.",
    "::ffff:203.0.113.7": "{}|ip: {}|[{}]:443|{}%1",
    "2001:db8:1:2:3:4:5:6": "{}|ip: {}|[{}]:443|{},{}",
    "2001:DB8::": "{}|ip: {}|{}/32",
}


@pytest.mark.parametrize(("address", "frames"), DRESSES.items())
def test_an_address_in_any_dress_is_not_repeated(address: str, frames: str) -> None:
    for frame in frames.split("|"):
        shown = sanitize_text(frame.format(address, address), KEY).lower()
        assert address.lower() not in shown, frame
        assert "2001:db8" not in shown, frame


# any text

HOSTILE = (
    "\r\n\x1b[2J\x1b]0;x\x07\x00\x7f\x80\x85\x9b"
    "\u200b\u200e\u202e\u2028\u2029\u2066\u2069\ufeff\U000e0041\ud800"
)


def test_no_character_moves_a_cursor_hides_or_breaks_a_line() -> None:
    for character in HOSTILE:
        text = sanitize_text(f"a{character}b" * 3)
        assert text.isprintable()
        assert len(text.splitlines()) == 1
        text.encode()


PIECES = ["x", "1.", "a:", ":", "\x1b", KEY, "signature=", "1.1.1.", "f", "ffff:", " ", "\u202e"]


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_a_megabyte_costs_no_time_and_little_room(piece: str) -> None:
    text = piece * ((1 << 20) // len(piece))
    works = []
    for _ in range(3):
        # Time of this thread's processor: a busy machine takes no part in it.
        began = time.thread_time()
        assert len(sanitize_text(text, KEY)) <= MAX_MESSAGE_LENGTH + 1
        works.append(time.thread_time() - began)
    assert min(works) < 0.05


IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).filter(lambda address: str(address).count(":") > 2).map(str)
TEXTS = st.lists(
    st.text() | st.sampled_from([*HOSTILE, KEY, " ", "signature="]) | IPV4 | IPV6.map(" {} ".format)
).map("".join)
_V4 = re.compile(r"(?<![0-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]+(?![0-9A-Za-z:.])")


def addresses_in(texts: Iterable[str]) -> list[str]:
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_address(text)))
        except ValueError:
            continue
    return found


@settings(max_examples=50)
@given(TEXTS)
def test_server_text_is_sanitized_in_errors(text: str) -> None:
    """Text of a server is one printable line in errors, without the key and without addresses."""
    safe = sanitize_text(text, KEY)
    assert safe.isprintable()
    assert len(safe) <= MAX_MESSAGE_LENGTH + 1
    assert KEY not in safe
    assert not addresses_in(_V4.findall(safe))
    assert not addresses_in(found for found in _V6.findall(safe) if found.count(":") > 2)


def test_a_ban_is_read_from_a_text_full_of_noise() -> None:
    error = make_api_error(
        429, -1003, f"\x1b[1m{KEY} 203.0.113.7 banned until 1591702673943.\r\n", None, KEY
    )
    assert isinstance(error, RateLimitError)
    assert "1591702673943" in error.message
    assert holds_no_canary(f"{error} {error!r} {vars(error)}")
