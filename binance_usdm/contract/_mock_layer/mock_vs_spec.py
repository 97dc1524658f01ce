"""Layer A: the mock exchange keeps the spec."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from hypothesis import settings

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    MakeExchange,
    encode_target,
    key_headers,
    make_exchange,
    sign,
    signature,
)
from binance_usdm.contract._cases.schemathesis_setup import (
    EDGES,
    Case,
    Check,
    Problems,
    accepts_only_what_is_described,
    run_cases,
    run_checks,
)
from binance_usdm.contract._cases.signing import Signer
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import Operation, operation_by_route, operations
from binance_usdm.mock import Exchange

from . import (
    basics,
    mock_checks,
    mock_edge_cases,
    mock_faults,
    mock_keys,
    mock_limits,
    mock_log,
    mock_responses,
    mock_routes,
    mock_setup,
    mock_state,
    mock_switches,
    mock_values,
)

CHECKS: Final = (
    *mock_checks.CHECKS,
    *mock_edge_cases.CHECKS,
    basics.basic_requests_work,
    *mock_limits.CHECKS,
    *mock_keys.CHECKS,
    *mock_routes.CHECKS,
    *mock_faults.CHECKS,
    *mock_log.CHECKS,
    *mock_state.CHECKS,
    *mock_switches.CHECKS,
    *mock_setup.CHECKS,
    *mock_responses.CHECKS,
    *mock_values.CHECKS,
)


def run_mock_vs_spec(
    document: Json, make: MakeExchange = make_exchange, how: settings = EDGES
) -> Problems:
    """Return what the mock does not keep of a document, by the name of the check.

    Args:
        document: The document, such as `SPEC`.
        make: Makes the mock exchange: `make_exchange`, or what `exchange_maker` returns.
        how: Which cases are generated, as settings of hypothesis. By default all examples and edges,
            and no random case.
    """
    exchange = make(document)
    problems = send_cases(document, exchange, case_checks(document, exchange), how)
    return problems | run_checks(CHECKS, operations(document), partial(make, document))


def send_cases(
    document: Json, exchange: Exchange, checks: list[Check], how: settings = EDGES
) -> Problems:
    """Send all cases of schemathesis to an exchange, signed and with its time."""
    signer = Signer(operations(document), KEY, SECRET)
    return run_cases(document, exchange.asgi, checks, how, signer=signer, timestamp=T0)


def case_checks(document: Json, exchange: Exchange) -> list[Check]:
    """Return the checks of a case that schemathesis does not have."""
    by_route = operation_by_route(document)

    def signature_enforced(context: Any, response: Any, case: Case) -> None:
        """A valid signature at the end is accepted, also in uppercase, and no other one."""
        operation = by_route.get((response.request.method, case.path))
        if response.status_code != 200 or operation is None or operation.signature is None:
            return
        query = urlsplit(response.request.url).query
        for name, (changed, status, codes) in _signatures(operation, query).items():
            target, headers = encode_target(operation, changed), key_headers(operation, KEY)
            reply = exchange.handle(operation.method, target, headers)
            assert reply.status == status, f"{name}: {reply.status}"
            assert not codes or json.loads(reply.body).get("code") in codes, f"{name}: {reply}"

    def undeclared_method(context: Any, response: Any, case: Case) -> None:
        """A method that a path does not have gets the described 404, with any credentials."""
        if (response.request.method, case.path) not in by_route:
            assert response.status_code == 404, f"{response.request.method}: {response.status_code}"
            assert json.loads(response.content).get("code", 0) < 0, response.text

    return [signature_enforced, undeclared_method, accepts_only_what_is_described(document)]


def _signatures(operation: Operation, query: str) -> dict[str, tuple[str, int, set[int]]]:
    """Return an accepted query with other signatures: query, status, possible codes."""
    payload, valid = query.rsplit(f"&{operation.signature}=", 1)
    prefix, other_digit = f"{payload}&{operation.signature}=", "10"[valid[-1] == "1"]
    longer = re.sub(r"=([0-9])", r"=%3\1", payload)
    return {
        "valid": (query, 200, set()),
        "uppercase": (prefix + valid.upper(), 200, set()),
        "over percent-encoded digits": (sign(operation, longer), 200, set()),
        "last digit changed": (prefix + valid[:-1] + other_digit, 400, {-1022}),
        "cut": (prefix + valid[:-2], 400, {-1022}),
        "of another secret": (prefix + signature(payload, SECRET + "x"), 400, {-1022}),
        "over other bytes": (prefix + signature(payload + " "), 400, {-1022}),
        "over nothing": (prefix + signature(""), 400, {-1022}),
        "missing": (payload, 400, {-1102, -1022}),
        "empty": (prefix, 400, {-1102, -1022}),
        "not the last": (f"{operation.signature}={valid}&{payload}", 400, {-1022}),
    }
