"""The mock exchange on a socket: an ASGI application, and uvicorn around it. Knows no rule of the exchange."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from .account import ip
from .admin import BODY_LIMIT, PREFIX, Admin
from .logbook import complain
from .reply import AT_ONCE, Reply, page
from .sending import EXTENSION, Message, Receive, Send, headed, send_reply, sendable

if TYPE_CHECKING:
    import uvicorn

    from .exchange import Exchange

Application = Callable[[Message, Receive, Send], Awaitable[None]]

HOST: Final = "127.0.0.1"
PORT: Final = 8787
_BODY_LIMIT: Final = 1024 * 1024  # far above what any request to the exchange needs
_ANNOUNCING: Final = frozenset({b"content-length", b"transfer-encoding"})
_GRACE: Final = 0.5
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def application(exchange: Exchange, *, admin: bool = False) -> Application:
    """An ASGI 3 application that hands path and query to the exchange byte for byte, and plays how replies travel.

    ``admin`` adds the admin interface under ``/__admin``, for this machine only. A body above 1 MiB is refused with 413 and not
    put on record; what raises, as a verifier of your own may, is logged on ``binance_usdm.mock`` and answered 500.
    """
    office = Admin(exchange) if admin else None

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _live(scope["type"], receive, send)
            return
        body = await _body(receive) if _may_bring_body(scope) else b""
        try:
            reply = ask(scope, body)
            head = sendable(reply)
        except Exception as error:  # of a verifier, a clock or a reply that users made  # noqa: BLE001
            complain(error)
            reply = page(500, "Internal server error")
            head = headed(reply)
        announced, headers = head
        if reply.delivery is AT_ONCE and announced == len(reply.body):  # nearly every one
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})
        else:
            await send_reply(reply, head, scope, receive, send)

    def ask(scope: Message, body: bytes) -> Reply:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        method, query, headers = scope["method"], scope["query_string"], scope["headers"]
        if office is not None and _is_admin(path):
            caller = (scope.get("client") or ("",))[0]
            return office.handle(method, path.decode("latin-1"), query, headers, body, caller)
        if len(body) > _BODY_LIMIT:
            return page(413, "Request entity too large")
        return exchange.handle(method, path + b"?" + query if query else path, headers, body, _address(scope))

    return answer


def _is_admin(path: bytes) -> bool:
    return path == PREFIX.encode() or path.startswith(f"{PREFIX}/".encode())


def _may_bring_body(scope: Message) -> bool:
    """HTTP/1 announces each body (RFC 9112, 6.3); other versions need not."""
    for name, _ in scope["headers"]:
        if name in _ANNOUNCING:
            return True
    return not scope.get("http_version", "").startswith("1.")


async def _body(receive: Receive) -> bytes:
    """The request's body; reading ends above the higher limit."""
    body, more = bytearray(), True
    while more and len(body) <= BODY_LIMIT:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _address(scope: Message) -> str:
    """The IP address that a request comes from; this machine's where there is none, as in a test without a socket."""
    try:
        return ip((scope.get("client") or (HOST,))[0])
    except ValueError:  # a test client may call itself by any name
        return HOST


async def _live(kind: str, receive: Receive, send: Send) -> None:
    if kind != "lifespan":
        raise ValueError(f"the mock exchange speaks http, not {kind}")
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


@contextmanager
def running(exchange: Exchange, port: int = 0, *, admin: bool = False) -> Iterator[str]:
    """Serve in a thread on the loopback address; gives the base URL. Port 0 takes a free one."""
    server = _server(exchange, admin)
    with _listening(HOST, port) as (listening, url):
        thread = threading.Thread(target=server.run, args=([listening],), name="mock-exchange", daemon=True)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise RuntimeError("the mock exchange did not start")
                time.sleep(0.005)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def serve(
    exchange: Exchange,
    host: str = HOST,
    port: int = PORT,
    *,
    admin: bool = False,
    workers: int = 1,
    ready: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve until SIGINT or SIGTERM, in the main thread. Requests are not logged: a line for each would print signed URLs.

    ``ready`` is called with the base URL once no connection is refused any more. ``workers`` above 1 forks that many processes,
    where there is ``fork``; each has accounts, weight, faults and log of its own, so they cannot have one admin interface.
    """
    if workers < 1 or (workers > 1 and (admin or not hasattr(os, "fork"))):
        raise ValueError("workers must be 1 or more; above 1 they need fork, and have no admin interface in common")
    server = _server(exchange, admin)
    with _listening(host, port) as (listening, url):
        if workers == 1:
            with _ended_by(server.handle_exit):
                ready(url)
                server.run([listening])
        else:
            with suppress(KeyboardInterrupt), _ended_by(signal.default_int_handler):
                _work(workers, server, listening, lambda: ready(url))


def _work(workers: int, server: uvicorn.Server, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Fork, wait for the first to end, and end them all."""
    processes = [get_context("fork").Process(target=_serve_in_child, args=(server, listening)) for _ in range(workers)]
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # none may meet a child that does not know yet what to do
        for process in processes:
            process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        ready()
        wait([process.sentinel for process in processes])
        raise RuntimeError("a worker of the mock exchange ended")
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def _serve_in_child(server: uvicorn.Server, listening: socket.socket) -> None:
    def follow() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

    with _ended_by(server.handle_exit):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        threading.Thread(target=follow, daemon=True).start()
        server.run([listening])


@contextmanager
def _ended_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have a function called by the signals that end a server. uvicorn does so only while it serves."""
    before = {each: signal.signal(each, handler) for each in _ENDING}
    try:
        yield
    finally:
        for each, known in before.items():
            signal.signal(each, known)


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A listening socket and its base URL: from here on, whoever connects waits to be served."""
    is_ipv6 = ":" in host
    with socket.create_server((host, port), family=socket.AF_INET6 if is_ipv6 else socket.AF_INET) as listening:
        yield listening, f"http://{f'[{host}]' if is_ipv6 else host}:{listening.getsockname()[1]}"


def _server(exchange: Exchange, admin: bool) -> uvicorn.Server:
    try:
        import uvicorn  # the extra "mock": only a server needs it
    except ImportError:
        raise ImportError("serving the mock exchange needs uvicorn: pip install 'binance-usdm[mock]'") from None
    config = uvicorn.Config(
        application(exchange, admin=admin),
        http=_protocol(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",  # bytes that are no HTTP are a client's matter, refused with 400; our own mishaps have our own log
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # an address is the socket's: nobody can claim another one
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@cache
def _protocol() -> type[Any]:
    """uvicorn's protocol, which gives its transport to the application and does not wait for a slow delivery when it ends."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
            super().connection_made(transport)
            # asyncio does this for sockets that say they are TCP, and create_server's do not: 40 ms for every reply
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            connection: Any = {EXTENSION: self.transport}  # the types know no extensions of others
            self.scope["extensions"] = connection

        def shutdown(self) -> None:
            super().shutdown()
            self.loop.call_later(_GRACE, self.transport.abort)

    return Protocol
