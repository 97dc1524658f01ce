"""Checks of the mock with values just beside what the document allows."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from binance_usdm.contract._cases.raw_requests import T0, MakeExchange, send_query, sign
from binance_usdm.contract._cases.small_changes.values_beside import values_beside
from binance_usdm.contract._spec.operations import Operation


def values_beside_are_rejected(operation: Operation, make: MakeExchange) -> None:
    """A value of the right type that the schema does not allow is rejected."""
    exchange, valid = make(), operation.query(T0)
    for parameter in operation.query_parameters:
        name = parameter["name"]
        others = [pair for pair in valid.split("&") if pair and pair.partition("=")[0] != name]
        for value in values_beside(parameter):
            query = "&".join([f"{name}={quote(str(value), safe='')}", *others])
            reply = send_query(exchange, operation, sign(operation, query))
            assert reply.status == 400, f"{name}={value}: HTTP {reply.status}"


CHECKS: Final = (values_beside_are_rejected,)
