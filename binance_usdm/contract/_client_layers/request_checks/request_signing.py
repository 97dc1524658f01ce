"""Checks of signatures with secrets of all lengths, and with private keys."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any, Final
from urllib.parse import unquote

from binance_usdm import Ed25519Signer, RsaSigner
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import call_each
from binance_usdm.contract._client_layers.request_checks.request_parts import (
    is_signed_with,
    respond_in_turn,
    send_calls,
    ticking_clock,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.operations import Operation

# HMAC hashes a secret above 64 bytes first. The last ones have characters that URLs encode.
SECRETS: Final = (SECRET, *("x" * length for length in (1, 63, 64, 65, 200)), "a%2Bb+/=&c", "9==")
# Base64 of so many signatures has each of + / = (but for one case in 10,000).
SIGNATURES: Final = 8
PLAIN_CHARACTERS: Final = r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+"


def secrets_of_any_length_sign(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A signature has the whole secret, also where HMAC hashes it first (above 64 bytes)."""
    if operation.signature is None:
        return
    is_valid: dict[str, bool] = {}
    for secret in SECRETS:
        transport = sdk.transport(make())
        client = sdk.client(KEY, secret, transport=transport, clock=lambda: T0)
        call_each(client, operation, {})
        for sent in transport.sent:
            is_valid[secret] = is_signed_with(operation, sent.query, secret)
    # A client that signs nothing correctly is found by other checks.
    wrong = [len(secret) for secret, valid in is_valid.items() if not valid]
    assert not is_valid.get(SECRET) or not wrong, f"secrets of {wrong} characters"


def private_keys_sign(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A signature of a private key is base64 of its bytes, percent-encoded as a URL needs it."""
    _, requests = send_calls(sdk, make(), operation, {})
    # A client that signs nothing correctly is found by other checks.
    if not all(is_signed_with(operation, each.query) for each in requests):
        return
    for key in private_keys():
        name = key.algorithm
        transport = sdk.transport(respond_in_turn(operation))
        client = sdk.client(KEY, signer=key.signer, transport=transport, clock=ticking_clock())
        call_each(client, operation, *[{}] * SIGNATURES)
        assert transport.sent, f"{name}: nothing is sent"
        for sent in transport.sent:
            payload, _, text = sent.query.rpartition(f"&{operation.signature}=")
            assert re.fullmatch(PLAIN_CHARACTERS, text), f"{name}: not encoded: {text}"
            try:
                key.verify(base64.b64decode(unquote(text), validate=True), payload.encode())
            except Exception as error:
                raise AssertionError(f"{name}: not the signature of the query") from error


@dataclass(frozen=True)
class PrivateKey:
    """A published test key."""

    algorithm: str
    pem: bytes = field(repr=False)
    signer: Any
    verify: Callable[[bytes, bytes], object]
    """Raises an error unless a signature, which comes first, is that of a payload."""


@functools.cache
def private_keys() -> list[PrivateKey]:
    """Return a key of each algorithm. Without cryptography, which signers need too, there is none."""
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        return []
    vectors = json.loads(files("binance_usdm").joinpath("vectors.json").read_text("utf-8"))
    by_algorithm = {key["algorithm"]: key for key in vectors["keys"].values()}
    found = []
    for algorithm, key in by_algorithm.items():
        if "private_key" in key:
            pem = f"-----BEGIN PRIVATE KEY-----\n{key['private_key']}\n-----END PRIVATE KEY-----\n"
            is_rsa = algorithm.startswith("RSA")
            signer = (RsaSigner if is_rsa else Ed25519Signer).from_pem(pem.encode())
            public_key: Any = load_pem_private_key(pem.encode(), None).public_key()
            verify = partial(_verify_rsa, PKCS1v15(), SHA256(), public_key)
            verify = verify if is_rsa else public_key.verify
            found.append(PrivateKey(algorithm, pem.encode(), signer, verify))
    return found


CHECKS: Final = (secrets_of_any_length_sign, private_keys_sign)


def _verify_rsa(padding: Any, digest: Any, public_key: Any, raw: bytes, payload: bytes) -> None:
    public_key.verify(raw, payload, padding, digest)
