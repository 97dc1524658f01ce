"""Bodies that a server can send with a 200: encodings, invalid JSON, wrong fields, errors, size."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from binance_usdm import (
    AuthenticationError,
    BadRequestError,
    IPBannedError,
    RateLimitError,
    ServerError,
    TimestampError,
    UnexpectedResponse,
)  # fmt: skip
from tests.hostile.server_behavior import (
    GOOD,
    MALFORMED,
    MIB,
    NO_JSON,
    VALUE,
    Expected,
    family,
    mismatch,
    rows,
)
from tests.support.clients import BODY, NOW, ROW
from tests.support.raw_server import response_bytes

AMOUNT, TIME, TEXT = "a decimal string", f"an integer from 0 to {2**63 - 1}", "a string"
EXPECTED = {
    "accountAlias": TEXT, "asset": TEXT, "balance": AMOUNT, "crossWalletBalance": AMOUNT,
    "crossUnPnl": AMOUNT, "availableBalance": AMOUNT,
    "maxWithdrawAmount": AMOUNT, "marginAvailable": "a boolean", "updateTime": TIME,
}  # fmt: skip


def packed(pieces: Iterable[bytes], wbits: int = 31) -> bytes:
    """Compress without holding what is compressed: 31 is gzip, 15 zlib, -15 bare deflate."""
    packer = zlib.compressobj(9, wbits=wbits)
    return b"".join([packer.compress(piece) for piece in pieces] + [packer.flush()])


def bomb(piece: bytes, times: int, wbits: int = 31) -> bytes:
    """Return a stream that unpacks to `count` pieces. Its check sum is wrong.

    Its blocks are independent, so one is made and repeated.
    """
    packer = zlib.compressobj(9, wbits=wbits)
    first, block = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + block * (times - 1) + packer.flush()


def body(content: bytes, *fields: bytes) -> bytes:
    return response_bytes(content, *fields)


def encoded(name: bytes, content: bytes) -> bytes:
    return response_bytes(content, b"Content-Encoding: " + name)


def row(**changed: Any) -> bytes:
    return response_bytes(json.dumps([{**ROW, **changed}], ensure_ascii=False).encode())


def second_row(changed: dict[str, Any]) -> bytes:
    return response_bytes(json.dumps([ROW, changed]).encode())


def member(text: bytes) -> bytes:
    """The good row with one more member, as text."""
    return response_bytes(BODY.replace(b"[{", b"[{" + text + b", "))


ZIPPED = gzip.compress(BODY)
WRONG_SUM = ZIPPED[:-8] + bytes([ZIPPED[-8] ^ 1]) + ZIPPED[-7:]
BOMB, DEFLATED_BOMB = bomb(b"[" * MIB, 80), bomb(b" " * MIB, 64, 15)
PART, BEYOND, UNKNOWN = (
    mismatch(found, expected)
    for found, expected in (
        ("incomplete data or bytes after its end", "a body in gzip"),
        ("more", f"at most {4 * MIB} bytes"),
        ("an unknown content encoding", "a body as requested"),
    )
)  # fmt: skip
NO_GZIP = mismatch("invalid data", "a body in gzip")

ENCODINGS = family({
    "gzip": (encoded(b"gzip", ZIPPED), GOOD),
    "gzip with blanks around": (encoded(b" GZip ", ZIPPED), GOOD),
    "gzip in capitals": (encoded(b"GZIP", ZIPPED), GOOD),
    "x-gzip": (encoded(b"x-gzip", ZIPPED), GOOD),
    "deflate": (encoded(b"deflate", zlib.compress(BODY)), GOOD),
    "identity": (encoded(b"identity", BODY), GOOD),
    "an empty encoding": (encoded(b"", BODY), GOOD),
    "bare deflate": (encoded(b"deflate", packed([BODY], -15)),
        mismatch("invalid data", "a body in deflate")),
    "br": (encoded(b"br", b"\x0b\x02\x80[]\x03"), UNKNOWN),
    "zstd": (encoded(b"zstd", b"\x28\xb5\x2f\xfd\x20\x02\x11\0\0[]"), UNKNOWN),
    "a zstd bomb": (encoded(b"zstd",
        b"\x28\xb5\x2f\xfd\xa4" + b"\0\0\0\x10" + b"\x02\0\x10\0" * 9000), UNKNOWN),
    "compress": (encoded(b"compress", BODY), UNKNOWN),
    "dcb": (encoded(b"dcb", BODY), UNKNOWN),
    "an encoding of 300 kB": (encoded(b"x" * 300_000, BODY), UNKNOWN),
    "an encoding that is no ASCII": (encoded(b"\xff", BODY), UNKNOWN),
    "identity and gzip": (encoded(b"identity, gzip", ZIPPED), UNKNOWN),
    "gzip twice in one field": (encoded(b"gzip, gzip", gzip.compress(ZIPPED)), UNKNOWN),
    "gzip in two fields": (response_bytes(gzip.compress(ZIPPED), b"Content-Encoding: gzip",
        b"Content-Encoding: gzip"), UNKNOWN),
    "gzip within gzip": (encoded(b"gzip", gzip.compress(ZIPPED)), NO_JSON),
    "gzip without a header": (body(ZIPPED), NO_JSON),
    "gzip that is none": (encoded(b"gzip", BODY), NO_GZIP),
    "gzip cut by a byte": (encoded(b"gzip", ZIPPED[:-1]), PART),
    "gzip cut in its head": (encoded(b"gzip", ZIPPED[:5]), PART),
    "gzip and garbage": (encoded(b"gzip", ZIPPED + b"garbage"), PART),
    "gzip in two members": (encoded(b"gzip", gzip.compress(BODY[:99]) + gzip.compress(BODY[99:])),
        PART),
    "gzip with a wrong check sum": (encoded(b"gzip", WRONG_SUM), NO_GZIP),
    "an empty body in gzip": (encoded(b"gzip", b""), PART),
    "nothing in gzip": (encoded(b"gzip", gzip.compress(b"")), NO_JSON),
    "a gzip bomb of 80 MiB": (encoded(b"gzip", BOMB), BEYOND),
    "an x-gzip bomb of 80 MiB": (encoded(b"x-gzip", BOMB),
        mismatch("more", f"at most {4 * MIB} bytes")),
    "a deflate bomb of 64 MiB": (encoded(b"deflate", DEFLATED_BOMB), BEYOND),
    "a bomb before the balance": (encoded(b"gzip",
        bomb(b" " * MIB, 64)[:-10] + packed([BODY], -15)), BEYOND),
    "a bomb within a bomb": (encoded(b"gzip", gzip.compress(BOMB)), NO_JSON),
    "a refusal as a bomb": (response_bytes(BOMB, b"Content-Encoding: gzip", status="500 No"),
        (ServerError, 500, None, "", None)),
}, kept=True)  # fmt: skip

TEXTS = family({
    "an empty wallet": (body(b"[]"), (list, [])),
    "an empty wallet with blanks": (body(b" [\t]\r\n"), (list, [])),
    **{f"no JSON: {name}": (body(content), NO_JSON) for name, content in {
        "empty": b"", "line ends": b"\r\n\r\n", "an end without a start": b"]",
        "a start without an end": b"[", "a comma and no row": b"[1,]",
        "blanks": b" \r\n\t ", "a byte order mark": b"\xef\xbb\xbf" + BODY,
        "UTF-16": BODY.decode().encode("utf-16"),
        "UTF-32 with a mark": BODY.decode().encode("utf-32"),
        "UTF-32": BODY.decode().encode("utf-32-le"), "Latin-1": BODY.replace(b"QmZt", b"Qm\xe9t"),
        "a raw surrogate": BODY.replace(b"Zt", b"\xed\xa0\x80"),
        "an escaped surrogate": BODY.replace(b"Zt", b"\\ud800"),
        "overlong UTF-8": BODY.replace(b"Zt", b"\xc0\xaf"),
        "a NUL before": b"\0" + BODY,
        "a NUL after": BODY + b"\0", "a NUL in a text": BODY.replace(b"Zt", b"\0"),
        "a line end in a text": BODY.replace(b"Zt", b"\n"),
        "NaN": b"[NaN]", "Infinity": b"[Infinity]", "minus Infinity": b"-Infinity",
        "1e999": b"[1e999]", "1e400": b'{"a":1e400}', "deep": b'{"a":{"b":-Infinity}}',
        "a plus": b"+1", "no digit before the point": b".5", "no digit after the point": b"1.",
        "a tab in a text": b'"\t"', "half an escaped pair": b'{"a":{"b":"\\udc00"}}',
        "40 000 arrays, unclosed": b"[" * 40_000,
        "a page": b"<html><body>ok</body></html>",
        "a word": b"OK", "half of it": BODY[: len(BODY) // 2], "all but a byte": BODY[:-1],
        "twice": BODY + BODY,
        "lines": BODY + b"\n" + BODY + b"\n",
        "a comment within": BODY.replace(b"[", b"[/* */"),
        "a comment": BODY + b"// that is all", "single quotes": BODY.replace(b'"', b"'"),
        "a comma after the row": BODY[:-1] + b",]",
        "a comma after the member": BODY[:-2] + b",}]", "True": BODY.replace(b"true", b"True"),
        "a name without quotes": BODY.replace(b'"asset"', b"asset"),
        "a leading zero": BODY.replace(b"1762", b"01762"),
        "a hex number": BODY.replace(b"1762412880142", b"0x19a"),
        "an escape that is none": BODY.replace(b"Zt", b"\\x41"),
        "501 arrays deep": b"[" * 501 + b"]" * 501,
        "501 objects deep": b'{"a":' * 501 + b"1" + b"}" * 501,
        "2000 arrays deep": b"[" * 2000 + b"]" * 2000,
        "2000 objects deep": b'{"a":' * 2000 + b"1" + b"}" * 2000,
        "1000 arrays deep, unclosed": b"[" * 1000, "a callback": b"callback(" + BODY + b")",
        "a guard": b")]}',\n" + BODY,
        "events": b"data: " + BODY + b"\n\n", "bytes of a picture": bytes(range(256)) * 40,
    }.items()},
    "500 arrays deep": (body(b"[" * 500 + b"]" * 500), mismatch("an array", "an object", 0)),
    **{f"100 000 {name} deep": (body(content), mismatch("more", "at most 50000 values"))
       for name, content in {
        "arrays": b"[" * 100_000 + b"]" * 100_000,
        "objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    }.items()},
    **{f"no array: {text[:9].decode()}": (body(text), mismatch(found, "an array"))
       for text, found in {
        b"{}": "an object", b'""': "a string", b"null": "null", b"true": "a boolean",
        b"0": "a number", b"1.5": "a number",
        b"false": "a boolean", b'"NaN"': "a string", b'{"rows": [[]]}': "an object",
        b'{"data": []}': "an object",
        json.dumps(ROW).encode(): "an object", b'"[]"': "a string",
    }.items()},
    **{f"no row: {text.decode()}": (body(b"[" + text + b"]"), mismatch(found, "an object", 0))
       for text, found in {
        b"null": "null", b"[]": "an array", b"[[]]": "an array", b'"USDT"': "a string",
        b"1": "a number", b"false": "a boolean",
        b"-0": "a number", b"1e3": "a number",
    }.items()},
    "a page called JSON": (body(b"<html>", b"Content-Type: application/json"), NO_JSON),
    "a second row that is null": (body(BODY[:-1] + b",null]"), mismatch("null", "an object", 1)),
    "a member 501 levels deep": (member(b'"new": ' + b"[" * 499 + b"]" * 499), NO_JSON),
    "a member 5000 levels deep": (member(b'"new": ' + b"[" * 5000 + b"]" * 5000), NO_JSON),
    "a member twice": (member(b'"asset": "BNB"'), mismatch("an object with a duplicate field")),
    "an unknown member twice": (member(b'"a": 1, "a": 1'),
        mismatch("an object with a duplicate field")),
    "a member twice, once escaped": (member(b'"\\u0061sset": "BNB"'),
        mismatch("an object with a duplicate field")),
    "a member twice one level down": (member(b'"new": {"a": 1, "a": 2}'),
        mismatch("an object with a duplicate field")),
    "a member twice two levels down": (member(b'"new": [{"a": {"b": 1, "b": 1}}]'),
        mismatch("an object with a duplicate field")),
    "an exponent without bounds": (member(b'"new": 1e-99999999999999999999'),
        mismatch("a number that is out of range")),
}, kept=True)  # fmt: skip

NO_DECIMAL = "a string that is not a decimal number"
# By what is expected: what is found, and values of it. VALUE may not show in any error.
NULL, LISTS, OBJECTS = [None], [[VALUE], []], [{VALUE: VALUE}, {}]
NUMBERS, BOOLEANS = [0, 1, 0.5, int(VALUE), float(VALUE)], [True, False]
WRONG: dict[str, dict[str, list[Any]]] = {
    TEXT: {"a number": NUMBERS, "a boolean": BOOLEANS},
    "a boolean": {"a string": ["true", VALUE], "a number": NUMBERS},
    TIME: {"a string": [VALUE, ""], "a boolean": BOOLEANS, "a number": [1.5, 1e3, 2**64, 10**300],
           "an integer out of range": [-1, 2**63, -(2**63)]},
    AMOUNT: {"a number": NUMBERS, "a boolean": BOOLEANS, NO_DECIMAL: [
        "", " ", " 1", "1 ", "1\n", "+1", "1.", ".5", "-.5", "5.", "1_000", "1,000", "12,5", "01",
        "0x1", "NaN", "Infinity", "-Infinity", "-", "--1", "1.2.3", "1e40", "1E-40", "1e999999999",
        "1e", "١٢", "٣", "１", "−1", "1\0", "null", VALUE + "x", "1" * 300 + "x", "-00", "00.1", ",",
        "1,2", "e3", "1e+", "1e1.5", ".5e1", "5.e1", "+1e1", "01e1", "1e1_0", "1e٣", "1 e3", "1e 3",
        "-1E+40", "1e-40", "1.5E-39", "0E-40", "1e99", "1e100", "1e-999999999", "0e999999999",
        "-1E-99999999999999999999", "nan", "sNaN", "-inf", "1．0", "1٣", "1.٣", "1\u00a0", "½"]},
}  # fmt: skip
NO_NUMBER = mismatch(NO_DECIMAL, AMOUNT, 0, "balance")
MEMBERS = family({
    **{f"no {name}": (body(json.dumps([{k: v for k, v in ROW.items() if k != name}]).encode()),
                      mismatch("nothing", expected, 0, name))
       for name, expected in EXPECTED.items()},
    **{f"{name} is {kind}": (row(**{name: values[0]}), mismatch(kind, expected, 0, name))
       for name, expected in EXPECTED.items() for kind, values in WRONG[expected].items()},
    **{f"the exact amount {text!r}": (row(balance=text), rows(balance=text))
       for text in ("0", "-0", "-0.00000000", "0.00000001", "9" * 40 + "." + "9" * 40)},
    **{f"the exponent {text!r}": (row(balance=text), rows(balance=plain)) for text, plain in {
        "5.0E7": "50000000", "0E-8": "0.00000000", "-1.5e+3": "-1500"}.items()},
    "the time of 300 digits": (body(BODY.replace(b"1762412880142", b"9" * 300)),
        mismatch("a number", TIME, 0, "updateTime")),
    # Beyond the range of a double.
    "the time of 5000 digits": (body(BODY.replace(b"1762412880142", b"9" * 5000)), NO_JSON),
    "the time -0": (body(BODY.replace(b"1762412880142", b"-0")), rows(updateTime=0)),
    "the latest time": (row(updateTime=2**63 - 1), rows(updateTime=2**63 - 1)),
    "an amount of 900 000 digits": (row(balance="9" * 900_000), rows(balance="9" * 900_000)),
    "900 000 digits and a letter": (row(balance="9" * 900_000 + "x"), NO_NUMBER),
    "unknown members": (row(new=1, newer={"a": [None, True]}, newest="x"),
        rows(new=1, newer={"a": [None, True]}, newest="x")),
    "an unknown integer of 300 digits": (member(b'"new": ' + b"9" * 300),
        rows(new=Decimal("9" * 300))),
    "an unknown integer of 5000 digits": (member(b'"new": ' + b"9" * 5000), NO_JSON),
    "an unknown number of 32 digits": (member(b'"new": 0.10000000000000000000000000000001'),
        rows(new=Decimal("0.10000000000000000000000000000001"))),
    "a member without a name": (row(**{"": ""}), rows(**{"": ""})),
    "a member called self": (row(self=1, __class__="x"), rows(self=1, __class__="x")),
    "an asset in Chinese": (row(asset="币安人生"), rows(asset="币安人生")),
    "an asset of emoji": (row(asset="🚀\u200d🌕"), rows(asset="🚀\u200d🌕")),
    "an asset from right to left": (row(asset="\u202eTDSU"), rows(asset="\u202eTDSU")),
    "an escaped NUL in a text": (row(asset="a\0b"), rows(asset="a\0b")),
    "an escaped pair": (body(BODY.replace(b"USDT", b"\\ud83d\\ude80")), rows(asset="🚀")),
    "an asset of 900 kB": (row(asset="é" * 450_000), rows(asset="é" * 450_000)),
    "an empty text": (row(asset=""), rows(asset="")),
}, kept=True)  # fmt: skip
NEVER_RIGHT: dict[str, list[Any]] = {"null": NULL, "an array": LISTS, "an object": OBJECTS}
# For the reader alone: every wrong value in every field of a second row.
WRONG_VALUES = family({
    f"{name} is {value!r:.40}": (
        second_row({**ROW, name: value}), mismatch(kind, expected, 1, name))
    for name, expected in EXPECTED.items()
    for kind, values in {**NEVER_RIGHT, **WRONG[expected]}.items()
    for value in values
}, kept=True) + family({
    f"{name} is called {name.swapcase()}": (
        second_row({**{key: ROW[key] for key in ROW if key != name}, name.swapcase(): ROW[name]}),
        mismatch("nothing", expected, 1, name))
    for name, expected in EXPECTED.items()
}, kept=True)  # fmt: skip
BAN_SECONDS = 300.0
BAN = (
    f"Way too many requests; IP banned until {NOW + int(BAN_SECONDS * 1000)}. "
    "Please use the websocket for live updates to avoid bans."
)


def error_body(
    kind: type, code: int | None, message: str = "no", *held: float | None
) -> tuple[bytes, Expected]:
    return body(json.dumps({"code": code, "msg": message}).encode()), (
        kind,
        200,
        code,
        message,
        *held,
    )


DISGUISED = family({
    "200 with -1000": error_body(ServerError, -1000),
    "200 with -1003": error_body(RateLimitError, -1003),
    "200 with -1021": error_body(TimestampError, -1021),
    "200 with -1022": error_body(AuthenticationError, -1022),
    "200 with -1102": error_body(BadRequestError, -1102),
    "200 with 0": error_body(BadRequestError, 0),
    "200 with a ban": error_body(IPBannedError, -1003, BAN, BAN_SECONDS),
    "200 with an unknown code": error_body(BadRequestError, -987654),
    "200 with a code and no message": (body(b'{"code": -1021}'),
        (TimestampError, 200, -1021, "", None)),
    "200 with a code and a message that is null": (body(b'{"code": -1021, "msg": null}'),
        (TimestampError, 200, -1021, "", None)),
    "200 with -2**63": error_body(BadRequestError, -(2**63)),
    "200 that says ok": (body(b'{"code": 200, "msg": "success"}'),
        mismatch("an object", "an array")),
    "200 with a null code": (body(b'{"code": null, "msg": "no"}'),
        mismatch("an object", "an array")),
    "200 with a code of text": (body(b'{"code": "-1021", "msg": "no"}'),
        mismatch("an object", "an array")),
    "200 with a code of a fraction": (body(b'{"code": -1021.0, "msg": "no"}'),
        mismatch("an object", "an array")),
    "200 with a code that is true": (body(b'{"code": true, "msg": "no"}'),
        mismatch("an object", "an array")),
    "200 with a message alone": (body(b'{"msg": "Service Unavailable."}'),
        mismatch("an object", "an array")),
    "200 with two codes": (body(b'{"code": -1, "code": -1021, "msg": "no"}'),
        mismatch("an object with a duplicate field")),
    "200 with a refusal in an array": (body(b'[{"code": -1021, "msg": "no"}]'),
        mismatch("nothing", TEXT, 0, "accountAlias")),
}, kept=True)  # fmt: skip


def fill(piece: bytes, size: int = MIB - 200) -> bytes:
    return b"[" + piece * ((size - 4) // len(piece)) + b"0]"


COSTLY = family({
    **{f"a MiB of {piece.decode()}": (body(fill(piece)), (UnexpectedResponse, 200))
       for piece in (b"[],", b"{},", b'{"":0},', b"0.1,", b"1e9,", b"1,", b'"",', b"null,")},
    "a MiB of members": (
        body(b"{" + b",".join(b'"%x":0' % number for number in range(100_000)) + b"}"),
        (UnexpectedResponse, 200)),
    **{f"4 MiB of {piece.decode()} in gzip": (
        encoded(b"gzip", packed([fill(piece, 4 * MIB)])), (UnexpectedResponse, 200))
       for piece in (b"[],", b"{},", b"0.1,")},
    "a refusal of 1 MiB of [],": (response_bytes(fill(b"[],"), status="503 No"),
        (ServerError, 503, None, "", None)),
    "exactly 4 MiB of blanks around the balance": (encoded(b"gzip",
        packed([BODY, b" " * (4 * MIB - len(BODY))])), GOOD),
    "8000 headers and one of them again": (response_bytes(BODY,
        *(b"X-%d: y" % number for number in range(8000)), b"x-1: z"), GOOD),
    "4 MiB and a byte in gzip": (encoded(b"gzip", packed([BODY, b" " * (4 * MIB + 1 - len(BODY))])),
        BEYOND),
}, kept=True) + family({
    "130 000 headers": (response_bytes(BODY, *(b"A:b1",) * 130_000), MALFORMED),
})  # fmt: skip
IN_THE_BODY = {"encodings": ENCODINGS, "texts": TEXTS, "members": MEMBERS, "disguised": DISGUISED}
