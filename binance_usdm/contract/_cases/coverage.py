"""Which parts of the document the cases of a run have touched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote

from binance_usdm.contract._spec.document import JSON_TYPE, Json, resolve
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.contract._spec.parameters import text_of

Item: TypeAlias = tuple[str, str]
"""Kind of a part, such as "status", and its name in the document."""
KINDS: Final = (
    *("operation", "parameter", "parameter example", "status", "media type", "header"),
    *("field", "null", "response example"),
)


class Coverage:
    """Parts of a document, and which of them were sent or received.

    Args:
        document: The document.
    """

    def __init__(self, document: Json) -> None:
        self._operations = operations(document)
        self._described = {
            item: None for operation in self._operations for item in _described(operation)
        }
        self._touched: set[Item] = set()

    def observe(
        self,
        method: str,
        path: str,
        query: str,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        """Take a request and its response.

        Args:
            method: HTTP method.
            path: Path as it was sent, or as the document has it.
            query: Query as it was sent.
            status: Status of the response.
            headers: Headers of the response, by name.
            body: Body of the response.
        """
        for operation in self._operations:
            if method == operation.method and operation.matches(path):
                self._touched |= {*_touched(operation, query, status, headers, body)}

    def untouched(self) -> list[Item]:
        """Return the parts that no case has touched, in the order of the document."""
        return [item for item in self._described if item not in self._touched]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many parts of each kind were touched, and how many there are."""
        described = Counter(kind for kind, _ in self._described)
        touched = Counter(kind for kind, _ in {*self._described} & self._touched)
        return {kind: (touched[kind], described[kind]) for kind in KINDS if described[kind]}


def _described(operation: Operation) -> Iterator[Item]:
    label = operation.label
    yield "operation", label
    for parameter in operation.declared:
        yield "parameter", f"{label} {parameter['name']}"
        for text in _examples(parameter):
            yield "parameter example", f"{label} {parameter['name']}={text}"
    for status, node in operation.responses.items():
        response = resolve(operation.document, node)
        yield "status", f"{label} {status}"
        for media_type in response.get("content", {}):
            yield "media type", f"{label} {status} {media_type}"
        for header in response.get("headers", {}):
            yield "header", f"{label} {status} {header}"
    media = resolve(operation.document, operation.responses["200"])["content"][JSON_TYPE]
    for kind, path in _parts(operation.document, media["schema"], ""):
        yield kind, f"{label}{path}"
    for name in media.get("examples", {}):
        yield "response example", f"{label} {name}"


def _touched(
    operation: Operation, query: str, status: int, headers: Mapping[str, str], body: bytes
) -> Iterator[Item]:
    label = operation.label
    yield "operation", label
    for name, text in parse_qsl(query, keep_blank_values=True):
        yield "parameter", f"{label} {name}"
        yield "parameter example", f"{label} {name}={text}"
    described = next(
        (each for each in (str(status), f"{status // 100}XX") if each in operation.responses), ""
    )
    yield "status", f"{label} {described}"
    names = {name.lower(): value for name, value in headers.items()}
    media_type = names.get("content-type", "").partition(";")[0].strip().lower()
    yield "media type", f"{label} {described} {media_type}"
    response = resolve(operation.document, operation.responses.get(described, {}))
    for header in response.get("headers", {}):
        if header.lower() in names:
            yield "header", f"{label} {described} {header}"
    if status == 200:
        yield from _touched_by_body(operation, body)


def _touched_by_body(operation: Operation, body: bytes) -> Iterator[Item]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    media = resolve(operation.document, operation.responses["200"])["content"][JSON_TYPE]
    for kind, path in iter_present(value):
        yield kind, f"{operation.label}{path}"
    for name, example in media.get("examples", {}).items():
        if resolve(operation.document, example)["value"] == value:
            yield "response example", f"{operation.label} {name}"


def _examples(parameter: Json) -> Iterator[str]:
    nodes = [parameter["example"]] if "example" in parameter else []
    nodes += [each["value"] for each in parameter.get("examples", {}).values()]
    for value in nodes:
        yield unquote(text_of(parameter, value))


def _parts(document: Json, schema: Json, path: str) -> Iterator[Item]:
    """Yield the fields of a schema, and where it allows null."""
    schema = resolve(document, schema)
    if path and "null" in schema.get("type", ()):
        yield "null", path
    for name, node in schema.get("properties", {}).items():
        yield "field", f"{path}.{name}"
        yield from _parts(document, node, f"{path}.{name}")
    inside: list[Any] = [schema["items"]] if isinstance(schema.get("items"), dict) else []
    for node in (*inside, *schema.get("oneOf", ())):
        yield from _parts(document, node, path)


def iter_present(value: Any) -> Iterator[Item]:
    """Yield the fields of a value, and where it has null, at any depth."""
    left = [(value, "")]
    while left:
        value, path = left.pop()
        if value is None and path:
            yield "null", path
        elif isinstance(value, list):
            left += [(item, path) for item in value]
        elif isinstance(value, dict):
            for name, item in value.items():
                yield "field", f"{path}.{name}"
                left.append((item, f"{path}.{name}"))
