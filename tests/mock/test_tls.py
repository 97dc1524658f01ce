"""The mock exchange over TLS: certificates, both clients, faults, the admin API, the command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from binance_usdm import (
    AsyncClient,
    AuthenticationError,
    Client,
    RetryPolicy,
    TransportError,
    UsdmError,
    reset_shared_state,
)
from binance_usdm._cli.mock.start import start_lines
from binance_usdm.mock import Exchange, running
from tests.support.command_line import COMMAND, run

NAMES = ("127.0.0.1", "fapi.binance.com")


class Certificates(NamedTuple):
    """Paths of PEM files: an authority, and a certificate that it issued for `NAMES`."""

    authority: Path
    cert: Path
    key: Path
    cert_and_key: Path
    other_key: Path
    encrypted_key: Path

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    files = Certificates(*(folder / f"{name}.pem" for name in Certificates._fields))
    authority = trustme.CA()
    issued = authority.issue_cert(*NAMES)
    key = issued.private_key_pem.bytes()
    authority.cert_pem.write_to_path(str(files.authority))
    issued.cert_chain_pems[0].write_to_path(str(files.cert))
    files.key.write_bytes(key)
    files.cert_and_key.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    authority.issue_cert("x.example").private_key_pem.write_to_path(str(files.other_key))
    files.encrypted_key.write_bytes(
        load_pem_private_key(key, None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )
    return files


@pytest.fixture(scope="module")
def served(certificates: Certificates) -> Iterator[tuple[Exchange, str]]:
    """Serve an exchange over TLS."""
    exchange = Exchange()
    with running(
        exchange, admin=True, tls_cert=certificates.cert, tls_key=certificates.key
    ) as base_url:
        yield exchange, base_url


@pytest.fixture
def exchange(served: tuple[Exchange, str]) -> Exchange:
    served[0].reset()
    return served[0]


@pytest.fixture
def url(served: tuple[Exchange, str]) -> str:
    reset_shared_state()
    return served[1]


def call_blocking(url: str, exchange: Exchange, context: ssl.SSLContext, times: int) -> list[str]:
    options: dict[str, Any] = {"base_url": url, "ssl_context": context, "retry": RetryPolicy.off()}
    with Client(exchange.api_key, exchange.api_secret, **options) as client:
        return [f"{client.balance()[0].balance:f}" for _ in range(times)]


def call_async(url: str, exchange: Exchange, context: ssl.SSLContext, times: int) -> list[str]:
    options: dict[str, Any] = {"base_url": url, "ssl_context": context, "retry": RetryPolicy.off()}

    async def call() -> list[str]:
        async with AsyncClient(exchange.api_key, exchange.api_secret, **options) as client:
            return [f"{(await client.balance())[0].balance:f}" for _ in range(times)]

    return asyncio.run(call())


Call = Callable[[str, Exchange, ssl.SSLContext, int], list[str]]


@pytest.fixture(params=[call_blocking, call_async])
def call(request: pytest.FixtureRequest) -> Call:
    function: Call = request.param
    return function


def test_clients_call_over_tls(
    call: Call, url: str, exchange: Exchange, certificates: Certificates
) -> None:
    """Signed calls over the clients' own transports are verified and responded to."""
    assert url.startswith("https://127.0.0.1:")
    assert call(url, exchange, certificates.client_context(), 3) == ["122607.35137903"] * 3
    assert [request.status for request in exchange.requests] == [200] * 3
    exchange.assert_signed()


def test_an_untrusted_authority_receives_nothing(call: Call, url: str, exchange: Exchange) -> None:
    """Without the authority the handshake fails, so no key is sent."""
    with pytest.raises(TransportError, match="certificate is not trusted"):
        call(url, exchange, ssl.create_default_context(), 1)
    assert not exchange.requests


def test_a_certificate_counts_for_its_names(
    call: Call, url: str, exchange: Exchange, certificates: Certificates
) -> None:
    """The certificate is not for `localhost`, which leads to the same server."""
    other_name = url.replace("127.0.0.1", "localhost")
    with pytest.raises(TransportError, match="another server responds there"):
        call(other_name, exchange, certificates.client_context(), 1)
    assert not exchange.requests


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("cut", "within the response"),
        ("reset", "ECONNRESET|EOF"),
        ("slow", None),
        ("waf", "HTTP 403"),
    ],
)
def test_faults_reach_the_client_over_tls(
    call: Call,
    url: str,
    exchange: Exchange,
    certificates: Certificates,
    fault: str,
    problem: str | None,
) -> None:
    """What a fault does to the connection is what the client meets, as over http."""
    options: dict[str, Any] = {"pause": 0.001} if fault == "slow" else {}
    exchange.fail(fault, **options)
    expected = pytest.raises(UsdmError, match=problem) if problem else contextlib.nullcontext()
    with expected:
        call(url, exchange, certificates.client_context(), 1)
    assert exchange.requests[0].fault == fault


