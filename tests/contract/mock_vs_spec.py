"""Layer A: the mock exchange keeps the spec. Judges answers by the document; imports no rule of the mock."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from hypothesis import settings

from binance_usdm.mock import Exchange

from . import mock_tables as tables
from .raw_requests import KEY, SECRET, T0, MakeExchange, Signer, make_exchange, sign, signature
from .schemathesis_setup import (
    EDGES,
    Case,
    Check,
    Found,
    Schema,
    accepts_only_what_is_described,
    schema_of,
    stamp_with,
    tried,
    try_cases,
)
from .spec_facts import Json, OperationFact, operation_facts


def run_mock_vs_spec(
    document: Json, make: MakeExchange = make_exchange, how: settings = EDGES
) -> Found:
    """Everything that the mock does not keep of a document, by name of the check; empty when all is well."""
    exchange = make(document)
    schema = mock_schema(document, exchange)
    return try_cases(schema, checks_of(document, exchange), how) | tried(
        tables.CHECKS, document, make
    )


def mock_schema(document: Json, exchange: Exchange) -> Schema:
    """Cases for the mock: signed on the wire, stamped with its time."""
    schema = schema_of(document, exchange.asgi)
    schema.auth.set_from_requests(Signer(document))
    stamp_with(schema, document, T0)
    return schema


def checks_of(document: Json, exchange: Exchange) -> list[Check]:
    """What schemathesis does not check by itself."""
    by_route = {(fact.method, fact.path): fact for fact in operation_facts(document)}

    def signature_enforced(context: Any, response: Any, case: Case) -> None:
        """A good signature opens, also in upper case; any other, or a good one in another place, does not."""
        fact = by_route.get((response.request.method, case.path))
        if (
            response.status_code != 200
            or fact is None
            or fact.signature is None
            or fact.key_header is None
        ):
            return
        query = urlsplit(response.request.url).query
        headers = [(fact.key_header.encode(), KEY.encode())]
        for name, (forged, status, codes) in _forgeries(fact, query).items():
            reply = exchange.handle(fact.method, f"{fact.path}?{forged}".encode(), headers)
            assert reply.status == status, f"{name}: {reply.status}"
            assert codes is None or json.loads(reply.body).get("code") in codes, (
                f"{name}: {reply.body!r}"
            )

    def undeclared_method(context: Any, response: Any, case: Case) -> None:
        """A method that a path does not have is answered as the document's 404, whatever credentials come with it."""
        if (response.request.method, case.path) not in by_route:
            assert response.status_code == 404, f"{response.request.method}: {response.status_code}"
            assert json.loads(response.content).get("code", 0) < 0, response.text

    return [signature_enforced, undeclared_method, accepts_only_what_is_described(document)]


def _forgeries(fact: OperationFact, query: str) -> dict[str, tuple[str, int, set[int] | None]]:
    """Name -> query, HTTP status and allowed codes: what happens to a good query with something else for a signature."""
    payload, good = query.rsplit(f"&{fact.signature}=", 1)
    refused = {-1022}

    def ending(text: str) -> str:
        return f"{payload}&{fact.signature}={text}"

    return {
        "good": (query, 200, None),
        "upper case": (ending(good.upper()), 200, None),
        "last digit changed": (ending(good[:-1] + "10"[good[-1] == "1"]), 400, refused),
        "cut": (ending(good[:-2]), 400, refused),
        "of another secret": (ending(signature(payload, SECRET + "x")), 400, refused),
        "over other bytes": (ending(signature(payload + " ")), 400, refused),
        "over nothing": (ending(signature("")), 400, refused),
        "missing": (payload, 400, {-1102, -1022}),
        "empty": (ending(""), 400, {-1102, -1022}),
        "over bytes that could be written shorter": (
            sign(fact, re.sub(r"=([0-9])", r"=%3\1", payload)),
            200,
            None,
        ),
        "not the last": (f"{fact.signature}={good}&{payload}", 400, refused),
    }
