"""Run the mock with uvicorn: threads, workers, signals."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import FrameType
from typing import TYPE_CHECKING, Final, NamedTuple

from .asgi import LOOPBACK, Application
from .protocol import protocol_class

if TYPE_CHECKING:
    import uvicorn

HOST: Final = LOOPBACK
PORT: Final = 8787
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class TlsFiles(NamedTuple):
    """Paths of PEM files: certificate chain and private key. The chain may have the key too."""

    cert: str | os.PathLike[str]
    key: str | os.PathLike[str] | None = None

    def check(self) -> None:
        """Check that a server can use the files.

        Raises:
            OSError: A file cannot be read.
            ValueError: The files have no certificate with its key, or the key is encrypted.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self.cert, self.key, password="")
        except ssl.SSLError as error:
            raise ValueError(
                "the TLS files must be PEM: a certificate, and its private key without a password "
                f"({error.reason or 'NOT_PEM'})"
            ) from None


@contextmanager
def run_in_thread(app: Application, port: int, tls: TlsFiles | None = None) -> Iterator[str]:
    """Serve in a thread on the loopback address, and yield the base URL.

    Args:
        app: ASGI application.
        port: TCP port. 0 picks a free one.
        tls: Certificate and key. `None` serves plain http.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The port cannot be opened, or a file of `tls` cannot be read.
        ValueError: The files of `tls` cannot be used.
    """
    server = _make_server(app, tls)
    with _open_listener(HOST, port, tls) as (listener, url):
        thread = threading.Thread(
            target=server.run, args=([listener],), name="mock-exchange", daemon=True
        )
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


def run_until_signal(
    app: Application,
    host: str,
    port: int,
    workers: int,
    on_ready: Callable[[str], object],
    tls: TlsFiles | None = None,
) -> None:
    """Serve in the main thread, or in several processes, until SIGINT or SIGTERM.

    Args:
        app: ASGI application.
        host: IP address to listen on.
        port: TCP port. 0 picks a free one.
        workers: Number of processes. 1 serves in this one.
        on_ready: Function that is called with the base URL once connections are accepted.
        tls: Certificate and key. `None` serves plain http.

    Raises:
        ImportError: The package `uvicorn` is not installed.
        OSError: The address cannot be opened, or a file of `tls` cannot be read.
        ValueError: The files of `tls` cannot be used.
    """
    server = _make_server(app, tls)
    with _open_listener(host, port, tls) as (listener, url):
        if workers == 1:
            with _signal_handlers(server.handle_exit):
                on_ready(url)
                server.run([listener])
        else:
            with suppress(KeyboardInterrupt), _signal_handlers(signal.default_int_handler):
                _run_workers(workers, server, listener, lambda: on_ready(url))


def _run_workers(
    workers: int, server: uvicorn.Server, listener: socket.socket, on_ready: Callable[[], object]
) -> None:
    """Fork the workers, wait for the first to end, and end them all.

    Stop signals are blocked while the workers start, since a worker would ignore them until it has
    its handler.
    """
    processes = [
        get_context("fork").Process(target=_run_worker, args=(server, listener))
        for _ in range(workers)
    ]
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        for process in processes:
            process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        on_ready()
        wait([process.sentinel for process in processes])
        raise RuntimeError("a worker of the mock exchange ended")
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def _run_worker(server: uvicorn.Server, listener: socket.socket) -> None:
    # The handlers stay: after Ctrl-C the parent's SIGTERM may come when the server has ended.
    for number in _STOP_SIGNALS:
        signal.signal(number, server.handle_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    server.run([listener])


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _signal_handlers(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call a function on the stop signals. uvicorn does so only while it serves."""
    before = {number: signal.signal(number, handler) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def _open_listener(
    host: str, port: int, tls: TlsFiles | None
) -> Iterator[tuple[socket.socket, str]]:
    """Open a listening socket, and yield it and its base URL.

    From here on clients can connect, and wait to be served.
    """
    is_ipv6 = ":" in host
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    url_host = f"[{host}]" if is_ipv6 else host
    with socket.create_server((host, port), family=family) as listener:
        scheme = "https" if tls else "http"
        yield listener, f"{scheme}://{url_host}:{listener.getsockname()[1]}"


def _make_server(app: Application, tls: TlsFiles | None) -> uvicorn.Server:
    if tls:
        tls.check()
    try:
        # The extra "mock", which only a server needs.
        import uvicorn
    except ImportError:
        raise ImportError(
            "serving the mock exchange needs uvicorn (extra mock): pip install uvicorn"
        ) from None
    config = uvicorn.Config(
        app,
        http=protocol_class(),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        # Bytes that are not HTTP are the client's error, rejected with 400. Exceptions of the mock
        # are logged by `log_internal_error`.
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        # The client address is the socket's, so that a client cannot claim another one.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    return uvicorn.Server(config)
