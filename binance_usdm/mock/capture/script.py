"""Save and load recorded responses.

Personal data is found in requests and responses and replaced in the responses, whose other bytes
stay unchanged. Afterwards the responses are searched once more. Amounts and times are kept, since a
test needs them.
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

from .readers import (
    MAX_BYTES,
    METHOD,
    PATH,
    RawCapture,
    body_text,
    decode_text,
    is_status,
    parse_json_or_none,
    read_captures,
    unescape_json,
)
from .scrub import Scrubber, build_pattern, find_identifiers

# Headers that a client acts on. A Date would be old, and servers send their own. The transfer and
# content codings are decoded here.
_KEPT_HEADER: Final = re.compile(
    r"(?ai:content-type|retry-after|x-mbx-(?:used-weight|order-count)(?:-[0-9]+[smhd])?)"
)
_VALUE: Final = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True, repr=False)
class CapturedResponse:
    """Scrubbed response, for `Exchange.fail` or `Exchange.seed`.

    `method` and `path` are `None` if only the response was recorded.
    """

    method: str | None
    path: str | None
    reply: Reply

    def __repr__(self) -> str:
        return f"CapturedResponse({self.method or '-'} {self.path or '-'} {self.reply.status})"


def load_captures(source: bytes) -> list[CapturedResponse]:
    """Read a HAR 1.2 file or one raw HTTP response, and remove personal data.

    Kept are method and path of a request, and status, some headers and the decompressed body of a
    response. Account aliases, user ids, keys, signatures, IP and mail addresses and cookies are
    replaced wherever they occur, each by the same fake string throughout the file, no two by the
    same. HAR entries without a response are left out, with a warning.

    Args:
        source: Content of the file.

    Raises:
        ValueError: The file is not valid, or personal data would be left. The message repeats
            nothing of the file.
    """
    found = read_captures(source)
    secrets = find_identifiers(found)
    scrubber = Scrubber(secrets, found)
    made = [_scrub(scrubber, each) for each in found]
    if _contains_any(made, secrets):
        raise ValueError(
            "scrubbing failed: an identifier would remain in the output; nothing was written"
        )
    return made


def contains_identifiers(script: bytes, source: bytes) -> bool:
    """Return whether a script holds personal data of a recorded file, plain or escaped.

    Args:
        script: Script of `dump_script`.
        source: Content of the recorded file.

    Raises:
        ValueError: The script or the file is not valid.
    """
    with warnings.catch_warnings(action="ignore"):
        return _contains_any(load_script(script), find_identifiers(read_captures(source)))


def dump_script(captured: Iterable[CapturedResponse]) -> bytes:
    """Serialize scrubbed responses as a JSON array, with bodies as strings or in base64.

    Raises:
        ValueError: A response is not one of `load_captures`.
    """
    rows, kept = list[dict[str, Any]](), list(captured)
    for each in kept:
        headers = [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in each.reply.headers
        ]
        rows.append(
            {
                "method": each.method,
                "path": each.path,
                "status": each.reply.status,
                "headers": headers,
            }
        )
        try:
            rows[-1]["body"] = each.reply.body.decode()
        except UnicodeDecodeError:
            rows[-1]["body_base64"] = base64.b64encode(each.reply.body).decode()
    script = json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"
    if load_script(script) != kept:
        raise ValueError("a response is not one of load_captures()")
    return script


def load_script(script: bytes) -> list[CapturedResponse]:
    """Load responses that `dump_script` saved.

    Raises:
        ValueError: The script is not valid. The message has the number of the response.
    """
    rows = (
        parse_json_or_none(script, object_pairs_hook=_reject_duplicates)
        if len(script) <= MAX_BYTES
        else None
    )
    if not isinstance(rows, list):
        raise ValueError(
            f"a script must be a JSON array of responses, of at most {MAX_BYTES} bytes, "
            "in which no object has a field twice"
        )
    return [_parse_row(number, row) for number, row in enumerate(rows, 1)]


def _contains_any(captured: Iterable[CapturedResponse], secrets: set[str]) -> bool:
    parts = set[str]()
    for each in captured:
        parts |= {
            each.path or "",
            body_text(each.reply.body),
            *(value.decode("latin-1") for _, value in each.reply.headers),
        }
    views = {
        view
        for part in parts
        for view in (part, unescape_json(part), unescape_json(unescape_json(part)), unquote(part))
    }
    lowered = "\n".join(views).lower()
    present = {secret for secret in secrets if secret.lower() in lowered}
    return bool(present) and any(map(build_pattern(present).search, views))


def _scrub(scrubber: Scrubber, found: RawCapture) -> CapturedResponse:
    kept = [
        (name, scrubber.scrub(value))
        for name, value in found.headers
        if _KEPT_HEADER.fullmatch(name)
    ]
    headers = tuple(
        (name.encode(), value.encode()) for name, value in kept if _VALUE.fullmatch(value)
    )
    body = scrubber.scrub(body_text(found.body)).encode("utf-8", "surrogateescape")
    path = None if found.path is None else scrubber.scrub(found.path)
    return CapturedResponse(
        found.method, path, Reply(found.status, headers, body, _error_code(body))
    )


def _parse_row(number: int, row: Any) -> CapturedResponse:
    match row:
        case {
            "method": None | str() as method,
            "path": None | str() as path,
            "status": int(status),
            "headers": list(pairs),
            **rest,
        } if len(rest) == 1 and is_status(status) and all(map(_is_header, pairs)):
            [(name, text)] = rest.items()
            body = decode_text(
                text, {"body": "", "body_base64": "base64"}.get(str(name), "unknown")
            )
            headers = tuple((name.encode(), value.encode()) for name, value in pairs)
            if (
                body is not None
                and METHOD.fullmatch(method or "GET")
                and PATH.fullmatch(path or "/")
            ):
                return CapturedResponse(
                    method, path, Reply(status, headers, body, _error_code(body))
                )
    raise ValueError(f"response {number} of the script is not valid")


def _is_header(pair: Any) -> bool:
    match pair:
        case [str(name), str(value)]:
            return bool(_KEPT_HEADER.fullmatch(name) and _VALUE.fullmatch(value))
    return False


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _error_code(body: bytes) -> int | None:
    tree = parse_json_or_none(body)
    code = tree.get("code") if isinstance(tree, dict) else None
    return code if type(code) is int else None
