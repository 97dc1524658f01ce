"""Test recorded responses: reading HAR and raw HTTP, scrubbing, scripts, and replay by the mock."""

from __future__ import annotations

import base64
import gzip
import json
import re
import string
import zlib
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from binance_usdm.mock import Exchange, Reply
from binance_usdm.mock.capture.readers import MAX_BYTES
from binance_usdm.mock.capture.script import (
    CapturedResponse,
    contains_identifiers,
    dump_script,
    load_captures,
    load_script,
)

KEY = "MadeUpKey0" * 6 + "Key0"
PROOF = "0badc0de" * 8
ALIAS, OTHER = "QmZtRkWpXsLnVbCd", "QmZtRkWpXsLnVbCe"
COOKIE = "fake-session-271828"
ADDRESS, SIX = "203.0.113.77", "2001:db8:51:9::4d"
ROWS = (
    f'[{{"accountAlias": "{ALIAS}",\t"asset":"USDT","balance":"1.10000000",'
    '"crossUnPnl":-0.50 ,"updateTime":1761955203004},'
    f'\n {{"asset":"\\u5e01\\/","accountAlias" :"{OTHER}","balance":"12345678.10"}}]'
)
OURS = ("Content-Type", "application/json")


def entry(
    body: str = ROWS, status: int = 200, sent: tuple[tuple[str, str], ...] = (OURS,), **content: Any
) -> dict[str, Any]:
    asked = [
        ("X-MBX-APIKEY", KEY),
        ("Cookie", f"theme=dark; session={COOKIE}"),
        ("X-Forwarded-For", ADDRESS),
    ]
    query = f"timestamp=1761955203004&signature={PROOF}"
    url = f"https://user:fake-password@fapi.binance.com/fapi/v3/balance?{query}"
    pairs = [[{"name": name, "value": value} for name, value in each] for each in (asked, sent)]
    return {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "serverIPAddress": ADDRESS,
        "request": {
            "method": "GET",
            "url": url,
            "headers": pairs[0],
            "cookies": [],
            "queryString": [],
        },
        "response": {
            "status": status,
            "headers": pairs[1],
            "cookies": [],
            "content": {"text": body, **content},
        },
    }


def har(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries or [entry()]}}).encode()


def body_of(source: bytes) -> bytes:
    [capture] = load_captures(source)
    return capture.reply.body


def raw(body: bytes, *headers: str, end: str = "\r\n", first: str = "HTTP/1.1 200 OK") -> bytes:
    return end.join([first, *headers, "", ""]).encode() + body


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n%X;part=2\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (
        3,
        body[:3],
        len(body) - 3,
        body[3:],
    )


def test_aliases_are_replaced_one_to_one() -> None:
    """Only aliases are replaced, and different accounts keep different aliases."""
    scrubbed = body_of(har()).decode()
    made = re.findall(r'"accountAlias" ?: ?"([A-Za-z]{16})"', scrubbed)
    assert len(set(made)) == 2
    assert not {ALIAS, OTHER} & set(made)
    assert scrubbed == ROWS.replace(ALIAS, made[0]).replace(OTHER, made[1])


def test_fake_aliases_are_never_real_ones() -> None:
    """A fake alias is never the real alias of another account."""
    rows = [{"accountAlias": alias} for alias in ("Quux", "aaab", "AAAC", "aaad")]
    made = [row["accountAlias"] for row in json.loads(body_of(har(entry(json.dumps(rows)))))]
    assert made == ["aaae", "aaaf", "aaag", "aaah"]


def test_base64_signatures_are_replaced() -> None:
    """A base64 signature is found in its plain and in its percent-encoded form."""
    asked = entry(
        json.dumps({"msg": "refused: bWFkZS11cA+/xyz== and bWFkZS11cA%2B%2Fxyz%3D%3D"}), 400
    )
    asked["request"]["url"] = (
        "https://fapi.binance.com/fapi/v3/balance?signature=bWFkZS11cA%2B%2Fxyz%3D%3D"
    )
    assert json.loads(body_of(har(asked)))["msg"] == f"refused: {'a' * 16}b and {'a' * 24}b"


