"""Recorded response bodies are read exactly; similar ones are rejected at their first mismatch."""

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
    make_client: ClientOf, case: dict[str, Any], layout: dict[str, Any]
) -> None:
    """Amounts and fields are the same in every JSON layout."""
    rows = make_client(RecordingHandler(json.dumps(case["body"], **layout).encode())).balance()
    assert [row.to_dict() for row in rows] == case["body"]
    for row, source in zip(rows, case["body"], strict=True):
        assert (type(row.balance), format(row.balance, "f")) == (Decimal, source["balance"])
        assert type(row.cross_un_pnl) is Decimal
        assert format(row.cross_un_pnl, "f") == source["crossUnPnl"]


@pytest.mark.promise("R16")
@pytest.mark.parametrize("case", BODIES["refused"], ids=lambda case: case["name"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: next(iter(layout)))
def test_a_mismatch_is_rejected_at_its_place(
    make_client: ClientOf, case: dict[str, Any], layout: dict[str, Any]
) -> None:
    """The error has the path, what was expected and what was found."""
    with pytest.raises(UnexpectedResponse) as caught:
        make_client(RecordingHandler(json.dumps(case["body"], **layout).encode())).balance()
    error = caught.value
    assert list(error.path) == case["path"]
    assert error.expected == case["expected"]
    assert error.found == case["found"]
