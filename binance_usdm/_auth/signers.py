"""Sign bytes. Knows no clock, no endpoint, no retry; what it signs is exactly what is sent. Private keys are next door, in `_keys`.

The payload of a signed read is its query string as it goes on the wire, without `?` and without the signature; the signature follows
as the last parameter (General Info of the futures documentation, 2026-05-28).
The exchange recommends Ed25519 keys and calls HMAC keys deprecated (faqs/api_key_types.md of binance-spot-api-docs, 2026-07-21).
"""

from __future__ import annotations

import hmac
import string
from typing import Protocol

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import SecretHolder

MAX_CREDENTIAL = 4096
_SIGNATURE_CHARACTERS = f"{string.ascii_letters}{string.digits}%._~-".encode("ascii")


class Signer(Protocol):
    """Anything that signs a query: `sign` takes its bytes and returns the signature as it goes on the wire, percent-encoded if need be."""

    def sign(self, payload: bytes) -> bytes: ...


class HmacSigner(SecretHolder):
    """HMAC-SHA256 with an API secret, as lower-case hex; Ed25519 is better. Raises ConfigurationError when a text cannot be a secret."""

    __slots__ = ("_mac",)

    def __init__(self, api_secret: str) -> None:
        complaint = credential_problem(api_secret)
        secret = b"" if complaint else api_secret.encode("ascii")
        del api_secret  # an error's traceback may be printed with its local variables
        if complaint:
            raise ConfigurationError(f"api_secret {complaint}")
        self._mac = hmac.new(secret, digestmod="sha256")

    def sign(self, payload: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest().encode("ascii")


def compute_signature(signer: Signer, payload: bytes) -> bytes:
    """The signature of a query as it goes on the wire; ConfigurationError when the signer made something that cannot."""
    made = signer.sign(payload)
    if isinstance(made, bytes) and made and not made.translate(None, _SIGNATURE_CHARACTERS):
        return made
    del made
    raise ConfigurationError("the signer must return ASCII bytes, percent-encoded where needed")


def credential_problem(credential: object) -> str | None:
    """Why a text cannot be a key or a secret, in words that do not repeat it; None when it can."""
    if not isinstance(credential, str):
        return f"must be a string, not {type(credential).__name__}"
    if not credential:
        return "is empty"
    if len(credential) > MAX_CREDENTIAL:
        return f"is longer than {MAX_CREDENTIAL} characters"
    if credential.split() != [credential]:
        return "has a blank or a line break in it: copy it again"
    if not {"'", '"'}.isdisjoint(credential):
        return "has a quotation mark in it: it belongs to the shell or the file, not to the key"
    if not (credential.isascii() and credential.isprintable()):
        return "has a character that no key or secret has: copy it again"
    return None