def test_an_alias_has_one_substitute_throughout_a_file() -> None:
    first, second = load_captures(
        har(entry(), entry(json.dumps({"msg": f"account {ALIAS} is locked", "code": -2017}), 401))
    )
    [made, _] = re.findall(rb'"accountAlias" ?: ?"(\w+)"', first.reply.body)
    assert json.loads(second.reply.body) == {
        "msg": f"account {made.decode()} is locked",
        "code": -2017,
    }
    assert second.reply.code == -2017


def test_what_only_requests_hold_is_no_limit_to_their_number() -> None:
    entries = [entry("[]") for _ in range(1100)]
    for number, each in enumerate(entries):
        each["request"]["headers"].append({"name": "Cookie", "value": f"a=cookie-{number}"})
    assert len(load_captures(har(*entries))) == 1100


def test_only_needed_parts_are_kept() -> None:
    """Method and path of a request are kept, and the headers that a client acts on."""
    kept = (
        OURS,
        ("retry-after", "3"),
        ("X-MBX-USED-WEIGHT-1M", "5"),
        ("x-mbx-order-count-10S", "1"),
    )
    dropped = (
        *(
            ("Set-Cookie", f"session={COOKIE}"),
            ("Date", "now"),
            ("Via", ADDRESS),
            ("X-MBX-UUID", "a"),
            ("Server", "b"),
        ),
        *(
            ("Content-Encoding", "gzip"),
            ("Content-Length", "9"),
            ("X-MBX-U\u017fED-WEIGHT", "1"),
            ("retry-after", "\x01"),
        ),
    )
    [capture] = load_captures(har(entry(sent=kept + dropped)))
    assert (capture.method, capture.path, capture.reply.status) == ("GET", "/fapi/v3/balance", 200)
    assert capture.reply.headers == tuple((name.encode(), value.encode()) for name, value in kept)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            f"IP({ADDRESS}) banned until 1761955203004.",
            r"IP\(192\.0\.2\.\d+\) banned until 1761955203004\.",
        ),
        (f"request ip: {ADDRESS}", r"request ip: 192\.0\.2\.\d+"),
        (f"request ip:{SIX}.", r"request ip:2001:db8::\d+\."),
        ("from ::ffff:198.51.100.9:443", r"from 2001:db8::\d+:443"),
        ("from 2001:db8:1:2:3:4:198.51.100.9", r"from 2001:db8::\d+"),
        ("from fe80:0:0:0:1:2:3:4", r"from 2001:db8::\d+"),
        (f"/fapi?signature={PROOF.upper()}&a=1", r"/fapi\?signature=0{63}1&a=1"),
        (f"key {KEY}x", r"key a{64}b"),
        (f"a {'Zy9' * 22} b", r"a a{65}b b"),
        ("mail some.one+x@mail.example.net, please", r"mail person1@example\.com, please"),
        ("mail some.one%40mail.invalid", r"mail person1@example\.com"),
        (f"a {'Zy9x' * 16} b", r"a a{63}b b"),
        (
            "2001:db8:: and 2001:db8::1 and 192.0.2.1",
            r"2001:db8::2 and 2001:db8::3 and 192\.0\.2\.2",
        ),
        ("mail so***@mail.invalid", r"mail person1@example\.com"),
        (f"session {COOKIE} ended; fake-password", r"session a{18}b ended; a{12}b"),
        ('{\\"uid\\":\\"Quux\\"}', r'\{\\"uid\\":\\"aaab\\"\}'),
        ("listen_key=abc, Api-Key: null", r"listen_key=aab, Api-Key: null"),
    ],
)
def test_identifiers_in_text_are_replaced(text: str, shape: str) -> None:
    """Identifiers are found in any text by their shape or by the name before them."""
    assert re.fullmatch(f"<p>{shape}</p>", body_of(har(entry(f"<p>{text}</p>"))).decode())
    assert re.fullmatch(shape, json.loads(body_of(har(entry(json.dumps({"msg": text})))))["msg"])


