"""Checks of the client's values: what it returns of a body, and which bodies it rejects."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any, Final

from binance_usdm import UnexpectedResponse
from binance_usdm.contract._cases import sample_values as samples
from binance_usdm.contract._cases.expectations import expected_outcome
from binance_usdm.contract._cases.response_bodies import generate_bodies
from binance_usdm.contract._cases.response_tables import MIB
from binance_usdm.contract._cases.sample_values import MISSING, encode
from binance_usdm.contract._client_layers.response_cases import (
    JSON,
    UNEXPECTED,
    VALUE,
    ResponseCase,
)
from binance_usdm.contract._spec.response_model import Path


def described_bodies_are_returned(case: ResponseCase) -> None:
    """Every example in every layout, and every valid body that schemathesis generates."""
    examples, layouts = case.operation.examples, samples.LAYOUTS
    bodies = [encode(value, **layout) for value in examples for layout in layouts]
    for body in (*bodies, *generate_bodies(case.response, case.how)):
        if case.response.describes(body):
            case.expect_value(case.response.with_one_account(body), JSON)


def other_bodies_are_rejected(case: ResponseCase) -> None:
    """Every invalid body that schemathesis generates."""
    for body in generate_bodies(case.response, case.how):
        if (outcome := expected_outcome(case.response, 200, body)) != VALUE:
            case.expect(outcome, body, JSON)


def values_are_exact_in_every_place(case: ResponseCase) -> None:
    for path, valid, _ in _iter_samples(case):
        for sample in valid:
            value = _put(case.operation.richest_example, path, sample)
            if path and path[-1] == case.response.account_field:
                value = [{**row, path[-1]: sample} for row in value]
            case.expect_value(encode(value, ensure_ascii=len(path) % 2 == 0), JSON)


def wrong_values_are_rejected_with_their_path(case: ResponseCase) -> None:
    for path, _, invalid in _iter_samples(case):
        values = [_put(case.operation.richest_example, path, value) for value in invalid]
        if MISSING in invalid:
            values.append(_change_case(case.operation.richest_example, path))
        for value in values:
            outcome = expected_outcome(case.response, 200, encode(value))
            assert outcome != VALUE, f"{path}: {value} is described"
            error = case.expect(outcome, encode(value), JSON)
            # A field `code` with a wrong value can make it an error of the exchange.
            if outcome == UNEXPECTED:
                assert (error.path, error.retryable) == (path, False), f"{error.path}, not {path}"


def rows_of_another_account_are_rejected(case: ResponseCase) -> None:
    """Rows that name two accounts, or another one than the client has read before."""
    field = case.response.account_field
    if field is None:
        return
    rows = case.operation.richest_example
    other = [{**row, field: row[field] + "x"} for row in rows]
    for first, second in ((rows, [*rows[:-1], other[-1]]), (rows, other), (other, rows)):
        with case.one_client():
            case.expect(VALUE, encode(first), JSON)
            error = case.expect(UNEXPECTED, encode(second), JSON)
            assert (error.path[1], error.retryable) == (field, False), f"{error.path}"
            case.expect(VALUE, encode(first), JSON)


def json_is_read_strictly(case: ResponseCase) -> None:
    """What Python or JavaScript might accept is rejected; unknown fields are returned exactly."""
    body = encode(case.operation.richest_example)
    for name, change in samples.NOT_JSON.items():
        if (changed := change(body)) != body:
            error = case.expect(UNEXPECTED, changed, JSON)
            # The next response may be complete.
            assert (error.path, error.retryable) == ((), True), f"{name}: {error.path}"
    for field in samples.UNKNOWN_FIELDS:
        changed = samples.add_field(body, field)
        if case.response.describes(changed):
            case.expect_value(changed, JSON)
        else:
            # The field is one of a map, and its value not of the map's type.
            case.expect(expected_outcome(case.response, 200, changed), changed, JSON)


def sizes_are_bounded(case: ResponseCase) -> None:
    """A body may have a MiB, a list many rows, and a field not too many values."""
    value = case.operation.richest_example
    body = encode(value)
    case.expect_value(body.ljust(MIB), JSON)
    case.expect((UnexpectedResponse, 0, None), body.ljust(MIB + 1), JSON)
    if isinstance(value, list):
        case.expect_value(encode((value * 501)[:501]), JSON)
    crowded = samples.add_field(body, b'"new": [' + b"0," * 60_000 + b"0]")
    if crowded != body:
        case.expect(UNEXPECTED, crowded, JSON)


def size_option_is_used(case: ResponseCase) -> None:
    """A body as large as the client's `max_reply_bytes` is read, and a larger one is not."""
    body = encode(case.operation.richest_example)
    for size, outcome in ((len(body), VALUE), (len(body) - 1, (UnexpectedResponse, 0, None))):
        with case.one_client(max_reply_bytes=size):
            case.expect(outcome, body, JSON)


def size_of_compressed_bodies_is_bounded(case: ResponseCase) -> None:
    """A compressed body is bounded as it came, and decoded by four times that."""
    body = encode(case.operation.richest_example)
    header, size = (b"Content-Encoding", b"gzip"), max(len(body), 400)
    for decoded, outcome in ((4 * size, VALUE), (4 * size + 1, UNEXPECTED)):
        with case.one_client(max_reply_bytes=size):
            case.expect(outcome, gzip.compress(body.ljust(decoded)), JSON, header)
    compressed = gzip.compress(body, 0)
    for size, outcome in ((0, VALUE), (1, (UnexpectedResponse, 0, None))):
        with case.one_client(max_reply_bytes=len(compressed) - size):
            case.expect(outcome, compressed, JSON, header)


CHECKS: Final = (
    described_bodies_are_returned,
    other_bodies_are_rejected,
    values_are_exact_in_every_place,
    wrong_values_are_rejected_with_their_path,
    rows_of_another_account_are_rejected,
    json_is_read_strictly,
    sizes_are_bounded,
    size_option_is_used,
    size_of_compressed_bodies_is_bounded,
)


def _iter_samples(case: ResponseCase) -> Iterator[tuple[Path, list[Any], list[Any]]]:
    """Yield every place of the richest example, with valid and invalid values for it."""
    for path, schema, is_optional in case.response.places():
        valid, invalid = samples.values_for(schema, is_optional)
        if not path and "oneOf" in case.operation.result:
            # A list is a value of the other alternative.
            invalid = [value for value in invalid if not isinstance(value, (list, dict))]
        if not path or isinstance(path[-1], int):
            # Only a field can be missing.
            invalid = [value for value in invalid if value is not MISSING]
        yield path, valid, invalid


def _put(value: Any, path: Path, new: Any) -> Any:
    """Put a value, or nothing for `MISSING`, in a place."""
    if not path:
        return new
    parent = _parent(value, path)
    if new is MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = new
    return value


def _change_case(value: Any, path: Path) -> Any:
    """Change the case of a field's name."""
    parent = _parent(value, path)
    parent[str(path[-1]).swapcase()] = parent.pop(path[-1])
    return value


def _parent(value: Any, path: Path) -> Any:
    for step in path[:-1]:
        value = value[step]
    return value
