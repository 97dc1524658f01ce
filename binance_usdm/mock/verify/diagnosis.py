"""Why a signature is not the one that was due: the usual mistakes, each tried. Knows no account but those it is given."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from binance_usdm.mock.core.accounts import ApiKey
from binance_usdm.mock.core.query import Query

_HEX_LENGTH = 64


def explain_bad_signature(
    key: ApiKey,
    others: Iterable[ApiKey],
    query: Query,
    path: str,
    names: Iterable[str],
    payload: bytes,
    signature: str,
) -> str:
    """What was signed instead of ``payload``, or with what, ``names`` being those it may have; tells no secret and no signature."""
    for what, candidate in _candidate_payloads(query, path, {*names}, payload):
        if key.verify(candidate, signature):
            return f"the signature is over {what}, not over the query as it was sent"
    for other in others:
        if other is not key and other.verify(payload, signature):
            return "the signature was made with the secret of another key"
    if callable(key.secret):
        return "the signature is of other bytes or of another private key, or no base64"
    for what, secret in _candidate_secrets(key):
        if replace(key, secret=secret).verify(payload, signature):
            return f"the signature was made with {what}"
    coded = base64.b64encode(hmac.digest(key.secret.encode(), payload, "sha256"))
    if hmac.compare_digest(coded, signature.replace(" ", "+").encode()):
        return "the signature is in base64: HMAC-SHA256 goes as hex"
    if len(signature) != _HEX_LENGTH or not all(
        character in "0123456789abcdefABCDEF" for character in signature
    ):
        return f"the signature is no HMAC-SHA256 in hex: {_HEX_LENGTH} hex digits, here {len(signature)} characters"
    return "the signature is of other bytes or of another secret"


def _candidate_payloads(
    query: Query, path: str, known: set[str], payload: bytes
) -> Iterator[tuple[str, bytes]]:
    """What else programs have been seen to sign, in words and as bytes."""
    pieces = payload.split(b"&")
    names = [piece.partition(b"=")[0].decode("latin-1") for piece in pieces]
    yield "its parameters in alphabetical order", b"&".join(sorted(pieces))
    yield "the query percent-decoded", unquote_to_bytes(payload)
    yield "the query with blanks for plus signs", unquote_to_bytes(payload.replace(b"+", b" "))
    yield "the query percent-encoded once more", quote(payload, safe="=&").encode()
    yield "the query and a question mark", b"?" + payload
    yield "the path and the query", f"{path}?".encode() + payload
    yield "the query and a line break", payload + b"\n"
    yield "the query and another ampersand", payload + b"&"
    yield "nothing at all", b""
    for name in known.intersection(names):  # any other text of a query may be anything
        place = names.index(name)
        yield f"a query without {name}", b"&".join(pieces[:place] + pieces[place + 1 :])
    sent = {name: value for name, value in query.pairs if name in names}
    yield "the parameters as JSON", json.dumps(sent).encode()
    yield "the parameters as JSON without blanks", json.dumps(sent, separators=(",", ":")).encode()


def _candidate_secrets(key: ApiKey) -> Iterator[tuple[str, str]]:
    assert isinstance(key.secret, str)
    yield "the API key in the place of the secret", key.api_key
    yield "the secret and a line break", key.secret + "\n"
    yield "the secret and a blank", key.secret + " "
    yield "the secret between quotation marks", f'"{key.secret}"'
    yield "an empty secret", ""
