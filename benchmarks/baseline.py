"""Make signed calls with the standard library alone. Other clients are compared with these.

A call adds the timestamp, signs, sends, reads, decodes and converts amounts. It has no deadline, no
retry, no check and no error class.
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
    """Return path and query of a call made now."""
    query = f"recvWindow=5000&timestamp={time.time_ns() // 1_000_000}"
    return f"{PATH}?{query}&signature={hmac.digest(secret, query.encode(), 'sha256').hex()}"


def parse_amounts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Convert the amounts of the rows to Decimal, in place, and return the rows."""
    for row in rows:
        for name in AMOUNTS:
            row[name] = Decimal(row[name])
    return rows


def http_client(target: Target) -> Call:
    """Return a call with `http.client`."""
    address = urlsplit(target.url)
    host = str(address.hostname)
    port = address.port
    secret = target.secret.encode()
    headers = {"X-MBX-APIKEY": target.key, "Accept": "application/json"}
    connection = http.client.HTTPConnection(host, port, timeout=10)
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, port, timeout=10, context=ssl.create_default_context()
        )

    def call() -> list[dict[str, Any]]:
        connection.request("GET", sign_target(secret), headers=headers)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200
        return parse_amounts(json.loads(body))

    return call


async def streams(target: Target) -> AsyncCall:
    """Return a call with asyncio's streams. Each concurrent call has its connection."""
    address = urlsplit(target.url)
    secret = target.secret.encode()
    context = ssl.create_default_context() if address.scheme == "https" else None
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    rest = (
        f" HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: application/json\r\n"
        f"X-MBX-APIKEY: {target.key}\r\n\r\n"
    )

    async def call() -> list[dict[str, Any]]:
        if idle:
            reader, writer = idle.pop()
        else:
            reader, writer = await asyncio.open_connection(
                address.hostname, address.port, ssl=context
            )
        writer.write(f"GET {sign_target(secret)}{rest}".encode())
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers["content-length"]))
        assert status.split()[1] == "200"
        idle.append((reader, writer))
        return parse_amounts(json.loads(body))

    return call
