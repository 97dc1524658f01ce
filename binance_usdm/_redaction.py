"""Remove secrets and control characters from text before it is logged or raised."""

from __future__ import annotations

import re
from urllib.parse import unquote

_V4, _HEX = r"\d{1,3}(?:\.\d{1,3}){3}", "[0-9A-Fa-f]"
_IP = re.compile(
    rf"(?<!\d){_V4}(?!\d)|(?:(?<![\w:])|(?<=[g-zG-Z]:))(?:(?:{_HEX}{{0,4}}:){{3,7}}(?:{_V4}|{_HEX}{{0,4}})|{_HEX}{{0,4}}::{_HEX}{{1,4}})(?!\w)"
)
_SIGNATURE = re.compile(r"(signature=)[^&\s]+", re.IGNORECASE)
_CUT_WORD = re.compile(r"[^\s,;()]{0,64}\Z")
MAX_MESSAGE_LENGTH = 512


def sanitize_text(text: str, *secrets: str) -> str:
    """Foreign text made fit for a log: one line, bounded, control characters escaped; IP addresses, signatures, `hidden` taken out."""
    for secret in filter(None, (*secrets, *map(unquote, secrets))):
        text = text.replace(secret, "[redacted]")
    if len(text) > 2 * MAX_MESSAGE_LENGTH:  # a word that is cut could be half an address
        text = _CUT_WORD.sub("", text[: 2 * MAX_MESSAGE_LENGTH])
    text = _SIGNATURE.sub(r"\1[redacted]", _IP.sub("[address]", text))
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
    return escaped if len(escaped) <= MAX_MESSAGE_LENGTH else escaped[:MAX_MESSAGE_LENGTH] + "…"
