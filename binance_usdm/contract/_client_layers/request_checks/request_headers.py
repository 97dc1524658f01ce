"""Checks of hosts, headers and keys: what each request says of its client."""

from __future__ import annotations

import gzip
import itertools
import re
import zlib
from collections.abc import Callable
from typing import Any, Final

import httpx

from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.calls import RecordedCall, call_in_turn
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    ONE_ATTEMPT,
    is_signed_with,
    send_calls,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.operations import Operation

# The mock exchange of the document, which is no environment of the exchange.
NO_ENVIRONMENT: Final = "mock"
# Base URL, and the Host header: with the port unless it is the one of the scheme (RFC 9110, 7.2).
HOSTS: Final = (
    ("https://gateway.invalid", b"gateway.invalid"),
    ("https://gateway.invalid:443", b"gateway.invalid"),
    ("https://gateway.invalid:80", b"gateway.invalid:80"),
    ("https://gateway.invalid:8443", b"gateway.invalid:8443"),
    ("http://127.0.0.1", b"127.0.0.1"),
    ("http://127.0.0.1:80", b"127.0.0.1"),
    ("http://127.0.0.1:443", b"127.0.0.1:443"),
    ("http://[::1]:8080", b"[::1]:8080"),
)
# Bodies in the encodings that a server may choose when a client says that it takes them.
ENCODINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    # One block that is stored as it is.
    "br": lambda body: (len(body) - 1 << 4 | 1 << 20).to_bytes(3, "little") + body + b"\x03",
    "zstd": lambda body: (
        b"\x28\xb5\x2f\xfd\xa0"
        + len(body).to_bytes(4, "little")
        + (len(body) << 3 | 1).to_bytes(3, "little")
        + body
    ),
}
JSON_TYPES: Final = {"*/*", "application/*", "application/json"}


def host_has_its_port(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The Host header has the port, unless it is the one of the scheme."""
    for base_url, host in HOSTS:
        _, sent = send_calls(sdk, make(), operation, {}, base_url=base_url)
        for request in sent:
            hosts = request.header_values("Host")
            assert hosts == [host], f"{base_url}: {hosts}"


def each_environment_has_its_host(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """With the base URL of an environment, a call goes to the operation's server there."""
    for environment, base_url in operation.base_urls.items():
        _, sent = send_calls(sdk, make(), operation, {}, base_url=base_url)
        found = {each.origin for each in sent}
        assert found <= {operation.origins[environment]}, f"{environment}: {found}"


def headers_are_complete(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Each request takes JSON and names its client, and all have the same headers."""
    _, sent = send_calls(sdk, make(), operation, {}, {})
    for request in sent:
        accepted = b",".join(request.header_values("Accept")) or b"*/*"
        types = {part.partition(b";")[0].strip().decode() for part in accepted.split(b",")}
        assert types & JSON_TYPES, f"accepts {types}"
        agents = request.header_values("User-Agent")
        assert len(agents) == 1, f"{len(agents)} user agents"
        assert re.fullmatch(rb"[!-~]+( [!-~]+)*", agents[0]), f"user agent {agents[0]!r}"
    assert len({each.headers for each in sent}) == 1, f"headers {[each.headers for each in sent]}"


def accepted_encodings_are_decoded(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A body in each encoding that the client says it takes is read. Without a word, in any."""
    body = encode(operation.richest_example)
    plain, sent = _receive(sdk, operation, body)
    accepted = b",".join(sent.header_values("Accept-Encoding")).decode() or "*"
    names = {part.strip().lower() for part in accepted.split(",")}
    names = {name.partition(";")[0] for name in names if not re.search(r";\s*q=0(\.0*)?$", name)}
    for name in sorted([*ENCODINGS] if "*" in names else names):
        assert name in ENCODINGS, f"takes the encoding {name}"
        header = [("Content-Encoding", name)]
        encoded, _ = _receive(sdk, operation, ENCODINGS[name](body), header)
        place = f"takes the encoding {name}, and makes of it {encoded.error!r}"
        assert encoded.error is None, place
        assert encoded.parsed == plain.parsed, place


def each_client_sends_its_key(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Clients of one process and transport send their own key each, and their own signature."""
    accounts = {KEY: SECRET, "another-key": "another-secret"}
    exchange = make()
    exchange.add_account("another-key", accounts["another-key"])
    transport = sdk.transport(exchange)
    clients = [
        sdk.client(key, secret, transport=transport, clock=lambda: T0)
        for key, secret in accounts.items()
    ]
    call_in_turn(clients, operation, {}, {})
    senders = itertools.cycle(accounts)
    # A client that sends another number of requests is found by other checks.
    for key, sent in zip(senders, transport.sent, strict=False):
        (other,) = {*accounts} - {key}
        keys = sent.header_values(operation.key_header)
        assert other.encode() not in keys, f"the client of {key} sends the key of another"
        if operation.signature is not None:
            is_foreign = is_signed_with(operation, sent.query, accounts[other])
            assert not is_foreign, f"the client of {key} signs with the secret of another"


def base_urls_are_described(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Each base URL that the client has a name for is that of a server with this environment."""
    described = {each["x-environment"]: each["url"] for each in operation.document["servers"]}
    described.pop(NO_ENVIRONMENT, None)
    assert {*described} <= {*sdk.base_urls}, (
        f"no name for {sorted({*described} - {*sdk.base_urls})}"
    )
    for environment, url in sdk.base_urls.items():
        known = described.get(environment)
        assert url == known, f"{environment} is {url}, not {known}"


CHECKS: Final = (
    host_has_its_port,
    each_environment_has_its_host,
    headers_are_complete,
    accepted_encodings_are_decoded,
    each_client_sends_its_key,
    base_urls_are_described,
)


def _receive(
    sdk: Sdk, operation: Operation, body: bytes, headers: Any = ()
) -> tuple[RecordedCall, Any]:
    """Call a client that receives a body, and return the call and its request."""

    def respond(request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(body)
        fields = [("Content-Type", "application/json"), *headers]
        return httpx.Response(200, headers=fields, stream=stream)

    calls, sent = send_calls(sdk, respond, operation, {}, retry=ONE_ATTEMPT)
    assert sent, f"nothing is sent: {calls[0].error!r}"
    return calls[0], sent[0]
