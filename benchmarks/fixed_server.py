"""Server that sends fixed successful responses.

    python benchmarks/fixed_server.py [--assets 12] [--bodies 1] [--headers] [--tls FILE] [--cpu N]

It prints its URL and serves until its stdin ends. It checks nothing, so that the client is what is
measured: a response costs it less than any client here needs for a call.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

ASSETS: Final = (
    "USDT",
    "USDC",
    "BTC",
    "ETH",
    "BNB",
    "FDUSD",
    "BFUSD",
    "XRP",
    "SOL",
    "LDUSDT",
    "BNFCR",
    "USD1",
)
FIELDS: Final = (
    "Server: nginx",
    "Date: Sun, 22 Nov 2026 12:00:00 GMT",
    "Content-Type: application/json",
    "Connection: keep-alive",
    "X-MBX-USED-WEIGHT-1M: 5",
)
# What a response from behind a content network has in addition: twenty headers, 1 kB.
CDN_FIELDS: Final = (
    "Vary: Accept-Encoding",
    "x-mbx-uuid: 3f0c2a51-7b1d-4c6e-9a44-0d5b8a1f7e20",
    "x-response-time: 4ms",
    "Strict-Transport-Security: max-age=31536000; includeSubdomains",
    "X-Frame-Options: SAMEORIGIN",
    "X-XSS-Protection: 1; mode=block",
    "X-Content-Type-Options: nosniff",
    "Content-Security-Policy: default-src 'self'",
    "X-Content-Security-Policy: default-src 'self'",
    "X-WebKit-CSP: default-src 'self'",
    "Cache-Control: no-cache, no-store, must-revalidate",
    "Pragma: no-cache",
    "Expires: 0",
    "Access-Control-Allow-Origin: *",
    "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
    "X-Cache: Miss from cloudfront",
    "Via: 1.1 0f1e2d3c4b5a69788796a5b4c3d2e1f0.cloudfront.net (CloudFront)",
    "X-Amz-Cf-Pop: NRT57-P1",
    'Alt-Svc: h3=":443"; ma=86400',
    "X-Amz-Cf-Id: fake-fake-fake-fake-fake-fake-fake-fake-fake-fake-fake-==",
)


def rows(assets: int, body: int = 0) -> list[dict[str, Any]]:
    """Return fake balances in the documented shape. Every third asset was never used.

    Args:
        assets: Number of rows.
        body: Number of the body. Other bodies have other amounts.
    """
    return [_row(number, body) for number in range(assets)]


def _row(number: int, body: int) -> dict[str, Any]:
    amount = f"{number * 977 + 4718 + body * 31}.{(number + body) * 7919 % 10**8:08}"
    if number % 3 == 2:
        amount = "0.00000000"
    return {
        "accountAlias": "QmZtRkWpXsLnVbCd",
        "asset": ASSETS[number] if number < len(ASSETS) else f"TOKEN{number}",
        "balance": amount,
        "crossWalletBalance": amount,
        "crossUnPnl": f"-{number}.1029{body:04}",
        "availableBalance": f"4309.1182{body:04}",
        "maxWithdrawAmount": amount,
        "marginAvailable": True,
        "updateTime": 1762412880142 + number,
    }


def make_response(assets: int, *, headers: bool, number: int = 0) -> bytes:
    body = json.dumps(rows(assets, number), separators=(",", ":")).encode()
    fields = [*FIELDS, *(CDN_FIELDS if headers else ()), f"Content-Length: {len(body)}"]
    return "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode() + body


class Tls(NamedTuple):
    """Two PEM files.

    Attributes:
        authority: The authority that clients trust.
        server: The server's certificate with its key.
    """

    authority: Path
    server: Path


def certified(folder: Path) -> Tls:
    """Create an authority and a certificate for this machine in a folder."""
    # Only measurements with TLS need this package.
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    files = Tls(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(files.authority)
    certificate.private_key_and_cert_chain_pem.write_to_path(files.server)
    return files


@contextlib.contextmanager
def served(
    assets: int = 12,
    *,
    bodies: int = 1,
    headers: bool = False,
    tls: Tls | None = None,
    cpu: int | None = None,
) -> Iterator[str]:
    """Run the server in a process while the context lasts. Yields its URL."""
    options = [f"--assets={assets}", f"--bodies={bodies}", *(["--headers"] if headers else [])]
    options += [f"--tls={tls.server}"] if tls else []
    options += [] if cpu is None else [f"--cpu={cpu}"]
    program = [sys.executable, "-I", str(Path(__file__)), *options]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class _FixedResponses(asyncio.Protocol):
    def __init__(self, responses: Iterator[bytes]) -> None:
        self._responses = responses
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in heads:
            self._transport.write(next(self._responses))


async def serve(responses: Iterator[bytes], tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    server = await loop.create_server(
        lambda: _FixedResponses(responses), "127.0.0.1", 0, ssl=tls, backlog=4096
    )
    port = server.sockets[0].getsockname()[1]
    print(f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}", flush=True)
    # The end of stdin means that the parent process has ended.
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Send fixed responses.")
    parser.add_argument("--assets", type=int, default=12)
    parser.add_argument("--bodies", type=int, default=1, help="different ones, sent in turn")
    parser.add_argument("--headers", action="store_true", help="twenty more headers")
    parser.add_argument("--tls", type=Path, metavar="FILE", help="certificate and key")
    parser.add_argument("--cpu", type=int, help="CPU to run on")
    options = parser.parse_args()
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if options.tls else None
    if context:
        context.load_cert_chain(options.tls)
    responses = [
        make_response(options.assets, headers=options.headers, number=number)
        for number in range(options.bodies)
    ]
    asyncio.run(serve(itertools.cycle(responses), context))


if __name__ == "__main__":
    main()
