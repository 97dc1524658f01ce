"""Save and load recorded responses.

What is saved is built from an allow-list, and is compared with it once more as bytes. Amounts and
times are kept, since a test needs them.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from binance_usdm.mock.core.response import Reply

from .allow_list import is_allowed_header, is_allowed_name, packaged_allow_list
from .har import (
    MAX_BYTES,
    RecordedResponse,
    decode_text,
    is_status,
    parse_json_or_none,
    read_har,
    unique_object,
)
from .scrub import Scrubber

# Scripts of earlier versions may have other methods, paths and header values than the allow-list.
_METHOD: Final = re.compile(r"[A-Z]{1,16}")
_PATH: Final = re.compile(r"/[!-\"$->@-~]*")
_VALUE: Final = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True, repr=False)
class CapturedResponse:
    """Scrubbed response, for `Exchange.fail` or `Exchange.seed`.

    `method` and `path` can be `None` in scripts of earlier versions.
    """

    method: str | None
    path: str | None
    reply: Reply

    def __repr__(self) -> str:
        return f"CapturedResponse({self.method or '-'} {self.path or '-'} {self.reply.status})"


def load_captures(source: bytes) -> list[CapturedResponse]:
    """Read a HAR 1.2 file, and copy what a test needs of its responses.

    Copied are method, path and status, the headers that a client acts on, and the fields of the
    body that the spec describes, with their values as they were written. Account aliases are
    replaced, each by the same fake one throughout the file. Error messages become those of the
    spec. Everything else is left out; a warning has the numbers of left out entries, bodies,
    fields and values, and of replaced messages.

    Args:
        source: Content of the file.

    Raises:
        ValueError: The file is not valid. The message repeats nothing of the file.
    """
    dropped = Counter[str]()
    allow_list = packaged_allow_list()
    scrubber = Scrubber(allow_list, dropped)
    recorded = read_har(source, allow_list.routes, dropped)
    captured = [_scrub(scrubber, response, dropped) for response in recorded]
    dump_script(captured)
    counts = [f"{kind}: {number}" for kind, number in sorted(dropped.items()) if number]
    if counts:
        warnings.warn(f"left out or replaced: {', '.join(counts)}", stacklevel=2)
    return captured


def dump_script(captured: Iterable[CapturedResponse]) -> bytes:
    """Serialize scrubbed responses as a JSON array, with bodies as strings.

    Raises:
        ValueError: A response has something that the allow-list does not have.
    """
    responses = list(captured)
    script = _serialize(list(map(_to_row, responses)))
    verify_script(script)
    if load_script(script) != responses:
        raise ValueError("a response is not one of load_captures()")
    return script


def verify_script(script: bytes) -> None:
    """Check that a script has nothing but what the allow-list has, byte for byte.

    Raises:
        ValueError: It has. The message has the number of the response.
    """
    rows = parse_json_or_none(script)
    if not isinstance(rows, list) or _serialize(rows) != script:
        raise ValueError("the script is not one of dump_script()")
    for number, row in enumerate(rows, 1):
        if not packaged_allow_list().allows(row):
            raise ValueError(f"response {number} has something that the allow-list does not have")


def load_script(script: bytes) -> list[CapturedResponse]:
    """Load responses that `dump_script` saved.

    Raises:
        ValueError: The script is not valid. The message has the number of the response.
    """
    rows = (
        parse_json_or_none(script, object_pairs_hook=unique_object)
        if len(script) <= MAX_BYTES
        else None
    )
    if not isinstance(rows, list):
        raise ValueError(
            f"a script must be a JSON array of responses, of at most {MAX_BYTES} bytes, "
            "in which no object has a field twice"
        )
    return [_parse_row(number, row) for number, row in enumerate(rows, 1)]


def _scrub(
    scrubber: Scrubber, recorded: RecordedResponse, dropped: Counter[str]
) -> CapturedResponse:
    allowed_headers = [header for header in recorded.headers if is_allowed_name(header[0])]
    headers = tuple(
        (name.encode(), value.encode())
        for name, value in allowed_headers
        if is_allowed_header([name, value])
    )
    dropped["header values"] += len(allowed_headers) - len(headers)
    return _make_response(
        recorded.method,
        recorded.path,
        recorded.status,
        headers,
        scrubber.scrub_body(recorded).encode(),
    )


def _to_row(response: CapturedResponse) -> dict[str, Any]:
    return {
        "method": response.method,
        "path": response.path,
        "status": response.reply.status,
        "headers": [[part.decode("latin-1") for part in pair] for pair in response.reply.headers],
        "body": response.reply.body.decode(errors="replace"),
    }


def _serialize(rows: list[Any]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


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
            coding = {"body": "", "body_base64": "base64"}.get(str(name), "unknown")
            body = decode_text(text, coding)
            is_route = _METHOD.fullmatch(method or "GET") and _PATH.fullmatch(path or "/")
            if body is not None and is_route:
                headers = tuple((name.encode(), value.encode()) for name, value in pairs)
                return _make_response(method, path, status, headers, body)
    raise ValueError(f"response {number} of the script is not valid")


def _is_header(pair: Any) -> bool:
    match pair:
        case [str(name), str(value)]:
            return is_allowed_name(name) and _VALUE.fullmatch(value) is not None
    return False


def _make_response(
    method: str | None,
    path: str | None,
    status: int,
    headers: tuple[tuple[bytes, bytes], ...],
    body: bytes,
) -> CapturedResponse:
    payload = parse_json_or_none(body)
    code = payload.get("code") if isinstance(payload, dict) else None
    reply = Reply(status, headers, body, code if type(code) is int else None)
    return CapturedResponse(method, path, reply)
