"""Clients over every kind of transport, with a handler of requests behind it.

The transports are ours and httpx's, on a socket, within the process or over ASGI. The handler gets
each request as it arrived. The transport raises what the handler raises. Over a socket the response
ends within its first line then.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from binance_usdm import AsyncClient, Client, RetryPolicy
from binance_usdm.mock import Exchange, running
from tests.support.clients import KEY, SECRET, BlockingFacade, Handler
from tests.support.raw_server import READ, RawServer, Step

FAILURES = (httpx.HTTPError, OSError)
Kind = type[Client] | type[AsyncClient]


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """A kind of client and the transport between it and a handler, or its default transport."""

    name: str
    kind: Kind
    over_socket: Callable[[], Any] | None = None
    in_process: Callable[[Handler], Any] | None = None
    """Makes a transport that calls a handler without a socket."""

    def client(
        self, handler: Handler | None, stack: contextlib.ExitStack, **options: Any
    ) -> Client | AsyncClient:
        """Return a client with fake credentials and, by default, without retries.

        Its server runs as long as the stack.
        """
        if handler is not None and self.in_process is not None:
            options["transport"] = self.in_process(handler)
        elif handler is not None:
            prefix = httpx.URL(options.get("base_url", "")).path.lstrip("/")
            options["base_url"] = f"{stack.enter_context(serve_handler(handler))}/{prefix}"
        if self.over_socket is not None:
            options["transport"] = self.over_socket()
        return self.kind(
            **{"api_key": KEY, "api_secret": SECRET, "retry": RetryPolicy.off(), **options}
        )


@contextlib.contextmanager
def serve_handler(handler: Handler) -> Iterator[str]:
    """Serve a handler on a loopback socket and yield its URL."""
    if isinstance(handler, Exchange):
        with running(handler) as url:
            yield url
        return

    def lived() -> Iterator[Step]:
        heads: list[bytes] = []
        while True:
            yield READ
            yield lambda head: heads.append(head) or b""  # type: ignore[func-returns-value]
            yield from response_steps(handler, heads.pop())

    with RawServer(lived) as server:
        yield server.url.rstrip("/")


def response_steps(handler: Handler, head: bytes) -> Iterator[Step]:
    """Yield the bytes of a response, or a part of it when the handler raises."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    fields = [(name, text) for name, _, text in (line.partition(": ") for line in lines)]
    url = f"http://{dict(fields)['Host']}{target}"
    try:
        response = handler(httpx.Request(method, url, headers=fields))
    except FAILURES:
        yield b"HTTP/1.1 2"
        raise OSError("the connection ends") from None
    headers, stream = [*response.headers.raw], response.stream
    # The body is sent as it is, whatever its Content-Encoding.
    whole = b"".join(stream) if isinstance(stream, httpx.ByteStream) else None
    if whole is None:
        headers.append((b"Connection", b"close"))
    elif "content-length" not in response.headers:
        headers.append((b"Content-Length", b"%d" % len(whole)))
    status = b"HTTP/1.1 %d %b" % (response.status_code, response.reason_phrase.encode() or b"Odd")
    yield (
        b"\r\n".join([status, *(b"%b: %b" % field for field in headers)])
        + b"\r\n\r\n"
        + (whole or b"")
    )
    if whole is None:
        assert isinstance(stream, Iterable)
        yield from stream
        raise OSError("the connection ends")


def as_asgi(handler: Handler) -> httpx.ASGITransport:
    """Return a transport to a handler as an ASGI application, which the mock exchange is."""

    async def application_of(scope: Any, receive: Any, send: Any) -> None:
        host, port = scope["server"]
        authority = host if port is None else f"{host}:{port}"
        target = scope["raw_path"] + (
            b"?" + scope["query_string"] if scope["query_string"] else b""
        )
        url = f"{scope['scheme']}://{authority}{target.decode('ascii')}"
        response = handler(httpx.Request(scope["method"], url, headers=scope["headers"]))
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": response.headers.raw,
            }
        )
        assert isinstance(response.stream, AsyncIterable)
        async for chunk in response.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return httpx.ASGITransport(handler.asgi if isinstance(handler, Exchange) else application_of)


# Never used; httpx would load its certificates for every transport.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
BLOCKING = functools.partial(httpx.HTTPTransport, verify=PLAIN)
AWAITING = functools.partial(httpx.AsyncHTTPTransport, verify=PLAIN)
OWN = [ClientSetup("own-sync", Client), ClientSetup("own-async", AsyncClient)]
HTTPX = [
    ClientSetup("httpx-sync", Client, BLOCKING),
    ClientSetup("httpx-async", AsyncClient, AWAITING),
]
MOCK = [
    ClientSetup("mock-sync", Client, in_process=httpx.MockTransport),
    ClientSetup("mock-async", AsyncClient, in_process=httpx.MockTransport),
]
ASGI = [ClientSetup("asgi", AsyncClient, in_process=as_asgi)]


@contextlib.contextmanager
def clients(way: ClientSetup) -> Iterator[Callable[..., BlockingFacade]]:
    """Yield `make_client(handler, **options)`, which makes clients over one transport.

    Without a handler the client has a `base_url`.
    """

    def make_client(handler: Handler | None = None, **options: Any) -> BlockingFacade:
        return stack.enter_context(
            contextlib.closing(BlockingFacade(way.client(handler, stack, **options), runner))
        )

    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        yield make_client
