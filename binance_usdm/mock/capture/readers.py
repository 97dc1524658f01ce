"""Read HAR files and raw HTTP responses.

No error message repeats a part of the file, which may hold secrets.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import warnings
import zlib
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

MAX_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a recorded file, of a decompressed body, and of a script."""

METHOD: Final = re.compile(r"[A-Z]{1,16}")
PATH: Final = re.compile(r"/[!-\"$->@-~]*")
_URL: Final = re.compile(r"(?i:https?)://[^/?#]*([^?#]*).*", re.DOTALL)
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
ESCAPE: Final = re.compile(r"\\u[0-9A-Fa-f]{4}|\\.", re.DOTALL)
_STATUS_LINE: Final = re.compile(rb"HTTP/(?:1\.[01]|[23](?:\.0)?) ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,7})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
_FORMAT_PROBLEM: Final = (
    "the file must be a HAR 1.2 file, or one response as `curl -i` prints it, "
    "starting with the HTTP/ line"
)


class RawCapture(NamedTuple):
    """Recorded response. `context_text` is the text of everything that was recorded with it."""

    method: str | None
    path: str | None
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    context_text: str


def read_captures(source: bytes) -> list[RawCapture]:
    """Read the responses of a HAR 1.2 file, or one raw HTTP response.

    HAR entries without a response are left out, with a warning.

    Raises:
        ValueError: The file has another format, is too large, or has a body that is not text.
    """
    if len(source) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES} bytes")
    found = [_read_raw_response(source)] if source.startswith(b"HTTP/") else _read_har(source)
    if any(_BINARY.search(each.body) for each in found):
        raise ValueError(
            "a body is binary, or has an unsupported compression; it cannot be searched"
        )
    return found


def _read_har(source: bytes) -> list[RawCapture]:
    match parse_json_or_none(source):
        case {"log": {"entries": [_, *_] as entries}}:
            found = [_read_har_entry(number, entry) for number, entry in enumerate(entries, 1)]
        case _:
            raise ValueError(_FORMAT_PROBLEM)
    replies = [each for each in found if each.status]
    if not replies:
        raise ValueError("the HAR has no response")
    if len(replies) < len(found):
        warnings.warn(
            f"{len(found) - len(replies)} entries of the HAR have no response and are left out",
            stacklevel=4,
        )
    return replies


def _read_har_entry(number: int, entry: Any) -> RawCapture:
    match entry:
        case {
            "request": {"method": str(method), "url": str(url), **request},
            "response": {
                "status": int(status),
                "headers": headers,
                "content": dict(content),
                **response,
            },
        } if (
            is_status(status or 200) and METHOD.fullmatch(method) and (parts := _URL.fullmatch(url))
        ):
            path, posted = parts[1] or "/", request.get("postData") or {}
        case _:
            raise ValueError(f"entry {number} is not valid HAR 1.2")
    if not PATH.fullmatch(path) or not isinstance(posted, dict):
        raise ValueError(f"entry {number} has an invalid path or postData")
    sent = _name_value_pairs(number, headers)
    asked = _name_value_pairs(
        number, request.get("headers"), request.get("queryString"), posted.get("params")
    )
    cookies = [
        ("Cookie", value)
        for _, value in _name_value_pairs(number, request.get("cookies"), response.get("cookies"))
    ]
    lines = [
        f"{name}: {line}" for name, value in (*sent, *asked, *cookies) for line in value.split("\n")
    ]
    body, size = (
        decode_text(content.get("text") or "", content.get("encoding")),
        content.get("size"),
    )
    if body is None or (not body and isinstance(size, int) and size > 0):
        raise ValueError(
            f"entry {number}: the body was not recorded, or is neither text nor base64"
        )
    return RawCapture(
        method,
        path,
        status,
        sent,
        body,
        "\n".join([url, unquote(url), *lines, str(posted.get("text"))]),
    )


