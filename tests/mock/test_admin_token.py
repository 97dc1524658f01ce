"""Test the admin token: who is welcome with it and without it, and where it never shows."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest

from binance_usdm.mock import Exchange, running
from binance_usdm.mock.admin import access
from binance_usdm.mock.admin.access import AccessRule
from tests.support.command_line import COMMAND, run

TOKEN = "a-token-of-the-tests-only"
BEARER = (b"authorization", f"Bearer {TOKEN}".encode())
BASIC = (b"authorization", b"Basic " + base64.b64encode(f"qa:{TOKEN}".encode()))
LOCAL = [(b"host", b"127.0.0.1:8787")]
FOREIGN = [(b"host", b"mock:8787")]


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ([*FOREIGN, BEARER], "10.0.0.9", None),
        ([*FOREIGN, BASIC], "10.0.0.9", None),
        ([*FOREIGN, (b"AUTHORIZATION", BEARER[1].replace(b"Bearer", b"bearer"))], "::2", None),
        ([*FOREIGN, BEARER, (b"x-forwarded-for", b"10.0.0.8")], "127.0.0.1", None),
        ([*FOREIGN, BASIC, (b"origin", b"http://mock:8787")], "10.0.0.9", None),
        (LOCAL, "127.0.0.1", None),
        (LOCAL, "10.0.0.9", 401),
        (FOREIGN, "127.0.0.1", 401),
        ([*LOCAL, (b"authorization", b"Bearer another-token-of-tests")], "127.0.0.1", 401),
        ([*FOREIGN, (b"authorization", b"Bearer " + TOKEN.upper().encode())], "10.0.0.9", 401),
        ([*FOREIGN, (b"authorization", BEARER[1] + b"x")], "10.0.0.9", 401),
        ([*FOREIGN, (b"authorization", BEARER[1][:-1])], "10.0.0.9", 401),
        ([*FOREIGN, (b"authorization", b"Bearer ")], "10.0.0.9", 401),
        ([*FOREIGN, (b"authorization", TOKEN.encode())], "10.0.0.9", 401),
        ([*FOREIGN, (b"authorization", b"Basic =")], "10.0.0.9", 401),
        ([*FOREIGN, BEARER, BEARER], "10.0.0.9", 401),
        # A browser sends the token by itself, so another site is rejected in spite of it.
        ([*FOREIGN, BASIC, (b"origin", b"https://evil.example")], "10.0.0.9", 403),
        ([*FOREIGN, BASIC, (b"sec-fetch-site", b"cross-site")], "10.0.0.9", 403),
        ([BEARER], "10.0.0.9", 403),
    ],
)
def test_the_token_opens_for_any_address(
    headers: list[tuple[bytes, bytes]], address: str, status: int | None
) -> None:
    """With the token any address and Host is allowed, without it local ones only."""
    problem = AccessRule("http", TOKEN).find_problem(headers, address)
    assert (problem and problem[0]) == status


def test_without_a_token_nothing_opens() -> None:
    """An exchange without a token rejects other machines, whatever they send."""
    for authorization in (
        BEARER,
        (b"authorization", b"Bearer "),
        (b"authorization", b"Basic Og=="),
    ):
        problem = AccessRule("http").find_problem([*FOREIGN, authorization], "10.0.0.9")
        assert problem is not None
        assert problem[0] == 403
        assert AccessRule("http").find_problem([*LOCAL, authorization], "127.0.0.1") is None


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is `hmac.compare_digest` over hashes of equal length."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(access, "compare_digest", compare)
    rule = AccessRule("http", TOKEN)
    for authorization in (BEARER, (b"authorization", b"Bearer x")):
        rule.find_problem([*FOREIGN, authorization], "10.0.0.9")
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)] * 2
    assert TOKEN not in repr(vars(rule))


@pytest.mark.parametrize(
    "token", ["", "short", "a token of the tests", "a-token-of-tests\n", "é" * 20]
)
def test_a_weak_token_is_rejected(token: str) -> None:
    """A token needs 16 printable characters. The error does not show it."""
    with pytest.raises(ValueError, match="at least 16 characters") as caught:
        Exchange().asgi_app(admin=True, admin_token=token)
    assert not token or token not in str(caught.value)


def test_an_application_has_the_admin_api() -> None:
    """`asgi_app(admin=True)` serves the admin API, with a token for other machines."""
    application = Exchange().asgi_app(admin=True, admin_token=TOKEN)

    async def ask(**headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(application, client=("10.0.0.9", 1))
        request = httpx.Request("GET", "http://mock/__admin/counts", headers=headers)
        response = await transport.handle_async_request(request)
        await response.aread()
        return response

    assert asyncio.run(ask(Authorization=f"Bearer {TOKEN}")).json()["total"] == 0
    rejected = asyncio.run(ask())
    assert rejected.status_code == 401
    assert rejected.headers["WWW-Authenticate"].startswith("Basic realm=")


def open_url(url: str, **headers: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers)) as response:
        body: bytes = response.read()
        return body


def test_a_server_reads_the_token_from_a_file(tmp_path: Path) -> None:
    """Through a socket: the token opens under another Host, health needs none, and it never shows."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    command = [*COMMAND, "mock", "serve", "--port", "0", "--admin", "--log"]
    command += ["--admin-token-file", str(token_file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            start = ""
            while "BINANCE_BASE_URL" not in start:
                start += server.stderr.readline()
            url = start.split("BINANCE_BASE_URL=")[1].strip()
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            assert (
                json.loads(open_url(f"{url}/__admin/counts", Host="mock:1", **bearer))["total"] == 0
            )
            page = open_url(f"{url}/__admin/", Host="mock:1", **bearer)
            with pytest.raises(urllib.error.HTTPError, match="401"):
                open_url(f"{url}/__admin/counts", Host="mock:1")
            assert open_url(f"{url}/__health", Host="mock:1") == b'{"status":"ok"}'
            with pytest.raises(urllib.error.HTTPError, match="404"):
                open_url(f"{url}/nowhere", **bearer)
            assert TOKEN not in Path(f"/proc/{server.pid}/cmdline").read_text()
            server.send_signal(signal.SIGTERM)
            shown = start + "".join(server.communicate(timeout=20))
        finally:
            server.kill()
    assert "1 rejected" in shown
    assert TOKEN not in shown
    assert TOKEN.encode() not in page


def test_a_server_reads_the_token_from_the_environment() -> None:
    """The variable is used with --admin, and a token that is too short is wrong usage."""
    done = run("mock", "serve", "--admin", "--port", "0", BINANCE_MOCK_ADMIN_TOKEN="short")
    assert (done.returncode, "at least 16 characters" in done.stderr) == (2, True)
    done = run("mock", "serve", "--port", "0", "--admin-token-file", "/dev/null")
    assert (done.returncode, "needs --admin" in done.stderr) == (2, True)


def test_running_takes_a_token() -> None:
    """`running` serves the admin API with a token too."""
    with running(admin=True, admin_token=TOKEN) as url:
        shown = open_url(f"{url}/__admin/counts", Host="mock", Authorization=BASIC[1].decode())
    assert json.loads(shown)["total"] == 0
