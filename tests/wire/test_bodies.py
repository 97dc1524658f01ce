"""Bodies in shapes that accounts really got, and shapes that only look like them: exact, or refused at the first wrong place."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from binance_usdm import UnexpectedResponse
from tests.support.clients import BlockingFacade, RecordingHandler
from tests.support.paths import DATA

ClientOf = Callable[..., BlockingFacade]
BODIES: Any = json.loads(DATA.joinpath("bodies.json").read_text(encoding="utf-8"))
LAYOUTS: list[dict[str, Any]] = [
    {"separators": (",", ":")},
    {"indent": 2},
    {"ensure_ascii": False},
    {"sort_keys": True},
]


@pytest.mark.promise("R17")
@pytest.mark.parametrize("case", BODIES["exact"], ids=lambda case: case["name"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: next(iter(layout)))
def test_a_body_comes_out_as_it_came_in(
    client_of: ClientOf, case: dict[str, Any], layout: dict[str, Any]
) -> None:
    rows = client_of(RecordingHandler(json.dumps(case["body"], **layout).encode())).balance()
    assert [row.to_dict() for row in rows] == case["body"]
    for row, told in zip(rows, case["body"], strict=True):
        for amount, text in (
            (row.balance, told["balance"]),
            (row.cross_un_pnl, told["crossUnPnl"]),
        ):
            assert (type(amount), format(amount, "f")) == (Decimal, text)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("case", BODIES["refused"], ids=lambda case: case["name"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: next(iter(layout)))
def test_another_shape_is_refused_at_its_place(
    client_of: ClientOf, case: dict[str, Any], layout: dict[str, Any]
) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        client_of(RecordingHandler(json.dumps(case["body"], **layout).encode())).balance()
    error = caught.value
    assert (list(error.path), error.expected, error.found) == (
        case["path"],
        case["expected"],
        case["found"],
    )
