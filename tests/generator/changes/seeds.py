"""Changes of the spec with the verdict that each must get.

The first ones happened: they are entries of the exchange's change log for this endpoint, or undo
one. The others are made from the shipped spec, or from the wider one where that has no such part.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

from generator.spec import Json
from tests.generator.changes.edits import (
    REAL,
    WIDE,
    Edit,
    append,
    apply,
    at,
    drop,
    put,
    remove,
    rename,
    reorder,
    sort_keys,
    together,
)
from tests.specs.places import (
    BALANCE,
    COMPONENTS,
    HEADER,
    OK,
    PROPERTIES,
    REFUSED,
    RESULT,
    ROW,
    SCHEMAS,
    SCHEMES,
    TIME,
    TIMESTAMP,
    UPDATED,
    WINDOW,
    Place,
)


class Seed(NamedTuple):
    """One change: its name, the edit, the step, and the rules that must be among the changes."""

    name: str
    edit: Edit
    step: str
    rules: tuple[str, ...]
    wide: bool = False
    before: Edit | None = None
    """An edit of the old document too."""

    def documents(self) -> tuple[Json, Json]:
        """Return the old document and the new one."""
        base = WIDE if self.wide else REAL
        old = apply(self.before, base) if self.before else base
        return old, apply(self.edit, old)


MAJOR, MINOR, PATCH, NONE = "major", "minor", "patch", "none"
REQUIRED: Place = (*ROW, "required")
ASSET: Place = (*PROPERTIES, "asset")
CODES: Place = ("x-error-codes",)
TEXT: Json = {"type": "string", "description": "A field."}
AMOUNT: Json = {"$ref": "#/components/schemas/Amount", "description": "An amount."}
ARGUMENT: Json = {
    "name": "asset", "in": "query", "required": False, "description": "An asset.", "schema": {"type": "string"},
}  # fmt: skip
PATHS: Place = ("paths",)
ACCOUNT: Place = (*PATHS, "/fapi/v3/account", "get")
WIDE_ROW: Place = (*SCHEMAS, "Account", "properties")
PARAMETERS: Place = (*ACCOUNT, "parameters")
SIDE: Place = (*PARAMETERS, 3, "schema")
PATTERN: Place = (*PARAMETERS, 4, "schema", "pattern")
LIMIT: Place = (*PARAMETERS, 5)
KLINE: Place = (*SCHEMAS, "Kline")
CHOICES: Json = {
    "type": "integer",
    "format": "int32",
    "minimum": 1,
    "maximum": 1000,
    "enum": [5, 10, 20],
}
ERROR: Place = (*SCHEMAS, "Error")


def add_field(name: str, schema: Json, *, required: bool = False) -> Edit:
    edit = put((*PROPERTIES, name), schema)
    return together(edit, append(REQUIRED, name)) if required else edit


def remove_field(name: str) -> Edit:
    return together(drop((*PROPERTIES, name)), remove(REQUIRED, name))


def rename_field(old: str, new: str) -> Edit:
    return together(rename((*PROPERTIES, old), new), remove(REQUIRED, old), append(REQUIRED, new))


def rename_class(old: str, new: str) -> Edit:
    def edit(document: Json) -> None:
        rename((*SCHEMAS, old), new)(document)
        pending = [document]
        while pending:
            node = pending.pop()
            if isinstance(node, dict):
                if node.get("$ref") == f"#/components/schemas/{old}":
                    node["$ref"] = f"#/components/schemas/{new}"
                pending.extend(node.values())
            elif isinstance(node, list):
                pending.extend(node)

    return edit


def inline_amount(document: Json) -> None:
    """Write a referenced schema where it is used."""
    balance = at(document, (*PROPERTIES, "balance"))
    amount = at(document, (*SCHEMAS, "Amount"))
    at(document, PROPERTIES)["balance"] = {
        **amount,
        **{k: v for k, v in balance.items() if k != "$ref"},
    }


def name_time(document: Json) -> None:
    """Move a schema to the components, without any other change."""
    schema = at(document, UPDATED)
    at(document, SCHEMAS)["Millisecond"] = {
        k: v for k, v in schema.items() if k not in ("description", "x-description-zh")
    }
    at(document, PROPERTIES)["updateTime"] = {
        "$ref": "#/components/schemas/Millisecond",
        "description": schema["description"],
        "x-description-zh": schema["x-description-zh"],
    }


def add_account_operation(document: Json) -> None:
    operation = copy.deepcopy(at(document, TIME))
    operation["operationId"] = "ping"
    document["paths"]["/fapi/v1/ping"] = {"get": operation}


def klines(document: Json) -> None:
    """Let the rows of an operation be arrays of different values."""
    item = {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "maximum": 2**53,
        "x-name": "openTime",
    }
    row = {
        "type": "array",
        "description": "A row.",
        "prefixItems": [item, {**TEXT, "x-name": "open"}],
    }
    document["components"]["schemas"]["Kline"] = row
    content = document["paths"]["/fapi/v1/time"]["get"]["responses"]["200"]["content"]
    items = {"$ref": "#/components/schemas/Kline"}
    content["application/json"]["schema"] = {"type": "array", "items": items}


def sort_all_keys(document: Json) -> None:
    ordered = sort_keys(document)
    document.clear()
    document.update(ordered)


DATED = [
    Seed("2020-06-15: availableBalance and maxWithdrawAmount come, as optional fields", together(
        add_field("availableMargin", AMOUNT), add_field("maxTransferAmount", AMOUNT)), MINOR,
         ("field-added-optional",)),
    Seed("2021-02-24: weight 5 instead of 1", put((*TIME, "x-weight"), 5), PATCH, ("weight-raised",)),
    Seed("2021-05-06: marginAvailable comes, as a required field",
         add_field("jointMarginAvailable", {"type": "boolean", "description": "A flag."}, required=True), MAJOR,
         ("field-added-required",)),
    Seed("2023-07-15: an endpoint is removed", drop((*PATHS, "/fapi/v1/time")), MAJOR, ("operation-removed",
         "class-removed")),
    Seed("2023-09-19: code -1008 comes", put((*CODES, "-1009"), {
        "name": "THROTTLED", "kind": "server", "meaning": "throttled", "hint": "wait"}), MINOR, ("code-added",)),
    Seed("2024-07-24: v4 instead of v3", rename((*PATHS, "/fapi/v3/balance"), "/fapi/v4/balance"), PATCH,
         ("operation-moved",)),
    Seed("2024-08-07: v2 is deprecated", put((*BALANCE, "deprecated"), True), MINOR, ("operation-deprecated",)),
    Seed("2024-09-03: weight 10 instead of 5", put((*BALANCE, "x-weight"), 10), PATCH, ("weight-raised",)),
    Seed("2025-07-25: code -4109 has a third message", append((*CODES, "-4109", "messages"), "Inactive."), PATCH,
         ("code-texts",)),
    Seed("2025-10-14: code -1008 has a new text", put((*CODES, "-1008", "messages", 1), "Busy."), PATCH,
         ("code-texts",)),
    Seed("2025: the testnet moves", put(("servers", 1, "url"), "https://testnet.binancefuture.com"), MAJOR,
         ("host-moved",)),
]  # fmt: skip
OPERATIONS = [
    Seed("operation added", add_account_operation, MINOR, ("operation-added",)),
    Seed("operation renamed", put((*BALANCE, "operationId"), "balances"), MAJOR, ("operation-renamed",)),
    Seed("operation writes", rename((*PATHS, "/fapi/v3/balance", "get"), "post"), MAJOR, ("operation-method",)),
    Seed("tag moved", put((*BALANCE, "tags"), ["market"]), PATCH, ("operation-tag",)),
    Seed("order of operations", reorder(PATHS), PATCH, ("operation-order",)),
    Seed("weight lowered", put((*BALANCE, "x-weight"), 1), PATCH, ("weight-lowered",)),
    Seed("weight depends on an argument", put((*BALANCE, "x-weight"), {"limit": [[100, 5], [1000, 10]]}), PATCH,
         ("weight-changed",)),
    Seed("undeprecated", put((*BALANCE, "deprecated"), False), PATCH, ("places",)),
    Seed("key needed", together(put((*TIME, "security"), [{"ApiKey": []}]), put((*TIME, "x-security-type"),
         "MARKET_DATA"),
         put(("x-security-types", "MARKET_DATA"), ["ApiKey"])), MAJOR, ("security-more",)),
    Seed("signature needed no more", together(put((*BALANCE, "security"), [{"ApiKey": []}]), put(("x-security-types",
         "USER_DATA"), ["ApiKey"])),
         MINOR, ("security-fewer",)),
    Seed("key needed no more", together(put((*BALANCE, "security"), []), put((*BALANCE, "x-security-type"), "NONE")),
         MINOR, ("security-fewer",)),
    Seed("security renamed", together(rename(("x-security-types", "USER_DATA"), "USER"), put((*BALANCE,
         "x-security-type"), "USER")),
         PATCH, ("security-type",)),
    Seed("key header renamed", put((*SCHEMES, "ApiKey", "name"), "X-API-KEY"), PATCH, ("security-name",)),
    Seed("key loses its role", drop((*SCHEMES, "ApiKey", "x-signing-role")), MAJOR, ("security-more",)),
    Seed("key as a bearer token", put((*SCHEMES, "ApiKey", "type"), "http"), MAJOR, ("security-kind",)),
    Seed("security scheme renamed", together(rename((*SCHEMES, "ApiKey"), "Key"), put((*BALANCE, "security"),
         [{"Key": [], "Signature": []}]),
         put(("x-security-types", "USER_DATA"), ["Key", "Signature"])), PATCH, ()),
    Seed("one object instead of rows", put(RESULT, {"$ref": "#/components/schemas/AccountBalance"}), MAJOR,
         ("field-type",)),
    Seed("rows or null", put((*RESULT, "type"), ["array", "null"]), MAJOR, ("field-nullable",)),
    Seed("no value", drop(OK), MAJOR, ("result-lost",)),
    Seed("value of another type", rename((*OK, "content", "application/json"), "text/csv"), MAJOR, ("result-lost",)),
    Seed("own host", put((*BALANCE, "servers"), [{"url": "https://papi.binance.com"}]), MAJOR, ("operation-server",)),
    Seed("body needed", put((*BALANCE, "requestBody"), {"required": True, "content": {}}), MAJOR,
         ("unknown-breaking",)),
    Seed("unknown extension", put((*BALANCE, "x-cache"), 5), PATCH, ("unknown-quiet",)),
    Seed("response documented", put((*BALANCE, "responses", "414"), {"$ref": "#/components/responses/Refused"}),
         PATCH, ("response-added",)),
    Seed("response documented no more", drop((*BALANCE, "responses", "451")), PATCH, ("response-removed",)),
    Seed("header documented no more", drop((*OK, "headers", "X-MBX-USED-WEIGHT-1M")), PATCH, ("header-removed",)),
    Seed("header described", put((*HEADER, "description"), "Weight."), PATCH, ("header-changed",)),
    Seed("examples", put((*OK, "content", "application/json", "examples", "empty", "summary"), "Empty."), PATCH,
         ("texts",)),
]  # fmt: skip
ARGUMENTS = [
    Seed("optional argument", append((*BALANCE, "parameters"), ARGUMENT), MINOR, ("argument-added-optional",
         "asset-option")),
    Seed("optional argument of another name", append((*BALANCE, "parameters"), {**ARGUMENT, "name": "limit"}), MINOR,
         ("argument-added-optional",)),
    Seed("required argument", append((*TIME, "parameters"), {**ARGUMENT, "required": True}), MAJOR,
         ("argument-added-required",)),
    Seed("argument removed", drop((*BALANCE, "parameters", 0)), MAJOR, ("argument-removed",)),
    Seed("argument renamed", put((*WINDOW, "name"), "window"), MAJOR, ("argument-renamed",)),
    Seed("argument renamed on the wire", put((*WINDOW, "name"), "recv_window"), PATCH, ("argument-wire-name",)),
    Seed("argument required", put((*WINDOW, "required"), True), MAJOR, ("argument-required",)),
    Seed("argument optional", put((*PARAMETERS, 1, "required"), False), MINOR, ("argument-optional",), True),
    Seed("argument text", put((*WINDOW, "schema"), {"type": "string"}), MAJOR, ("argument-type",)),
    Seed("argument decimal", put((*LIMIT, "schema"), AMOUNT), MAJOR, ("argument-type",), True),
    Seed("maximum lowered", put((*WINDOW, "schema", "maximum"), 60000), MAJOR, ("argument-narrower",)),
    Seed("minimum raised", put((*WINDOW, "schema", "minimum"), 100), MAJOR, ("argument-narrower",)),
    Seed("minimum lowered", put((*WINDOW, "schema", "minimum"), 0), MINOR, ("argument-wider",)),
    Seed("maximum raised", put((*LIMIT, "schema", "maximum"), 500), MINOR, ("argument-wider",), True),
    Seed("bounds moved", together(put((*LIMIT, "schema", "maximum"), 9), put((*LIMIT, "schema", "minimum"), 1)), MAJOR,
         ("argument-wider", "argument-narrower"), True),
    Seed("bound by exclusion", together(drop((*WINDOW, "schema", "minimum")), put((*WINDOW, "schema",
         "exclusiveMinimum"), 0)), PATCH, ("places",)),
    Seed("steps", put((*WINDOW, "schema", "multipleOf"), 10), MAJOR, ("argument-narrower",)),
    Seed("value added", append((*SIDE, "enum"), "BOTH"), MINOR, ("argument-wider",), True),
    Seed("value removed", remove((*SIDE, "enum"), "BUY"), MAJOR, ("argument-narrower",), True),
    Seed("values open", drop((*SIDE, "enum")), MINOR, ("argument-wider",), True),
    Seed("values closed", put((*PARAMETERS, 0, "schema", "enum"), ["BTCUSDT"]), MAJOR, ("argument-narrower",), True),
    Seed("number added", append((*WINDOW, "schema", "enum"), 50), MINOR, ("argument-wider",),
         before=put((*WINDOW, "schema"), CHOICES)),
    Seed("number removed", remove((*WINDOW, "schema", "enum"), 5), MAJOR, ("argument-narrower",),
         before=put((*WINDOW, "schema"), CHOICES)),
    Seed("bounds that have all numbers", put((*WINDOW, "schema"), {**CHOICES, "minimum": 5, "enum": [5, 10, 20, 30]}), MINOR,
         ("argument-wider",), before=put((*WINDOW, "schema"), CHOICES)),
    Seed("bounds that lack a number", put((*WINDOW, "schema", "minimum"), 6), MAJOR, ("argument-narrower",),
         before=put((*WINDOW, "schema"), CHOICES)),
    Seed("order of values", reorder((*SIDE, "enum")), PATCH, ("places",), True),
    Seed("values by a pattern that has them all", put(SIDE, {"type": "string", "pattern": "^[^a-c]+$|^with blank$"}),
         MINOR, ("argument-wider",), True),
    Seed("pattern wider", put(PATTERN, "^[A-Z0-9]+$"), MINOR, ("argument-wider",), True),
    Seed("pattern narrower", put(PATTERN, "^[A-Z]{1,9}$"), MAJOR, ("argument-narrower",), True),
    Seed("pattern in other words", put(PATTERN, "^[A-MN-Z][A-Z]*$"), PATCH, ("places",), True),
    Seed("pattern undecided", put(PATTERN, r"^(?=[A-Z])\w+$"), MAJOR, ("argument-undecided",), True),
    Seed("pattern added", put((*PARAMETERS, 0, "schema", "pattern"), "^[A-Z]+$"), MAJOR, ("argument-narrower",), True),
    Seed("pattern removed", drop(PATTERN), MINOR, ("argument-wider",), True),
    Seed("length bounded", put((*PARAMETERS, 0, "schema", "maxLength"), 20), MAJOR, ("argument-narrower",), True),
    Seed("never empty, which it was not", put((*PARAMETERS, 0, "schema", "minLength"), 1), PATCH, ("places",), True),
    Seed("default", put((*WINDOW, "schema", "default"), 5000), PATCH, ("argument-default",)),
    Seed("window loses its role", drop((*WINDOW, "x-signing-role")), MAJOR, ("argument-role-lost",)),
    Seed("timestamp loses its role", drop((*TIMESTAMP, "x-signing-role")), MAJOR, ("argument-role-lost",
         "argument-added-required")),
    Seed("timestamp renamed", put((*TIMESTAMP, "name"), "time"), PATCH, ()),
    Seed("timestamp bounded", put((*TIMESTAMP, "schema", "minimum"), 5), PATCH, ("texts",)),
    Seed("argument in the path", put((*PARAMETERS, 0, "in"), "path"), PATCH, ("argument-location",), True),
    Seed("order of arguments", reorder(PARAMETERS), PATCH, ("argument-order",), True),
    Seed("argument deprecated", put((*WINDOW, "deprecated"), True), MINOR, ("argument-deprecated",)),
    Seed("argument described", put((*WINDOW, "description"), "Window."), PATCH, ("texts",)),
    Seed("argument written in place", lambda document: at(document, (*BALANCE, "parameters")).__setitem__(
        0, copy.deepcopy(at(document, WINDOW))), PATCH, ("places",)),
    Seed("argument nullable", put((*LIMIT, "schema", "type"), ["integer", "null"]), MINOR, ("argument-nullable",),
         True),
    Seed("argument of several types", put((*LIMIT, "schema"),
         {"oneOf": [WIDE["paths"]["/fapi/v3/account"]["get"]["parameters"][5]["schema"],
         {"type": "string"}]}), MINOR, ("argument-wider",), True),
    Seed("unknown keyword", put((*WINDOW, "schema", "not"), {"const": 7}), MAJOR, ("unknown-breaking",)),
]  # fmt: skip
FIELDS = [
    Seed("optional field", add_field("note", TEXT), MINOR, ("field-added-optional",)),
    Seed("required field", add_field("note", TEXT, required=True), MAJOR, ("field-added-required",)),
    Seed("field removed", remove_field("crossUnPnl"), MAJOR, ("field-removed",)),
    Seed("field renamed", rename_field("crossUnPnl", "crossUnrealizedPnl"), MAJOR, ("field-renamed",)),
    Seed("field renamed on the wire", rename_field("crossUnPnl", "cross_un_pnl"), MAJOR, ("field-wire-name",)),
    Seed("field optional", remove(REQUIRED, "crossUnPnl"), MAJOR, ("field-optional",)),
    Seed("field required", append((*SCHEMAS, "Account", "required"), "alias"), MAJOR, ("field-required",), True),
    Seed("optional field removed", drop((*WIDE_ROW, "alias")), MAJOR, ("field-removed-optional",), True),
    Seed("field nullable", put((*ASSET, "type"), ["string", "null"]), MAJOR, ("field-nullable",)),
    Seed("field nullable by anyOf", put(ASSET, {"anyOf": [TEXT, {"type": "null"}], "description": "An asset."}),
         MAJOR, ("field-nullable",)),
    Seed("field never null", put((*WIDE_ROW, "limit", "type"), "string"), MAJOR, ("field-not-nullable",), True),
    Seed("text instead of amount", put((*PROPERTIES, "balance"), {**TEXT, "x-holding": True}), MAJOR, ("field-type",)),
    Seed("amount instead of text", put(ASSET, AMOUNT), MAJOR, ("field-type",)),
    Seed("number instead of amount", put((*PROPERTIES, "balance"), {"type": "number", "description": "N."}), MAJOR,
         ("field-type",)),
    Seed("text instead of flag", put((*PROPERTIES, "marginAvailable"), TEXT), MAJOR, ("field-type",)),
    Seed("items of another type", put((*WIDE_ROW, "assets", "items"), {"type": "boolean"}), MAJOR, ("field-type",),
         True),
    Seed("format of a text", put((*ASSET, "format"), "uuid"), MAJOR, ("unknown-breaking",)),
    Seed("int32 with the same bounds", put((*PROPERTIES, "updateTime", "format"), "int32"), PATCH, ("field-format",)),
    Seed("minimum of a field lowered", put((*UPDATED, "minimum"), -1), PATCH, ("field-wider",)),
    Seed("maximum of a field lowered", put((*UPDATED, "maximum"), 2**53), MAJOR, ("field-narrower",)),
    Seed("pattern of a field", put((*ASSET, "pattern"), "^[A-Z]+$"), MAJOR, ("field-narrower",)),
    Seed("pattern of amounts narrower", put((*SCHEMAS, "Amount", "pattern"), "^[0-9]+$"), MAJOR, ("field-narrower",)),
    Seed("pattern of a field wider", put((*WIDE_ROW, "code", "pattern"), "^[\"'\\\\A-Z]{1,9}$"), PATCH,
         ("field-wider",), True),
    Seed("pattern of a field removed", drop((*WIDE_ROW, "code", "pattern")), PATCH, ("field-wider",), True),
    Seed("pattern of a field undecided", put((*WIDE_ROW, "code", "pattern"), r"^\S+$"), MAJOR, ("field-undecided",),
         True),
    Seed("length of a field", put((*ASSET, "maxLength"), 5), MAJOR, ("field-narrower",)),
    Seed("values of a field listed", put((*ASSET, "enum"), ["USDT"]), PATCH, ("field-enum",)),
    Seed("unknown keyword of a field", put((*ROW, "minContains"), 3), MAJOR, ("unknown-breaking",)),
    Seed("unknown extension of a field", put((*ASSET, "x-unit"), "1"), PATCH, ("unknown-quiet",)),
    Seed("order of columns", reorder(PROPERTIES), PATCH, ("field-order",)),
    Seed("order of required names", reorder(REQUIRED), NONE, ()),
    Seed("instant comes", put((*SCHEMAS, "ServerTime", "properties", "serverTime", "x-instant"), "at"), MINOR,
         ("instant-added",)),
    Seed("instant goes", drop((*UPDATED, "x-instant")), MAJOR, ("instant-removed",)),
    Seed("instant renamed", put((*UPDATED, "x-instant"), "changed_at"), MAJOR, ("instant-renamed",)),
    Seed("one holding more", put((*PROPERTIES, "availableBalance", "x-holding"), True), PATCH, ("holdings-changed",)),
    Seed("one holding less", drop((*PROPERTIES, "crossUnPnl", "x-holding")), PATCH, ("holdings-changed",)),
    Seed("no holdings", drop(*((*PROPERTIES, name, "x-holding") for name in ("balance", "crossWalletBalance",
         "crossUnPnl"))),
         MAJOR, ("holdings-removed",)),
    Seed("first holding", put((*WIDE_ROW, "total", "x-holding"), True), MINOR, ("holdings-added",), True),
    Seed("mock's clock goes", drop((*SCHEMAS, "ServerTime", "properties", "serverTime", "x-exchange-clock")), MAJOR,
         ("clock-removed",)),
    Seed("account mark goes", drop((*PROPERTIES, "accountAlias", "x-identifies-account")), MAJOR,
         ("account-mark-removed",)),
    Seed("field deprecated", put((*ASSET, "deprecated"), True), MINOR, ("field-deprecated",)),
    Seed("class renamed", rename_class("ServerTime", "ExchangeTime"), MAJOR, ("class-renamed",)),
    Seed("class written otherwise", rename_class("ServerTime", "server_time"), PATCH, ()),
    Seed("class closed", put((*ROW, "additionalProperties"), False), MAJOR, ("class-closed",)),
    Seed("class open by default", drop((*ROW, "additionalProperties")), PATCH, ("places",)),
    Seed("schema renamed that is no class", rename_class("Amount", "Money"), PATCH, ()),
    Seed("reference written out", inline_amount, PATCH, ("places",)),
    Seed("schema moved to the components", name_time, PATCH, ("places",)),
    Seed("unused component", put((*SCHEMAS, "Spare"), TEXT), PATCH, ("components",)),
    Seed("required optional and null", together(put((*ASSET, "type"), ["string", "null"]), remove(REQUIRED,
         "asset")), MAJOR,
         ("field-nullable", "field-optional")),
    Seed("deep field", put((*SCHEMAS, "Position", "properties", "isolated"), TEXT), MAJOR, ("field-type",), True),
    Seed("value of a tuple row added", append((*KLINE, "prefixItems"), {**TEXT, "x-name": "ignored"}), MAJOR,
         ("field-added-required",), before=klines),
    Seed("values of a tuple row exchanged", reorder((*KLINE, "prefixItems")), MAJOR, ("field-position",), before=klines),
    Seed("value of a tuple row renamed", put((*KLINE, "prefixItems", 0, "x-name"), "startTime"), MAJOR,
         ("field-renamed",), before=klines),
    Seed("map of other values", put((*ROW, "additionalProperties"), {"type": "string"}), MAJOR, ("field-type",)),
]  # fmt: skip
REST = [
    Seed("host added", append(("servers",), {"url": "https://x.binance.com", "description": "X.",
         "x-environment": "x"}), MINOR, ("host-added",)),
    Seed("host removed", drop(("servers", 1)), MAJOR, ("host-removed",)),
    Seed("production moved", put(("servers", 0, "url"), "https://fapi2.binance.com"), MAJOR, ("host-moved",)),
    Seed("order of hosts", reorder(("servers",)), PATCH, ("places",)),
    Seed("environment renamed", put(("servers", 1, "x-environment"), "testnet"), MAJOR, ("host-removed", "host-added")),
    Seed("code removed", drop((*CODES, "-1131")), MAJOR, ("code-removed",)),
    Seed("kind changed", put((*CODES, "-1008", "kind"), "rate-limit"), MAJOR, ("code-kind",)),
    Seed("code permanent", put((*CODES, "-1000", "retryable"), False), MAJOR, ("code-permanent",)),
    Seed("code renamed", put((*CODES, "-1000", "name"), "UNKNOWN_ERROR"), PATCH, ("code-name",)),
    Seed("hint", put((*CODES, "-1000", "hint"), "wait"), PATCH, ("code-texts",)),
    Seed("Chinese hint", put((*CODES, "-1000", "x-hint-zh"), "等待"), PATCH, ("code-texts",)),
    Seed("errors without a code", together(drop((*ERROR, "properties", "code")), remove((*ERROR, "required"),
         "code")), MAJOR, ("error-field-lost",)),
    Seed("errors with a field more", put((*ERROR, "properties", "data"), TEXT), PATCH, ("error-field-changed",)),
    Seed("error described", put((*REFUSED, "description"), "No."), PATCH, ("texts",)),
    Seed("title", put(("info", "title"), "Title"), PATCH, ("texts",)),
    Seed("version", put(("info", "version"), "3.0.1"), PATCH, ("texts",)),
    Seed("source", put(("x-sources", "seen"), "Seen."), PATCH, ("texts",)),
    Seed("Chinese text", put((*ASSET, "x-description-zh"), "资产"), PATCH, ("texts",)),
    Seed("Chinese text goes", drop((*ASSET, "x-description-zh")), PATCH, ("texts",)),
    Seed("text of a shared schema", put((*SCHEMAS, "Amount", "description"), "Money."), PATCH, ("places",)),
    Seed("unknown key", put(("x-audience",), "all"), PATCH, ("unknown-quiet",)),
    Seed("order of keys", sort_all_keys, NONE, ()),
    Seed("order of schemas", reorder(SCHEMAS), NONE, ()),
    Seed("order of responses", reorder((*COMPONENTS, "responses")), NONE, ()),
    Seed("nothing", lambda document: None, NONE, ()),
]  # fmt: skip
SEEDS = [*DATED, *OPERATIONS, *ARGUMENTS, *FIELDS, *REST]
