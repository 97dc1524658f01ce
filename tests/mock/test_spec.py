"""Test that the mock exchange is built from the OpenAPI document, route by route."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Exchange,
    ManualClock,
    Reply,
    Switches,
)
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.spec.operation import compile_path
from binance_usdm.mock.verify import checks as rules
from binance_usdm.mock.verify.rejection import DUPLICATE_MESSAGE, MESSAGE_BY_CODE
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

T0 = 1_700_000_000_000


@pytest.fixture
def spec() -> Any:
    return copy.deepcopy(load_packaged_spec())


def ask(exchange: Exchange, path: str, query: str, key: str = DEFAULT_API_KEY) -> Reply:
    proof = hmac.new(DEFAULT_API_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return exchange.handle(
        "GET", f"{path}?{query}&signature={proof}".encode(), [(b"X-MBX-APIKEY", key.encode())]
    )


def test_one_more_operation_is_one_more_route(spec: Any) -> None:
    spec["paths"]["/fapi/v3/account"] = {
        "parameters": [
            {"$ref": "#/components/parameters/RecvWindow"},
            {"$ref": "#/components/parameters/Timestamp"},
        ],
        "get": {
            "operationId": "account",
            "x-weight": 7,
            "security": [{"ApiKey": [], "Signature": []}],
            "responses": {
                "200": {
                    "description": "All of it.",
                    "content": {
                        "application/json": {
                            "example": {"totalWalletBalance": "0.10", "positions": []}
                        }
                    },
                }
            },
        },
    }
    exchange = Exchange(clock=ManualClock(T0), spec=spec)
    good = ask(exchange, "/fapi/v3/account", f"timestamp={T0}")
    assert (good.status, good.body) == (200, b'{"totalWalletBalance":"0.10","positions":[]}')
    assert dict(good.headers)[b"X-MBX-USED-WEIGHT-1M"] == b"7"
    assert ask(exchange, "/fapi/v3/account", f"timestamp={T0}", key="unknown").code == -2015
    assert ask(exchange, "/fapi/v3/account", f"timestamp={T0 - 5001}").code == -1021
    assert ask(exchange, "/fapi/v3/account", f"x=1&timestamp={T0}").code == -1104
    assert (
        exchange.handle("GET", f"/fapi/v3/account?timestamp={T0}&signature=0".encode(), []).code
        == -2014
    )
    exchange.seed("account", {"totalWalletBalance": "2"})
    assert (
        ask(exchange, "/fapi/v3/account", f"timestamp={T0}").body == b'{"totalWalletBalance":"2"}'
    )


def test_roles_and_names_come_from_the_document(spec: Any) -> None:
    text = json.dumps(spec)
    for old, new in (
        ("timestamp", "madeAt"),
        ("recvWindow", "lasts"),
        ("signature", "proof"),
        ("X-MBX-APIKEY", "X-Key"),
    ):
        text = text.replace(f'"name": "{old}"', f'"name": "{new}"')
    exchange = Exchange(clock=ManualClock(T0), spec=json.loads(text))
    query = f"lasts=1&madeAt={T0 - 1}"
    proof = hmac.new(DEFAULT_API_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    headers = [(b"x-key", DEFAULT_API_KEY.encode())]
    assert (
        exchange.handle("GET", f"{BALANCE_PATH}?{query}&proof={proof}".encode(), headers).status
        == 200
    )
    late = f"lasts=1&madeAt={T0 - 2}"
    assert exchange.handle("GET", f"{BALANCE_PATH}?{late}&proof=0".encode(), headers).code == -1021
    assert ask(exchange, BALANCE_PATH, f"timestamp={T0}").code == -2014


def test_a_key_alone_can_be_all_that_an_operation_asks_for(spec: Any) -> None:
    spec["paths"][TIME_PATH]["get"]["security"] = [{"ApiKey": []}]
    exchange = Exchange(clock=ManualClock(T0), spec=spec)
    assert exchange.handle("GET", TIME_PATH.encode(), []).code == -2014
    assert (
        exchange.handle(
            "GET", TIME_PATH.encode(), [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
        ).status
        == 200
    )


def test_document_security_is_the_default(spec: Any) -> None:
    """The security of the document holds for operations without their own."""
    del spec["paths"][BALANCE_PATH]["get"]["security"]
    spec["security"] = [{"ApiKey": [], "Signature": []}]
    exchange = Exchange(clock=ManualClock(T0), spec=spec)
    assert exchange.handle("GET", f"{BALANCE_PATH}?timestamp={T0}".encode(), []).code == -2014
    assert exchange.handle("GET", TIME_PATH.encode(), []).status == 200, (
        "an empty list there is an answer too"
    )


def test_clock_fields_have_current_time(spec: Any) -> None:
    """Fields marked as clock have the exchange's time, at any depth."""
    clock = ManualClock(T0)
    rows = spec["paths"][BALANCE_PATH]["get"]["responses"]["200"]["content"]["application/json"]
    spec["components"]["schemas"]["Now"] = {"type": "integer", "x-exchange-clock": True}
    spec["components"]["schemas"]["AccountBalance"]["properties"]["updateTime"] = {
        "$ref": "#/components/schemas/Now"
    }
    beside = {"$ref": "#/components/schemas/Amount", "x-exchange-clock": True}
    spec["components"]["schemas"]["AccountBalance"]["properties"]["crossUnPnl"] = beside
    rows["schema"] = {"allOf": [rows["schema"]]}
    exchange = Exchange(clock=clock, spec=spec)
    assert json.loads(exchange.handle("GET", TIME_PATH.encode(), []).body) == {"serverTime": T0}
    clock.advance(250)
    assert json.loads(exchange.handle("GET", TIME_PATH.encode(), []).body) == {
        "serverTime": T0 + 250
    }
    row = json.loads(ask(exchange, BALANCE_PATH, f"timestamp={T0}").body)[0]
    assert (row["updateTime"], row["crossUnPnl"]) == (T0 + 250, T0 + 250)
    assert row["balance"] == "122607.35137903"


