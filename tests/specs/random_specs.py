"""Specs that Hypothesis builds: any mixture of arguments and responses, sometimes damaged.

    python -m tests.specs.random_specs [NUMBER]

Of each there are findings, or a package that works: no third outcome.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from binance_usdm.contract._cases.signing import compute_signature
from binance_usdm.mock import Exchange, ManualClock
from generator.checks.lint import lint
from generator.document.findings import SpecError
from generator.document.openapi import Json, load
from generator.output.package_files import replace_package
from generator.output.project import PACKAGE, generate
from tests.specs.corpus import AMOUNT, argument, array, described, to
from tests.specs.imported import imported_package
from tests.specs.places import changed, places
from tests.support.paths import SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

Sample: TypeAlias = tuple[Json, Any]
"""A schema, and a value that fits it."""

NOW = 1_591_702_613_943
KEY, SECRET = "fake-key-of-random-specs", "fake-secret-of-random-specs"
BASE = load(SPEC_FILE)
WORDS = st.text(st.sampled_from("abAB_19é币"), min_size=1, max_size=8)
NAMES = st.one_of(
    st.from_regex(r"[a-z][a-zA-Z0-9]{0,8}", fullmatch=True),
    st.sampled_from(
        ["class", "fromId", "from_id", "list", "id", "self", "readRows", "to_dict", "é"]
    ),
)
DECIMALS = st.sampled_from(["0", "-0.10", "1.50", "122607.35137903", "0.00000000"])


def integers() -> st.SearchStrategy[Sample]:
    def build(low: int, high: int, value: int, form: str) -> Sample:
        low, high = min(low, high), max(low, high)
        schema = {"type": "integer", "format": form, "minimum": low, "maximum": high}
        return schema, min(max(value, low), high)

    number = st.integers(-(2**31), 2**31 - 1)
    return st.builds(build, number, number, number, st.sampled_from(["int32", "int64"]))


def scalars() -> st.SearchStrategy[Sample]:
    """Return schemas of scalars with values."""
    return st.one_of(
        integers(),
        st.tuples(st.just({"type": "integer", "format": "int64"}), st.integers(-9, 2**63 - 1)),
        st.tuples(st.just({"type": "boolean"}), st.booleans()),
        st.tuples(st.just(AMOUNT), DECIMALS),
        st.tuples(st.just({"type": "number"}), st.sampled_from([0, 5, -0.25, 94057.03])),
        st.tuples(st.just({"type": "string"}), WORDS),
        st.tuples(st.just({"type": "string", "enum": ["A", "B"]}), st.sampled_from("AB")),
        st.tuples(
            st.just({"type": "string", "pattern": "^[a-z]{1,3}$", "x-rule": "letters"}),
            st.sampled_from(["a", "abc"]),
        ),
        st.tuples(
            st.just({"type": "string", "minLength": 1, "maxLength": 3}),
            st.sampled_from(["a", "币币币"]),
        ),
    )


@st.composite
def values(draw: Any, document: Json, depth: int) -> Any:
    """Return a schema of any kind with a value; objects become components of the document."""
    kind = draw(st.sampled_from(["scalar", "list", "map", "object", "tuple", "null"]))
    if depth == 0 or kind == "scalar":
        return draw(scalars())
    inner = values(document, depth - 1)
    if kind == "object":
        return draw(objects(document, depth))
    if kind == "list":
        schema, value = draw(inner)
        return array(schema), [value] * draw(st.integers(0, 2))
    if kind == "map":
        schema, value = draw(inner)
        return {"type": "object", "additionalProperties": schema}, {draw(WORDS): value}
    if kind == "null":
        schema, value = draw(scalars())
        if "$ref" in schema or "enum" in schema:
            return schema, value
        nullable = {**schema, "type": [schema["type"], "null"]}
        return nullable, draw(st.sampled_from([None, value]))
    items = draw(st.lists(st.tuples(NAMES, inner), min_size=1, max_size=4))
    row = {
        "type": "array",
        "description": "A row.",
        "prefixItems": [described({**schema, "x-name": name}) for name, (schema, _) in items],
    }
    return add_component(document, row), [value for _, (_, value) in items]


@st.composite
def objects(draw: Any, document: Json, depth: int) -> Sample:
    fields = draw(st.dictionaries(NAMES, values(document, depth - 1), max_size=5))
    required = draw(st.sets(st.sampled_from(sorted(fields)))) if fields else set()
    schema = {
        "type": "object",
        "description": "An object.",
        "required": sorted(required),
        "properties": {name: described(each) for name, (each, _) in fields.items()},
    }
    value = {
        name: each for name, (_, each) in fields.items() if name in required or draw(st.booleans())
    }
    return add_component(document, schema), value


def add_component(document: Json, schema: Json) -> Json:
    schemas = document["components"]["schemas"]
    name = f"Made{len(schemas)}"
    schemas[name] = schema
    return to(name)


@st.composite
def documents(draw: Any) -> Json:
    """Return a spec with one to three operations of any kind, damaged in a third of all cases."""
    document = copy.deepcopy(BASE)
    for number in range(draw(st.integers(1, 3))):
        schema, value = draw(values(document, 3).filter(lambda s: isinstance(s[1], (list, dict))))
        arguments = draw(st.dictionaries(NAMES, scalars(), max_size=3))
        signed = draw(st.booleans())
        source = document["paths"][BALANCE_PATH if signed else TIME_PATH]["get"]
        operation = copy.deepcopy(source)
        # It leads from the time of the exchange.
        operation["responses"]["200"].pop("links", None)
        operation["operationId"] = f"made_{number}"
        operation["x-weight"] = draw(st.integers(0, 9))
        media = operation["responses"]["200"]["content"]["application/json"]
        media["schema"] = schema
        media["examples"] = {"made_up": {"value": value}}
        made = [
            argument(name, each, draw(st.booleans()), example=sample)
            for name, (each, sample) in arguments.items()
        ]
        operation["parameters"] = made + operation["parameters"]
        document["paths"][f"/fapi/v1/made/{number}"] = {"get": operation}
    if draw(st.integers(0, 2)) == 0:
        known = [
            place for place in places(document) if "made" in str(place) or "Made" in str(place)
        ]
        others: list[Any] = [
            None,
            1,
            "x",
            [],
            {},
            True,
            -1,
            "^a|b$",
            {"$ref": "#/components/schemas/Amount"},
        ]
        document = changed(document, draw(st.sampled_from(known)), draw(st.sampled_from(others)))
    return document


@contextmanager
def imported(files: dict[str, bytes]) -> Iterator[ModuleType]:
    """Write a generated package and import it beside the real one."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / PACKAGE
        replace_package(package, files)
        with imported_package(package, "random_wire") as module:
            yield module


