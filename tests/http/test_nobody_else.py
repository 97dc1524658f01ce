"""A signed request goes to one server only.

It does not follow a redirect, nor go through the proxies of the environment or with its passwords.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.http.drivers import Wire, make_request
from tests.support.clients import BlockingFacade
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

PROXIES = [f"{kind}_proxy" for kind in ("http", "https", "all", "ftp", "ws", "socks")]


@pytest.mark.promise("S12")
def test_nothing_of_the_environment_changes_where_or_what_is_sent(
    wire: Wire,
    make_client: Callable[..., BlockingFacade],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(
        "machine 127.0.0.1 login someone password word\ndefault login someone password word\n"
    )
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").hardlink_to(netrc)
    with (
        RawServer(repeat(READ, response_bytes())) as server,
        RawServer(repeat(READ, response_bytes())) as proxy,
    ):
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        monkeypatch.setenv("no_proxy", "")
        wire.send(make_request(server.url))
        make_client(base_url=server.url).balance()
    assert (len(server.requests), proxy.connections) == (2, 0)
    for head in server.requests:
        assert head.startswith(b"GET /")
        assert b"authorization" not in head.lower()
