"""What the checks themselves know: JSON, schemas, samples and tables."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings

from binance_usdm import Response, TimestampError
from binance_usdm.contract._cases import sample_values as samples
from binance_usdm.contract._cases.expectations import CLASS_BY_KIND, MOCK_FAULTS
from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.response_bodies import generate_bodies
from binance_usdm.contract._cases.schemathesis_setup import EDGES, GENERATED
from binance_usdm.contract._client_layers.response_cases import ResponseCase
from binance_usdm.contract._spec.document import SPEC
from binance_usdm.contract._spec.exact_json import canonical, decode
from binance_usdm.contract._spec.operations import operations
from binance_usdm.contract._spec.response_model import (
    DescribedResponse,
    described_responses,
    ok_responses,
)
from binance_usdm.mock import FAULTS
from tests.contract.sdks import SDKS

RESPONSES = {response.operation.id: response for response in ok_responses(SPEC)}
ROWS, TIME = RESPONSES["balance"], RESPONSES["server_time"]


def test_bodies_are_valid_and_invalid() -> None:
    """Every response has edges and random bodies of both kinds, and lists have rows."""
    for response in described_responses(SPEC):
        edges, everything = generate_bodies(response), generate_bodies(response, GENERATED)
        assert set(edges) < set(everything)
        for generated in (edges, everything):
            valid = [body for body in generated if response.describes(body)]
            assert len(valid) >= 4
            assert len(generated) - len(valid) >= 10
            assert max(map(len, valid)) > 20
    bodies = [
        body for each in described_responses(SPEC) for body in generate_bodies(each, GENERATED)
    ]
    assert not all(body.isascii() for body in bodies)


def test_two_runs_generate_the_same() -> None:
    """Bodies depend on the schemas alone."""
    components = {**SPEC["components"], "x-other": 1}
    other = ok_responses({**SPEC, "components": components})[0]
    assert generate_bodies(ROWS) == generate_bodies(other)


@pytest.mark.parametrize("name", samples.NOT_JSON)
def test_invalid_json_is_not_described(name: str) -> None:
    """The checks read JSON themselves, so what they accept they could not find in a client."""
    body = samples.encode([{"asset": "USDT", "code": -1}])
    changed = samples.NOT_JSON[name](body)
    assert changed != body
    anything = DescribedResponse(ROWS.operation, 200, {})
    assert anything.describes(body)
    if name not in samples.TOO_LARGE_NUMBERS:
        assert not anything.describes(changed)


def test_canonical_form_is_exact() -> None:
    """Values that Python takes for equal have different forms."""
    scalars = [b"1", b"1.0", b"1.00", b'"1"', b'"1.0"', b"true", b"0", b"-0.0", b"null", b"false"]
    bodies = [*scalars, b"[1]", b'""']
    assert len({canonical(decode(body)) for body in bodies}) == len(bodies)
    same = [canonical(decode(body)) for body in (b'{"a": 1, "b": 2}', b'{"b": 2, "a": 1}')]
    assert same[0] == same[1]
    assert str(decode(b"123456789012345678901234567890")) == "123456789012345678901234567890"


def test_fractions_are_not_integers() -> None:
    """An integer is one of 64 bits, written as one."""
    for text in (b"0", b"9223372036854775807"):
        assert TIME.describes(b'{"serverTime": ' + text + b"}")
    others = (b"1.0", b"1e3", b"-1", b'"1"', b"true", b"null", b"9223372036854775808", b"1" * 5000)
    for text in (*others, b"18446744073709551616"):
        assert not TIME.describes(b'{"serverTime": ' + text + b"}")


def test_every_type_has_samples() -> None:
    """Every place gets values that may stand there and values that may not."""
    for schema in (
        {"type": "string", "format": "decimal"},
        {"type": "string"},
        {"type": "boolean"},
    ):
        valid, invalid = samples.values_for(schema, is_optional=False)
        assert valid
        assert invalid[-1] is samples.MISSING
    for json_type in ("array", "object"):
        assert samples.values_for({"type": json_type}, is_optional=False)[1]
    nullable = {"type": ["integer", "null"], "minimum": 0, "maximum": 5}
    valid, invalid = samples.values_for(nullable, is_optional=True)
    assert (None in valid, None in invalid) == (True, False)
    assert (samples.MISSING in valid, samples.MISSING in invalid) == (True, False)


def test_thinning_leaves_nothing_out() -> None:
    """Three responses together have all items, and a run with random cases has all at once."""

    def thin_out(how: settings, number: int) -> list[int]:
        loop = asyncio.new_event_loop()
        loop.close()
        case = ResponseCase(ROWS, SDKS["sync"], make_exchange, how, number, loop)
        return case.thin_out(range(10))

    assert {each for number in range(3) for each in thin_out(EDGES, number)} == {*range(10)}
    assert thin_out(GENERATED, 1) == [*range(10)]


def test_mock_faults_are_all_listed() -> None:
    """The table has every fault of the mock, and nearly every class of error."""
    assert {*MOCK_FAULTS} == {*FAULTS}
    outcomes = {fault.outcome for fault in MOCK_FAULTS.values()}
    assert outcomes >= {Response, *CLASS_BY_KIND.values()} - {TimestampError}


def test_query_problems_are_named() -> None:
    """A query is wrong by an unknown, missing, repeated or invalid parameter."""
    balance = operations(SPEC)[0]
    valid = "recvWindow=5&timestamp=1&signature=a"
    assert balance.query_problems(valid) == []
    assert balance.query_problems("signature=a") == ["timestamp"]
    assert balance.query_problems(f"x=1&{valid}&recvWindow=5") == ["recvWindow", "x"]
    assert balance.query_problems("recvWindow=0&timestamp=a") == [
        "recvWindow",
        "signature",
        "timestamp",
    ]
