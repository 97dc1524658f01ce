"""Changes of operations, with the verdict that each must get."""

from __future__ import annotations

from tests.generator.changes.edits import drop, put, rename, reorder, together
from tests.generator.changes.seed import MAJOR, MINOR, PATCH, PATHS, Seed, add_account_operation
from tests.specs.places import BALANCE, HEADER, OK, RESULT, SCHEMES, TIME
from tests.support.spec_facts import BALANCE_PATH

OPERATIONS = [
    Seed("operation added", add_account_operation, MINOR, ("operation-added",)),
    Seed("operation renamed", put((*BALANCE, "operationId"), "balances"), MAJOR, ("operation-renamed",)),
    Seed("operation writes", rename((*PATHS, BALANCE_PATH, "get"), "post"), MAJOR, ("operation-method",)),
    Seed("tag moved", put((*BALANCE, "tags"), ["market"]), PATCH, ("operation-tag",)),
    Seed("order of operations", reorder(PATHS), PATCH, ("operation-order",)),
    Seed("weight lowered", put((*BALANCE, "x-weight"), 1), PATCH, ("weight-lowered",)),
    Seed("weight depends on an argument", put((*BALANCE, "x-weight"), {"limit": [[100, 5], [1000, 10]]}), PATCH,
         ("weight-changed",)),
    Seed("undeprecated", put((*BALANCE, "deprecated"), False), PATCH, ("places",)),
    Seed("key needed", together(put((*TIME, "security"), [{"ApiKey": []}]), put((*TIME, "x-security-type"),
         "MARKET_DATA"),
         put(("x-security-types", "MARKET_DATA"), ["ApiKey"])), MAJOR, ("security-more",)),
    Seed("signature needed no more", together(put((*BALANCE, "security"), [{"ApiKey": []}]),
         put(("x-security-types",
         "USER_DATA"), ["ApiKey"])),
         MINOR, ("security-fewer",)),
    Seed("key needed no more", together(put((*BALANCE, "security"), []), put((*BALANCE, "x-security-type"),
         "NONE")),
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
    Seed("value of another type", rename((*OK, "content", "application/json"), "text/csv"), MAJOR,
         ("result-lost",)),
    Seed("own host", put((*BALANCE, "servers"), [{"url": "https://papi.binance.com"}]), MAJOR,
         ("operation-server",)),
    Seed("body needed", put((*BALANCE, "requestBody"), {"required": True, "content": {}}), MAJOR,
         ("unknown-breaking",)),
    Seed("unknown extension", put((*BALANCE, "x-cache"), 5), PATCH, ("unknown-quiet",)),
    Seed("response documented", put((*BALANCE, "responses", "414"), {"$ref": "#/components/responses/Refused"}),
         PATCH, ("response-added",)),
    Seed("response documented no more", drop((*BALANCE, "responses", "451")), PATCH, ("response-removed",)),
    Seed("header documented no more", drop((*OK, "headers", "X-MBX-USED-WEIGHT-1M")), PATCH,
         ("header-removed",)),
    Seed("header described", put((*HEADER, "description"), "Weight."), PATCH, ("header-changed",)),
    Seed("examples", put((*OK, "content", "application/json", "examples", "empty", "summary"), "Empty."), PATCH,
         ("texts",)),
]  # fmt: skip
