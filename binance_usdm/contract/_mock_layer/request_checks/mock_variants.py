"""Checks of the mock by the table of small changes, with a clock that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from binance_usdm.contract._cases.assumptions import AssumptionError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._cases.small_changes import value_variants, variant_table
from binance_usdm.contract._cases.small_changes.variant_builder import Builder
from binance_usdm.contract._cases.small_changes.variants import (
    Response,
    Variant,
    describe_response,
    read_code,
)
from binance_usdm.contract._mock_layer.exchange_makers import assumed_of
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange


def routes_are_known(operation: Operation, make: MakeExchange) -> None:
    """Other methods and paths have the status and the code of an unknown route."""
    _send_each(variant_table.iter_routes, operation, make)


def unknown_parameters_are_rejected(operation: Operation, make: MakeExchange) -> None:
    """Other parameters are rejected, those of signing among them; a needless key does no harm."""
    _send_each(variant_table.iter_unknown, operation, make)


def names_are_exact(operation: Operation, make: MakeExchange) -> None:
    """A parameter's name in another writing is another one; the case of a header's is free."""
    _send_each(variant_table.iter_names, operation, make)


def parameters_come_in_any_order(operation: Operation, make: MakeExchange) -> None:
    """Only the signature has a place."""
    _send_each(variant_table.iter_orders, operation, make)


def duplicates_are_rejected(operation: Operation, make: MakeExchange) -> None:
    """A repeated parameter is rejected, with the same value and with another, also the signature."""
    _send_each(value_variants.iter_repeated, operation, make)


def values_are_checked(operation: Operation, make: MakeExchange) -> None:
    """Values that are empty, blank, out of range or not of the type have the right code."""
    _send_each(value_variants.iter_values, operation, make)


def key_is_missed_first(operation: Operation, make: MakeExchange) -> None:
    """A request without key, timestamp and signature lacks the key."""
    _send_each(variant_table.iter_missing, operation, make)


def signature_is_checked(operation: Operation, make: MakeExchange) -> None:
    """A valid signature at the end is accepted, also in uppercase, and no other one."""
    _send_each(variant_table.iter_signatures, operation, make)


def timestamp_is_checked(operation: Operation, make: MakeExchange) -> None:
    """Accepted in ms, from the window's length behind to 999 ms ahead, both included."""
    _send_each(value_variants.iter_times, operation, make)


CHECKS: Final = (
    routes_are_known,
    unknown_parameters_are_rejected,
    names_are_exact,
    parameters_come_in_any_order,
    duplicates_are_rejected,
    values_are_checked,
    key_is_missed_first,
    signature_is_checked,
    timestamp_is_checked,
)


def _send_each(
    iter_variants: Callable[[Builder], Iterator[Variant]],
    operation: Operation,
    make: MakeExchange,
) -> None:
    """Send each variant to an exchange of its own.

    Raises:
        AssumptionError: A response is not right.
    """
    assume = assumed_of(make)
    for variant in iter_variants(
        Builder(operation, KEY, SECRET, lambda ms: T0 + ms, is_exact=True)
    ):
        response = send_variant(make(), variant)
        if not variant.is_right(response, assume):
            expected = variant.describe_expected(assume)
            found = f"{variant.name}: {describe_response(*response)}; expected: {expected}"
            raise AssumptionError(found, variant.find_assumptions(response, assume))


def send_variant(exchange: Exchange, variant: Variant) -> Response:
    """Send a variant to an exchange in this process, and return status and code of the response."""
    headers = [(name.encode(), value.encode()) for name, value in variant.headers.items()]
    request = (variant.method, variant.target.encode(), headers)
    reply = [exchange.handle(*request) for _ in range(variant.times)][-1]
    return reply.status, read_code(reply.status, reply.body)
