"""A spec with every construct that the generator supports, made from the real one.

`hostile` puts strings into it that try to break out of the generated code.
"""

from __future__ import annotations

import copy
from typing import Any

from generator.document.openapi import Json, load
from tests.support.paths import SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH

REAL = load(SPEC_FILE)
HOSTILE_TEXTS = [
    'It ends with a "quote"',
    'Three """ and more """"""" and \'\'\' of them',
    'Out of it """); import os; os.abort(); ("""',
    "Backslashes \\ \\\\ \\N{DASH} \\u12 \\x and one at the end \\",
    "Braces {0} {x!r} {{ config }} {% raw %} {# gone #} ${x} %s %(x)d",
    "Lines\nbreak\r\n\n  and # indent\n    import os",
    "Controls \x00 \x07 \x1b[31m \x85 \u2028 \u202e end",
    "中文说明,账户余额。Ⓢ 🙂 ﬁ",
    '"',
    "\\",
]
HOSTILE_NAMES = [
    'quo"te', "back\\slash", "new\nline", "{{ title }}", '"); import os; ("', "名称",
    "zero\u200bwidth", "a b", "9lives",
]  # fmt: skip
PYTHON_NAMES = [
    "class", "from", "None", "self", "cls", "source", "rest", "take", "fields", "property",
    "datetime", "decimal", "missing", "list",
]  # fmt: skip
PROSE = {
    "title",
    "version",
    "summary",
    "description",
    "x-description-zh",
    "x-summary-zh",
    "x-sources",
    "license",
}
ARGUMENT_NAMES = [
    "class", "from", "lambda", "self", "pairs", "query", "writing", "client", "url", "text", "1h",
    "endTime",
]  # fmt: skip
LARGE = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9223372036854775807}
SMALL = {"type": "integer", "format": "int32", "minimum": -5, "maximum": 5}
TEXT = {"type": "string"}
AMOUNT = {"$ref": "#/components/schemas/Amount"}
DECIMAL = {
    key: REAL["components"]["schemas"]["Amount"][key] for key in ("type", "format", "pattern")
}
TO_POSITION = {"$ref": "#/components/schemas/Position"}
SIDES = ["BUY", "with-dash", 'quo"te', "红"]

ODD: Json = dict.fromkeys([*HOSTILE_NAMES, *PYTHON_NAMES], "x")
# Responses that fit SCHEMAS: an account with the required fields, and one with all fields.
POSITION: Json = {"symbol": "币安", "entryPrice": "-0.10", "updateTime": 1, "isolated": True}
BARE: Json = {"symbol": "", "entryPrice": "0", "updateTime": 0}
ACCOUNT: Json = {
    "feeTier": -5, "canTrade": False, "total": "100.000000000000000000000000000000000001",
    "positions": [POSITION, BARE], "best": POSITION,
    "assets": ["USDT", ""], "levels": [["1.0", "-0.00"], []], "closedAt": None, "limit": None,
    "notes": None, "gaps": [None, "7"],
    "code": "\"'\\",
}  # fmt: skip
FULL: Json = {
    **ACCOUNT, "closedAt": 2**63 - 1, "limit": "0.00", "notes": [], "alias": "x", "bonus": "1.50",
    "last": BARE, "history": [], "seenAt": 5,
    "new": {"kept": [1, None]},
}  # fmt: skip


def _array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _object(required: list[str], **properties: Json) -> Json:
    described = {
        name: {**schema, "description": "A property."} for name, schema in properties.items()
    }
    return {
        "type": "object",
        "description": "An object.",
        "required": required,
        "properties": described,
    }


SCHEMAS: Json = {
    "Position": _object(
        ["symbol", "entryPrice", "updateTime"],
        symbol=TEXT, entryPrice=AMOUNT, updateTime={**LARGE, "x-instant": "updated_at"},
        isolated={"type": "boolean"},
    ),
    "Positions": _array(TO_POSITION, description="Positions."),
    "Account": _object(
        [
            "feeTier", "canTrade", "total", "positions", "best", "assets", "levels", "closedAt",
            "limit", "notes", "gaps", "code",
        ],
        feeTier=SMALL, canTrade={"type": "boolean"}, total=AMOUNT, positions=_array(TO_POSITION),
        best=TO_POSITION, assets=_array(TEXT),
        levels=_array(_array(AMOUNT)), closedAt={**LARGE, "type": ["integer", "null"]},
        limit={**DECIMAL, "type": ["string", "null"]},
        notes=_array(TEXT, type=["array", "null"]),
        gaps=_array({**DECIMAL, "type": ["string", "null"]}),
        code={"type": "string", "pattern": "^[\"'\\\\A-Z]{1,3}$", "x-identifies-account": True},
        alias=TEXT, bonus=AMOUNT, last=TO_POSITION,
        history={"$ref": "#/components/schemas/Positions"},
        seenAt={**LARGE, "x-instant": "seen"},
    ),
    "Odd": _object(
        [*HOSTILE_NAMES, *PYTHON_NAMES[:5]],
        **dict.fromkeys([*HOSTILE_NAMES, *PYTHON_NAMES], TEXT),
    ),
}  # fmt: skip


