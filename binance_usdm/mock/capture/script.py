"""Captured replies as scripted ones, scrubbed on the way in. Knows no route.

Read what was captured; gather what identifies its owner, from the requests too; replace that in the replies' own texts, so
that all else stays byte for byte; look once more for what had to go. Amounts and times stay: they make the test.
"""

from __future__ import annotations

import base64
import json
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from binance_usdm.mock.core.response import Reply

from .readers import LARGEST, METHOD, PATH, Found, decoded, is_status, loads, plain, read, text_of
from .scrub import Scrubber, identifiers, pattern_of

# What a client acts on. A Date would be stale, and servers send their own; the codings are undone here.
_KEPT: Final = re.compile(r"(?ai:content-type|retry-after|x-mbx-(?:used-weight|order-count)(?:-[0-9]+[smhd])?)")
_VALUE: Final = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True, repr=False)
class Capture:
    """One scrubbed reply, for ``Exchange.fail`` or ``seed``. Method and path are None where only the reply was captured."""

    method: str | None
    path: str | None
    reply: Reply

    def __repr__(self) -> str:
        return f"Capture({self.method or '-'} {self.path or '-'} {self.reply.status})"


def captures(source: bytes) -> list[Capture]:
    """Read a HAR 1.2 file, or one raw reply, and keep nothing that identifies who made it.

    Of a request method and path stay, of a reply the status, a few headers and the body, decompressed. Account aliases, user
    ids, keys, signatures, IP and mail addresses and cookies are replaced wherever they stand: each by one made-up text
    throughout the file, no two by the same. HAR entries without a reply are left out, with a warning. What is not as described,
    or could not be scrubbed, is a ValueError that repeats nothing of it.
    """
    found = read(source)
    secrets = identifiers(found)
    scrubber = Scrubber(secrets, found)
    made = [_scrubbed(scrubber, each) for each in found]
    if _left(made, secrets):
        raise ValueError("something that identifies the owner would be left, so nothing is given out")
    return made


def leaks(script: bytes, source: bytes) -> bool:
    """Whether a script holds anything, written plainly or with escapes, that identifies the owner of a captured file."""
    with warnings.catch_warnings(action="ignore"):
        return _left(from_script(script), identifiers(read(source)))


def as_script(captured: Iterable[Capture]) -> bytes:
    """Scrubbed replies as JSON to keep in a file: an object each, bodies as text, or as base64 where they are no UTF-8."""
    rows, kept = list[dict[str, Any]](), list(captured)
    for each in kept:
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in each.reply.headers]
        rows.append({"method": each.method, "path": each.path, "status": each.reply.status, "headers": headers})
        try:
            rows[-1]["body"] = each.reply.body.decode()
        except UnicodeDecodeError:
            rows[-1]["body_base64"] = base64.b64encode(each.reply.body).decode()
    script = json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"
    if from_script(script) != kept:
        raise ValueError("a capture is not as captures() makes it")
    return script


def from_script(script: bytes) -> list[Capture]:
    """Read what ``as_script`` wrote. Anything else is a ValueError, which names the reply by its number."""
    rows = loads(script, object_pairs_hook=_once) if len(script) <= LARGEST else None
    if not isinstance(rows, list):
        raise ValueError(f"a script is a JSON array of replies, no member twice, of at most {LARGEST} bytes")
    return [_capture(number, row) for number, row in enumerate(rows, 1)]


def _left(captured: Iterable[Capture], secrets: set[str]) -> bool:
    parts = set[str]()
    for each in captured:
        parts |= {
            each.path or "",
            text_of(each.reply.body),
            *(value.decode("latin-1") for _, value in each.reply.headers),
        }
    views = {view for part in parts for view in (part, plain(part), plain(plain(part)), unquote(part))}
    lowered = "\n".join(views).lower()
    present = {secret for secret in secrets if secret.lower() in lowered}
    return bool(present) and any(map(pattern_of(present).search, views))


def _scrubbed(scrubber: Scrubber, found: Found) -> Capture:
    kept = [(name, scrubber.clean(value)) for name, value in found.headers if _KEPT.fullmatch(name)]
    headers = tuple((name.encode(), value.encode()) for name, value in kept if _VALUE.fullmatch(value))
    body = scrubber.clean(text_of(found.body)).encode("utf-8", "surrogateescape")
    path = None if found.path is None else scrubber.clean(found.path)
    return Capture(found.method, path, Reply(found.status, headers, body, _code(body)))


def _capture(number: int, row: Any) -> Capture:
    match row:
        case {
            "method": None | str() as method,
            "path": None | str() as path,
            "status": int(status),
            "headers": list(pairs),
            **rest,
        } if len(rest) == 1 and is_status(status) and all(map(_is_header, pairs)):
            [(name, text)] = rest.items()
            body = decoded(text, {"body": "", "body_base64": "base64"}.get(str(name), "unknown"))
            headers = tuple((name.encode(), value.encode()) for name, value in pairs)
            if body is not None and METHOD.fullmatch(method or "GET") and PATH.fullmatch(path or "/"):
                return Capture(method, path, Reply(status, headers, body, _code(body)))
    raise ValueError(f"reply {number} is not as a script has it")


def _is_header(pair: Any) -> bool:
    match pair:
        case [str(name), str(value)]:
            return bool(_KEPT.fullmatch(name) and _VALUE.fullmatch(value))
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _code(body: bytes) -> int | None:
    tree = loads(body)
    code = tree.get("code") if isinstance(tree, dict) else None
    return code if type(code) is int else None