def test_the_admin_page_works_over_https(url: str, certificates: Certificates) -> None:
    """The page's own origin is https, and that of another site is still rejected."""
    with httpx.Client(base_url=url, verify=certificates.client_context()) as browser:
        assert browser.get("/__admin/").status_code == 200
        statuses = [
            browser.post("/__admin/recover", json={}, headers={"Origin": origin}).status_code
            for origin in (url, "https://evil.example", "null")
        ]
    assert statuses == [200, 403, 403]


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        ("cert", "other_key", "KEY_VALUES_MISMATCH"),
        ("cert", None, "PEM"),
        ("cert", "encrypted_key", "without a password"),
        ("key", "cert", "PEM"),
    ],
)
def test_files_that_do_not_fit_are_rejected(
    certificates: Certificates, cert: str, key: str | None, reason: str
) -> None:
    """The mock does not start, nor ask for a password, in Python and from the shell."""
    files = {"tls_cert": getattr(certificates, cert)}
    if key is not None:
        files["tls_key"] = getattr(certificates, key)
    with pytest.raises(ValueError, match=reason), running(Exchange(), **files):
        pass
    arguments = [
        word for name, path in files.items() for word in ("--" + name.replace("_", "-"), str(path))
    ]
    done = run("mock", "serve", "--port", "0", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: the TLS files must be PEM: a certificate, and its private key" in done.stderr


def test_a_key_needs_its_certificate(certificates: Certificates) -> None:
    """A key alone is wrong usage, and a file that does not exist is named."""
    with (
        pytest.raises(ValueError, match="tls_key needs tls_cert"),
        running(Exchange(), tls_key=certificates.key),
    ):
        pass
    done = run("mock", "serve", "--tls-key", str(certificates.key))
    assert (done.returncode, done.stderr.endswith("error: --tls-key needs --tls-cert\n")) == (
        2,
        True,
    )
    done = run("mock", "serve", "--tls-cert", "/nowhere/cert.pem")
    assert "argument --tls-cert: the file cannot be read (No such file" in done.stderr


@contextlib.contextmanager
def serve(*arguments: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Start `mock serve`, and yield what it prints and the variables among that."""
    command = [*COMMAND, "mock", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            printed = ""
            while "BINANCE_BASE_URL=" not in printed or not printed.endswith("\n"):
                received = os.read(server.stderr.fileno(), 65536).decode()
                assert received, printed
                printed += received
            lines = [line for line in printed.splitlines() if line.startswith("export ")]
            pairs = (line.removeprefix("export ").partition("=")[::2] for line in lines)
            yield printed, dict(pairs)
            server.terminate()
            assert server.wait(20) == 0
        finally:
            server.kill()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_serves_https(certificates: Certificates, workers: str) -> None:
    """What is printed, with the authority, is all that the command needs."""
    arguments = ("--tls-cert", str(certificates.cert_and_key), "--workers", workers)
    with serve(*arguments) as (printed, exports):
        assert "# SSL_CERT_FILE: the authority that issued --tls-cert" in printed
        assert exports["BINANCE_BASE_URL"].startswith("https://127.0.0.1:")
        trusting = {**exports, "SSL_CERT_FILE": str(certificates.authority)}
        done = subprocess.run(
            [*COMMAND, "balance"], capture_output=True, text=True, env=trusting, check=False
        )
    assert (done.returncode, done.stdout.count("122607.35137903")) == (0, 1), done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
def test_https_elsewhere_needs_no_opt_in(host: str) -> None:
    """Other machines need the authority only."""
    options = argparse.Namespace(
        admin=True, host=host, public_key=None, seed=None, tls_cert="cert.pem"
    )
    printed = "\n".join(start_lines(options, Exchange(), f"https://{host}:8787"))
    assert "BINANCE_BASE_URL=https://" in printed
    assert "http:" not in printed
    assert "BINANCE_ALLOW_HTTP_HOSTS" not in printed


def test_a_fixed_address_leads_to_the_mock(
    certificates: Certificates, exchange: Exchange, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program with the exchange's own address meets the mock, as by an alias of a network."""
    port = urlsplit(url).port
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, _, *arguments, **options: resolve("127.0.0.1", port, *arguments, **options),
    )
    context = certificates.client_context()
    assert call_blocking("https://fapi.binance.com", exchange, context, 1) == ["122607.35137903"]
    exchange.assert_signed()


def test_the_command_has_several_accounts() -> None:
    """Each account has its own key, secret and alias; another secret is rejected."""
    accounts = ("--account", "desk=desk-secret", "--account", "fund=fund-secret==")
    aliases = set()
    with serve(*accounts) as (_, exports):
        for key, secret in (("desk", "desk-secret"), ("fund", "fund-secret==")):
            with Client(key, secret, base_url=exports["BINANCE_BASE_URL"]) as client:
                aliases.add(client.balance()[0].account_alias)
        with (
            Client("desk", "fund-secret==", base_url=exports["BINANCE_BASE_URL"]) as client,
            pytest.raises(AuthenticationError, match="code -1022"),
        ):
            client.balance()
    assert len(aliases) == 2


@pytest.mark.parametrize(
    ("account", "problem"),
    [
        ("desk", "argument --account: must be KEY=SECRET"),
        ("desk=", "argument --account: must be KEY=SECRET"),
        ("=secret", "argument --account: must be KEY=SECRET"),
        ("desk=-----BEGIN PUBLIC KEY-----", "argument --account: must be an HMAC secret"),
        ("K=other-secret", "error: api_key belongs to an account already"),
    ],
)
def test_accounts_that_cannot_be_are_wrong_usage(account: str, problem: str) -> None:
    """A key twice is wrong usage, too, and no message has a secret."""
    done = run("mock", "serve", "--api-key", "K", "--account", account)
    assert (done.returncode, problem in done.stderr) == (2, True), done.stderr
    assert "other-secret" not in done.stderr
