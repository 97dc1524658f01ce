"""Cases of a run against a server: their identifiers, and when they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from binance_usdm.contract._cases.schemathesis_setup import Case
from binance_usdm.contract._spec.operations import Operation

from .session import ServerSession


def name_cases(cases: list[Case], known: list[Operation]) -> dict[str, Case]:
    """Return cases by identifiers that are the same in every run with the same options."""
    id_by_path = {operation.path: operation.id for operation in known}
    numbers: Counter[str] = Counter()
    named: dict[str, Case] = {}
    for case in cases:
        operation_id = id_by_path[case.path]
        numbers[operation_id] += 1
        named[f"{operation_id}/{numbers[operation_id]}"] = case
    return named


def while_useful(cases: list[Case], session: ServerSession) -> Iterator[Case]:
    """Yield cases until the server limits requests or does not respond."""
    for case in cases:
        if session.is_useless:
            return
        yield case
