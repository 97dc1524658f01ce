"""Find the cause of a response that is a page instead of the exchange's JSON.

Pages come from networks, firewalls and proxies in front of the exchange. Nothing of a page is shown
except a short excerpt of its title or first words, without anything that could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Final
from urllib.parse import unquote

from binance_usdm._error_hints import (
    BLOCKED_HINT,
    CHALLENGE_HINT,
    HINT_BY_STATUS,
    MAINTENANCE_HINT,
    RATE_HINT,
    TLS_PORT_HINT,
    hint_for_message,
)
from binance_usdm._errors import APIError, UnexpectedResponse
from binance_usdm._redaction import MIN_SECRET_LENGTH, sanitize_text

MAX_EXCERPT_LENGTH: Final = 120
"""Characters of a page that an error may show."""
MAX_PAGE_BYTES: Final = 1 << 14
"""Bytes of a page that are looked at."""

_CHALLENGE_HEADERS: Final = {
    "x-amzn-waf-action": ("challenge", "captcha"),
    "cf-mitigated": ("challenge",),
}
_CHALLENGE_SCRIPT: Final = re.compile(rb"gokuProps|\.awswaf\.com/|/cdn-cgi/challenge-platform/")
_PLAIN_HTTP_TO_TLS: Final = re.compile(
    rb"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server"
    rb"|speaking plain HTTP to an SSL-enabled server"
)
"""Words of nginx, Go and Apache. Go's have no Content-Type."""
_HINT_BY_PHRASE: Final = (
    (
        re.compile(
            r"just a moment|verify (?:that )?you are (?:a )?human|human verification|captcha"
            r"|checking your browser|enable javascript and cookies"
        ),
        CHALLENGE_HINT,
    ),
    (re.compile(r"rate limit|too many requests|error code: 1015"), RATE_HINT),
    (re.compile(r"maintenance"), MAINTENANCE_HINT),
    (re.compile(r"request blocked|access denied|you have been blocked"), BLOCKED_HINT),
)
"""The first one that a page has applies."""

_INVISIBLE: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|noscript|svg)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_TITLE: Final = re.compile(
    r"<title[^>]{0,200}>(.*?)(?:</title\s{0,20}>|\Z)", re.DOTALL | re.IGNORECASE
)
_TAG: Final = re.compile(r"<[^>]*(?:>|\Z)")
_LOOKS_LIKE_SECRET: Final = re.compile(r"[A-Za-z0-9+/=%_-]{20,}|\S+@\S+|\S*\?\S*=\S*")
"""A key, a signature, a trace id, an e-mail address or a query. Words of pages are shorter."""
_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")


def _recognize_challenge(body: bytes, headers: Mapping[str, str]) -> str:
    """Return a hint if the response is a challenge that only a browser can pass, else ""."""
    for name, actions in _CHALLENGE_HEADERS.items():
        if headers.get(name, "").strip().lower() in actions:
            return CHALLENGE_HINT
    return CHALLENGE_HINT if _CHALLENGE_SCRIPT.search(body[:MAX_PAGE_BYTES]) else ""


def add_hint(
    error: APIError | UnexpectedResponse,
    body: bytes,
    headers: Mapping[str, str],
    secrets: tuple[str, ...],
) -> None:
    """Add to an error what its message, or the page that came instead of JSON, says of the cause.

    Args:
        error: The error of a response.
        body: Decoded body of the response.
        headers: Headers of the response.
        secrets: Strings that no excerpt may have.
    """
    if isinstance(error, UnexpectedResponse):
        hint, _ = describe_page(body, headers, secrets)
        error._page_hint = hint or HINT_BY_STATUS.get(error.status, "")
    elif error.message:
        error._page_hint = hint_for_message(error.message)
    elif error.code is None:
        error._page_hint, error._page_excerpt = describe_page(body, headers, secrets)


def describe_page(
    body: bytes, headers: Mapping[str, str], secrets: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Return the hint of a page whose cause is recognized, and an excerpt if it is not.

    Args:
        body: Decoded body of a response that has neither code nor message.
        headers: Its headers.
        secrets: Strings that no excerpt may have, in any letter case, encoding or spacing.

    Returns:
        Hint and excerpt. At least one of them is "".
    """
    if hint := _recognize_challenge(body, headers):
        return hint, ""
    if _PLAIN_HTTP_TO_TLS.search(body[:MAX_PAGE_BYTES]):
        return TLS_PORT_HINT, ""
    if not _is_page(body, headers):
        return "", ""
    title, words = _visible_text(body)
    if hint := hint_for_message(f"{title} {words}"):
        return hint, ""
    text = f"{title} {words}".lower()
    for pattern, hint in _HINT_BY_PHRASE:
        if pattern.search(text):
            return hint, ""
    return "", _excerpt(title or words, secrets)


def _is_page(body: bytes, headers: Mapping[str, str]) -> bool:
    """Return whether a body is HTML or a plain sentence. JSON, also half of it, may have amounts."""
    start = body[:MAX_PAGE_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"<":
        return True
    is_plain = headers.get("content-type", "").strip().lower().startswith("text/")
    return is_plain and start[:1].isalpha() and b"{" not in start and b'"' not in start


def _visible_text(body: bytes) -> tuple[str, str]:
    """Return title and other words of a page, each on one line."""
    page = body[:MAX_PAGE_BYTES].decode("utf-8", "replace")
    page = _INVISIBLE.sub(" ", page)
    title = ""
    if match := _TITLE.search(page):
        title = match[1]
        page = page[: match.start()] + " " + page[match.end() :]
    words = _strip_markup(page)
    # The last word that was read may be the first half of another one.
    if len(body) > MAX_PAGE_BYTES:
        words = words[: words.rfind(" ") + 1]
    return _strip_markup(title), words.strip()


def _strip_markup(markup: str) -> str:
    """Return the words between the tags, on one line."""
    text = unescape(_TAG.sub(" ", markup))
    # An entity may have stood for a tag.
    text = _TAG.sub(" ", text)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _excerpt(text: str, secrets: tuple[str, ...]) -> str:
    """Return the first words of a text, "" if a secret is in it in whatever form."""
    compact = _compact(unquote(text))
    for secret in {*secrets, *map(unquote, secrets)}:
        if len(secret) >= MIN_SECRET_LENGTH and _compact(secret) in compact:
            return ""
    safe = _LOOKS_LIKE_SECRET.sub("[redacted]", sanitize_text(text, *secrets))
    if len(safe) <= MAX_EXCERPT_LENGTH:
        return safe
    cut = safe[: MAX_EXCERPT_LENGTH - 1]
    # The languages without spaces are cut anywhere.
    return (cut.rpartition(" ")[0] or cut) + "…"


def _compact(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).lower()
