"""The lint: whatever the generator would lose, bend or guess is refused first, each fault with one line that says where and why."""

from __future__ import annotations

import ast
import copy
from typing import Any

import pytest

from generator.project import generate
from generator.spec import Json, SpecError, class_name, load
from tests.specs.wide_spec import wide_document
from tests.support.paths import SPEC_FILE

DOCUMENT = load(SPEC_FILE)
ABSENT = object()
Place = tuple[str | int, ...]

COMPONENTS: Place = ("components",)
SCHEMAS: Place = (*COMPONENTS, "schemas")
AMOUNT: Place = (*SCHEMAS, "Amount")
ROW: Place = (*SCHEMAS, "AccountBalance")
MEMBERS: Place = (*ROW, "properties")
UPDATED: Place = (*MEMBERS, "updateTime")
SCHEMES: Place = (*COMPONENTS, "securitySchemes")
WINDOW: Place = (*COMPONENTS, "parameters", "RecvWindow")
STAMP: Place = (*COMPONENTS, "parameters", "Timestamp")
HEADER: Place = (*COMPONENTS, "headers", "UsedWeight")
REFUSED: Place = (*COMPONENTS, "responses", "Refused")
BALANCE: Place = ("paths", "/fapi/v3/balance", "get")
TIME: Place = ("paths", "/fapi/v1/time", "get")
OK: Place = (*BALANCE, "responses", "200")
MEDIA: Place = (*OK, "content", "application/json")
REPLY: Place = (*MEDIA, "schema")

DESCRIBED = {"description": "A test."}
INTEGER = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9}
TEXT = {"type": "string", **DESCRIBED}
TO_AMOUNT = {"$ref": "#/components/schemas/Amount"}
OBJECT = {"type": "object", "properties": {"a": TEXT}, **DESCRIBED}
FLAGS = ("baseUrl", "csv", "demo", "help", "json", "nonZero", "timeout")
PARAMETER: Json = {"name": "limit", "in": "query", "schema": INTEGER, **DESCRIBED}
TWICE: Json = {**PARAMETER, "schema": {"type": "string"}}


def changed(place: Place, value: Any) -> Json:
    """The real document with another value at one place; ABSENT takes the place away."""
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for step in place[:-1]:
        node = node[step]
    if value is ABSENT:
        del node[place[-1]]
    else:
        node[place[-1]] = copy.deepcopy(value)
    return document


def findings(document: Json) -> list[str]:
    try:
        generate(document)
    except SpecError as error:
        return error.findings
    return []


