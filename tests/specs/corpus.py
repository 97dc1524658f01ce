"""Shapes of operations: every kind of argument and of response that the generator takes.

Each shape is one operation, in words of our own. `corpus_document` puts them into the real spec.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from generator.document.openapi import Json, load
from tests.support.paths import SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH

SIGNED: Final = "USER_DATA"
KEY_ONLY: Final = "MARKET_DATA"
PUBLIC: Final = "NONE"
MAX: Final = 2**63 - 1
ERRORS: Final = {
    "400": "Refused", "401": "Unauthorized", "403": "Firewall", "404": "NotFound",
    "408": "Timeout", "418": "Banned", "429": "TooManyRequests", "451": "RestrictedLocation",
    "503": "Unavailable", "5XX": "ExchangeFault",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """An operation, a call of it, and what the call sends and returns.

    Attributes:
        name: Operation id.
        result: Schema of the response.
        example: Response that the mock exchange sends.
        annotation: Python type of the value, as mypy must see it.
        parameters: Parameters beside those of signing.
        arguments: Arguments of a call, as Python source.
        query: What the call sends, without timestamp and signature.
        command: The same arguments for the command.
        path: Path of the operation.
        target: Path that the call is sent to, if it is another one.
        security: Security type.
        weight: `x-weight`.
        cost: Weight of the call.
        more: Other keys of the operation.
        warns: Whether the call warns that something is deprecated.
        has_exchange_time: Whether the mock replaces a time of the example by its own.
    """

    name: str
    result: Json
    example: Any
    annotation: str
    parameters: tuple[Json, ...] = ()
    arguments: str = ""
    query: str = ""
    command: tuple[str, ...] = ()
    path: str = ""
    target: str = ""
    security: str = PUBLIC
    weight: Any = 1
    cost: int = 1
    more: Json = field(default_factory=dict)
    warns: bool = False
    has_exchange_time: bool = False

    @property
    def route(self) -> str:
        return self.path or f"/fapi/v1/{self.name}"


def to(name: str, **more: Any) -> Json:
    return {"$ref": f"#/components/schemas/{name}", **more}


def array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def described(schema: Json, description: str = "A member.") -> Json:
    return {**schema, "description": description}


def an_object(*optional: str, **properties: Json) -> Json:
    """Return an object schema; members that are not listed as optional are required."""
    return {
        "type": "object",
        "description": "An object.",
        "required": [name for name in properties if name not in optional],
        "properties": {name: described(schema) for name, schema in properties.items()},
    }


def a_row(**items: Json) -> Json:
    return {
        "type": "array",
        "description": "A row of values.",
        "prefixItems": [described({**item, "x-name": name}) for name, item in items.items()],
    }


def argument(name: str, schema: Json, required: bool = False, **more: Any) -> Json:
    return {
        "name": name, "in": "query", "required": required, "description": "An argument.",
        "schema": schema, **more,
    }  # fmt: skip


def json_argument(name: str, schema: Json, example: Any) -> Json:
    content = {"application/json": {"schema": schema}}
    return {
        "name": name, "in": "query", "required": True, "description": "An argument.",
        "content": content, "example": example,
    }  # fmt: skip


TEXT: Final = {"type": "string"}
FLAG: Final = {"type": "boolean"}
NUMBER: Final = {"type": "number"}
TIME: Final = {"type": "integer", "format": "int64", "minimum": 0, "maximum": MAX}
SMALL: Final = {"type": "integer", "format": "int32", "minimum": 1, "maximum": 1500}
AMOUNT: Final = to("Amount")
NULL_AMOUNT: Final = {
    "type": ["string", "null"], "format": "decimal",
    "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$",
}  # fmt: skip
SYMBOL: Final = {"type": "string", "pattern": "^[A-Z0-9_]{2,20}$", "x-rule": "a symbol"}
SYMBOL_ARGUMENT: Final = argument("symbol", SYMBOL, required=True, example="BTCUSDT")
OPTIONAL_SYMBOL: Final = argument("symbol", SYMBOL, example="BTCUSDT")

SCHEMAS: Final[Json] = {
    "Side": {"type": "string", "enum": ["BUY", "SELL"], "description": "A side."},
    "Nothing": {"type": "object", "description": "Nothing."},
    "Candle": a_row(openTime={**TIME, "x-instant": "opened_at"}, open=AMOUNT, close=AMOUNT,
                    trades=SMALL, ignored=TEXT),
    "Price": an_object(symbol=TEXT, markPrice=AMOUNT),
    "Funding": an_object("markPrice", symbol=TEXT, fundingRate=AMOUNT, markPrice=AMOUNT,
                         fundingTime={**TIME, "x-instant": "paid_at"}),
    "Book": an_object(lastUpdateId=TIME, bids=array(array(AMOUNT)), asks=array(array(AMOUNT))),
    "Filter": an_object("tickSize", filterType=TEXT, tickSize=AMOUNT),
    "SymbolRules": an_object(symbol=TEXT, filters=array(to("Filter"))),
    "Rules": an_object(timezone=TEXT, symbols=array(to("SymbolRules"))),
    "Constituent": an_object(exchange=TEXT, weight=NUMBER, price={**NUMBER, "minimum": 0}),
    "Constituents": an_object(symbol=TEXT, constituents=array(to("Constituent")), total=NUMBER),
    "Config": an_object("note", "limit", feeTier=SMALL,
                        closedAt={**TIME, "type": ["integer", "null"], "x-instant": "closed"},
                        note={"type": ["string", "null"]}, limit=NULL_AMOUNT, single=NULL_AMOUNT),
    "Order": an_object(side=to("Side"), kind={"type": "integer", "format": "int32", "enum": [1, 2]}),
    "Old": an_object("oldFee", asset=TEXT, oldAmount={**AMOUNT, "deprecated": True},
                     oldFee={**AMOUNT, "deprecated": True}),
    "Bounded": an_object(short={"type": "string", "minLength": 1, "maxLength": 3},
                         code={"type": "string", "pattern": "^[a-z]+$", "maxLength": 4},
                         high={"type": "integer", "format": "int64", "minimum": 5},
                         low={"type": "integer", "format": "int32", "maximum": -5},
                         any={"type": "integer", "format": "int64"}),
    "Inner": an_object(value=AMOUNT, candles=array(to("Candle"))),
    "Middle": an_object(inner=to("Inner"), others={"type": "object",
                                                   "additionalProperties": to("Inner")}),
    "Outer": an_object("best", middle=to("Middle"), best=to("Inner")),
    "Words": an_object("None", **{"class": TEXT, "from": TEXT, "None": TEXT, "list": TEXT}),
    "Renamed": an_object(fromId=TEXT, from_id={**TEXT, "x-python-name": "other_id"},
                         toDict={**TEXT, "x-python-name": "as_dict"}),
    "Decimal": {**an_object(value=AMOUNT), "x-python-name": "DecimalValue"},
    "MaybeInner": {**an_object(asset=TEXT), "type": ["object", "null"]},
    "Lists": an_object("names", names=array(TEXT, type=["array", "null"]),
                       gaps=array(NULL_AMOUNT), maybe=to("MaybeInner")),
    "Tagged": an_object(tags=array(TEXT), rates={"type": "object", "additionalProperties": AMOUNT}),
    "Clock": an_object(nested=to("ClockInner")),
    "ClockInner": an_object(serverTime={**TIME, "x-exchange-clock": True}),
    "Query": an_object("limit", symbol=TEXT, limit=SMALL),
    "Owned": {
        **an_object(alias={**TEXT, "x-identifies-account": True},
                    amount=to("Amount", **{"x-holding": True})),
    },
}  # fmt: skip

CANDLE: Final = [1499040000000, "0.01634790", "0.80000000", 308, "17928899.62484339"]
INNER: Final = {"value": "0.10", "candles": [CANDLE]}
SHAPES: Final[tuple[Shape, ...]] = (
    Shape("ping", to("Nothing"), {}, "Nothing"),
    Shape("klines", array(to("Candle")), [CANDLE, [*CANDLE[:3], 1, "x", "more", 1.5]],
          "list[Candle]", (SYMBOL_ARGUMENT,
          argument("interval", {"type": "string", "enum": ["1m", "1h"]}, required=True),
          argument("limit", SMALL)), 'symbol="BTCUSDT", interval="1m", limit=499',
          "symbol=BTCUSDT&interval=1m&limit=499",
          ("--symbol", "BTCUSDT", "--interval", "1m", "--limit", "499"),
          weight={"parameter": "limit", "absent": 5, "steps": [
              {"to": 99, "weight": 1}, {"to": 499, "weight": 2}, {"weight": 5}]}, cost=2),
    Shape("depth", to("Book"), {"lastUpdateId": MAX, "bids": [["4.00", "431"]], "asks": []},
          "Book", (argument("limit", {"type": "integer", "format": "int32", "enum": [5, 10]}),),
          "limit=5", "limit=5", ("--limit", "5")),
    Shape("exchange_rules", to("Rules"), {"timezone": "UTC", "symbols": [
        {"symbol": "币安", "filters": [{"filterType": "A", "tickSize": "0.10"},
                                       {"filterType": "B"}]}]}, "Rules"),
    Shape("mark_price", {"oneOf": [to("Price"), array(to("Price"))]},
          [{"symbol": "A", "markPrice": "1.0"}], "Price | list[Price]", (OPTIONAL_SYMBOL,)),
    Shape("one_mark_price", {"oneOf": [to("Price"), array(to("Price"))]},
          {"symbol": "A", "markPrice": "1.0"}, "Price | list[Price]"),
    Shape("funding_rates", array(to("Funding")), [
        {"symbol": "A", "fundingRate": "-0.00037500", "markPrice": "1", "fundingTime": 1},
        {"symbol": "B", "fundingRate": "0", "fundingTime": 0}], "list[Funding]"),
    Shape("constituents", to("Constituents"), {"symbol": "A", "total": 1, "constituents": [
        {"exchange": "x", "weight": 0.25, "price": 94057.03}]}, "Constituents"),
    Shape("account_config", to("Config"),
          {"feeTier": 2, "closedAt": None, "note": None, "single": None}, "Config",
          security=SIGNED),
    Shape("full_config", array(to("Config")), [
        {"feeTier": 2, "closedAt": 5, "note": "x", "limit": "1.50", "single": "0.10"},
        {"feeTier": 1, "closedAt": 0, "limit": None, "single": None}], "list[Config]"),
    Shape("leverages", {"type": "object", "additionalProperties": AMOUNT},
          {"BTCUSDT": "1.50", "币": "0.00"}, "dict[str, Decimal]"),
    Shape("rows_by_symbol", {"type": "object", "additionalProperties": to("Price")},
          {"A": {"symbol": "A", "markPrice": "1.0"}}, "dict[str, Price]"),
    Shape("lists_by_symbol", {"type": "object", "additionalProperties": array(NUMBER)},
          {"A": [1, 2.5]}, "dict[str, list[Decimal]]"),
    Shape("orders", array(to("Order")), [{"side": "BUY", "kind": 1}], "list[Order]",
          (argument("side", to("Side"), required=True),), 'side="SELL"', "side=SELL",
          ("--side", "SELL"), security=SIGNED),
    Shape("kinds", array({"type": "integer", "format": "int32"}), [1, -2], "list[int]",
          (argument("kind", {"type": "integer", "format": "int32", "enum": [1, 2]},
                    required=True),), "kind=2", "kind=2", ("--kind", "2")),
    Shape("symbols", array(TEXT), ["BTCUSDT", "币"], "list[str]"),
    Shape("flags", array(FLAG), [True, False], "list[bool]"),
    Shape("levels", array(array(AMOUNT)), [["1.0", "-0.00"], []], "list[list[Decimal]]"),
    Shape("retired", to("Nothing"), {}, "Nothing", more={"deprecated": True}, warns=True),
    Shape("retired_argument", to("Nothing"), {}, "Nothing",
          (argument("old", TEXT, deprecated=True, example="x"),), 'old="a&=b"', "old=a%26%3Db",
          warns=True),
    Shape("retired_members", array(to("Old")), [
        {"asset": "A", "oldAmount": "1.50", "oldFee": "0.1"}, {"asset": "B", "oldAmount": "0"}],
          "list[Old]"),
    Shape("lengths", to("Bounded"), {"short": "币安", "code": "abcd", "high": 5, "low": -5, "any": MAX},
          "Bounded", (argument("text", {"type": "string", "minLength": 2, "maxLength": 4},
                               required=True, example="abc"),), 'text="币安"',
          "text=%E5%B8%81%E5%AE%89", ("--text", "币安")),
    Shape("one_sided", to("Nothing"), {}, "Nothing", (
        argument("fromId", {"type": "integer", "format": "int64", "minimum": 0}),
        argument("until", {"type": "integer", "format": "int32", "maximum": 10})),
          "from_id=9223372036854775807, until=-2147483648",
          "fromId=9223372036854775807&until=-2147483648",
          ("--from-id", "9223372036854775807", "--until", "-2147483648")),
    Shape("free", to("Nothing"), {}, "Nothing", weight=0, cost=0),
    Shape("cheap_with_symbol", to("Nothing"), {}, "Nothing", (OPTIONAL_SYMBOL,),
          'symbol="BTCUSDT"', "symbol=BTCUSDT", ("--symbol", "BTCUSDT"), security=SIGNED,
          weight={"parameter": "symbol", "absent": 40, "steps": [{"weight": 1}]}, cost=1),
    Shape("dear_without_symbol", to("Nothing"), {}, "Nothing", (OPTIONAL_SYMBOL,),
          weight={"parameter": "symbol", "absent": 40, "steps": [{"weight": 1}]}, cost=40),
    Shape("trailing_slash", to("Nothing"), {}, "Nothing", path="/fapi/v1/trailing/"),
    Shape("list_argument", array(TEXT), ["A"], "list[str]",
          (argument("symbols", array(SYMBOL, minItems=1, maxItems=3), required=True, explode=False,
                    example=["BTCUSDT", "BNBUSDT"]),), 'symbols=["BTCUSDT", "BNBUSDT"]',
          "symbols=BTCUSDT%2CBNBUSDT", ("--symbols", "BTCUSDT,BNBUSDT")),
    Shape("integers_argument", to("Nothing"), {}, "Nothing",
          (argument("ids", array(TIME), required=True, explode=False, example=[1, 2]),),
          "ids=[1, 2]", "ids=1%2C2", ("--ids", "1,2"), security=SIGNED),
    Shape("json_list", to("Nothing"), {}, "Nothing",
          (json_argument("symbols", array(TEXT), ["A", "B"]),), 'symbols=["A", "B"]',
          "symbols=%5B%22A%22%2C%22B%22%5D", ("--symbols", '["A","B"]')),
    Shape("json_amounts", to("Nothing"), {}, "Nothing",
          (json_argument("amounts", array(AMOUNT), ["1.50"]),), 'amounts=[Decimal("1.50")]',
          "amounts=%5B%221.50%22%5D", ("--amounts", '["1.50"]'), security=SIGNED),
    Shape("json_object", to("Nothing"), {}, "Nothing",
          (json_argument("query", to("Query"), {"symbol": "A", "limit": 5}),),
          'query=Query(symbol="A", limit=5)',
          "query=%7B%22symbol%22%3A%22A%22%2C%22limit%22%3A5%7D",
          ("--query", '{"symbol": "A", "limit": 5}')),
    Shape("by_path", to("Price"), {"symbol": "A", "markPrice": "1.0"}, "Price",
          ({**SYMBOL_ARGUMENT, "in": "path"},),
          'symbol="BNBUSDT"', "", ("--symbol", "BNBUSDT"),
          path="/fapi/v1/prices/{symbol}", target="/fapi/v1/prices/BNBUSDT"),
    Shape("by_two_paths", to("Nothing"), {}, "Nothing", (
        argument("id", TIME, True, **{"in": "path"}),
        argument("part", {"type": "string", "enum": ["a+b", "c"]}, True, **{"in": "path"}),
        argument("limit", SMALL)), 'id=7, part="a+b", limit=3', "limit=3",
          ("--id", "7", "--part", "a+b", "--limit", "3"),
          path="/fapi/v1/things/{id}/parts/{part}/", target="/fapi/v1/things/7/parts/a%2Bb/",
          security=SIGNED),
    Shape("elsewhere", to("Price"), {"symbol": "A", "markPrice": "1.0"}, "Price", security=KEY_ONLY,
          more={"servers": [
              {"url": "https://papi.binance.com", "description": "Elsewhere.",
               "x-environment": "production"}]}),
    Shape("shared_parameter", to("Nothing"), {}, "Nothing",
          ({"$ref": "#/components/parameters/Limit"},), "limit=7", "limit=7", ("--limit", "7")),
    Shape("deep", to("Outer"), {"middle": {"inner": INNER, "others": {"x": INNER}}, "best": INNER},
          "Outer"),
    Shape("words", to("Words"), {"class": "a", "from": "b", "list": "c"}, "Words", (
        argument("class", TEXT, example="x"), argument("from", TEXT, example="x"),
        argument("self", TEXT, example="x")), 'class_="1", from_="2", self_="3"',
          "class=1&from=2&self=3", ("--class-", "1", "--from-", "2", "--self-", "3")),
    Shape("renamed", to("Renamed"), {"fromId": "a", "from_id": "b", "toDict": "c"}, "Renamed", (
        {**argument("timeout", TEXT, example="x"), "x-python-name": "order_timeout"},),
          'order_timeout="1"', "timeout=1", ("--order-timeout", "1")),
    Shape("renamed_class", array(to("Decimal")), [{"value": "1.0"}], "list[DecimalValue]"),
    Shape("defaults", to("Nothing"), {}, "Nothing", (
        argument("limit", {**SMALL, "default": 500}),
        argument("side", {"type": "string", "enum": ["BUY"], "default": "BUY"}),
        argument("flag", {**FLAG, "default": True}))),
    Shape("decimal_argument", to("Nothing"), {}, "Nothing",
          (argument("price", AMOUNT, required=True, example="0.10"),), 'price=Decimal("1E+3")',
          "price=1000", ("--price", "1E+3"), security=SIGNED),
    Shape("number_argument", to("Nothing"), {}, "Nothing",
          (argument("ratio", {**NUMBER, "minimum": 0, "maximum": 1}, required=True, example=0.5),),
          'ratio=Decimal("0.50")', "ratio=0.50", ("--ratio", "0.50")),
    Shape("boolean_argument", to("Nothing"), {}, "Nothing", (argument("flag", FLAG),), "flag=False",
          "flag=false", ("--flag", "false")),
    Shape("keyed", array(to("Price")), [], "list[Price]", (SYMBOL_ARGUMENT,), 'symbol="BTCUSDT"',
          "symbol=BTCUSDT", ("--symbol", "BTCUSDT"), security=KEY_ONLY),
    Shape("lists", to("Lists"), {"names": None, "gaps": [None, "7"], "maybe": None}, "Lists"),
    Shape("tagged", array(to("Tagged")), [{"tags": ["a"], "rates": {"A": "0.10"}}], "list[Tagged]"),
    Shape("nested_clock", to("Clock"), {"nested": {"serverTime": 1591702613943}}, "Clock",
          has_exchange_time=True),
    Shape("owned", array(to("Owned")), [{"alias": "SgsR", "amount": "1.50"}], "list[Owned]",
          security=SIGNED),
)  # fmt: skip


def corpus_document(names: Iterable[str] | None = None) -> Json:
    """Return the real spec with the operations of the corpus, or with some of them."""
    document = copy.deepcopy(load(SPEC_FILE))
    chosen = {shape.name for shape in SHAPES} if names is None else {*names}
    document["x-security-types"][KEY_ONLY] = ["ApiKey"]
    document["components"]["parameters"]["Limit"] = argument("limit", SMALL)
    document["components"]["schemas"] |= copy.deepcopy(SCHEMAS)
    signing = document["paths"][BALANCE_PATH]["get"]["parameters"]
    for shape in SHAPES:
        if shape.name in chosen:
            operation = _operation(shape, signing if shape.security == SIGNED else [])
            document["paths"][shape.route] = {"get": operation}
    return document


def _operation(shape: Shape, signing: list[Json]) -> Json:
    schemes: Json = {SIGNED: {"ApiKey": [], "Signature": []}, KEY_ONLY: {"ApiKey": []}}
    content = {"schema": shape.result, "examples": {"made_up": {"value": shape.example}}}
    result = {
        "description": "A response.",
        "headers": {"X-MBX-USED-WEIGHT-1M": {"$ref": "#/components/headers/UsedWeight"}},
        "content": {"application/json": content},
    }
    errors = {
        status: {"$ref": f"#/components/responses/{name}"}
        for status, name in ERRORS.items()
        if status != "401" or shape.security != PUBLIC
    }
    return copy.deepcopy(
        {
            "operationId": shape.name,
            "tags": ["market"],
            "summary": f"The shape {shape.name}.",
            "description": "It is made up.",
            "x-security-type": shape.security,
            "x-weight": shape.weight,
            "security": [schemes[shape.security]] if shape.security in schemes else [],
            "parameters": [*shape.parameters, *signing],
            "responses": {"200": result, **errors},
            **shape.more,
        }
    )
