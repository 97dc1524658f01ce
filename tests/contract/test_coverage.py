"""Which parts of the document the cases of a run touched."""

from __future__ import annotations

from typing import Any

from binance_usdm.contract._cases.coverage import iter_present


def test_a_deeply_nested_value_ends_no_run() -> None:
    """Python 3.13 reads JSON of 5,000 levels, more than functions can call each other."""
    value: Any = None
    for _ in range(5000):
        value = [value, {"a": None}]
    assert {*iter_present([value])} == {("field", ".a"), ("null", ".a")}
