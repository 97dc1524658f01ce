"""How a recorded response deviates from its description. No value of the response is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from binance_usdm.contract._spec.document import JSON_TYPE, Json
from binance_usdm.contract._spec.exact_json import decode
from binance_usdm.contract._spec.operations import Operation, operations

from .values import Pointer, iter_value_deviations, node_at

CODES: Final = "x-error-codes"
MEDIA_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}")
Headers: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class RecordedReply:
    """A response to judge.

    Attributes:
        method: Method of the request.
        path: Path of the request.
        status: HTTP status.
        headers: Headers by name.
        body: The body.
    """

    method: str
    path: str
    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Deviation:
    """A deviation, without the value that deviates.

    Attributes:
        kind: What kind of change it is, such as "unknown field".
        operation: Identifier of the operation.
        status: Status of the response.
        place: Place in the body, such as `[].balance`; "" for the response itself.
        expected: What the document says.
        found: Type or kind of what came.
        pointer: Where the document says it.
        count: How often it was seen.
    """

    kind: str
    operation: str
    status: int
    place: str
    expected: str
    found: str
    pointer: Pointer = field(repr=False)
    count: int = 1

    def __str__(self) -> str:
        place = f" {self.place}" if self.place else ""
        expected = f", not {self.expected}" if self.expected else ""
        times = f", {self.count} times" if self.count > 1 else ""
        return f"{self.operation} {self.status}: {self.kind}{place}: {self.found}{expected}{times}"


def find_deviations(document: Json, replies: Iterable[RecordedReply]) -> list[Deviation]:
    """Return how responses deviate from a document, equal deviations once with their count.

    Args:
        document: The document.
        replies: Responses to operations of the document. Others are left out.

    Example:
        from binance_usdm.contract import SPEC, RecordedReply, find_deviations

        headers = {"Content-Type": "application/json"}
        reply = RecordedReply("GET", "/fapi/v1/time", 200, headers, b'{"serverTime": "1"}')
        for deviation in find_deviations(SPEC, [reply]):
            print(deviation)
    """
    counts: dict[Deviation, int] = {}
    for reply in replies:
        for operation in operations(document):
            if reply.method == operation.method and operation.matches(reply.path):
                for deviation in _iter_deviations(document, operation, reply):
                    counts[deviation] = counts.get(deviation, 0) + 1
    return [Deviation(**{**vars(deviation), "count": count}) for deviation, count in counts.items()]


def _iter_deviations(
    document: Json, operation: Operation, reply: RecordedReply
) -> Iterator[Deviation]:
    def deviation(
        kind: str, pointer: Pointer, found: str, expected: str = "", place: str = ""
    ) -> Deviation:
        return Deviation(kind, operation.id, reply.status, place, expected, found, pointer)

    responses: Pointer = ("paths", operation.path, operation.method.lower(), "responses")
    described = next(
        (
            status
            for status in (str(reply.status), f"{reply.status // 100}XX")
            if status in operation.responses
        ),
        None,
    )
    if described is None:
        known = ", ".join(operation.responses)
        yield deviation("unknown status", (*responses, str(reply.status)), f"{reply.status}", known)
        return
    pointer, response = node_at(document, (*responses, described))
    content = response.get("content", {})
    media_type = _header(reply.headers, "content-type").partition(";")[0].strip().lower()
    if media_type and content and media_type not in content:
        found = media_type if MEDIA_TYPE.fullmatch(media_type) else "another one"
        yield deviation("unknown media type", (*pointer, "content"), found, ", ".join(content))
    if media_type not in ("", JSON_TYPE) or JSON_TYPE not in content:
        return
    try:
        value = decode(reply.body)
    except (ValueError, RecursionError):
        found = "another body" if reply.body else "an empty body"
        yield deviation("not JSON", (*pointer, "content"), found, "JSON")
        return
    if reply.status != 200 or _is_error(value):
        yield from _code_deviations(document, value, deviation)
    if reply.status == 200 and _is_error(value):
        return
    schema: Pointer = (*pointer, "content", JSON_TYPE, "schema")
    for kind, place, where, found, expected in iter_value_deviations(document, schema, value):
        yield deviation(kind, where, found, expected, place)


def _code_deviations(document: Json, value: Any, deviation: Any) -> Iterator[Deviation]:
    code = value.get("code") if isinstance(value, dict) else None
    # A code is a word of the exchange's language, and no value of the account.
    if type(code) is int and str(code) not in document.get(CODES, {}):
        yield deviation("unknown code", (CODES, str(code)), str(code))


def _is_error(value: Any) -> bool:
    return isinstance(value, dict) and type(value.get("code")) is int and "msg" in value


def _header(headers: Headers, name: str) -> str:
    return next((text for key, text in headers.items() if key.lower() == name), "")