def check_document(document: Json) -> bool:
    """Check that a spec is refused, or that its package works; return whether it was refused."""
    findings = lint(document)
    if findings:
        assert all(line.isprintable() for line in findings)
        return True
    try:
        files = generate(document)
    except SpecError as error:
        raise AssertionError(f"found only after the lint: {error}") from None
    exchange = Exchange(api_key=KEY, api_secret=SECRET, spec=document, clock=ManualClock(NOW))
    with imported(files) as wire:
        for path, item in document["paths"].items():
            for node in item.values():
                check_operation(exchange, wire, document, path, node)
    return False


def check_operation(
    exchange: Exchange, wire: ModuleType, document: Json, path: str, node: Json
) -> None:
    """Send a call with the documented arguments to the mock, and read its response."""
    operation = wire.OPERATIONS[node["operationId"]]
    declared = [one for one in node["parameters"] if "$ref" not in one]
    names = [one for one in operation.parameters if one.name != "recv_window"]
    arguments = {
        one.name: Decimal(str(each["example"])) if one.type is Decimal else each["example"]
        for one, each in zip(names, declared, strict=True)
        if "example" in each
    }
    pairs = [f"{name}={text}" for name, text in operation.build_query(**arguments).items()]
    headers = []
    if operation.signing is not None:
        pairs.append(f"timestamp={NOW}")
        pairs.append(f"signature={compute_signature('&'.join(pairs), SECRET)}")
        headers = [(b"X-MBX-APIKEY", KEY.encode())]
    target = f"{path}?{'&'.join(pairs)}" if pairs else path
    reply = exchange.handle("GET", target.encode(), headers)
    assert reply.status == 200, f"{target}: {reply.body!r}"
    value = operation.parse_body(reply.body)
    found = json.loads(as_json(wire, operation, value), parse_float=Decimal)
    assert found == json.loads(reply.body, parse_float=Decimal), f"{found} from {reply.body!r}"


def as_json(wire: ModuleType, operation: Any, value: Any) -> str:
    reading = sys.modules[f"{wire.__name__}.reading"]
    if operation.dump is not None:
        return str(reading.format_json(operation.dump(value)))
    if isinstance(value, list):
        return f"[{','.join(row.to_json() for row in value)}]"
    return str(value.to_json())


def check_many(count: int) -> tuple[int, int]:
    """Check a number of specs; return how many were refused, and how many work."""
    outcomes: list[bool] = []
    suppressed = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        suppress_health_check=suppressed, phases=[Phase.generate],
    )  # fmt: skip
    @given(documents())
    def check(document: Json) -> None:
        outcomes.append(check_document(document))

    with pytest.MonkeyPatch.context() as patch:
        # `compile` also rejects what the formatter cannot parse.
        patch.setattr("generator.output.project._format", lambda package: None)
        check()
    return outcomes.count(True), outcomes.count(False)


if __name__ == "__main__":
    refused, works = check_many(int(next(iter(sys.argv[1:]), "2000")))
    print(f"{refused} refused with findings, {works} work")
