"""Layer C as tests: whatever comes back to the client comes out of it as the spec says, on both clients and both kinds of transport."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from binance_usdm import Response, TimestampError
from binance_usdm.mock import FAULTS

from . import error_tables as tables
from . import value_tables as values
from .facade import SDKS
from .raw_requests import make_exchange
from .response_bodies import bodies, decode_value, described, describes, exact
from .responses_vs_spec import CHECKS, HOW, some
from .schemathesis_setup import EDGES, GENERATED
from .spec_facts import SPEC


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("sdk", SDKS)
def test_the_client_makes_of_a_reply_what_the_spec_says(
    sdk: str, check: Callable[..., None]
) -> None:
    check(SPEC, SDKS[sdk], make_exchange, HOW[sdk])


def test_generated_bodies_are_good_and_bad() -> None:
    """For every described reply, and random ones beside the edges; a list in them has one row at least."""
    for reply in described(SPEC):
        edges, all_of_them = bodies(SPEC, reply.schema), bodies(SPEC, reply.schema, GENERATED)
        assert set(edges) < set(all_of_them)
        for made in (edges, all_of_them):
            good = [body for body in made if describes(SPEC, reply.schema, body)]
            assert len(good) >= 4
            assert len(made) - len(good) >= 10
            assert max(map(len, good)) > 20
    whole = [body for reply in described(SPEC) for body in bodies(SPEC, reply.schema, GENERATED)]
    assert any(not body.isascii() for body in whole)


def test_two_runs_make_the_same_bodies() -> None:
    reply = described(SPEC)[0]
    first = bodies(SPEC, reply.schema)
    bodies_again = bodies(
        {**SPEC, "components": {**SPEC["components"], "x-other": 1}}, reply.schema
    )
    assert first == bodies_again


@pytest.mark.parametrize("name", values.NO_JSON)
def test_what_is_no_json_is_none_to_the_judge_either(name: str) -> None:
    """The judge reads on its own: what it lets pass it could not find in a client."""
    body = values.sample_body([{"asset": "USDT", "code": -1}])
    spoilt = values.NO_JSON[name](body)
    assert spoilt != body
    if name not in (
        "out of all bounds",
        "out of all bounds of Python's",
    ):  # JSON by its grammar, refused for its size
        assert not describes(SPEC, {}, spoilt)


def test_the_judge_tells_values_apart_that_python_takes_for_equal() -> None:
    texts = [
        b"1",
        b"1.0",
        b"1.00",
        b'"1"',
        b'"1.0"',
        b"true",
        b"[1]",
        b"0",
        b"-0.0",
        b"null",
        b"false",
        b'""',
    ]
    assert len({exact(decode_value(text)) for text in texts}) == len(texts)
    assert exact(decode_value(b'{"a": 1, "b": 2}')) == exact(decode_value(b'{"b": 2, "a": 1}'))
    assert str(decode_value(b"123456789012345678901234567890")) == "123456789012345678901234567890"


def test_the_judge_takes_no_fraction_for_an_integer() -> None:
    time = {"$ref": "#/components/schemas/ServerTime"}
    for text, good in (
        (b"0", True),
        (b"9223372036854775807", True),
        (b"9223372036854775808", False),
        (b"1.0", False),
    ):
        assert describes(SPEC, time, b'{"serverTime": ' + text + b"}") is good
    for text in (b"1e3", b"-1", b'"1"', b"true", b"null", b"18446744073709551616", b"1" * 5000):
        assert not describes(SPEC, time, b'{"serverTime": ' + text + b"}")


def test_every_place_gets_values_that_may_and_that_may_not_stand_there() -> None:
    for schema in (
        {"type": "string", "format": "decimal"},
        {"type": "string"},
        {"type": "boolean"},
    ):
        assert all(good_and_bad := values.good_and_bad(schema, may_lack=False))
        assert values.MISSING in good_and_bad[1]
    for kind in ("array", "object"):
        assert values.good_and_bad({"type": kind}, may_lack=False)[1]
    good, bad = values.good_and_bad(
        {"type": ["integer", "null"], "minimum": 0, "maximum": 5}, may_lack=True
    )
    assert (None in good, None in bad) == (True, False)
    assert (values.MISSING in good, values.MISSING in bad) == (True, False)


def test_thinning_leaves_nothing_out_altogether() -> None:
    items = range(10)
    assert {each for place in range(3) for each in some(items, EDGES, place)} == {*items}
    assert some(items, GENERATED, 1) == [*items]


def test_the_table_of_faults_names_those_that_there_are() -> None:
    assert {*tables.FAULTS} == {*FAULTS}
    assert {kind for kind, _ in tables.FAULTS.values()} >= {Response, *tables.KINDS.values()} - {
        TimestampError
    }