def test_amounts_and_times_are_kept() -> None:
    """Amounts, times and numbers are not mistaken for identifiers."""
    body = (
        '{"userId":123456,"balance":"123456.50","other":"0.123456","many":"'
        + "1" * 80
        + '","time":1123456,"x":"1.2.3"}'
    )
    assert body_of(har(entry(body))).decode() == body.replace(
        '"userId":123456,', '"userId":111112,'
    )


@pytest.mark.parametrize(
    "value", ['"x"', '"a b"', '"\\u0051mZ\\u0074"', "7", '{"deep":["x",{"y":"QmZt"}]}', '"USD-T"']
)
def test_short_and_escaped_identifiers_are_replaced(
    value: str,
) -> None:
    """A short or escaped identifier is replaced, and the body stays JSON."""
    for name in ("accountAlias", "ACCOUNT_ALIAS", "account\\u0041lias", "userId"):
        body = f'{{"asset":"\\u0051","{name}" : {value}, "b":[]}}'
        made = body_of(har(entry(body))).decode()
        head, tail = body.split(value)
        assert made.startswith(head)
        assert made.endswith(tail)
        meant, left = json.loads(value), json.loads(made[len(head) : -len(tail)])
        assert type(left) is type(meant)
        assert left != meant


def test_constants_are_not_identifiers() -> None:
    """Null, booleans, empty strings and negative numbers are not identifiers."""
    body = '{"accountAlias":null,"uid":-1,"email":"","userId":true,"accountId":1.5}'
    assert body_of(har(entry(body))).decode() == body


