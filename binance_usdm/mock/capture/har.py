"""Read the responses of HAR files.

No error message repeats a part of the file, which may hold secrets.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections import Counter
from collections.abc import Container
from typing import Any, Final, NamedTuple

MAX_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a HAR file and of a script."""

_URL: Final = re.compile(r"(?i:https?)://[^/?#]*([^?#]*)")


class RecordedResponse(NamedTuple):
    """Response of a HAR file, with the method and the path of its request."""

    method: str
    path: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def read_har(
    source: bytes, routes: Container[tuple[str, str]], dropped: Counter[str]
) -> list[RecordedResponse]:
    """Read the responses of a HAR 1.2 file.

    Args:
        source: Content of the file.
        routes: Methods and paths of the responses to read.
        dropped: Numbers of what is left out, by kind. Increased here.

    Raises:
        ValueError: The file has another format, is too large, or has no such response.
    """
    if len(source) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES} bytes")
    match parse_json_or_none(source):
        case {"log": {"entries": [_, *_] as entries}}:
            pass
        case _:
            raise ValueError("the file must be a HAR 1.2 file with at least one entry")
    responses = []
    for number, entry in enumerate(entries, 1):
        method, path, response = _parse_request(number, entry)
        if (method, path) not in routes:
            dropped["entries of other paths"] += 1
        elif response["status"] == 0:
            dropped["entries without a response"] += 1
        else:
            responses.append(RecordedResponse(method, path, *_parse_response(number, response)))
    if not responses:
        raise ValueError("the HAR has no response to a request that the mock supports")
    return responses


def _parse_request(number: int, entry: Any) -> tuple[str, str, dict[str, Any]]:
    match entry:
        case {
            "request": {"method": str(method), "url": str(url)},
            "response": {"status": int()} as response,
        }:
            # Browsers record data: and extension addresses too.
            parts = _URL.match(url)
            return method, parts[1] if parts else "", response
    raise ValueError(f"entry {number} is not valid HAR 1.2")


def _parse_response(
    number: int, response: dict[str, Any]
) -> tuple[int, list[tuple[str, str]], bytes]:
    status: Any = response["status"]
    headers: Any = response.get("headers")
    content: Any = response.get("content")
    is_complete = isinstance(headers, list) and isinstance(content, dict)
    if not is_status(status) or not is_complete or not all(map(_is_header, headers)):
        raise ValueError(f"entry {number} is not valid HAR 1.2")
    body = decode_text(content.get("text") or "", content.get("encoding"))
    size = content.get("size")
    if body is None or (not body and isinstance(size, int) and size > 0):
        raise ValueError(
            f"entry {number}: the body was not recorded, or is neither text nor base64"
        )
    return status, [(header["name"], header["value"]) for header in headers], body


def _is_header(header: Any) -> bool:
    match header:
        case {"name": str(), "value": str()}:
            return True
    return False


def is_status(status: Any) -> bool:
    """Return whether a value is the HTTP status of a final response."""
    return type(status) is int and 200 <= status <= 599


def decode_text(text: Any, coding: Any) -> bytes | None:
    """Return the bytes of a string, which is in base64 or as it is. `None` if it is neither."""
    if not isinstance(text, str) or coding not in (None, "", "base64"):
        return None
    with contextlib.suppress(ValueError):
        return base64.b64decode("".join(text.split()), validate=True) if coding else text.encode()
    return None


def parse_json_or_none(text: str | bytes, **hooks: Any) -> Any:
    """Parse JSON. Returns `None` for a string that is not JSON, or is nested too deeply.

    Errors of the parser are not raised, since their messages repeat the string.
    """
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text, **hooks)
    return None


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Raises:
        ValueError: The object has a field twice.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields
