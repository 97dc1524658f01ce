"""The links of the spec, followed by the stateful phase of schemathesis."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, Phase, settings

from binance_usdm.contract._cases.schemathesis_setup import EDGES, load_schema
from binance_usdm.contract._server.account import Account
from binance_usdm.contract._server.session import TimedSigner, now_ms
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import Exchange, Switches
from tests.support.clients import SPEC

UNLIMITED = Switches(weight_limit=10**9)
FEW = settings(
    EDGES,
    phases=[Phase.generate],
    max_examples=5,
    stateful_step_count=4,
    suppress_health_check=list(HealthCheck),
)


def follow_links(document: Json, exchange: Exchange) -> None:
    """Run the state machine of a document against an exchange, signed; its checks may raise."""
    account = Account(exchange.api_key, exchange.api_secret)
    schema = load_schema(document)
    schema.app = exchange.asgi
    schema.auth.set_from_requests(TimedSigner(operations(document), account, now_ms))
    schema.as_state_machine().run(settings=FEW)


def test_a_linked_timestamp_is_accepted() -> None:
    """A time that the server has just told is sent as it is, and the signed call succeeds."""
    exchange = Exchange(switches=UNLIMITED)
    follow_links(SPEC, exchange)
    accepted = [request for request in exchange.requests if request.status == 200]
    told = re.findall(r'"serverTime":(\d+)', str([one.response_body for one in accepted]))
    sent = {dict(request.query).get("timestamp") for request in accepted}
    assert {*told} & sent
