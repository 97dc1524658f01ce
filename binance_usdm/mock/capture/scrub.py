"""What identifies the owner of an account in captured texts, and made-up texts to put in its place. Knows no file format."""

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

# What identifies someone by its name, as member, parameter or header; in any case, with "_" or "-" between the words.
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
_LOGIN_PART: Final = re.compile(
    r"[^\s;,=:\"]{8,1024}"
)  # shorter ones are words that any reply may have

# What identifies someone by its looks: mail addresses, IP addresses, and keys, HMAC signatures and listen keys, of 64 each.
_GROUP: Final = "[0-9A-Fa-f]{1,4}"
_SOME: Final = f"(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
_SHAPES: Final = {
    "mail": r"(?<![\w.+*-])[\w.+*-]++(?:@|%40)[\w-]++(?:\.[\w-]++)++",
    "six": rf"(?<![0-9A-Za-z])(?=:{{0,2}}[0-9A-Fa-f])(?:{_GROUP}(?::{_GROUP}){{5,7}}|{_SOME}::{_SOME})"
    r"(?:(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z])",
    "four": r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])",
    "token": r"(?<![0-9A-Za-z])(?![0-9]++(?![A-Za-z]))[0-9A-Za-z]{64,1024}+",
}
_SHAPED: Final = re.compile("|".join(_SHAPES.values()))
_PLACEHOLDERS: Final = {
    "mail": "person{}@example.com",
    "six": "2001:db8::{:x}",
    "four": "192.0.2.{}",
}  # RFC 2606, 3849, 5737
_DIGITS: Final = "123456789"  # without 0, which must not begin a number
_ALPHABETS: Final = (
    string.ascii_letters,
    "0123456789abcdef",
    "0123456789ABCDEF",
    string.ascii_letters + string.digits,
)


class Scrubber:
    """Replaces texts by made-up ones, and remembers by which."""

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
            raise ValueError("more than 1000 identifiers in one file: cut it into several")
        self._pattern = build_pattern(present, seen)
        self._known_identifiers = {each.lower() for each in secrets}
        self._placeholder_by_text: dict[str, str] = {}
        self._numbers = Counter[str]()

    def scrub(self, text: str) -> str:
        """Look at what a text means, but write into the text as it stands: escapes elsewhere stay as they are."""
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
            kind = next((name for name in _PLACEHOLDERS if re.fullmatch(_SHAPES[name], text)), "")
            alphabet = next((each for each in _ALPHABETS if set(text) <= set(each)), _ALPHABETS[-1])
            alphabet = _DIGITS if text.isdigit() else alphabet
            counted = kind or f"{alphabet} {len(text)}"
            self._numbers[counted] += 1
            number = self._numbers[counted]
            if kind == "four" and number > 254:
                raise ValueError("more IPv4 addresses than there are for documentation")
            fresh = (
                _PLACEHOLDERS[kind].format(number)
                if kind
                else _numbered_placeholder(alphabet, len(text), number)
            )
            if fresh.lower() not in self._known_identifiers:
                self._placeholder_by_text[text] = fresh
        return self._placeholder_by_text[text]


def _numbered_placeholder(alphabet: str, length: int, number: int) -> str:
    """A number in the digits of an alphabet: as long as what it replaces, and nothing of it."""
    digits = list[str]()
    while number:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    if len(digits) > length:
        raise ValueError("more short identifiers than there are texts of their length")
    return "".join(reversed(digits)).rjust(length, alphabet[0])


def build_pattern(secrets: Iterable[str], text: str = "") -> re.Pattern[str]:
    """Finds secrets: the unmistakable ones anywhere, very short ones behind a telling name; and what in a text looks like one."""
    longest = sorted(secrets, key=len, reverse=True)
    parts = [f"(?P<known>{'|'.join(filter(None, map(_pattern_for, longest))) or '(?!)'})"]
    if not all(map(_pattern_for, longest)):
        parts.insert(0, rf"{_HEAD}(?P<named>{'|'.join(map(re.escape, longest))})(?![0-9A-Za-z])")
    parts += [f"(?P<{name}>{shape})" for name, shape in _SHAPES.items() if re.search(shape, text)]
    return re.compile("|".join(parts))


def _pattern_for(secret: str) -> str:
    text = re.escape(secret)
    if re.fullmatch("[0-9]+", secret):  # part of an amount is no user id
        return rf"(?<![0-9A-Za-z])(?<![0-9]\.){text}(?!\.?[0-9A-Za-z])" if len(secret) >= 6 else ""
    if re.fullmatch(
        f"{_SHAPES['six']}|{_SHAPES['four']}", secret
    ):  # 192.0.2.1 is not in 192.0.2.10
        return f"(?i:(?<![0-9a-f]){text}(?![0-9a-f]))"
    if len(secret) >= 8:
        return f"(?i:{text})"
    return f"(?<![0-9A-Za-z]){text}(?![0-9A-Za-z])" if len(secret) >= 4 else ""


def find_identifiers(found: Iterable[RawCapture]) -> set[str]:
    """All that must go, from every side of what was captured."""
    secrets = set[str]()
    for each in found:
        body = body_text(each.body)
        tree = parse_json_or_none(
            body, object_pairs_hook=tuple, parse_float=lambda _: "", parse_int=_identifier
        )
        leaves = [("", unescape_json(body))] if tree is None else list(_iter_strings(tree))
        secrets.update(value for name, value in leaves if _is_personal(name))
        for text in {each.context_text, *(value for _, value in leaves)}:
            secrets.update(_MENTIONED.findall(text))
            secrets.update(_SHAPED.findall(text))
        for login in _LOGIN.finditer(each.context_text):
            secrets.update(_LOGIN_PART.findall(login[login.lastindex or 0]))
    forms = {form for secret in secrets for form in (secret, unquote(secret)) if form.strip()}
    if any(len(form) > 1024 for form in forms):
        raise ValueError("an identifier is longer than 1024 characters")
    return forms


def _iter_strings(tree: Any) -> Iterator[tuple[str, str]]:
    """Texts of a JSON value with their member's name; whatever a personal member holds, at any depth, has that one's name."""
    waiting = [("", tree)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, tuple):  # an object
            waiting += value if not _is_personal(name) else [(name, each) for _, each in value]
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]


@functools.lru_cache(1024)
def _is_personal(name: str) -> bool:
    return re.fullmatch(_NAME, name) is not None


def _identifier(text: str) -> str:
    return text if text.isdigit() else ""  # a negative number stands for nobody
