"""A small server that acts as the exchange, with five faults. It uses nothing of the package.

    python tests/contract/wrong_server.py          prints its URL, and serves until its end

The account is in BINANCE_API_KEY and BINANCE_API_SECRET. The faults: a balance is a number; the last
digit of a signature is not compared; `recvWindow` is ignored; a request without a key gets 400
instead of 401; a method that a path does not have is answered.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

KEY, SECRET = os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"]
ROWS = [
    {
        "accountAlias": "SgsR",
        "asset": "USDT",
        # Fault 1: a number.
        "balance": 122607.35,
        "crossWalletBalance": "23.72469206",
        "crossUnPnl": "0.00000000",
        "availableBalance": "23.72469206",
        "maxWithdrawAmount": "23.72469206",
        "marginAvailable": True,
        "updateTime": 1617939110373,
    }
]


class RejectionError(Exception):
    """A rejection with status and code."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


class Handler(BaseHTTPRequestHandler):
    """Answers the two operations."""

    protocol_version = "HTTP/1.1"
    # Buffered: a body after its head, in a packet of its own, would wait for an acknowledgment.
    wbufsize = -1

    def respond(self) -> None:
        path, _, query = self.path.partition("?")
        now = time.time_ns() // 1_000_000
        try:
            if path == TIME_PATH:
                self.check_names(query, set())
                value: Any = {"serverTime": now}
            elif path == BALANCE_PATH:
                self.check_balance(query, now)
                value = ROWS
            else:
                raise RejectionError(404, -5000)
            status = 200
        except RejectionError as rejection:
            status, value = rejection.status, {"code": rejection.code, "msg": "no"}
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-MBX-USED-WEIGHT-1M", "5")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # Fault 5: it answers other methods, too.
    do_GET = do_POST = respond  # noqa: N815

    def do_DELETE(self) -> None:
        self.path = "/none"
        self.respond()

    do_PUT = do_PATCH = do_DELETE  # noqa: N815

    def check_balance(self, query: str, now: int) -> None:
        key = self.headers.get("X-MBX-APIKEY", "")
        if not key:
            # Fault 4: it should be 401.
            raise RejectionError(400, -2014)
        values = self.check_names(query, {"recvWindow", "timestamp", "signature"})
        timestamp = values.get("timestamp", "")
        window = values.get("recvWindow", "5000")
        if not re.fullmatch("[0-9]{1,19}", timestamp) or int(timestamp) > 2**63 - 1:
            raise RejectionError(400, -1102)
        if int(timestamp) < 1 or not re.fullmatch("[1-9][0-9]{0,18}", window):
            raise RejectionError(400, -1102)
        if int(window) > 2**63 - 1 or "signature" not in values:
            raise RejectionError(400, -1102)
        # Fault 3: the window is not used.
        if not -1000 < now - int(timestamp) <= 5000:
            raise RejectionError(400, -1021)
        if key != KEY:
            raise RejectionError(401, -2015)
        payload, _, signature = query.rpartition("&signature=")
        digest = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        # Fault 2: the last digit is not compared.
        if len(signature) != 64 or signature.lower()[:-1] != digest[:-1]:
            raise RejectionError(400, -1022)

    def check_names(self, query: str, known: set[str]) -> dict[str, str]:
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        if len({*names}) < len(names):
            raise RejectionError(400, -1101)
        if not {*names} <= known:
            raise RejectionError(400, -1104)
        return dict(pairs)

    def log_message(self, *arguments: Any) -> None:
        return None


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
