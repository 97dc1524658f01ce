"""A client to check, and the transport that keeps its requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import httpx

from binance_usdm import DEMO, MAINNET, AsyncTransport, ConfigurationError, SyncTransport
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0
from binance_usdm_wire import OPERATIONS

BASE_URLS: Final = {"production": MAINNET, "demo": DEMO}
Respond: TypeAlias = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class WireRequest:
    """A request as it was sent.

    Attributes:
        method: Method.
        target: Path and query, or for CONNECT host and port.
        headers: Names and values.
    """

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)

    @property
    def query(self) -> str:
        return self.target.partition(b"?")[2].decode()

    def values_of(self, name: str | None) -> list[str] | None:
        """Return all values of a parameter, or `None` if it was not sent."""
        return parse_qs(self.query, keep_blank_values=True).get(name or "")

    def header_values(self, name: str | None) -> list[bytes]:
        """Return all values of a header."""
        wanted = (name or "").lower().encode()
        return [value for header, value in self.headers if header.lower() == wanted]


@dataclass(frozen=True)
class SentRequest(WireRequest):
    """A request as it left the client, and the body of its response."""

    origin: str
    body: bytes
    response_body: bytes


class RecordingTransport(httpx.MockTransport):
    """A transport for both clients that keeps every request.

    Args:
        respond: Function that returns the response to a request of httpx.

    Attributes:
        sent: The requests.
    """

    def __init__(self, respond: Respond) -> None:
        # A client calls a `MockTransport` without a thread.
        super().__init__(self.handle_request)
        self.sent: list[SentRequest] = []
        self.respond = respond

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, body, headers = request.url, request.read(), request.headers
        copy = httpx.Request(request.method, url, headers=headers, content=body)
        origin = f"{url.scheme}://{url.netloc.decode()}"
        parts = (request.method, url.raw_path, tuple(headers.raw), origin, body)
        content = b""
        try:
            response = self.respond(copy)
            # A stream is for the client.
            content = response.content if response.is_closed else b""
        finally:
            # A request whose response is lost was sent, too.
            self.sent.append(SentRequest(*parts, content))
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@dataclass(frozen=True)
class Sdk:
    """A client to check.

    Attributes:
        client: Class, or function that makes a client.
        transport: Class of the transport that stands for the network.
        operations: Operations of the client with the arguments that they say they take.
        base_urls: Base URLs that the client has names for, by the environment of each.
    """

    client: Callable[..., Any]
    transport: Callable[[Respond], RecordingTransport] = RecordingTransport
    operations: Mapping[str, Any] = field(default_factory=lambda: OPERATIONS)
    base_urls: Mapping[str, str] = field(default_factory=lambda: BASE_URLS)

    def connect(self, respond: Respond, **options: Any) -> tuple[Any, RecordingTransport]:
        """Return a client whose clock is at the time of the worked example, and its transport.

        Args:
            respond: Function that returns the response to a request of httpx.
            options: Options of the client beside key, secret, transport and clock.
        """
        transport = self.transport(respond)
        options = {"clock": lambda: T0, **options}
        return self.client(KEY, SECRET, transport=transport, **options), transport

    def own_transport(self, **options: Any) -> Any:
        """Return the transport of this package that the client takes, sync or asyncio."""
        transport = SyncTransport(**options)
        try:
            self.client(KEY, SECRET, transport=transport)
        except ConfigurationError:
            transport.close()
            return AsyncTransport(**options)
        return transport
