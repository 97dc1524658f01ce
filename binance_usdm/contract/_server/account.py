"""Key and secret for a server, and text without them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

# A shorter string can be a part of any word, so it is replaced only where it stands alone.
MIN_PART_LENGTH: Final = 8
SIGNATURE: Final = re.compile(r"(?<![0-9a-zA-Z])[0-9a-fA-F]{62,64}(?![0-9a-zA-Z])")
SIGNATURE_VALUE: Final = re.compile(
    r"(signature(?:=|%3D|\W{1,6}))[0-9a-zA-Z%+/]{8,}", re.IGNORECASE
)


@dataclass(frozen=True)
class Account:
    """API key and HMAC secret of an account of the server.

    Attributes:
        api_key: The key.
        api_secret: The secret.
    """

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)

    def redact(self, text: str) -> str:
        """Return text without key, secret and signatures."""
        for value, label in ((self.api_key, "(key)"), (self.api_secret, "(secret)")):
            for form in {value, quote(value, safe="")}:
                pattern = re.escape(form)
                if len(form) < MIN_PART_LENGTH:
                    pattern = rf"(?<![0-9a-zA-Z]){pattern}(?![0-9a-zA-Z])"
                text = re.sub(pattern, label, text)
        text = SIGNATURE_VALUE.sub(r"\1(signature)", text)
        return SIGNATURE.sub("(signature)", text)
