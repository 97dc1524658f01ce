"""Text of the exchange, a proxy or a transport is sanitized before it is logged or raised."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from binance_usdm import APIError, TransportError
from binance_usdm._redaction import sanitize_text
from tests.support.clients import BlockingFacade, RecordingHandler

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
def test_foreign_text_is_made_safe_for_a_log(client_of: ClientOf, text: str, safe: str) -> None:
    assert sanitize_text(text) == safe
    body = json.dumps({"code": -1102, "msg": text}, ensure_ascii=False).encode()
    with pytest.raises(APIError) as refused:
        client_of(RecordingHandler(httpx.Response(400, content=body))).balance()
    assert refused.value.message == safe
    assert str(refused.value) == f"HTTP 400, code -1102: {safe}"
    with pytest.raises(TransportError) as failed:
        client_of(RecordingHandler(httpx.ConnectError(text))).balance()
    assert str(failed.value).startswith(f"ConnectError: {safe}"[:512])


REJECTION = "Invalid API-key, IP, or permissions for action."


@pytest.mark.promise("S5")
@pytest.mark.parametrize("key", ["key", "a", "e", "API", "API-key", "reda", "[", "Invalid"])
def test_short_key_leaves_words_whole(client_of: ClientOf, key: str) -> None:
    """A key that may be part of a word, as in tests, is not redacted."""
    assert sanitize_text(REJECTION, key) == REJECTION
    body = json.dumps({"code": -2015, "msg": REJECTION}).encode()
    client = client_of(RecordingHandler(httpx.Response(401, content=body)), api_key=key)
    with pytest.raises(APIError) as rejected:
        client.balance()
    assert rejected.value.message == REJECTION


LONG_KEY = "Key4Redaction" * 5


@pytest.mark.promise("S5")
@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase, str.title, str])
@pytest.mark.parametrize("around", ["{}", "x{}y", "İ{}İ", "é'{}'", "{0}{0} {0}", "[redacted]{}"])
def test_key_in_any_letter_case_is_redacted(
    client_of: ClientOf, change: Callable[[str], str], around: str
) -> None:
    """A server that changes the letter case of a key does not reveal it."""
    text = around.format(change(LONG_KEY))
    safe = around.format("[redacted]")
    assert sanitize_text(text, LONG_KEY) == safe
    body = json.dumps({"code": -2014, "msg": text}).encode()
    client = client_of(RecordingHandler(httpx.Response(401, content=body)), api_key=LONG_KEY)
    with pytest.raises(APIError) as rejected:
        client.balance()
    assert rejected.value.message == safe


def test_replacement_is_not_searched() -> None:
    """What replaces one secret is not searched for another, and the longest is replaced first."""
    assert sanitize_text("a [redacted] b", "redacted", "[redacted]") == "a [redacted] b"
    assert sanitize_text("1234567890", "12345678", "1234567890") == "[redacted]"
    assert sanitize_text("abcdefgh12", "abcdefgh", "redacted", "[redacte") == "[redacted]12"
    encoded = "abc%2Bdef%3D"
    assert sanitize_text("ABC+DEF= abc%2bdef%3d", encoded) == "[redacted] [redacted]"


@pytest.mark.promise("S5")
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
