"""The mock exchange on a socket: an ASGI application, and uvicorn around it. Knows no rule of the exchange."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

    from .exchange import Exchange

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
PORT = 8787


def application(exchange: Exchange) -> Application:
    """An ASGI 3 application that hands path and query to the exchange byte for byte."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await respond(scope, receive, send)
        else:
            raise ValueError(f"the mock exchange speaks http, not {scope['type']}")

    async def respond(scope: Message, receive: Receive, send: Send) -> None:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        reply = exchange.handle(scope["method"], target, scope["headers"], await _body(receive))
        headers = list(reply.headers)
        if not any(name.lower() == b"content-length" for name, _ in headers):
            headers.append((b"Content-Length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return answer


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _live(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def serve(exchange: Exchange, host: str = HOST, port: int = PORT) -> None:
    """Serve until interrupted. Nothing is logged: a line per request would print signed URLs."""
    with suppress(KeyboardInterrupt):
        _server(exchange, host, port).run()


@contextmanager
def running(exchange: Exchange, port: int = 0) -> Iterator[str]:
    """Serve in a thread on the loopback address; gives the base URL. Port 0 takes a free one."""
    server = _server(exchange, HOST, port)
    with socket.create_server((HOST, port)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="mock-exchange", daemon=True)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise RuntimeError("the mock exchange did not start")
                time.sleep(0.005)
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _server(exchange: Exchange, host: str, port: int) -> uvicorn.Server:
    try:
        import uvicorn  # the extra "mock": only a server needs it
    except ImportError:
        raise ImportError("serving the mock exchange needs uvicorn: pip install 'binance-usdm[mock]'") from None
    config = uvicorn.Config(
        application(exchange),
        host=host,
        port=port,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
