"""The least that a signed call for exact amounts takes with the standard library alone: what all else is compared with.

Stamp, sign, send, read, decode, make amounts of texts. No deadline, no retry, no check, no error of its own.
"""

from __future__ import annotations

import asyncio
import hmac
import http.client
import json
import ssl
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from benchmarks.cpu_time import AsyncCall, Call
    from benchmarks.target import Target

PATH = "/fapi/v3/balance"
AMOUNTS = ("balance", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")


def sign_target(secret: bytes) -> str:
    """Path and query of a call made now."""
    query = f"recvWindow=5000&timestamp={time.time_ns() // 1_000_000}"
    return f"{PATH}?{query}&signature={hmac.digest(secret, query.encode(), 'sha256').hex()}"


def parse_amounts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with amounts in place of texts."""
    for row in rows:
        for name in AMOUNTS:
            row[name] = Decimal(row[name])
    return rows


def http_client(target: Target) -> Call:
    place, secret = urlsplit(target.url), target.secret.encode()
    host, port = str(place.hostname), place.port
    fields = {"X-MBX-APIKEY": target.key, "Accept": "application/json"}
    connection = http.client.HTTPConnection(host, port, timeout=10)
    if place.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, port, timeout=10, context=ssl.create_default_context()
        )

    def call() -> list[dict[str, Any]]:
        connection.request("GET", sign_target(secret), headers=fields)
        reply = connection.getresponse()
        body = reply.read()
        assert reply.status == 200
        return parse_amounts(json.loads(body))

    return call


async def streams(target: Target) -> AsyncCall:
    """asyncio's own streams, on as many connections as there are calls at once."""
    place, secret = urlsplit(target.url), target.secret.encode()
    context = ssl.create_default_context() if place.scheme == "https" else None
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    rest = f" HTTP/1.1\r\nHost: {place.netloc}\r\nAccept: application/json\r\nX-MBX-APIKEY: {target.key}\r\n\r\n"

    async def call() -> list[dict[str, Any]]:
        reader, writer = (
            idle.pop()
            if idle
            else await asyncio.open_connection(place.hostname, place.port, ssl=context)
        )
        writer.write(f"GET {sign_target(secret)}{rest}".encode())
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(fields["content-length"]))
        assert status.split()[1] == "200"
        idle.append((reader, writer))
        return parse_amounts(json.loads(body))

    return call