# The place that is changed, what stands there then, and what must be said about it.
BROKEN: list[tuple[Place, Any, str]] = [
    # the document
    (("openapi",), "3.0.3", "openapi: version '3.0.3' is not supported; use 3.1.x"),
    (("openapi",), "3.1", "openapi: version '3.1' is not supported; use 3.1.x"),
    (("security",), [{"ApiKey": []}], "document: unknown or unsupported key 'security'"),
    (("webhooks",), {}, "document: unknown or unsupported key 'webhooks'"),
    (("info", "title"), " ", "info.title: must not be empty"),
    (("info", "version"), 3, "info.version: must be a string, not an integer"),
    (("paths",), {}, "paths: there must be at least one operation"),
    (("x-sources",), ABSENT, "document: x-sources is missing"),
    (("x-sources", "gen"), ABSENT, "source [gen] is not in x-sources"),
    (("servers",), [], "servers: one server must have x-environment: production"),
    (("servers", 0, "x-environment"), ABSENT, "servers.0: x-environment is missing"),
    (("servers", 0, "url"), "http://fapi.binance.com", "servers.0: url must be https"),
    (("servers", 1, "x-environment"), "production", "servers: two servers have x-environment: production"),
    (("tags", 0, "description"), None, "tags.0.description: must be a string, not null"),
    (("tags", 1, "name"), "account", "tags: two tags have the name 'account'"),
    (("x-error-codes", "1021"), {"name": "X", "kind": "server"}, "x-error-codes.1021: the key must be a negative number in quotes"),
    (("x-error-codes", "-1021", "kind"), "clock", "x-error-codes.-1021.kind: must be one of authentication, timestamp"),
    (("x-error-codes", "-1021", "name"), ABSENT, "x-error-codes.-1021: name is missing"),
    (("x-error-codes", "-1021", "source"), "[nowhere]", "x-error-codes.-1021.source: source [nowhere] is not in x-sources"),
    # operations
    ((*BALANCE, "operationId"), ABSENT, "get: operationId is missing"),
    ((*BALANCE, "operationId"), "server_time", "operationId 'server_time' is also that of paths./fapi/v3/balance.get"),
    ((*BALANCE, "operationId"), "accountBalance", "operationId 'accountBalance' must be a snake_case name for a method"),
    ((*BALANCE, "operationId"), "import", "operationId 'import' must be a snake_case name"),
    *(((*BALANCE, "operationId"), name, f"operationId {name!r} is reserved; choose another") for name in ("close", "mock", "doctor")),
    ((*BALANCE, "operationId"), "balance_detailed", "operationId 'balance_detailed' is reserved"),
    ((*BALANCE, "tags"), ABSENT, "get: tags is missing"),
    ((*BALANCE, "tags"), ["account", "market"], "tags must name exactly one"),
    ((*BALANCE, "tags"), "account", "get.tags: must be a list, not 'account'"),
    ((*BALANCE, "tags"), ["acount"], "tags must name exactly one of the document's tags"),
    ((*BALANCE, "summary"), ABSENT, "get: summary is missing"),
    ((*BALANCE, "description"), ABSENT, "get: description is missing"),
    ((*BALANCE, "description"), "So they say [hearsay].", "get.description: source [hearsay] is not in x-sources"),
    ((*BALANCE, "deprecated"), True, "unknown or unsupported key 'deprecated'"),
    ((*BALANCE, "requestBody"), {}, "unknown or unsupported key 'requestBody'"),
    ((*BALANCE, "x-weight"), ABSENT, "get: x-weight is missing"),
    ((*BALANCE, "x-weight"), 0, "x-weight must be a positive number"),
    ((*BALANCE, "x-weight"), True, "x-weight: must be an integer, not a boolean"),
    ((*BALANCE, "x-weight"), 5.0, "x-weight: must be an integer, not a number"),
    ((*BALANCE, "x-security-type"), ABSENT, "get: x-security-type is missing"),
    ((*BALANCE, "x-security-type"), "TRADE", "x-security-type 'TRADE' is not in x-security-types"),
    ((*BALANCE, "x-security-type"), "NONE", "is not what NONE demands: []"),
    ((*BALANCE, "security"), ABSENT, "get: security is missing"),
    ((*BALANCE, "security"), [{"ApiKey": []}, {"Signature": []}], "security must be a list of one requirement"),
    ((*BALANCE, "security"), [{"ApiKey": [], "Signatur": []}], "security scheme 'Signatur' is not defined"),
    ((*TIME, "security"), [{"ApiKey": []}], "security ['ApiKey'] is not what NONE demands: []"),
    ((*SCHEMES, "Signature", "x-signing-role"), "key", "two security schemes have x-signing-role: key"),
    *[
        ((*SCHEMES, "Signature", "name"), name, f"name {name!r} would need percent-encoding")
        for name in ("sig nature", "a&b", "a=b", "a\nb", "x#y", "é")
    ],
    *[
        ((*SCHEMES, "ApiKey", "name"), name, f"name {name!r} is not a valid header name")
        for name in ("X-K\nX-Evil", "X K", "X:Y", "é")
    ],
    *[
        ((*SCHEMES, "ApiKey", "name"), name, f"header {name!r} has another purpose")
        for name in ("Content-Length", "transfer-encoding", "HOST", "User-Agent", "Connection")
    ],
    ((*SCHEMES, "Signature", "in"), "header", "securitySchemes.Signature: a signature belongs in the query"),
    ((*SCHEMES, "ApiKey", "in"), "query", "securitySchemes.ApiKey: a key belongs in the header"),
    ((*SCHEMES, "ApiKey", "type"), "http", "securitySchemes.ApiKey.type: must be one of apiKey, not 'http'"),
    (("paths", "/fapi/v3/balance", "post"), DOCUMENT["paths"]["/fapi/v3/balance"]["get"], "post: only get is supported"),
    (("paths", "/fapi/v3/balance", "parameters"), [], "parameters: must be a mapping, not a list"),
    (("paths", "/fapi/{version}/x"), {"get": {}}, "/x.get: path parameters are not supported"),
    (("paths", "/fapi/v3/x?y=1"), {"get": {}}, "y=1.get: the path would need percent-encoding"),
    # parameters
    ((*BALANCE, "parameters"), ABSENT, "get: parameters is missing"),
    ((*BALANCE, "parameters"), [], "a signed operation needs exactly one parameter with x-signing-role: timestamp"),
    ((*TIME, "parameters"), [{"$ref": "#/components/parameters/Timestamp"}], "only a signed operation may have a parameter with x-signing-role: timestamp"),
    ((*TIME, "parameters"), [{"$ref": "#/components/parameters/RecvWindow"}], "a parameter, and only one, with x-signing-role: window"),
    ((*TIME, "parameters"), [PARAMETER, TWICE], "parameter 'limit' is declared twice"),
    ((*TIME, "parameters"), [{**PARAMETER, "name": "fromId"}, {**PARAMETER, "name": "from_id"}], "two parameters become the argument"),
    ((*WINDOW, "name"), "signature", "parameter 'signature' is declared twice"),
    ((*WINDOW, "name"), "recv window", "name 'recv window' would need percent-encoding"),
    *(((*WINDOW, "name"), name, f"name {name!r} is an option") for name in FLAGS),
    ((*WINDOW, "in"), "header", "RecvWindow.in: must be one of query, not 'header'"),
    ((*WINDOW, "in"), "path", "RecvWindow.in: must be one of query, not 'path'"),
    ((*WINDOW, "in"), "cookie", "RecvWindow.in: must be one of query, not 'cookie'"),
    ((*WINDOW, "description"), ABSENT, "RecvWindow: description is missing"),
    ((*WINDOW, "schema"), ABSENT, "RecvWindow: schema is missing"),
    ((*WINDOW, "content"), {"application/json": {"schema": INTEGER}}, "RecvWindow: unknown or unsupported key 'content'"),
    ((*WINDOW, "x-signing-role"), "windows", "x-signing-role: must be one of timestamp, window, not 'windows'"),
    ((*WINDOW, "schema"), {"type": "array", "items": INTEGER}, "RecvWindow: a parameter must be a string, an integer or a boolean, and not null"),
    ((*WINDOW, "schema"), {**INTEGER, "type": ["integer", "null"]}, "RecvWindow: a parameter must be a string, an integer or a boolean, and not null"),
    ((*WINDOW, "schema"), {"type": "string"}, "RecvWindow: a window must be an integer"),
    ((*WINDOW, "schema", "default"), 5000, "RecvWindow.schema: unknown or unsupported key 'default'"),
    ((*STAMP, "required"), False, "Timestamp: the timestamp must be required"),
    ((*TIME, "parameters"), [{**PARAMETER, "schema": {"type": "string", "enum": []}}], "enum must be a non-empty list"),
    ((*TIME, "parameters"), [{**PARAMETER, "schema": {"type": "string", "enum": ["A", "A"]}}], "list of different strings"),
    ((*TIME, "parameters"), [{**PARAMETER, "schema": {"type": "string", "enum": ["A"], "pattern": "^A$"}}], "an enum needs no pattern"),
    # replies
    ((*BALANCE, "responses", "200"), ABSENT, "a 200 response is needed, with application/json as its only content"),
    ((*OK, "content", "text/html"), {"schema": TEXT}, "a 200 response is needed, with application/json as its only content"),
    ((*BALANCE, "responses", "201"), {"$ref": "#/components/responses/Refused"}, "response 201 would be lost"),
    ((*BALANCE, "responses", "4xx"), {"$ref": "#/components/responses/Refused"}, "response '4xx' must be a status like '400' or a range like '5XX'"),
    ((*BALANCE, "responses", "default"), {"$ref": "#/components/responses/Refused"}, "response 'default' must be a status"),
    ((*BALANCE, "responses", "400"), {"$ref": "#/components/responses/Refusal"}, "names nothing in this document"),
    ((*BALANCE, "responses", "400"), {"$ref": "other.yaml#/components/responses/Refused"}, "must be #/components/responses/ and a name"),
    ((*BALANCE, "responses", "400"), TO_AMOUNT, "must be #/components/responses/ and a name"),
    ((*MEDIA, "schema"), ABSENT, "application/json: schema is missing"),
    (REPLY, TEXT, "the 200 response must be an object or an array"),
    (REPLY, OBJECT, "an object needs a name and may not be null; move it to components.schemas"),
    (REPLY, {"oneOf": [TO_AMOUNT, INTEGER]}, "unknown or unsupported key 'oneOf'"),
    (REPLY, {"allOf": [TO_AMOUNT]}, "unknown or unsupported key 'allOf'"),
    (REPLY, {"type": "array"}, "schema: an array needs items"),
    ((*MEDIA, "examples", "empty", "value"), ABSENT, "examples.empty: value is missing"),
    # schemas
    ((*SCHEMAS, "account_balance"), OBJECT, "two schemas become the class of module 'account_balance'"),
    ((*SCHEMAS, "ResponseMismatch"), OBJECT, "schemas.ResponseMismatch: a schema may not become the class 'ResponseMismatch'"),
    ((*SCHEMAS, "a/b"), TEXT, "schemas.a/b: a name may only have letters"),
    ((*SCHEMAS, "Alias"), TO_AMOUNT, "schemas.Alias: must be defined here, not by a $ref"),
    (AMOUNT, {"$ref": "#/components/schemas/Amount"}, "schemas.Amount: must be defined here, not by a $ref"),
    ((*MEMBERS, "row"), {"$ref": "#/components/schemas/AccountBalance"}, "schemas.AccountBalance: contains itself"),
    ((*MEMBERS, "balance"), {"$ref": "#/components/schemas/Amounts"}, "'#/components/schemas/Amounts' names nothing"),
    ((*MEMBERS, "balance", "type"), "string", "balance: unknown or unsupported key 'type'"),
    ((*MEMBERS, "asset", "x-holding"), True, "asset: x-holding needs format decimal"),
    ((*MEMBERS, "asset", "x-identifies-account"), True, "AccountBalance: two properties have x-identifies-account; keep one"),
    ((*MEMBERS, "accountAlias", "type"), ["string", "null"], "accountAlias: x-identifies-account is for a required string"),
    ((*ROW, "required"), ["asset"], "accountAlias: x-identifies-account is for a required string"),
    ((*UPDATED, "x-identifies-account"), True, "updateTime: x-identifies-account has no meaning for type integer"),
    ((*MEMBERS, "balance", "x-identifies-account"), True, "balance: unknown or unsupported key 'x-identifies-account'"),
    ((*AMOUNT, "x-identifies-account"), True, "Amount: x-identifies-account has no effect here"),
    ((*SCHEMAS, "Error", "properties", "msg", "x-identifies-account"), True, "msg: x-identifies-account has no effect here"),
    ((*TIME, "parameters"), [{**PARAMETER, "schema": {"type": "string", "x-identifies-account": True}}], "has no effect here"),
    ((*MEMBERS, "asset", "type"), ABSENT, "asset: type is missing"),
    ((*MEMBERS, "asset", "type"), "number", "asset: type 'number' loses digits"),
    ((*MEMBERS, "asset", "type"), "text", "asset: unsupported type 'text'; supported: array, boolean"),
    ((*MEMBERS, "asset", "type"), ["string", "null", "boolean"], "asset: a list of types may only be one type and null"),
    ((*MEMBERS, "asset", "type"), ["string"], "asset: a list of types may only be one type and null"),
    ((*MEMBERS, "asset", "format"), "deciml", "asset: unsupported format 'deciml' for type string; supported: decimal, none"),
    ((*MEMBERS, "asset", "format"), "date-time", "asset: unsupported format 'date-time' for type string"),
    ((*MEMBERS, "asset", "enum"), ["USDT"], "an enum in a response breaks callers"),
    ((*MEMBERS, "asset", "minimum"), 1, "asset: minimum has no meaning for type string"),
    ((*MEMBERS, "asset", "pattern"), "[A-Z]+", "asset: a pattern must match the whole string"),
    ((*MEMBERS, "asset", "pattern"), "^(A$", "asset: the pattern is not a valid regular expression: missing )"),
    ((*MEMBERS, "asset", "description"), ABSENT, "asset: description is missing"),
    ((*MEMBERS, "asset"), OBJECT, "asset: an object needs a name"),
    ((*AMOUNT, "pattern"), ABSENT, "schemas.Amount: format decimal needs the pattern"),
    ((*UPDATED, "format"), ABSENT, "updateTime: format is missing for type integer; supported: int32, int64"),
    ((*UPDATED, "minimum"), ABSENT, "updateTime: an integer needs minimum and maximum"),
    ((*UPDATED, "maximum"), -1, "updateTime: minimum is greater than maximum"),
    ((*UPDATED, "format"), "int32", "updateTime: x-instant needs an int64 time in ms"),
    ((*UPDATED, "x-instant"), "updatedAt", "x-instant 'updatedAt' must be a snake_case name"),
    ((*UPDATED, "x-instant"), "asset", "two properties become the attribute 'asset'"),
    ((*UPDATED, "x-instant"), "to_dict", "a property may not become the attribute 'to_dict'"),
    ((*MEMBERS, "asset", "x-instant"), "at", "asset: x-instant has no meaning for type string"),
    ((*MEMBERS, "cross_un_pnl"), TEXT, "AccountBalance: two properties become the attribute 'cross_un_pnl'"),
    ((*MEMBERS, "read"), TEXT, "AccountBalance: a property may not become the attribute 'read'"),
    ((*MEMBERS, "field"), TEXT, "AccountBalance: a property may not become the attribute 'field'"),
    ((*MEMBERS, "additionalProperties"), TEXT, "AccountBalance: a property may not become the attribute 'additional_properties'"),
    ((*MEMBERS, "fromDict"), TEXT, "AccountBalance: a property may not become the attribute 'from_dict'"),
    ((*MEMBERS, "maybe"), {**TEXT, "type": ["string", "null"]}, "maybe: the property is both optional and nullable"),
    ((*ROW, "required", 0), "acountAlias", "AccountBalance: required names no property: 'acountAlias'"),
    ((*ROW, "additionalProperties"), False, "AccountBalance: additionalProperties must be true"),
    ((*ROW, "properties"), {}, "AccountBalance: an object needs properties"),
    ((*ROW, "description"), ABSENT, "schemas.AccountBalance: description is missing"),
    ((*ROW, "type"), ["object", "null"], "AccountBalance: an object needs a name and may not be null"),
    ((*HEADER, "schema", "type"), "number", "headers.UsedWeight.schema: type 'number' loses digits"),
    ((*REFUSED, "content", "application/json", "schema"), {"type": "text"}, "unsupported type 'text'; supported: array, boolean"),
]  # fmt: skip
LEVELS: list[Place] = [
    (), ("info",), ("servers", 0), ("tags", 0), BALANCE, COMPONENTS, (*SCHEMES, "ApiKey"), WINDOW, REFUSED, HEADER, MEDIA,
    (*MEDIA, "examples", "empty"), ROW, UPDATED, (*MEMBERS, "balance"), (*BALANCE, "parameters", 0), ("x-error-codes", "-1021"),
]  # fmt: skip