TEXTS = st.text(string.ascii_lowercase + ' ,:;/()-_"\\\u5e01\u00e9', max_size=12).filter(
    lambda text: text.count(":") < 2
)
ALIASES = st.text(string.ascii_letters, min_size=8, max_size=16).filter(
    lambda text: len(set(text.lower())) > 4
)
KEYS = st.text(string.ascii_letters + string.digits, min_size=64, max_size=64).filter(
    lambda text: not text.isdigit()
)
FOURS = st.ip_addresses(v=4).map(str)
SIXES = (
    st.ip_addresses(v=6)
    .map(str)
    .filter(lambda text: text != "::" and not text.startswith("2001:db8:"))
)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans())
def test_only_identifiers_are_replaced(data: Any, ascii_only: bool) -> None:
    """Identifiers are replaced wherever they occur, and all other bytes stay equal."""
    alias, key = data.draw(ALIASES), data.draw(KEYS)
    four, six = data.draw(FOURS), data.draw(SIXES)
    shapes = {
        alias: rf"[a-zA-Z]{{{len(alias)}}}",
        key: "[0-9a-zA-Z]{64}",
        four: r"192\.0\.2\.\d{1,3}",
        six: "2001:db8::[0-9a-f]+",
    }
    words = data.draw(st.lists(st.sampled_from(list(shapes)), max_size=6))
    texts = [data.draw(TEXTS) for _ in range(len(words) + 1)]
    others = "".join([key, "accountAlias", *texts])
    # The alias must not be drawn as a text or a part of a name too.
    assume(alias.lower() not in others.lower())
    written = [json.dumps(f"|{text}|", ensure_ascii=ascii_only)[1:-1] for text in texts]
    shape = re.escape(written[0]) + "".join(
        shapes[word] + re.escape(text) for word, text in zip(words, written[1:], strict=True)
    )
    said = written[0] + "".join(word + text for word, text in zip(words, written[1:], strict=True))
    asked = entry(
        f'{{"msg":"{said}", "accountAlias":"{alias}"}}',
        sent=(("Retry-After", f"1 {key} {four} {alias}"),),
    )
    [capture] = load_captures(har(asked))
    assert re.fullmatch(
        rf'{{"msg":"{shape}", "accountAlias":"{shapes[alias]}"}}', capture.reply.body.decode()
    )
    [(_, value)] = capture.reply.headers
    assert re.fullmatch(rf"1 {shapes[key]} {shapes[four]} {shapes[alias]}", value.decode())
    for secret in {alias, key, four, six} - {"192.0.2.1", "192.0.2.2"}:
        if len(secret) > 7:
            assert secret.lower() not in (capture.reply.body + value).decode().lower()


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize(
    "first", ["HTTP/1.1 418 I'm a teapot", "HTTP/2 418", "HTTP/2 418 ", "HTTP/1.0 418 x"]
)
def test_a_raw_reply_is_read_as_curl_prints_it(first: str, end: str) -> None:
    body = f'{{"code":-1003,"msg":"IP({ADDRESS}) banned until 1761955203004."}}\n'.encode()
    [capture] = load_captures(
        raw(body, "Retry-After: 120", f"set-cookie: a={COOKIE}; Secure", end=end, first=first)
    )
    assert (capture.method, capture.path) == (None, None)
    assert capture.reply == Reply(
        418, ((b"Retry-After", b"120"),), body.replace(ADDRESS.encode(), b"192.0.2.1"), -1003
    )


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("Content-Encoding: gzip", gzip.compress),
        ("content-encoding: deflate", zlib.compress),
        ("content-encoding: deflate", lambda body: zlib.compress(body)[2:-4]),
        ("Transfer-Encoding: chunked", chunked),
        (
            "Transfer-Encoding: chunked\r\nContent-Encoding: gzip",
            lambda body: chunked(gzip.compress(body)),
        ),
        # curl decodes both, and still prints the headers.
        ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip", bytes),
        ("Content-Encoding: br", bytes),
    ],
)
def test_raw_bodies_are_decoded(coding: str, pack: Any) -> None:
    """Transfer and content codings of a raw body are decoded, unless curl decoded them."""
    assert body_of(raw(pack(ROWS.encode()), coding)) == body_of(har())


def test_a_har_body_may_be_base64_and_other_bytes_than_utf8() -> None:
    body = f'{{"accountAlias":"{ALIAS}","msg":"caf'.encode() + b'\xe9"'
    found = body_of(har(entry(base64.b64encode(body).decode(), encoding="base64")))
    assert found == body.replace(ALIAS.encode(), b"a" * 15 + b"b")
    in_base64 = har(entry(base64.b64encode(body).decode(), encoding="base64"))
    (loaded,) = load_script(dump_script(load_captures(in_base64)))
    assert loaded.reply.body == found


def test_a_bom_in_front_of_a_har_is_no_harm() -> None:
    assert load_captures(b"\xef\xbb\xbf" + har()) == load_captures(har())


def test_entries_without_response_are_skipped() -> None:
    """HAR entries without a response are left out, with a warning."""
    with pytest.warns(UserWarning, match="1 entries of the HAR have no response"):
        assert len(load_captures(har(entry("", 0), entry()))) == 1
    with pytest.raises(ValueError, match="no response"):
        load_captures(har(entry("", 0)))


@pytest.mark.parametrize("where", ["/fapi/v1/listenKey/" + KEY, f"/of/{ALIAS}/x"])
def test_a_path_is_scrubbed_too(where: str) -> None:
    asked = entry()
    asked["request"]["url"] = f"https://fapi.binance.com{where}?a=1#b"
    [capture] = load_captures(har(asked))
    assert KEY not in (capture.path or KEY)
    assert ALIAS not in (capture.path or ALIAS)


