"""Checks of values as objects of Python: what is shared, compared, kept and called a holding."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import attrs

from binance_usdm import Response
from binance_usdm.contract._cases import sample_values as samples
from binance_usdm.contract._cases.response_tables import HOLDINGS, NO_HOLDINGS
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase, outcome_of
from binance_usdm.contract._spec.document import resolve, row_schema

NESTED_FIELD: Final = b'"new": [{"a": [1, []]}, {}]'


def responses_share_no_object(case: ResponseCase) -> None:
    """Equal responses have lists and objects of their own, so that a change of one stays there."""
    example = case.operation.richest_example
    body = encode(example * 2 if isinstance(example, list) else example)
    nested = samples.add_field(body, NESTED_FIELD)
    for each in (body, nested) if case.response.describes(nested) else (body,):
        plain = partial(case.call, suffix="")
        with case.one_client():
            values = [_parsed(case.receive(each, JSON)) for _ in range(2)]
            values += [case.receive(each, JSON, call=plain) for _ in range(2)]
        # Values are kept while others are read, so that an identity is not used again.
        values.append(_parsed(case.receive(each, JSON)))
        known: set[int] = set()
        for value in values:
            own = [id(part) for part in _iter_mutable(value)]
            assert not {*own} & known, f"{len({*own} & known)} objects of another response"
            assert len({*own}) == len(own), "two places of a response are one object"
            known |= {*own}


def plain_methods_return_the_value(case: ResponseCase) -> None:
    """The method without `_detailed` returns the value itself, or raises the same error."""
    example, error = encode(case.operation.richest_example), b'{"code": -1022, "msg": "no"}'
    for status, body in ((200, example), (400, error), (503, b"<html>"), (200, b"<html>")):
        plain = case.receive(body, JSON, status=status, call=partial(case.call, suffix=""))
        detailed = case.receive(body, JSON, status=status)
        if isinstance(detailed, Response):
            assert type(plain) is type(detailed.parsed), f"a {type(plain).__name__}"
            assert repr(plain) == repr(detailed.parsed), "the value is another one"
        else:
            assert outcome_of(plain) == outcome_of(detailed), f"{plain!r}, not {detailed!r}"
            assert str(plain) == str(detailed), f"{plain}, not {detailed}"


def holdings_are_named(case: ResponseCase) -> None:
    """A row whose amounts of `HOLDINGS` are all zero holds nothing; any other amount counts."""
    document = case.operation.document
    fields = row_schema(document, case.operation.result).get("properties", {})
    amounts = [name for name, node in fields.items() if _is_amount(resolve(document, node))]
    held = [name for name in amounts if fields[name].get("x-holding")]
    if not held:
        return
    nothing = {**dict.fromkeys(amounts, "1.5"), **dict.fromkeys(held, "0")}
    cases = [(name, text, False) for name in held for text in NO_HOLDINGS]
    cases += [(name, text, True) for name in held for text in HOLDINGS]
    for name, text, is_holding in cases:
        value = case.operation.richest_example
        row = value[0] if isinstance(value, list) else value
        row |= {**nothing, name: text}
        value = [row] if isinstance(value, list) else row
        parsed = _parsed(case.receive(encode(value), JSON))
        row = parsed[0] if isinstance(parsed, list) else parsed
        found = any(getattr(row, each) for each in row.HOLDINGS)
        assert found == is_holding, f"{name} {text}, holdings {row.HOLDINGS}: {found}"


def values_are_compared_and_kept(case: ResponseCase) -> None:
    """Equal responses have equal values, also after a copy or pickle; one other field differs."""
    body = encode(case.operation.richest_example)
    first, second = _parsed(case.receive(body, JSON)), _parsed(case.receive(body, JSON))
    copies = [copy.deepcopy(first), pickle.loads(pickle.dumps(first))]  # noqa: S301 - its own
    for other in (second, *copies):
        assert other == first, "equal responses differ"
        # Equal amounts may differ in digits.
        assert repr(other) == repr(first), "equal responses are not the same"
    for row in first if isinstance(first, list) else [first]:
        if not hasattr(row, "WIRE_NAMES") or not attrs.has(type(row)):
            continue
        assert hash(row) == hash(copy.deepcopy(row)), "equal rows have two hashes"
        for name in row.WIRE_NAMES:
            assert attrs.evolve(row, **{name: object()}) != row, f"{name} is not compared"
            assert not _can_be_set(row, name), f"{name} can be set"


CHECKS: Final = (
    responses_share_no_object,
    plain_methods_return_the_value,
    holdings_are_named,
    values_are_compared_and_kept,
)


def _parsed(received: Any) -> Any:
    assert isinstance(received, Response), f"{received!r}"
    return received.parsed


def _is_amount(schema: Any) -> bool:
    return bool(schema.get("format") == "decimal")


def _can_be_set(row: Any, name: str) -> bool:
    try:
        setattr(row, name, getattr(row, name))
    except AttributeError:
        return False
    return True


def _iter_mutable(value: Any) -> Iterator[Any]:
    """Yield every list and dictionary of a value, also those within rows and unknown fields."""
    if isinstance(value, (list, dict)):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _iter_mutable(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _iter_mutable(getattr(value, field.name))
