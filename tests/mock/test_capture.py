"""Test recorded responses: HAR files, the allow-list, scripts, and replay by the mock."""

from __future__ import annotations

import base64
import copy
import json
import string
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from binance_usdm.mock import Exchange, Reply
from binance_usdm.mock.capture.allow_list import AllowList
from binance_usdm.mock.capture.har import MAX_BYTES
from binance_usdm.mock.capture.script import (
    CapturedResponse,
    dump_script,
    load_captures,
    load_script,
    verify_script,
)
from binance_usdm.mock.capture.scrub import Scrubber
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

BODIES = json.loads((Path(__file__).parents[1] / "data" / "bodies.json").read_bytes())
KEY = "FakeKey012" * 6 + "Key0"
ALIAS, OTHER = "QmZtRkWpXsLnVbCd", "QmZtRkWpXsLnVbCe"
ADDRESS = "203.0.113.77"
ROW = {
    "accountAlias": ALIAS,
    "asset": "USDT",
    "balance": "1.10000000",
    "crossUnPnl": "-0.50",
    "marginAvailable": True,
    "updateTime": 1761955203004,
}
URL = f"https://fapi.binance.com{BALANCE_PATH}"
CLOCK_URL = f"https://fapi.binance.com{TIME_PATH}"
BAN = "Way too many requests; IP banned until 1761955203004. "
BAN += "Please use the websocket for live updates to avoid bans."

Entry = dict[str, Any]