BAD: dict[str, bytes] = {
    "verbose": b"> GET /fapi/v3/balance?signature=" + PROOF.encode() + b"\n< HTTP/1.1 200 OK\n\n[]",
    "no HAR": json.dumps({"log": [KEY]}).encode(),
    "no entries": har(entry()).replace(b'"entries"', b'"pages"'),
    "no JSON": KEY.encode(),
    "not decoded": KEY.encode() + b"\xff",
    "too large": har() + b" " * MAX_BYTES,
    "deep HAR": b"[" * 200_000,
    "deep body": har(entry("[" * 200_000)),
    "status": har(entry(status=99)),
    "boolean status": har(entry(status=True)),
    "method": har({**entry(), "request": {**entry()["request"], "method": "get " + KEY}}),
    "url": har({**entry(), "request": {**entry()["request"], "url": "file:///" + KEY}}),
    "path": har({**entry(), "request": {**entry()["request"], "url": f"https://a/b c/{KEY}"}}),
    "headers": har({**entry(), "request": {**entry()["request"], "headers": [KEY]}}),
    "header": har(
        {**entry(), "request": {**entry()["request"], "headers": [{"name": 1, "value": KEY}]}}
    ),
    "header list": har({**entry(), "request": {**entry()["request"], "headers": KEY}}),
    "posted": har({**entry(), "request": {**entry()["request"], "postData": [KEY]}}),
    "no text": har(entry(KEY, size=9, text=None)),
    "encoding": har(entry(KEY, encoding="rot13")),
    "base64": har(entry(KEY + "!", encoding="base64")),
    "surrogate": har(entry(KEY + "\ud800")),
    "binary": har(entry(base64.b64encode(gzip.compress(KEY.encode())).decode(), encoding="base64")),
    "cut gzip": raw(gzip.compress(ROWS.encode())[:-9], "Content-Encoding: gzip"),
    "unknown coding": raw(b"\x0b\x00" + KEY.encode(), "Content-Encoding: br"),
    "bomb": raw(gzip.compress(bytes(MAX_BYTES + 1)), "Content-Encoding: gzip"),
    "cut chunk": raw(b"5\r\nabcde\r\n9\r\nabc", "Transfer-Encoding: chunked"),
    "two replies": raw(raw(KEY.encode())),
    "interim": raw(b"", first="HTTP/1.1 100 Continue"),
    "no end": b"HTTP/1.1 200 OK\r\nX-A: " + KEY.encode(),
    "folded": raw(b"", "X-A: 1", " " + KEY),
    "long identifier": har(entry(json.dumps({"accountAlias": "x" * 1025}))),
    "too many": har(
        entry(json.dumps([{"accountAlias": f"alias{number}"} for number in range(1001)]))
    ),
    "no substitute left": har(entry(json.dumps([{"uid": number} for number in range(1, 10)]))),
    "IPv4 used up": har(entry(" ".join(f"10.0.{number}.1" for number in range(255)))),
    "percent": har(entry(json.dumps({"accountAlias": ALIAS, "msg": "%51" + ALIAS[1:]}))),
}


@pytest.mark.parametrize("name", BAD)
def test_invalid_captures_are_rejected(name: str) -> None:
    """A file that cannot be read or scrubbed is rejected, and the error repeats none of it."""
    with pytest.raises(ValueError) as refused:
        load_captures(BAD[name])
    error: BaseException | None = refused.value
    assert type(error) is ValueError
    while error is not None:
        shown = f"{error!r} {vars(error)}"
        assert not any(secret in shown for secret in (KEY, PROOF, ALIAS, ADDRESS, "alias1", "10.0"))
        error = error.__cause__ or error.__context__


def test_capture_repr_is_short() -> None:
    """The repr of a capture has method, path and status only."""
    [capture], [bare] = load_captures(har()), load_captures(raw(b"[]"))
    assert (repr(capture), repr(bare)) == (
        "CapturedResponse(GET /fapi/v3/balance 200)",
        "CapturedResponse(- - 200)",
    )


