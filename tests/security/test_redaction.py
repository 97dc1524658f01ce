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