def test_the_real_spec_has_no_finding() -> None:
    assert findings(DOCUMENT) == []


@pytest.mark.parametrize(("place", "value", "said"), BROKEN, ids=[said for _, _, said in BROKEN])
def test_a_broken_spec_is_refused_with_a_line_for_the_fault(
    place: Place, value: Any, said: str
) -> None:
    found = findings(changed(place, value))
    assert [line for line in found if said in line], found
    assert not [line for line in found if "\n" in line]


@pytest.mark.parametrize("level", LEVELS, ids=str)
@pytest.mark.parametrize("key", ["desciption", "x-wieght"])
def test_a_misspelt_key_is_refused_at_every_level(level: Place, key: str) -> None:
    assert f"unknown or unsupported key {key!r}" in " ".join(findings(changed((*level, key), "x")))


def test_no_schema_may_take_a_name_that_the_code_around_it_uses() -> None:
    used: set[str] = set()
    files = generate(wide_document())
    packages = ("api/account/balance.py", "api/market/account.py", "models/account.py")
    for path in ("__init__.py", "operations.py", *packages):
        for node in ast.walk(ast.parse(files[path])):
            if isinstance(node, ast.ImportFrom) and node.module and "models" not in node.module:
                used |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.ClassDef) and not path.startswith("models/"):
                used.add(node.name)
    assert {"Operation", "Decimal", "ResponseMismatch", "SyncOperations", "SyncMethods"} <= used
    for name in filter(lambda name: class_name(name) == name, used):
        said = f"schemas.{name}: a schema may not become the class {name!r}"
        assert [line for line in findings(changed((*SCHEMAS, name), OBJECT)) if said in line], name
