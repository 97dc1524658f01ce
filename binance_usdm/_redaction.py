"""Remove secrets and control characters from text before it is logged or raised."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

MAX_MESSAGE_LENGTH: Final = 512
"""Characters of a message before it is cut."""

MIN_SECRET_LENGTH: Final = 8
"""Characters of a secret that is redacted. A shorter one is a test's, and may be part of a word."""

_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_HEX = "[0-9A-Fa-f]"
_IPV6 = (
    rf"(?:(?:{_HEX}{{0,4}}:){{3,7}}(?:{_IPV4}|{_HEX}{{0,4}})"
    rf"|{_HEX}{{0,4}}::(?:{_IPV4}|{_HEX}{{1,4}}))"
)
# An IPv6 address with a digit may have letters before and after it, as in "ip2001:db8::1". One
# without stands alone or follows a word and a colon, for "std::abs" is none.
_IP = re.compile(
    rf"(?<!\d){_IPV4}(?!\d)"
    rf"|(?=[0-9A-Fa-f:]*\d){_IPV6}"
    rf"|(?:(?<![\w:])|(?<=[g-zG-Z]:)){_IPV6}(?!\w)"
)
_SIGNATURE = re.compile(r"(signature=)[^&\s]+", re.IGNORECASE)
_LOWERCASE = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_CUT_WORD = re.compile(r"[^\s,;()]{0,64}\Z")


def sanitize_text(text: str, *secrets: str) -> str:
    """Return text from elsewhere as one bounded line that may be logged.

    IP addresses and signatures are removed, control characters are escaped.

    Args:
        text: The text.
        secrets: Strings that are removed too, in any letter case and also where they are
            percent-encoded. Those that are shorter than `MIN_SECRET_LENGTH` stay.
    """
    text = _redact_secrets(text, {*secrets, *map(unquote, secrets)})
    # A word that is cut could be the first half of an address.
    if len(text) > 2 * MAX_MESSAGE_LENGTH:
        text = _CUT_WORD.sub("", text[: 2 * MAX_MESSAGE_LENGTH])
    text = _SIGNATURE.sub(r"\1[redacted]", _IP.sub("[address]", text))
    escaped = "".join(map(_escape_unprintable, text))
    return escaped if len(escaped) <= MAX_MESSAGE_LENGTH else escaped[:MAX_MESSAGE_LENGTH] + "…"


def _redact_secrets(text: str, secrets: Iterable[str]) -> str:
    secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    # What is cut off could leave the first half of a secret, so as much is removed again.
    longest = max(map(len, secrets), default=0)
    bound = 2 * (MAX_MESSAGE_LENGTH + longest) + 64
    pieces = [text[:bound]]
    # What replaces a secret is not searched for the next one.
    for secret in sorted(secrets, key=len, reverse=True):
        pieces = [part for piece in pieces for part in _split_at(piece, secret)]
    if len(text) > bound and longest:
        pieces[-1] = pieces[-1][:-longest]
    return "[redacted]".join(pieces)


def _split_at(text: str, secret: str) -> list[str]:
    """Split a string where a secret is, in any letter case."""
    secret = secret.translate(_LOWERCASE)
    parts = []
    start = 0
    # Unlike `lower`, this keeps the length.
    for part in text.translate(_LOWERCASE).split(secret):
        parts.append(text[start : start + len(part)])
        start += len(part) + len(secret)
    return parts


def _escape_unprintable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
