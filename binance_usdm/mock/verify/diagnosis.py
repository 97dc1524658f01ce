"""Explain why a signature does not match."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from binance_usdm.mock.core.query import Query
from binance_usdm.mock.state.accounts import ApiKey

_HEX_LENGTH = 64
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def explain_bad_signature(
    key: ApiKey,
    keys: Iterable[ApiKey],
    query: Query,
    path: str,
    names: Iterable[str],
    payload: bytes,
    signature: str,
) -> str:
    """Return why a signature is not valid, after trying the usual mistakes.

    Args:
        key: Key that the request was sent with.
        keys: All keys of the exchange.
        query: Query of the request.
        path: Path of the request.
        names: Names of the parameters that the operation has.
        payload: Bytes that had to be signed.
        signature: Percent-decoded signature that was sent.

    Returns:
        Reason without a secret and without a signature.
    """
    for description, candidate in _candidate_payloads(query, path, {*names}, payload):
        if key.verify(candidate, signature):
            return f"the signature is over {description}, not over the query as it was sent"
    for other in keys:
        if other is not key and other.verify(payload, signature):
            return "the signature was made with the secret of another key"
    if callable(key.secret):
        return "the signature is of other bytes or of another private key, or is not base64"
    return _explain_bad_hmac(key, key.secret, payload, signature)


def _explain_bad_hmac(key: ApiKey, secret: str, payload: bytes, signature: str) -> str:
    for description, candidate in _candidate_secrets(key.api_key, secret):
        if replace(key, secret=candidate).verify(payload, signature):
            return f"the signature was made with {description}"
    in_base64 = base64.b64encode(hmac.digest(secret.encode(), payload, "sha256"))
    if hmac.compare_digest(in_base64, signature.replace(" ", "+").encode()):
        return "the signature is in base64; HMAC-SHA256 signatures are sent in hex"
    if len(signature) != _HEX_LENGTH or not _HEX_DIGITS.issuperset(signature):
        return (
            f"the signature is not an HMAC-SHA256 in hex: {_HEX_LENGTH} hex digits expected, "
            f"{len(signature)} characters received"
        )
    return "the signature is of other bytes or of another secret"


def _candidate_payloads(
    query: Query, path: str, known: set[str], payload: bytes
) -> Iterator[tuple[str, bytes]]:
    """Return what programs were seen to sign by mistake, in words and as bytes."""
    pieces = payload.split(b"&")
    names = [piece.partition(b"=")[0].decode("latin-1") for piece in pieces]
    yield "its parameters in alphabetical order", b"&".join(sorted(pieces))
    yield "the query percent-decoded", unquote_to_bytes(payload)
    yield "the query with spaces for plus signs", unquote_to_bytes(payload.replace(b"+", b" "))
    yield "the query percent-encoded once more", quote(payload, safe="=&").encode()
    yield "the query and a question mark", b"?" + payload
    yield "the path and the query", f"{path}?".encode() + payload
    yield "the query and a newline", payload + b"\n"
    yield "the query and another ampersand", payload + b"&"
    yield "nothing at all", b""
    # Names that the operation does not have may be anything, a secret included.
    for name in known.intersection(names):
        index = names.index(name)
        yield f"a query without {name}", b"&".join(pieces[:index] + pieces[index + 1 :])
    sent = {name: value for name, value in query.pairs if name in names}
    yield "the parameters as JSON", json.dumps(sent).encode()
    yield "the parameters as JSON without spaces", json.dumps(sent, separators=(",", ":")).encode()


def _candidate_secrets(api_key: str, secret: str) -> Iterator[tuple[str, str]]:
    yield "the API key instead of the secret", api_key
    yield "the secret and a newline", secret + "\n"
    yield "the secret and a space", secret + " "
    yield "the secret between quotation marks", f'"{secret}"'
    yield "an empty secret", ""
