"""The part of `contract run` that follows the links of the spec: calls in a row."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import pytest

from binance_usdm.contract import SPEC
from binance_usdm.contract._cases.run_state import Run
from binance_usdm.contract._cases.schemathesis_setup import settings_for
from binance_usdm.contract._reports.report import Section, section_lines
from binance_usdm.contract._server.account import Account
from binance_usdm.contract._server.server_vs_spec import ServerCheck
from binance_usdm.contract._server.session import now_ms
from binance_usdm.contract._server.stateful import MAX_CALLS, SEQUENCES, SEQUENCES_CASE
from binance_usdm.mock import (
    Exchange,
    ManualClock,
    Reply,
    Switches,
    running,
)

UNLIMITED = Switches(weight_limit=10**9)
JSON_TYPE = ((b"Content-Type", b"application/json"),)


@pytest.fixture(autouse=True)
def silent_urllib3(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the level DEBUG it logs URLs with their signatures. The command configures no logging."""
    monkeypatch.setattr("urllib3.connectionpool.log.debug", lambda *arguments: None)


@pytest.fixture
def no_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that fail on a busy machine are not sent once more, so that they can be counted."""
    monkeypatch.setattr("binance_usdm.contract._server.stateful.SLOW_SECONDS", math.inf)


def follow_links(
    exchange: Exchange,
    *,
    document: Any = SPEC,
    run: Run | None = None,
    max_examples: int = 25,
    only: str | None = SEQUENCES_CASE,
) -> list[Section]:
    """Check an exchange on a socket, by default in this part alone."""
    with running(exchange) as url:
        check = ServerCheck(
            document=document,
            url=url,
            account=Account(exchange.api_key, str(exchange.api_secret)),
            how=settings_for(max_examples),
            reproduce=lambda case: f"--case {case}",
            only=only,
            now=exchange.clock,
        )
        return [*check.run(run or Run())]


def make_exchange() -> Exchange:
    return Exchange(switches=UNLIMITED, clock=ManualClock(now_ms()))


def shapes(requests: list[Any]) -> list[str]:
    """Return the requests without what differs between two runs at two moments."""
    lines = [f"{each.method} {each.path}?{each.raw_query.decode()}" for each in requests]
    return [re.sub(r"(timestamp|signature)=[0-9a-f]{13,}", r"\1=", line) for line in lines]


def findings_of(sections: list[Section]) -> dict[str, str]:
    return {each.check: each.message for section in sections for each in section.findings}


def test_a_linked_timestamp_is_accepted() -> None:
    """A time that the server has just told is sent as it is, and the signed call succeeds."""
    exchange = make_exchange()
    [section] = follow_links(exchange)
    assert (section.name, section.findings, section.operations) == (SEQUENCES, [], 2)
    assert "linked_call" in section.checks
    accepted = [request for request in exchange.requests if request.status == 200]
    told = re.findall(r'"serverTime":(\d+)', str([one.response_body for one in accepted]))
    sent = [dict(request.query).get("timestamp") for request in accepted]
    assert sum(each in told for each in sent) >= 3


@pytest.mark.usefixtures("no_repeats")
def test_two_runs_do_the_same_and_another_seed_does_not() -> None:
    sent = []
    for seed in (None, None, 7):
        exchange = make_exchange()
        follow_links(exchange, run=Run(seed=seed))
        sent.append(shapes(exchange.requests[1:]))
    assert sent[0] == sent[1]
    assert sent[0] != sent[2]


@pytest.mark.usefixtures("no_repeats")
@pytest.mark.parametrize(("max_examples", "sequences"), [(0, 5), (40, 8)])
def test_max_examples_bound_the_sequences(max_examples: int, sequences: int) -> None:
    [section] = follow_links(make_exchange(), max_examples=max_examples)
    assert sequences < section.cases <= sequences * MAX_CALLS


def test_the_time_budget_ends_the_sequences() -> None:
    run = Run(ends_at=0.0)
    exchange = make_exchange()
    follow_links(exchange, run=run, only=None)
    assert not run.is_complete
    assert [request.path for request in exchange.requests] == ["/"]


def test_a_wrong_time_of_the_server_is_found() -> None:
    """The time that the server tells is not the one that it judges timestamps by."""
    exchange = make_exchange()
    body = json.dumps({"serverTime": exchange.clock() - 10_000}).encode()
    exchange.fail(Reply(200, JSON_TYPE, body), times=None, operation="server_time")
    [section] = follow_links(exchange)
    finding = next(each for each in section.findings if each.check == "linked_call")
    assert finding.message == "HTTP 400"
    assert finding.subject == "GET /fapi/v3/balance"
    assert "after GET /fapi/v1/time" in finding.request
    assert "signature=(signature)" in finding.request
    assert '"code":-1021' in finding.response
    assert finding.reproduce == f"--case {SEQUENCES_CASE}"


def test_a_timestamp_that_is_accepted_once_is_found() -> None:
    """A server that takes a timestamp for a nonce rejects the second call after one time."""

    class OnceExchange(Exchange):
        def handle(self, method: str, target: bytes, *more: Any) -> Any:
            timestamp = re.search(rb"timestamp=\d+", target)
            if timestamp is not None:
                seen[timestamp[0]] += 1
                if seen[timestamp[0]] > 1:
                    target = target.replace(b"signature=", b"signature=0")
            return super().handle(method, target, *more)

    seen: Counter[bytes] = Counter()
    exchange = OnceExchange(switches=UNLIMITED, clock=ManualClock(now_ms()))
    assert findings_of(follow_links(exchange))["linked_call"] == "HTTP 400"


def test_every_check_looks_at_these_calls() -> None:
    """What a response lacks is found, and a server that goes away is a finding, too."""
    exchange = make_exchange()
    exchange.fail("missing-member", times=None, operation="balance", member="asset")
    assert "response_schema_conformance" in findings_of(follow_links(exchange))
    exchange = make_exchange()
    exchange.fail("reset", times=None, nth=2)
    assert "no response" in findings_of(follow_links(exchange))["crash"]


def test_a_document_without_links_leaves_the_part_out() -> None:
    document = json.loads(json.dumps(SPEC))
    del document["paths"]["/fapi/v1/time"]["get"]["responses"]["200"]["links"]
    sections = follow_links(make_exchange(), document=document, max_examples=0, only=None)
    [line] = section_lines(sections[-1])
    assert line == f"{SEQUENCES}: left out, the document has no links"
    assert len(sections) == 3
