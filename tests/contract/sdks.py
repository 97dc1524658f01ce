"""The clients of this package, each with both kinds of transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import httpx

from binance_usdm import AsyncClient, Client
from binance_usdm.contract._cases.schemathesis_setup import EDGES, GENERATED
from binance_usdm.contract._client_layers.sdk import RecordingTransport, Sdk

from . import patch_points as points


class RecordingDefaultTransport(RecordingTransport):
    """The same instead of the client's default transport, from the bytes that it would send."""

    make_gate: Any = points.ThreadGate
    run_in_thread = staticmethod(points.run_blocking)
    proxy_address = None

    def rejection(self, origin: Any) -> None:
        return None

    def lease(self, origin: Any, partition: object, **bounds: Any) -> points.EmptyLease:
        return points.EmptyLease(origin, None, **bounds)

    async def connect(self, lease: points.EmptyLease) -> None:
        return None

    async def send(self, lease: points.EmptyLease, request: Any) -> Any:
        try:
            response = self.handle_request(_to_httpx(request))
        except httpx.TransportError as error:
            return points.HttpFailure(type(error).__name__, str(error))
        body = b"".join(cast("httpx.SyncByteStream", response.stream))
        if len(body) > lease.max_response_bytes:
            return points.HttpFailure(points.TOO_LARGE, "")
        headers = points.Headers(response.headers.raw)
        return points.HttpResponse(response.status_code, headers, body)


class RecordingAsyncDefaultTransport(RecordingDefaultTransport):
    """The same for the asyncio client."""

    make_gate = points.TaskGate
    run_in_thread = staticmethod(points.run_awaited)


def _to_httpx(request: Any) -> httpx.Request:
    tls, host, port = request.template.origin
    first, *lines = request.encode().removesuffix(b"\r\n\r\n").split(b"\r\n")
    target = first.removeprefix(b"GET ").removesuffix(b" HTTP/1.1")
    url = httpx.URL(scheme="https" if tls else "http", host=host, port=port, raw_path=target)
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    # Only the request of a seeded fault has a method or a body.
    body = httpx.ByteStream(getattr(request, "body", b""))
    return httpx.Request(getattr(request, "method", "GET"), url, headers=headers, stream=body)


def with_default_transport(client_class: Any) -> Callable[..., Any]:
    """Return a function that makes a client whose default transport is replaced."""

    def with_replaced(make: Callable[..., Any]) -> Any:
        def make_client(*credentials: str, transport: Any = None, **options: Any) -> Any:
            client = make(*credentials, transport=transport, **options)
            if isinstance(transport, RecordingDefaultTransport):
                points.replace_transport(client, transport)
            return client

        return make_client

    make_client = with_replaced(client_class)
    make_client.from_env = with_replaced(client_class.from_env)
    return cast("Callable[..., Any]", make_client)


SDKS: Final = {
    "sync": Sdk(Client, RecordingTransport),
    "async": Sdk(AsyncClient, RecordingTransport),
    "sync, default transport": Sdk(with_default_transport(Client), RecordingDefaultTransport),
    "async, default transport": Sdk(
        with_default_transport(AsyncClient), RecordingAsyncDefaultTransport
    ),
}
# Each client and each kind of transport has random bodies once. All four have all edges.
HOW: Final = {
    name: GENERATED if name in ("async", "sync, default transport") else EDGES for name in SDKS
}