@pytest.mark.parametrize(
    "source",
    [
        har(),
        har(entry(), entry("<html>", 403)),
        raw(b"[]"),
        raw(b""),
        raw(b"\xe9\xff", "Retry-After:"),
    ],
)
def test_a_script_gives_back_exactly_what_went_in(source: bytes) -> None:
    made = load_captures(source)
    assert load_script(dump_script(made)) == made
    assert dump_script(load_script(dump_script(made))) == dump_script(made)
    assert not contains_identifiers(dump_script(made), source)


def test_a_script_is_text_to_read_in_a_diff() -> None:
    [row] = json.loads(dump_script(load_captures(har(entry("[]")))))
    assert row == {
        "method": "GET",
        "path": "/fapi/v3/balance",
        "status": 200,
        "headers": [list(OURS)],
        "body": "[]",
    }


@pytest.mark.parametrize(
    "left",
    [
        ALIAS, OTHER, KEY, KEY.lower(), PROOF, PROOF.upper(), ADDRESS, COOKIE, "fake-password",
        "\\u0051" + ALIAS[1:], "\\\\u0051" + ALIAS[1:], "%51" + ALIAS[1:],
        ADDRESS.replace(".", "\\u002e"),
    ],
)  # fmt: skip
def test_a_script_with_anything_left_of_the_owner_is_told(left: str) -> None:
    kept = CapturedResponse("GET", "/", Reply(200, (), f'["{left}"]'.encode()))
    assert contains_identifiers(dump_script([kept]), har())
    assert contains_identifiers(
        dump_script(
            [CapturedResponse("GET", "/", Reply(200, ((b"Retry-After", left.encode()),), b"[]"))]
        ),
        har(),
    )
    assert not contains_identifiers(
        dump_script(
            [
                CapturedResponse(
                    "GET", "/", Reply(200, (), b'["USDT", "theme=dark", "1761955203004"]')
                )
            ]
        ),
        har(),
    )


GOOD: dict[str, Any] = {
    "method": "GET",
    "path": "/a",
    "status": 200,
    "headers": [["Retry-After", "1"]],
    "body": "[]",
}


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
        *(
            b"",
            b"{}",
            b"null",
            b"[",
            b"\xff",
            b"[" * 200_000,
            b" " * MAX_BYTES + b"[]",
            b'[{"a":1,"a":2}]',
            b"[1]",
            b"[{}]",
        ),
        json.dumps([{**GOOD, "body": 0}]).replace('"body": 0', '"body_base64": "QQ=!"').encode(),
        *(
            json.dumps([{key: value for key, value in GOOD.items() if key != name}]).encode()
            for name in GOOD
        ),
    ],
)
def test_what_is_no_script_is_refused(script: bytes) -> None:
    with pytest.raises(ValueError) as refused:
        load_script(script)
    assert type(refused.value) is ValueError
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "reply", [Reply(200, ((b"Set-Cookie", b"a"),)), Reply(99), Reply(200, (), b"[]", -1)]
)
def test_no_script_is_made_of_what_was_not_captured(reply: Reply) -> None:
    with pytest.raises(ValueError):
        dump_script([CapturedResponse("GET", "/", reply)])


def test_the_mock_plays_and_holds_what_was_captured() -> None:
    exchange, [capture] = (
        Exchange(),
        load_captures(har(entry('{"code":-1003,"msg":"too many"}', 429, (("Retry-After", "7"),)))),
    )
    exchange.fail(capture.reply)
    played = exchange.handle("GET", b"/fapi/v1/time", [])
    assert (played.status, played.body, played.code) == (
        429,
        b'{"code":-1003,"msg":"too many"}',
        -1003,
    )
    assert (b"Retry-After", b"7") in played.headers
    exchange.seed("server_time", body_of(har(entry('{"serverTime": 1761955203004}'))))
    assert exchange.handle("GET", b"/fapi/v1/time", []).body == b'{"serverTime": 1761955203004}'
