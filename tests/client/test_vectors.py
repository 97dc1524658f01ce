"""The vectors that are shipped for clients in other languages hold for this one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from binance_usdm import (
    APIError,
    AuthenticationError,
    BadRequestError,
    Ed25519Signer,
    ForbiddenError,
    HmacSigner,
    IPBannedError,
    RateLimitError,
    RsaSigner,
    ServerError,
    Signer,
    TimestampError,
    UnexpectedResponse,
    UsdmError,
)
from tests.auth.test_signing import PUBLISHED
from tests.support.clients import BODY, SPEC, BlockingFacade
from tests.support.spec_facts import BALANCE_PATH

VECTORS: Any = json.loads(files("binance_usdm").joinpath("vectors.json").read_bytes())
CLASS_BY_KIND: dict[str, type[UsdmError]] = {
    "authentication": AuthenticationError,
    "bad-request": BadRequestError,
    "banned": IPBannedError,
    "forbidden": ForbiddenError,
    "rate-limit": RateLimitError,
    "server": ServerError,
    "timestamp": TimestampError,
    "unexpected-response": UnexpectedResponse,
}
ClientOf = Callable[..., BlockingFacade]


def name_of(vector: Any) -> str:
    return str(vector["name"])


def signer_of(name: str) -> Signer:
    key = VECTORS["keys"][name]
    if key["algorithm"] == "HMAC-SHA256":
        return HmacSigner(key["secret"])
    pem = private_key(name).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pw"),
    )
    signer_class = Ed25519Signer if key["algorithm"] == "Ed25519" else RsaSigner
    return signer_class.from_pem(pem, "pw")


def private_key(name: str) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    der = base64.b64decode(VECTORS["keys"][name]["private_key"], validate=True)
    key = serialization.load_der_private_key(der, None)
    assert isinstance(key, (ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey))
    return key


def sign_without_the_client(name: str, payload: bytes) -> str:
    """Return a signature as the vectors have it, by other code than the client's."""
    key = VECTORS["keys"][name]
    if key["algorithm"] == "HMAC-SHA256":
        return hmac.new(key["secret"].encode(), payload, hashlib.sha256).hexdigest()
    private = private_key(name)
    if isinstance(private, rsa.RSAPrivateKey):
        signature = private.sign(payload, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = private.sign(payload)
    return base64.b64encode(signature).decode()


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=name_of)
def test_a_request_is_sent_as_its_vector(vector: Any, make_client: ClientOf) -> None:
    """Parameters, timestamp and key make exactly these bytes."""
    queries: list[bytes] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        assert request.url.path == BALANCE_PATH
        queries.append(request.url.query)
        return httpx.Response(200, content=BODY)

    client = make_client(
        exchange,
        api_secret=None,
        signer=signer_of(vector["key"]),
        clock=lambda: vector["timestamp"],
    )
    client.balance(recv_window=vector["parameters"].get("recvWindow"))
    assert queries == [vector["sent"].encode()]
    assert vector["sent"] == f"{vector['query']}&signature={quote(vector['signature'], safe='')}"


@pytest.mark.parametrize(
    ("key", "payload", "signature"),
    [
        (vector["key"], vector.get("payload") or vector["query"], vector["signature"])
        for vector in [*VECTORS["requests"], *VECTORS["signatures"]]
    ],
)
def test_a_signature_is_that_of_its_key(key: str, payload: str, signature: str) -> None:
    """The client's signers and code beside them agree with each vector."""
    sent = signer_of(key).sign(payload.encode())
    assert sign_without_the_client(key, payload.encode()) == signature
    assert bytes(sent).decode() == quote(signature, safe="")


def body_of(vector: Any) -> bytes:
    if "body" in vector:
        return str(vector["body"]).encode()
    return base64.b64decode(vector["body_base64"], validate=True)


def answered(vector: Any, make_client: ClientOf) -> Any:
    """Return what the client makes of a response."""
    response = httpx.Response(vector["status"], content=body_of(vector))
    client = make_client(lambda request: response)
    return getattr(client, vector["operation"])()


def texts_of(value: Any, fields: list[str]) -> dict[str, str]:
    """Return the values of a row as the vectors have them, by the exchange's names."""
    row = json.loads(value.to_json(), parse_float=str, parse_int=str)
    return {
        name: row[name] if isinstance(row[name], str) else str(row[name]).lower() for name in fields
    }


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS["responses"] if "values" in one], ids=name_of
)
def test_a_body_has_the_values_of_its_vector(vector: Any, make_client: ClientOf) -> None:
    """Every digit of every field is kept."""
    value = answered(vector, make_client)
    rows = value if isinstance(value, list) else [value]
    assert len(rows) == len(vector["values"])
    for row, expected in zip(rows, vector["values"], strict=True):
        assert texts_of(row, [*expected]) == expected


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS["responses"] if "error" in one], ids=name_of
)
def test_a_response_is_the_error_of_its_vector(vector: Any, make_client: ClientOf) -> None:
    """The kind, the code and whether the same call may succeed later."""
    expected = vector["error"]
    with pytest.raises(UsdmError) as caught:
        answered(vector, make_client)
    error = caught.value
    assert type(error) is CLASS_BY_KIND[expected["kind"]]
    assert error.retryable is expected["retryable"]
    if isinstance(error, APIError):
        assert (None if error.code is None else str(error.code)) == expected.get("code")


def test_private_keys_are_published_ones() -> None:
    """Each is an example of somebody's documentation, and no key of an account."""
    names = [name for name, key in VECTORS["keys"].items() if "private_key" in key]
    assert len(names) == 3
    for name in names:
        key = private_key(name)
        if isinstance(key, rsa.RSAPrivateKey):
            numbers = key.private_numbers()
            secret = {f"{numbers.p:x}", f"{numbers.q:x}"}
        else:
            secret = {key.private_bytes_raw().hex()}
        assert secret in [{*numbers} for numbers in PUBLISHED.values()]


def test_the_vectors_cover_the_spec() -> None:
    """There is one for each algorithm, operation, field and kind, and each names its source."""
    assert len(VECTORS["responses"]) > 40
    assert {key["algorithm"].split()[0] for key in VECTORS["keys"].values()} == {
        "HMAC-SHA256", "Ed25519", "RSASSA-PKCS1-v1_5",
    }  # fmt: skip
    operations = {
        operation["operationId"] for item in SPEC["paths"].values() for operation in item.values()
    }
    assert {vector["operation"] for vector in VECTORS["responses"]} == operations
    used = {one["error"]["kind"] for one in VECTORS["responses"] if "error" in one}
    assert used == {*CLASS_BY_KIND}
    row = SPEC["components"]["schemas"]["AccountBalance"]["properties"]
    assert {*VECTORS["responses"][0]["values"][0]} == {*row}
    sourced = [*VECTORS["keys"].values(), *VECTORS["requests"], *VECTORS["signatures"]]
    assert {one["source"] for one in sourced} == {*VECTORS["sources"]}
