"""Remove secrets and control characters from text before it is logged or raised."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

MAX_MESSAGE_LENGTH: Final = 512
"""Characters of a message before it is cut."""

_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_HEX = "[0-9A-Fa-f]"
# An IPv6 address may follow a word and a colon, as in "for:2001:db8::1".
_IPV6 = (
    r"(?:(?<![\w:])|(?<=[g-zG-Z]:))"
    rf"(?:(?:{_HEX}{{0,4}}:){{3,7}}(?:{_IPV4}|{_HEX}{{0,4}})|{_HEX}{{0,4}}::{_HEX}{{1,4}})(?!\w)"
)
_IP = re.compile(rf"(?<!\d){_IPV4}(?!\d)|{_IPV6}")
_SIGNATURE = re.compile(r"(signature=)[^&\s]+", re.IGNORECASE)
_CUT_WORD = re.compile(r"[^\s,;()]{0,64}\Z")


def sanitize_text(text: str, *secrets: str) -> str:
    """Return text from elsewhere as one bounded line that may be logged.

    IP addresses and signatures are removed, control characters are escaped.

    Args:
        text: The text.
        secrets: Strings that are removed too, also where they are percent-encoded.
    """
    for secret in filter(None, (*secrets, *map(unquote, secrets))):
        text = text.replace(secret, "[redacted]")
    # A word that is cut could be the first half of an address.
    if len(text) > 2 * MAX_MESSAGE_LENGTH:
        text = _CUT_WORD.sub("", text[: 2 * MAX_MESSAGE_LENGTH])
    text = _SIGNATURE.sub(r"\1[redacted]", _IP.sub("[address]", text))
    escaped = "".join(map(_escape_unprintable, text))
    return escaped if len(escaped) <= MAX_MESSAGE_LENGTH else escaped[:MAX_MESSAGE_LENGTH] + "…"


def _escape_unprintable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
