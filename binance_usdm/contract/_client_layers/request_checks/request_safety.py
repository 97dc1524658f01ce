"""Checks of what nobody else may get: secrets, requests to another server, and what comes late."""

from __future__ import annotations

import functools
import ssl
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx

from binance_usdm import TransportError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import call_each
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    ONE_ATTEMPT,
    RETRY,
    respond_in_turn,
    send_calls,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._client_layers.servers.recording_server import HOST, LoopbackServer
from binance_usdm.contract._spec.operations import Operation

NAME: Final = "one.invalid"
OTHER_NAME: Final = "two.invalid"
PASSWORD: Final = "proxy-password"  # noqa: S105 - of no proxy
REDIRECTS: Final = (301, 302, 303, 307, 308)
# What a browser would keep: a cookie, and the response itself.
KEPT_BY_OTHERS: Final = {
    "Content-Type": "application/json",
    "Set-Cookie": "a=b; Path=/",
    "Cache-Control": "max-age=3600",
    "ETag": '"1"',
}
CERTIFICATE_DAYS: Final = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC))


def redirects_are_not_followed(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A key and a signature go to no other address, whatever the server says."""
    for status in REDIRECTS:
        location = f"https://{OTHER_NAME}{operation.sample_path}"

        def respond(
            request: httpx.Request, status: int = status, location: str = location
        ) -> httpx.Response:
            return httpx.Response(status, headers={"Location": location})

        calls, sent = send_calls(sdk, respond, operation, {}, retry=RETRY)
        place = f"{status}: {[each.origin for each in sent]}, {calls[0].error!r}"
        assert len(sent) == 1, place
        assert calls[0].error is not None, place


def nothing_is_kept_between_calls(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Each call is sent, without a cookie, and whatever the last response said of its age."""

    def respond(request: httpx.Request) -> httpx.Response:
        body = operation.example_bodies[0].encode()
        return httpx.Response(200, headers=KEPT_BY_OTHERS, content=body)

    _, sent = send_calls(sdk, respond, operation, {}, {})
    assert len(sent) == 2, f"{len(sent)} requests of 2 calls"
    first, second = ({name.lower() for name, _ in each.headers} for each in sent)
    assert first == second, f"only in one of two calls: {first ^ second}"


def closed_client_sends_nothing(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A call of a client that was closed is an error."""
    client, transport = sdk.connect(respond_in_turn(operation))
    call_each(client, operation, {})
    (call,) = call_each(client, operation, {})
    place = f"{len(transport.sent)} requests, {call.error!r}"
    assert len(transport.sent) == 1, place
    assert isinstance(call.error, TransportError), place


def secrets_are_not_shown(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Neither a client nor its errors show key, secret, signature or the proxy's password."""
    with LoopbackServer(respond_in_turn(operation), connect_status=403) as proxy:
        options = {"proxy": f"http://user:{PASSWORD}@{HOST}:{proxy.port}", "limiter": None}
        client = sdk.client(KEY, SECRET, base_url=f"https://{NAME}", retry=ONE_ATTEMPT, **options)
        shown = [repr(client), str(client)]
        (call,) = call_each(client, operation, {})
    shown.append(f"{call.error} {call.error!r}")

    def respond(request: httpx.Request) -> httpx.Response:
        # An error of a transport may say all that it knows.
        raise httpx.ReadError(f"{request.url} {request.headers.raw}")

    (call,), sent = send_calls(sdk, respond, operation, {}, retry=ONE_ATTEMPT)
    shown.append(f"{call.error} {call.error!r}")
    secrets = [("secret", SECRET), ("password", PASSWORD)]
    secrets += [("key", KEY)] if operation.key_header else []
    for each in sent:
        secrets += [("signature", text) for text in each.values_of(operation.signature) or ()]
    found = {name for name, secret in secrets if any(secret in text for text in shown)}
    assert not found, f"a client or an error shows {found}"


def certificates_are_checked(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A server gets no request before its certificate is trusted and has its name."""
    if (certificate := _make_certificate()) is None:
        return
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(cadata=certificate.decode("ascii").partition("-----BEGIN EC")[0])
    with TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        file.write_bytes(certificate)
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(file)
    cases: tuple[tuple[str, Any, bool], ...] = (
        (NAME, {"ssl_context": trusting}, True),
        (OTHER_NAME, {"ssl_context": trusting}, False),
        (NAME, {}, False),
    )
    for name, options, is_trusted in cases:
        with LoopbackServer(respond_in_turn(operation), tls=serving) as proxy:
            options |= {"proxy": f"http://{HOST}:{proxy.port}", "limiter": None}
            options |= {"base_url": f"https://{name}", "retry": ONE_ATTEMPT}
            client = sdk.client(KEY, SECRET, clock=lambda: T0, **options)
            (call,) = call_each(client, operation, {})
        known = "a known" if "ssl_context" in options else "an unknown"
        place = (
            f"{known} certificate of {NAME} as {name}: {len(proxy.served)} requests, {call.error!r}"
        )
        assert len(proxy.served) == int(is_trusted), place
        assert (call.error is None) is is_trusted, place


CHECKS: Final = (
    redirects_are_not_followed,
    nothing_is_kept_between_calls,
    closed_client_sends_nothing,
    secrets_are_not_shown,
    certificates_are_checked,
)


@functools.cache
def _make_certificate() -> bytes | None:
    """Return a new certificate and its key in PEM, or `None` without the package cryptography."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        return None
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(CERTIFICATE_DAYS[0])
        .not_valid_after(CERTIFICATE_DAYS[1])
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key_pem