def entry(body: Any, status: int = 200, headers: Any = (), url: str = URL, **content: Any) -> Entry:
    """Return a HAR entry. A body that is not a string is serialized."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "request": {"method": "GET", "url": url, "headers": [], "cookies": []},
        "response": {
            "status": status,
            "headers": [{"name": name, "value": value} for name, value in headers],
            "cookies": [],
            "content": {"text": text, **content},
        },
    }


def har(*entries: Entry) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def scrub(*entries: Entry) -> list[CapturedResponse]:
    with warnings.catch_warnings(action="ignore"):
        return load_captures(har(*entries))


def scrub_body(body: Any, status: int = 200) -> str:
    [captured] = scrub(entry(body, status))
    return captured.reply.body.decode()


def counts_of(*entries: Entry) -> str:
    """Return the report on what was left out."""
    with pytest.warns(UserWarning, match="^left out or replaced: ") as caught:
        load_captures(har(*entries))
    return str(caught[0].message).partition(": ")[2]


Place = Callable[[Entry, str], object]
"""Function that puts a string somewhere into an entry."""


def fill(template: str, text: str) -> Any:
    """Return a JSON value, with a string for each {} in its strings."""
    return json.loads(template.replace("{}", json.dumps(text)[1:-1]))


def as_json(template: str) -> Place:
    return lambda target, text: target["response"].update(
        content={"text": json.dumps(fill(template, text))}
    )


def as_text(template: str, codec: str = "utf-8") -> Place:
    def place(target: Entry, text: str) -> None:
        body = base64.b64encode(template.replace("{}", text).encode(codec)).decode()
        target["response"] |= {"status": 403, "content": {"text": body, "encoding": "base64"}}

    return place


def in_entry(template: str) -> Place:
    def place(target: Entry, text: str) -> None:
        for part, fields in fill(template, text).items():
            target[part] |= fields

    return place


def in_header(name: str, value: str) -> Place:
    def place(target: Entry, text: str) -> None:
        header = {"name": name.replace("{}", text), "value": value.replace("{}", text)}
        target["response"]["headers"].append(header)

    return place


def in_url(template: str) -> Place:
    return lambda target, text: target["request"].update(
        url=template.replace("{}", quote(text, safe="%"))
    )


PLACES: dict[str, Place] = {
    "user": in_url("https://{}:x@fapi.binance.com" + BALANCE_PATH),
    "host": in_url("https://{}.example" + BALANCE_PATH),
    "query": in_url(URL + "?a=1&signature={}"),
    "fragment": in_url(URL + "#{}"),
    "path": in_url("https://fapi.binance.com/fapi/v1/x{}"),
    "end of path": in_url(URL + "/x{}"),
    "method": in_entry('{"request":{"method":"GETx{}"}}'),
    "cookie header": in_entry('{"request":{"headers":[{"name":"Cookie","value":"a=b; c={}"}]}}'),
    "request header": in_entry('{"request":{"headers":[{"name":"{}","value":"{}"}]}}'),
    "cookies": in_entry('{"request":{"cookies":[{"name":"a"},{"name":"c","value":"{}"}]}}'),
    "query string": in_entry('{"request":{"queryString":[{"name":"{}","value":"{}"}]}}'),
    "posted JSON": in_entry('{"request":{"postData":{"text":"{\\"apiSecret\\":\\"{}\\"}"}}}'),
    "posted form": in_entry('{"request":{"postData":{"params":[{"name":"a","value":"{}"}]}}}'),
    "comments": in_entry('{"request":{"comment":"{}"},"response":{"comment":"{}","_a":["{}"]}}'),
    "status text": in_entry('{"response":{"statusText":"{}","redirectURL":"{}"}}'),
    "response cookies": in_entry('{"response":{"cookies":[{"name":"{}","value":"{}"}]}}'),
    "set-cookie": in_header("Set-Cookie", "a=b; Path=/, session={}"),
    "header name": in_header("X-{}", "1"),
    "header name end": in_header("Retry-After-{}", "1"),
    "location": in_header("Location", "/login?session={}"),
    "content type": in_header("Content-Type", "text/html; boundary={}"),
    "retry-after": in_header("Retry-After", "x{}"),
    "used weight": in_header("X-MBX-USED-WEIGHT-1M", "1x{}"),
    "field": as_json('[{"walletId":"{}","asset":"USDT"}]'),
    "field name": as_json('[{"x{}":1,"asset":"USDT"}]'),
    "nested": as_json('[{"a":[{"b":{"{}":[{"c":"{}"}]}}],"asset":"USDT"}]'),
    "alias": as_json('[{"accountAlias":"x{}","asset":"USDT"}]'),
    "alias object": as_json('[{"accountAlias":{"accountAlias":"{}"}}]'),
    "amount": as_json('[{"balance":"1x{}"}]'),
    "time": as_json('[{"updateTime":["{}"]}]'),
    "boolean": as_json('[{"marginAvailable":"true{}"}]'),
    "asset": as_json('[{"asset":"USDT {}"}]'),
    "item": as_json('[{"asset":"USDT"},"{}",["{}"]]'),
    "string": as_json('"{}"'),
    "object": as_json('{"x{}":"{}","data":[{"asset":"{}"}]}'),
    "message": as_json('{"code":-2015,"msg":"Invalid API-key {}"}'),
    "signature": as_json('{"code":-1022,"msg":"signature={}"}'),
    "parameter": as_json("""{"code":-1105,"msg":"Parameter 'x{}' was empty."}"""),
    "code": as_json('{"code":"x{}"}'),
    "ban": as_json(json.dumps({"code": -1003, "msg": BAN.replace("IP", "IP({})")})),
    "page": as_text("<!-- {} --><p title='{}'>{}</p>"),
    "XML": as_text("<accountAlias>{}</accountAlias>"),
    "JSONP": as_text('call([{"asset":"{}"}])'),
    "two values": as_text('[] "{}"'),
    "UTF-16": as_text('{"code":-2015,"msg":"x{}"}x', "utf-16"),
}
CODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: "".join(f"%{ord(each):02x}" for each in text),
    "double percent": lambda text: "".join(f"%25{ord(each):02X}" for each in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "entity": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "hex entity": lambda text: "".join(f"&#x{ord(each):x};" for each in text),
    "escaped": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "slash": lambda text: text[:9] + "\\/" + text[9:],
    "upper": str.upper,
    "reversed": lambda text: text[::-1],
}


def script_with(secret: str, places: list[str], encode: Callable[[str], str]) -> str:
    """Return the script of two responses, one with a secret at some places."""
    target = entry([ROW])
    for place in places:
        PLACES[place](target, encode(secret))
    return dump_script(scrub(entry([ROW]), target)).decode()


@pytest.mark.parametrize("place", PLACES)
def test_secrets_are_left_out(place: str) -> None:
    """A secret outside of what is kept changes no byte of a script, in whatever encoding."""
    for encode in CODINGS.values():
        script = script_with(KEY, [place], encode)
        assert not any(encode(KEY)[:12] in script for encode in CODINGS.values())
        assert script == script_with("AnotherKey" * 6, [place], encode)


SECRETS = st.text(string.ascii_letters + string.digits, min_size=12, max_size=64)


@settings(max_examples=150, deadline=None)
@given(
    SECRETS,
    SECRETS,
    st.lists(st.sampled_from(list(PLACES)), min_size=1, max_size=8),
    st.sampled_from(list(CODINGS)),
    st.sampled_from(list(CODINGS)),
)
def test_scripts_reveal_no_secret(
    secret: str, other: str, places: list[str], inner: str, outer: str
) -> None:
    """No secret at any place has an effect on a script, nor is it there in any encoding."""

    def encode(text: str) -> str:
        return CODINGS[outer](CODINGS[inner](text))

    assume(secret.lower() not in script_with("", [], str).lower())
    script = script_with(secret, places, encode)
    assert script == script_with(other, places, encode)
    assert not any(encode(secret) in script for encode in CODINGS.values())


@pytest.mark.parametrize("number", [987654321, 1234567890123])
def test_account_numbers_are_left_out(number: int) -> None:
    """A number is left out with the field that the spec does not have, or as a code."""
    row = {"accountId": number, "uid": str(number), "user": {"id": number}, "asset": "USDT"}
    assert scrub_body([row]) == '[{"asset":"USDT"}]'
    assert scrub_body({"code": number}, 400) == "{}"


def test_only_needed_parts_are_kept() -> None:
    """A script has method, path, status, some headers and the fields of the spec."""
    headers = [("Content-Type", "application/json;charset=UTF-8"), ("Server", "a")]
    row = {**ROW, "walletId": 5}
    script = dump_script(scrub(entry([row], headers=headers, url=f"{URL}?signature={KEY}")))
    assert json.loads(script) == [
        {
            "method": "GET",
            "path": BALANCE_PATH,
            "status": 200,
            "headers": [list(headers[0])],
            "body": json.dumps([{**ROW, "accountAlias": "fakeAccount1"}], separators=(",", ":")),
        }
    ]


@pytest.mark.parametrize(
    "header",
    [
        "content-type: text/html; charset=utf-8", "Content-Type: text/plain", "retry-after: 259200",
        "Date: Wed, 21 Oct 2026 07:27:32 GMT", "Retry-After: Wed, 21 Oct 2026 07:27:32 GMT",
        "X-MBX-USED-WEIGHT: 5", "x-mbx-used-weight-1m: 2400", "X-MBX-ORDER-COUNT-10S: 1",
    ],
)  # fmt: skip
def test_named_headers_are_kept(header: str) -> None:
    """A header that a client acts on is kept as it was."""
    [captured] = scrub(entry([], headers=[header.split(": ")]))
    assert b": ".join(captured.reply.headers[0]).decode() == header


@pytest.mark.parametrize(
    "header",
    [
        "Date: now", "Retry-After: 987654321", "Retry-After: 3\n", "Retry-After: \u0663",
        "Retry-After: 3\r\nSet-Cookie", "X-MBX-U\u017fED-WEIGHT: 1", "X-MBX-UUID: 1", "Via: a",
        "Content-Length: 9", "Content-Encoding: gzip", "Content-Type: application/xml",
    ],
)  # fmt: skip
def test_other_headers_are_left_out(header: str) -> None:
    """A header with another name or an unexpected value is left out."""
    [captured] = scrub(entry([], headers=[header.split(": ")]))
    assert captured.reply.headers == ()


@pytest.mark.parametrize("name", [body["name"] for body in BODIES["exact"]])
def test_recorded_bodies_are_kept(name: str) -> None:
    """Rows keep their order, fields and values; only the alias is another."""
    [body] = [body["body"] for body in BODIES["exact"] if body["name"] == name]
    known = load_packaged_spec()["components"]["schemas"]["AccountBalance"]["properties"]
    kept = [{name: value for name, value in row.items() if name in known} for row in body]
    expected = [{**row, "accountAlias": "fakeAccount1"} for row in kept]
    assert scrub_body(body) == json.dumps(expected, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    "value",
    [
        '"0.00000000"', '"-83909.14295616"', '"99999999999999999999999999.99999999"', '"0E-8"',
        '"000.10"', "1.50", "-0", "-0.0", "5.0E7", "1e5", "123456789012345678901234567890.10",
        '""', "null", "true", "0",
    ],
)  # fmt: skip
def test_amounts_are_exact(value: str) -> None:
    """An amount is kept as it was written, also where the spec has another type."""
    assert scrub_body(f'[ {{"balance" : {value}\n}} ]') == f'[{{"balance":{value}}}]'


@pytest.mark.parametrize(
    "asset", ["\u5e01\u5b89\u4eba\u751f", "U", "1000000MOG", "$", "", "LDUSDT"]
)
def test_assets_are_exact(asset: str) -> None:
    """The name of an asset is kept, in letters of any script."""
    assert scrub_body([{"asset": asset}]) == f'[{{"asset":"{asset}"}}]'
    assert scrub_body('[{"asset":"\\u5e01"}]') == '[{"asset":"\u5e01"}]'


def test_aliases_are_replaced_one_to_one() -> None:
    """An alias has one substitute throughout a file, and no two aliases have the same."""
    rows = [{"accountAlias": ALIAS}, {"accountAlias": OTHER}]
    first, second = scrub(entry(rows), entry(rows[1:]))
    first_row, second_row = json.loads(first.reply.body)
    assert first_row == {"accountAlias": "fakeAccount1"}
    assert second_row == {"accountAlias": "fakeAccount2"}
    assert json.loads(second.reply.body) == [second_row]


@pytest.mark.parametrize(("alias", "kept"), [('""', '""'), ("null", "null"), ("7", "1")])
def test_odd_aliases_keep_their_type(alias: str, kept: str) -> None:
    """A number has a number as its substitute. Null and an empty string identify no account."""
    assert scrub_body(f'[{{"accountAlias":{alias}}}]') == f'[{{"accountAlias":{kept}}}]'


def row_rules(document: Any) -> Any:
    rules: Any = AllowList(document).body_rules("GET", BALANCE_PATH, 200)
    return rules[0][0]


@pytest.mark.parametrize("name", ["accountId", "user_id", "UID", "email", "holder"])
def test_other_identifiers_are_replaced(name: str) -> None:
    """A field with the mark of the spec or with the name of an identifier is replaced."""
    document = copy.deepcopy(load_packaged_spec())
    properties: Any = document["components"]["schemas"]["AccountBalance"]["properties"]
    properties[name] = {"type": "integer", "x-identifies-account": name == "holder"}
    rules = row_rules(document)
    assert rules[name] == rules["accountAlias"] != rules["balance"]


def test_parts_of_a_schema_are_merged() -> None:
    """The fields of all parts of an `allOf` are kept."""
    document = copy.deepcopy(load_packaged_spec())
    schemas: Any = document["components"]["schemas"]
    more = {"properties": {"more": {"type": ["string", "null"]}, "odd": {}}}
    schemas["AccountBalance"] = {"allOf": [schemas["AccountBalance"], more]}
    rules = row_rules(document)
    assert list(rules) == [*row_rules(load_packaged_spec()), "more", "odd"]
    assert rules["more"] == rules["asset"] != rules["odd"] == rules["marginAvailable"]


@pytest.mark.parametrize(
    ("code", "message", "kept"),
    [
        (-1003, BAN, BAN),
        (-1003, BAN.replace("IP", f"IP({ADDRESS})"), BAN),
        (-1003, f"IP({ADDRESS}) banned until 1761955203004.", BAN),
        (-1003, f"IP banned until {ADDRESS}", "(message removed)"),
        (-1003, "IP banned until 2001:db8:51:9::4d", "(message removed)"),
        (-1003, "Your limit is 987654321 requests", "(message removed)"),
        (-1102, f"Mandatory parameter '{KEY}' was not sent", None),
        (
            -1102,
            "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
            "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
        ),
        (-2015, f"Invalid API-key, IP, or permissions for action, request ip: {ADDRESS}", None),
        (-2017, f"API Keys of {ALIAS} are locked", "API Keys are locked on this account."),
        (-5000, f"Path /fapi/{KEY}, Method GET is invalid", "(message removed)"),
        (-9999, f"Unknown {KEY}", "(message removed)"),
        (-1015, "Too many new orders; current limit is 10 orders per 9 x", "Too many new orders."),
        (-2015, "", ""),
    ],
)
def test_messages_are_those_of_the_spec(code: int, message: str, kept: str | None) -> None:
    """A message is one of the spec, with counts, times and names of parameters only."""
    if kept is None:
        kept = load_packaged_spec()["x-error-codes"][str(code)]["messages"][0]
    body = scrub_body({"code": code, "msg": message}, 400)
    assert json.loads(body) == {"code": code, "msg": kept}


def test_example_errors_are_kept() -> None:
    """Every error payload in the examples of the spec is kept with every status."""
    responses = load_packaged_spec()["components"]["responses"]
    media = [response["content"].get("application/json", {}) for response in responses.values()]
    payloads = [each["value"] for part in media for each in part.get("examples", {}).values()]
    assert len(payloads) > 10
    for url in (URL, CLOCK_URL):
        for status in (200, 202, 400, 503):
            captured = scrub(*(entry(payload, status, url=url) for payload in payloads))
            assert [json.loads(each.reply.body) for each in captured] == payloads


def test_dropped_parts_are_counted() -> None:
    """What is left out is reported by kind and number."""
    page = entry(f"<p>{KEY}</p>", 403, [("Retry-After", KEY), ("Server", KEY)])
    row = {**ROW, KEY: 1, "walletId": KEY, "balance": KEY}
    error = entry({"code": -2015, "msg": KEY}, 401)
    others = [entry(KEY, 101, url=url) for url in ("https://fapi.binance.com/a", f"data:,{KEY}")]
    assert counts_of(page, entry([row, KEY]), error, *others, entry("", 0)) == (
        "bodies: 1, entries of other paths: 2, entries without a response: 1, fields: 2, "
        "header values: 1, messages: 1, values: 2"
    )
    [captured] = scrub(page)
    assert captured.reply == Reply(403)


def test_scripts_are_deterministic() -> None:
    """The same file gives the same script, and no warning if nothing is left out."""
    source = har(entry([ROW, {**ROW, "accountAlias": OTHER}]))
    assert dump_script(load_captures(source)) == dump_script(
        load_captures(b"\xef\xbb\xbf" + source)
    )


def test_base64_bodies_are_read() -> None:
    """A body may be in base64."""
    text = base64.b64encode(json.dumps([ROW]).encode()).decode()
    assert scrub(entry(text, encoding="base64")) == scrub(entry([ROW]))


def test_ambiguous_bodies_are_left_out() -> None:
    """A body that parsers disagree about is left out."""
    for body in ('{"code":1,"code":2}', '{"code":NaN}', "[" * 200_000, '{"code":-Infinity}'):
        assert scrub_body(body, 400) == ""


SECRET_ENTRY = entry(KEY)
BAD: dict[str, bytes] = {
    "raw": b"HTTP/1.1 200 OK\r\n\r\n" + KEY.encode(),
    "no HAR": json.dumps({"log": [KEY]}).encode(),
    "no entries": har(),
    "no JSON": KEY.encode(),
    "not decoded": KEY.encode() + b"\xff",
    "too large": har(SECRET_ENTRY) + b" " * MAX_BYTES,
    "deep": b"[" * 200_000,
    "no response": har(entry(KEY, 0)),
    "other paths": har(entry(KEY, url=f"https://a/{KEY}")),
    "status": har(entry(KEY, 99)),
    "boolean status": har(entry(KEY, True)),
    "text status": har({**SECRET_ENTRY, "response": {"status": KEY}}),
    "url": har(entry(KEY, url="file:///" + KEY)),
    "start of url": har(entry(KEY, url="view-source:" + URL)),
    "request": har({**SECRET_ENTRY, "request": KEY}),
    "headers": har({**SECRET_ENTRY, "response": {"status": 200, "headers": KEY, "content": {}}}),
    "header": har({**SECRET_ENTRY, "response": {"status": 200, "headers": [KEY], "content": {}}}),
    "header value": har(entry(KEY, headers=[(KEY, 1)])),
    "no content": har({**SECRET_ENTRY, "response": {"status": 200, "headers": []}}),
    "no body": har(entry("", size=9)),
    "encoding": har(entry(KEY, encoding="rot13")),
    "base64": har(entry(KEY + "!", encoding="base64")),
    "surrogate": har(entry(KEY + "\ud800")),
}


@pytest.mark.parametrize("name", BAD)
def test_invalid_captures_are_rejected(name: str) -> None:
    """A file that cannot be read is rejected, and the error repeats none of it."""
    with pytest.raises(ValueError) as rejected:
        load_captures(BAD[name])
    error: BaseException | None = rejected.value
    assert type(error) is ValueError
    while error is not None:
        assert KEY not in f"{error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


GOOD: dict[str, Any] = {
    "method": "GET",
    "path": BALANCE_PATH,
    "status": 200,
    "headers": [["Retry-After", "1"]],
    "body": '[{"accountAlias":"fakeAccount1","asset":"USDT","balance":"1.0"},{}]',
}


def to_script(*rows: Any) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"}, {"method": None}, {"path": f"{BALANCE_PATH}/"}, {"path": None},
        {"path": TIME_PATH}, {"status": 404}, {"status": 199}, {"status": True},
        {"headers": [["Server", "a"]]}, {"headers": [["Retry-After", KEY]]},
        {"headers": [["Retry-After", "1", KEY]]}, {"headers": ["ab"]}, {"headers": {}},
        {"headers": [["X-MBX-U\u017fED-WEIGHT", "1"]]}, {"body": None},
        {"body": "<p>"}, {"body": f'"{KEY}"'}, {"body": "[ ]"}, {"body": "[]\n"},
        {"body": f'[{{"accountAlias":"{ALIAS}"}}]'}, {"body": '[{"accountAlias":"fakeAccountX"}]'},
        {"body": f'[{{"{KEY}":1}}]'}, {"body": f'[{{"asset":"{KEY}"}}]'},
        {"body": '[{"asset":"\\u0051"}]'}, {"body": f'[{{"balance":"{KEY}"}}]'},
        {"body": f'[{{"marginAvailable":"{KEY}"}}]'}, {"body": '[{"balance":{"a":1}}]'},
        {"body": f'{{"code":-1003,"msg":"{BAN} {KEY}"}}'}, {"body": "[{},]"}, {"body": "[{}"},
        {"more": KEY}, {KEY: 1},
    ],
    ids=str,
)  # fmt: skip
def test_verifier_rejects_all_else(change: dict[str, Any]) -> None:
    """A script with anything that the allow-list does not have is rejected."""
    verify_script(to_script(GOOD))
    verify_script(to_script(GOOD, {**GOOD, "body": f'{{"code":-1003,"msg":"{BAN}"}}'}))
    with pytest.raises(ValueError, match="response 2 has something") as rejected:
        verify_script(to_script(GOOD, {**GOOD, **change}))
    assert KEY not in str(rejected.value)


@pytest.mark.parametrize(
    "script",
    [
        to_script(GOOD) + KEY.encode(),
        to_script(GOOD) + b" ",
        json.dumps([GOOD]).encode(),
        to_script(GOOD).replace(b'"status": 200', b'"status": 500, "status": 200'),
        to_script(GOOD).replace(b"GET", b"\\u0047ET"),
        b'{"a":1}',
    ],
)
def test_verifier_rejects_other_bytes(script: bytes) -> None:
    """A script with bytes between or after its responses is rejected."""
    with pytest.raises(ValueError, match=r"not one of dump_script\(\)"):
        verify_script(script)


def test_scripts_are_loaded_again() -> None:
    """Loading gives back what was dumped."""
    error = {"code": -1003, "msg": BAN}
    captured = scrub(
        entry([ROW], headers=[("Retry-After", "1")]), entry(error, 418), entry("", 403)
    )
    assert [response.reply.code for response in captured] == [None, -1003, None]
    assert load_script(dump_script(captured)) == captured
    assert dump_script(load_script(dump_script(captured))) == dump_script(captured)


def test_earlier_scripts_are_loaded() -> None:
    """A script of an earlier version may lack method and path, and have any body."""
    row = {"method": None, "path": None, "status": 403, "headers": [["content-type", "a"]]}
    first, second = load_script(
        json.dumps([{**row, "body": "<p>"}, {**row, "body_base64": "6f8="}]).encode()
    )
    assert (first.method, first.path, first.reply.body) == (None, None, b"<p>")
    assert second.reply == Reply(403, ((b"content-type", b"a"),), b"\xe9\xff")


@pytest.mark.parametrize(
    "change",
    [
        {"method": "get"}, {"method": 1}, {"path": "a"}, {"path": "/a?b=c"}, {"path": "/a b"},
        {"path": 1}, {"status": 0}, {"status": 100}, {"status": 600}, {"status": True},
        {"status": "200"}, {"status": 200.0}, {"headers": {}}, {"headers": [["Retry-After"]]},
        {"headers": [["Retry-After", 1]]}, {"headers": ["ab"]},
        {"headers": [["Set-Cookie", "a"]]}, {"headers": [["Retry-After", "1\r\nSet-Cookie: a"]]},
        {"body": None}, {"body": 1}, {"body": "\ud800"}, {"body_base64": "QQ=="}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_scripts_are_validated(change: dict[str, Any]) -> None:
    """An invalid script is rejected with the number of the response."""
    assert load_script(json.dumps([GOOD]).encode())
    with pytest.raises(ValueError, match="response 2 of the script is not valid"):
        load_script(json.dumps([GOOD, {**GOOD, **change}]).encode())


@pytest.mark.parametrize(
    "script",
    [
        b"", b"{}", b"null", b"[", b"\xff", b"[" * 200_000, b" " * MAX_BYTES + b"[]",
        b'[{"a":1,"a":2}]', b"[1]", b"[{}]",
        json.dumps([{**GOOD, "body": 0}]).replace('"body": 0', '"body_base64": "QQ=!"').encode(),
        *(json.dumps([{key: GOOD[key] for key in GOOD if key != name}]).encode() for name in GOOD),
    ],
)  # fmt: skip
def test_invalid_scripts_are_rejected(script: bytes) -> None:
    """What is not a script is rejected, without the error of the JSON parser."""
    with pytest.raises(ValueError) as rejected:
        load_script(script)
    assert type(rejected.value) is ValueError
    assert rejected.value.__context__ is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, ((b"Set-Cookie", b"a"),)), Reply(99), Reply(200, (), b"[]", -1),
        Reply(200, (), b"\xff"), Reply(200, (), f'[{{"accountAlias":"{ALIAS}"}}]'.encode()),
    ],
)  # fmt: skip
def test_other_responses_are_not_dumped(reply: Reply) -> None:
    """A response that is not one of `load_captures` does not get into a script."""
    with pytest.raises(ValueError):
        dump_script([CapturedResponse("GET", BALANCE_PATH, reply)])


def test_failed_scrubbing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that scrubbing let through is found by the verifier."""
    monkeypatch.setattr(Scrubber, "scrub_body", lambda self, recorded: recorded.body.decode())
    with pytest.raises(ValueError, match="response 1 has something"):
        load_captures(har(entry([ROW])))


def test_capture_repr_is_short() -> None:
    """The repr of a capture has method, path and status only."""
    [captured] = scrub(entry([ROW]))
    assert repr(captured) == f"CapturedResponse(GET {BALANCE_PATH} 200)"
    assert repr(CapturedResponse(None, None, Reply(403))) == "CapturedResponse(- - 403)"


def test_mock_replays_captures() -> None:
    """The mock sends a captured response, or holds its body."""
    exchange = Exchange()
    [banned] = scrub(entry({"code": -1003, "msg": BAN}, 418, [("Retry-After", "7")], CLOCK_URL))
    exchange.fail(banned.reply)
    played = exchange.handle("GET", TIME_PATH.encode(), [])
    assert (played.status, played.body, played.code) == (418, banned.reply.body, -1003)
    assert (b"Retry-After", b"7") in played.headers
    [clock] = scrub(entry({"serverTime": 1761955203004}, url=CLOCK_URL))
    exchange.seed("server_time", clock.reply.body)
    assert exchange.handle("GET", TIME_PATH.encode(), []).body == b'{"serverTime":1761955203004}'
