"""An account of the mock exchange: a key, the way its signatures are verified, its replies. Knows no request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# Made up, and meant to look it: nothing outside this mock accepts them.
DEFAULT_API_KEY: Final = "mock-exchange-api-key-opens-nothing"
DEFAULT_API_SECRET: Final = "mock-exchange-api-secret-opens-nothing"  # noqa: S105 - the line above says why it is none

Verifier = Callable[[bytes, str], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Key, secret and 200 bodies by operation. The secret is an HMAC secret, or a function for keys of other kinds.

    Such a function gets the signed bytes and the percent-decoded signature and says whether they belong together.
    Neither key nor secret is in the repr.
    """

    api_key: str = field(repr=False)
    api_secret: str | Verifier = field(repr=False)
    replies: dict[str, bytes] = field(default_factory=dict, repr=False)

    def verifies(self, payload: bytes, signature: str) -> bool:
        """Whether the signature is this account's over exactly these bytes; HMAC hex in either case, in constant time."""
        if callable(self.api_secret):
            return self.api_secret(payload, signature)
        expected = hmac.new(self.api_secret.encode(), payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode())