def _make_parameter(name: str, schema: Json, required: bool = False, example: str = "USDT") -> Json:
    parameter: Json = {
        "name": name, "in": "query", "required": required, "description": "An argument.",
        "schema": schema,
    }  # fmt: skip
    needs_example = schema.get("type", "string") == "string" and "enum" not in schema
    return {**parameter, "example": example} if needs_example else parameter


PARAMETERS = [
    _make_parameter("symbol", TEXT),
    _make_parameter("price", AMOUNT, required=True, example="0.10"),
    _make_parameter("reduceOnly", {"type": "boolean"}),
    _make_parameter("side", {"type": "string", "enum": SIDES}, required=True),
    _make_parameter(
        "asset", {"type": "string", "pattern": "^[A-Z]+$", "x-rule": "a string of capital letters"}
    ),
    _make_parameter("limit", SMALL),
]


def _get(name: str, security: str, result: Json, example: Any, parameters: list[Json]) -> Json:
    requirement = REAL["x-security-types"].get(security, ["ApiKey"])
    media = {"schema": result, "examples": {"made_up": {"value": example}}}
    content = {"application/json": media}
    errors = REAL["paths"][BALANCE_PATH]["get"]["responses"]
    response = {"description": "A response.", "content": content}
    return {
        "get": {
            "operationId": name,
            "tags": ["market"],
            "summary": "A summary.",
            "description": "A description.",
            "x-security-type": security,
            "x-weight": 7,
            "security": [{scheme: [] for scheme in requirement}] if requirement else [],
            "parameters": parameters,
            "responses": {**errors, "200": response},
        }
    }


def wide_document() -> Json:
    """Return the real spec with six more operations.

    They are signed, with a key only, and public; they have arguments of every type, and results
    that are objects, lists and lists of lists.
    """
    document = copy.deepcopy(REAL)
    signed = document["paths"][BALANCE_PATH]["get"]["parameters"]
    paths = {
        "/fapi/v3/account": _get(
            "account",
            "USER_DATA",
            {"$ref": "#/components/schemas/Account"},
            ACCOUNT,
            [*PARAMETERS, *signed],
        ),
        "/fapi/v1/positions": _get(
            "positions", "MARKET_DATA", {"$ref": "#/components/schemas/Positions"}, [POSITION], []
        ),
        "/fapi/v1/symbols": _get(
            "symbols",
            "NONE",
            _array(TEXT),
            ["A"],
            [_make_parameter(name, TEXT) for name in ARGUMENT_NAMES],
        ),
        "/fapi/v1/levels": _get("levels", "NONE", _array(_array(AMOUNT)), [["1.0"]], []),
        "/fapi/v1/odd": _get("odd", "NONE", {"$ref": "#/components/schemas/Odd"}, ODD, []),
        "/fapi/v1/ping": _get("ping", "NONE", {}, [], []),
    }
    symbols = paths["/fapi/v1/symbols"]["get"]["responses"]["200"]
    document["components"]["responses"]["Rows"] = symbols
    paths["/fapi/v1/ping"]["get"]["responses"]["200"] = {"$ref": "#/components/responses/Rows"}
    document["x-security-types"]["MARKET_DATA"] = ["ApiKey"]
    document["paths"].update(copy.deepcopy(paths))
    document["components"]["schemas"].update(copy.deepcopy(SCHEMAS))
    return document


def hostile(document: Json) -> Json:
    """Return a copy with a hostile string in every place for prose, in turn all of them."""
    count = 0

    def spoil(node: Any, prose: bool = False) -> Any:
        nonlocal count
        if isinstance(node, dict):
            return {
                key: value
                if key in ("example", "examples")
                else spoil(value, prose or key in PROSE)
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [spoil(entry, prose) for entry in node]
        if prose and isinstance(node, str):
            count += 1
            return HOSTILE_TEXTS[count % len(HOSTILE_TEXTS)]
        return node

    spoilt: Json = spoil(document)
    return spoilt
