"""Fixtures of the transport tests, each of which runs on both transports.

Nothing may stay open.
"""

from __future__ import annotations

import contextlib
import gc
import socket
from collections.abc import Iterator

import pytest

from tests.http.drivers import AsyncDriver, CertificateAuthority, SyncDriver, Wire, Wires
from tests.support.raw_server import full_queue


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def wires(request: pytest.FixtureRequest) -> Iterator[Wires]:
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(contextlib.closing(request.param(**options)))


@pytest.fixture(scope="module", autouse=True)
def nothing_leaks() -> Iterator[None]:
    yield
    # What was left open warns now, and a warning is an error here.
    gc.collect()


@pytest.fixture
def wire(wires: Wires) -> Wire:
    return wires()


@pytest.fixture
def swallower() -> Iterator[tuple[str, int]]:
    """An address that drops every SYN, of a listener whose queue is full."""
    with full_queue() as place, socket.socket() as probe:
        probe.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            probe.connect(place)
            pytest.skip("this system accepts connections beyond the backlog")
        yield place


@pytest.fixture
def closed_port() -> int:
    """A port on which no program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("tls"))