def balance_of(spec: Any) -> Any:
    return spec["paths"][BALANCE_PATH]["get"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda spec: balance_of(spec).update(requestBody={}), "bodies"),
        (lambda spec: balance_of(spec)["security"].append({"ApiKey": []}), "several"),
        (lambda spec: balance_of(spec).update(security=[{"Signature": []}]), "without a key"),
        (
            lambda spec: spec["components"]["securitySchemes"]["ApiKey"].pop("x-signing-role"),
            "scheme ApiKey",
        ),
        (
            lambda spec: spec["components"]["securitySchemes"]["Signature"].update(
                {"in": "header"}
            ),
            "scheme Signature",
        ),
        (
            lambda spec: spec["components"]["parameters"]["Timestamp"].update({"in": "header"}),
            "parameter timestamp",
        ),
        (
            lambda spec: spec["components"]["parameters"]["RecvWindow"].update(
                schema={"type": "array"}
            ),
            "recvWindow",
        ),
        (
            lambda spec: balance_of(spec)["responses"]["200"]["content"]["application/json"].pop(
                "examples"
            ),
            "no example",
        ),
    ],
)
def test_what_the_mock_could_not_check_is_refused_at_once(
    spec: Any, broken: Any, says: str
) -> None:
    broken(spec)
    with pytest.raises(ValueError, match=says) as caught:
        ApiSpec(spec)
    assert "balance" in str(caught.value)


def test_packaged_spec_imports_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: Any
) -> None:
    """The packaged spec is read without importing the generated code."""
    package = tmp_path / "binance_usdm_wire"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('imported')\n")
    spec["paths"]["/fapi/v1/elsewhere"] = spec["paths"].pop(TIME_PATH)
    (package / "openapi.json").write_text(json.dumps(spec))
    monkeypatch.delitem(sys.modules, "binance_usdm_wire", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert Exchange(clock=ManualClock(T0)).handle("GET", b"/fapi/v1/elsewhere", []).status == 200
    (package / "openapi.json").unlink()
    with pytest.raises(FileNotFoundError, match="spec="):
        Exchange()


def test_every_text_of_the_mock_is_a_message_of_the_contract(spec: Any) -> None:
    """The messages of the mock are those of the spec, although it has its own copy."""
    known = spec["x-error-codes"]

    def normalize(text: str) -> str:
        for hole in ("{name}", "{legal}", "{read}", "{sent}", "{maximum}"):
            text = text.replace(hole, "60000" if hole == "{maximum}" else "%s")
        return text

    texts = [
        *MESSAGE_BY_CODE.items(),
        (-1101, DUPLICATE_MESSAGE),
        (-1021, rules._AHEAD_MESSAGE),
    ]
    assert [
        code for code, text in texts if normalize(text) not in known[str(code)]["messages"]
    ] == []
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(weight_limit=77))
    for name in FAULTS:
        exchange.fail(name)
    for name in FAULTS:
        reply = exchange.handle("GET", TIME_PATH.encode(), [])
        # The four messages of 503 are examples in the spec, and compared in another test.
        if reply.code and reply.status != 503:
            text = json.loads(reply.body)["msg"]
            text = text.replace("77", "%s").replace(str(T0 + 120_000), "%s")
            assert text in known[str(reply.code)]["messages"], name


def test_the_mock_exchange_is_no_domain_of_the_exchange() -> None:
    """The spec lists it as a server, and tests may reach this machine."""
    document = load_packaged_spec()
    assert "127.0.0.1" in json.dumps(document["servers"])
    assert ApiSpec(document).server_domains() == {"binance.com"}


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("", {}, 1),
        ("5", {}, 2),
        ("5", {"count": "6"}, 2),
        ("6", {"count": "5"}, 9),
        ("five", {}, 9),
    ],
)
def test_weight_follows_a_parameter_of_the_path(
    path: str, query: dict[str, str], weight: int
) -> None:
    """The value in the path counts, not one with its name in the query."""
    rule = {"parameter": "count", "absent": 1, "steps": [{"to": 5, "weight": 2}, {"weight": 9}]}
    server_time = ApiSpec(load_packaged_spec()).by_id["server_time"]
    operation = replace(
        server_time, weight=rule, path="/x/{count}", path_pattern=compile_path("/x/{count}")
    )
    path_values = operation.path_values(f"/x/{path}")
    assert operation.weight_of(query, path_values) == weight
    assert operation.largest_weight == 9
