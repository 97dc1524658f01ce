"""Remove personal data from recorded responses."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from .readers import ESCAPE, RawCapture, body_text, parse_json_or_none, unescape_json

# Names of fields, parameters and headers whose values identify a person, in upper or lower case and
# with "_" or "-" between the words.
_PERSONAL: Final = (
    *("accountAlias", "accountId", "apiKey", "email", "listenKey", "secretKey", "signature"),
    *("subAccountId", "subUserId", "uid", "userId"),
)
_NAME: Final = "(?ai:" + "|".join(re.sub("(?=[A-Z])", "[_-]?", name) for name in _PERSONAL) + ")"
_HEAD: Final = rf"(?<![A-Za-z]){_NAME}[\\\"']*\s*[:=]\s*[\\\"']*"
_MENTIONED: Final = re.compile(
    rf"{_HEAD}(?!(?:null|true|false)\b)([^\s\"'\\,;&<>{{}}\[\]]{{1,1024}})"
)
_LOGIN: Final = re.compile(
    r"(?im)^(?:cookie|(?:proxy-)?authorization): (.*)$|^set-cookie: ([^;\n]*)|^\w+://([^/\s]*)@"
)
# Shorter parts are words that any response may have.
_LOGIN_PART: Final = re.compile(r"[^\s;,=:\"]{8,1024}")

# Shapes of identifiers: mail addresses, IP addresses, and keys, HMAC signatures and listen keys,
# which have 64 characters each.
_GROUP: Final = "[0-9A-Fa-f]{1,4}"
_SOME: Final = f"(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
_SHAPES: Final = {
    "mail": r"(?<![\w.+*-])[\w.+*-]++(?:@|%40)[\w-]++(?:\.[\w-]++)++",
    "six": r"(?<![0-9A-Za-z])(?=:{0,2}[0-9A-Fa-f])"
    rf"(?:{_GROUP}(?::{_GROUP}){{5,7}}|{_SOME}::{_SOME})"
    r"(?:(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z])",
    "four": r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])",
    "token": r"(?<![0-9A-Za-z])(?![0-9]++(?![A-Za-z]))[0-9A-Za-z]{64,1024}+",
}
_SHAPED: Final = re.compile("|".join(_SHAPES.values()))
# Reserved for documentation: RFC 2606, 3849, 5737.
_PLACEHOLDERS: Final = {
    "mail": "person{}@example.com",
    "six": "2001:db8::{:x}",
    "four": "192.0.2.{}",
}
# Without 0, which a number must not begin with.
_DIGITS: Final = "123456789"
_ALPHABETS: Final = (
    string.ascii_letters,
    "0123456789abcdef",
    "0123456789ABCDEF",
    string.ascii_letters + string.digits,
)


class Scrubber:
    """Replaces identifiers by fake strings, each always by the same one.

    Args:
        secrets: Identifiers to replace.
        found: Responses in which they are replaced.

    Raises:
        ValueError: The responses have more than 1000 identifiers.
    """

    def __init__(self, secrets: set[str], found: Iterable[RawCapture]) -> None:
        parts = (
            part
            for each in found
            for part in (
                each.path or "",
                *(value for _, value in each.headers),
                body_text(each.body),
            )
        )
        seen = "\n".join(map(unescape_json, parts)).lower()
        present = {each for each in secrets if each.lower() in seen}
        if len(present) > 1000:
            raise ValueError("more than 1000 identifiers in one file; split it into several")
        self._pattern = build_pattern(present, seen)
        self._known_identifiers = {each.lower() for each in secrets}
        self._placeholder_by_text: dict[str, str] = {}
        self._numbers = Counter[str]()

    def scrub(self, text: str) -> str:
        """Replace the identifiers in a string, escaped ones too. Other escapes stay unchanged.

        Raises:
            ValueError: There are more identifiers of a kind than fake strings.
        """
        widths = [(match.end(), len(match[0]) - 1) for match in ESCAPE.finditer(text)]
        gone = [0, *itertools.accumulate(width for _, width in widths)]
        ends = [end - less for (end, _), less in zip(widths, gone[1:], strict=True)]
        parts, last = list[str](), 0
        for match in self._pattern.finditer(unescape_json(text)):
            start, end = (
                there + gone[bisect.bisect_right(ends, there)]
                for there in match.span(match.lastgroup or 0)
            )
            parts += text[last:start], self._placeholder(match[match.lastgroup or 0])
            last = end
        return "".join([*parts, text[last:]])

    def _placeholder(self, text: str) -> str:
        while text not in self._placeholder_by_text:
            placeholder = self._next_placeholder(text)
            if placeholder.lower() not in self._known_identifiers:
                self._placeholder_by_text[text] = placeholder
        return self._placeholder_by_text[text]

    def _next_placeholder(self, text: str) -> str:
        shape = next((name for name in _PLACEHOLDERS if re.fullmatch(_SHAPES[name], text)), "")
        alphabet = next((known for known in _ALPHABETS if set(text) <= set(known)), _ALPHABETS[-1])
        alphabet = _DIGITS if text.isdigit() else alphabet
        counted = shape or f"{alphabet} {len(text)}"
        self._numbers[counted] += 1
        number = self._numbers[counted]
        if shape == "four" and number > 254:
            raise ValueError("more IPv4 addresses than there are for documentation")
        if shape:
            return _PLACEHOLDERS[shape].format(number)
        return _numbered_placeholder(alphabet, len(text), number)


def _numbered_placeholder(alphabet: str, length: int, number: int) -> str:
    """Return a number in the digits of an alphabet, as long as the string that it replaces."""
    digits = list[str]()
    while number:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    if len(digits) > length:
        raise ValueError("more short identifiers than there are strings of their length")
    return "".join(reversed(digits)).rjust(length, alphabet[0])


def build_pattern(secrets: Iterable[str], text: str = "") -> re.Pattern[str]:
    """Return a pattern that finds secrets, and what in a text has the shape of one.

    A very short secret is found only after the name of a personal field.
    """
    longest = sorted(secrets, key=len, reverse=True)
    parts = [f"(?P<known>{'|'.join(filter(None, map(_pattern_for, longest))) or '(?!)'})"]
    if not all(map(_pattern_for, longest)):
        parts.insert(0, rf"{_HEAD}(?P<named>{'|'.join(map(re.escape, longest))})(?![0-9A-Za-z])")
    parts += [f"(?P<{name}>{shape})" for name, shape in _SHAPES.items() if re.search(shape, text)]
    return re.compile("|".join(parts))


def _pattern_for(secret: str) -> str:
    text = re.escape(secret)
    if re.fullmatch("[0-9]+", secret):
        # A part of an amount is not a user id.
        return rf"(?<![0-9A-Za-z])(?<![0-9]\.){text}(?!\.?[0-9A-Za-z])" if len(secret) >= 6 else ""
    if re.fullmatch(f"{_SHAPES['six']}|{_SHAPES['four']}", secret):
        # 192.0.2.1 is not found in 192.0.2.10.
        return f"(?i:(?<![0-9a-f]){text}(?![0-9a-f]))"
    if len(secret) >= 8:
        return f"(?i:{text})"
    return f"(?<![0-9A-Za-z]){text}(?![0-9A-Za-z])" if len(secret) >= 4 else ""


def find_identifiers(found: Iterable[RawCapture]) -> set[str]:
    """Find all strings that identify the owner, in requests and responses.

    Raises:
        ValueError: An identifier is longer than 1024 characters.
    """
    secrets = set[str]().union(*map(_identifiers_of, found))
    forms = {form for secret in secrets for form in (secret, unquote(secret)) if form.strip()}
    if any(len(form) > 1024 for form in forms):
        raise ValueError("an identifier is longer than 1024 characters")
    return forms


def _identifiers_of(capture: RawCapture) -> set[str]:
    body = body_text(capture.body)
    tree = parse_json_or_none(
        body, object_pairs_hook=tuple, parse_float=lambda _: "", parse_int=_identifier
    )
    leaves = [("", unescape_json(body))] if tree is None else list(_iter_strings(tree))
    secrets = {value for name, value in leaves if _is_personal(name)}
    for text in {capture.context_text, *(value for _, value in leaves)}:
        secrets.update(_MENTIONED.findall(text))
        secrets.update(_SHAPED.findall(text))
    for login in _LOGIN.finditer(capture.context_text):
        secrets.update(_LOGIN_PART.findall(login[login.lastindex or 0]))
    return secrets


def _iter_strings(tree: Any) -> Iterator[tuple[str, str]]:
    """Return the strings of a JSON value with the names of their fields.

    Every string within a personal field, at any depth, has the name of that field.
    """
    waiting = [("", tree)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif isinstance(value, tuple) and _is_personal(name):
            waiting += [(name, field) for _, field in value]
        elif isinstance(value, tuple):
            waiting += value


@functools.lru_cache(1024)
def _is_personal(name: str) -> bool:
    return re.fullmatch(_NAME, name) is not None


def _identifier(text: str) -> str:
    # A negative number is not a user id.
    return text if text.isdigit() else ""