def _name_value_pairs(number: int, *lists: Any) -> list[tuple[str, str]]:
    pairs = list[tuple[str, str]]()
    for each in lists:
        match each:
            case None | []:
                continue
            case [*named] if all(isinstance(one, dict) for one in named):
                pairs += [(one.get("name"), one.get("value")) for one in named]
            case _:
                raise ValueError(
                    f"entry {number}: headers, cookies and parameters must be lists of objects"
                )
    if not all(isinstance(part, str) for pair in pairs for part in pair):
        raise ValueError(f"entry {number}: a header, cookie or parameter has no name or value")
    return pairs


def _read_raw_response(source: bytes) -> RawCapture:
    first, headers, at = _STATUS_LINE.match(source), list[tuple[str, str]](), 0
    at = first.end() if first else 0
    while header := _HEADER.match(source, at):
        headers.append((header[1].decode("latin-1"), header[2].decode("latin-1").strip()))
        at = header.end()
    end = _LINE_END.match(source, at)
    if first is None or end is None:
        raise ValueError(_FORMAT_PROBLEM)
    body, sent = source[end.end() :], {name.lower(): value.lower() for name, value in headers}
    if not is_status(int(first[1])) or _STATUS_LINE.search(body):
        raise ValueError(
            "the file must have one response, and no interim (1xx) response; "
            "save each response in a separate file"
        )
    body = _decode_chunked(body) if sent.get("transfer-encoding") == "chunked" else body
    body = _decompress(body, sent.get("content-encoding", ""))
    return RawCapture(
        None,
        None,
        int(first[1]),
        headers,
        body,
        "\n".join(f"{name}: {value}" for name, value in headers),
    )


def _decode_chunked(body: bytes) -> bytes:
    """Decode a chunked body. A body that does not begin with a chunk was decoded by curl."""
    parts, at = list[bytes](), 0
    while chunk := _CHUNK.match(body, at):
        start, at = chunk.end(), chunk.end() + int(chunk[1], 16)
        if at == start:
            return b"".join(parts)
        parts.append(body[start:at])
        end = _LINE_END.match(body, at)
        at = end.end() if end else len(body)
    if parts:
        raise ValueError("a chunked body is incomplete")
    return body


def _decompress(body: bytes, coding: str) -> bytes:
    """Decompress a body. A body that is not compressed was decompressed by curl."""
    for bits in {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(coding, ()):
        inflater = zlib.decompressobj(bits)
        with contextlib.suppress(zlib.error):
            plain = inflater.decompress(body, MAX_BYTES + 1)
            if len(plain) > MAX_BYTES:
                raise ValueError(f"a body is larger than {MAX_BYTES} bytes")
            if inflater.eof and not inflater.unused_data:
                return plain
    return body


def is_status(status: int) -> bool:
    """Return whether a number is the HTTP status of a final response."""
    return type(status) is int and 200 <= status <= 599


def decode_text(text: Any, coding: Any) -> bytes | None:
    """Return the bytes of a string, which is in base64 or as it is. `None` if it is neither."""
    if not isinstance(text, str) or coding not in (None, "", "base64"):
        return None
    with contextlib.suppress(ValueError):
        return base64.b64decode("".join(text.split()), validate=True) if coding else text.encode()
    return None


def body_text(body: bytes) -> str:
    """Return a body as a string from which the same bytes can be encoded."""
    return body.decode("utf-8", "surrogateescape")


def unescape_json(text: str) -> str:
    """Replace the JSON escapes in a string, wherever they are."""
    return ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(escape: re.Match[str]) -> str:
    text = escape[0]
    if len(text) == 6:
        return chr(int(text[-4:], 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(text[1], text[1])


def parse_json_or_none(text: str | bytes, **hooks: Any) -> Any:
    """Parse JSON. Returns `None` for a string that is not JSON.

    Errors of the parser are not raised, since their messages repeat the string.

    Raises:
        ValueError: The JSON is nested too deeply.
    """
    try:
        return json.loads(text, **hooks)
    except RecursionError:
        deep = True
    except ValueError:
        deep = False
    if deep:
        raise ValueError("JSON is nested too deeply")
    return None
