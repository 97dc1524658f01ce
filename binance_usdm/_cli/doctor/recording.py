"""A client that keeps what it receives, for `doctor --contract`."""

from __future__ import annotations

from typing import NamedTuple

from binance_usdm import Client
from binance_usdm._http.connections.lease import Lease
from binance_usdm._http.connections.sync_connection import SyncConnection
from binance_usdm._http.messages import HttpRequest, HttpResponse, HttpResult
from binance_usdm._http.sync_transport import SyncTransport


class RecordedResponse(NamedTuple):
    """A response and the path that was requested. Its `repr` shows nothing of the account."""

    path: str
    response: HttpResponse

    def __repr__(self) -> str:
        return f"<RecordedResponse {self.response.status}>"


def make_recording_client(kept: list[RecordedResponse]) -> type[Client]:
    """Return a class of clients that add every response to a list.

    A client makes its transport itself, so that proxy and TLS are as in other clients.
    """

    class RecordingTransport(SyncTransport):
        async def send(self, lease: Lease[SyncConnection], request: HttpRequest) -> HttpResult:
            result = await super().send(lease, request)
            if isinstance(result, HttpResponse):
                kept.append(RecordedResponse(request.target.partition(b"?")[0].decode(), result))
            return result

    class RecordingClient(Client):
        _default_transport_class = RecordingTransport

    return RecordingClient
