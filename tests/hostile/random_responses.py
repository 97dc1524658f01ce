"""Random responses, mutated from the catalogue or made from the grammars of HTTP and JSON."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from typing import Any

from tests.hostile.catalogue import CATALOGUE
from tests.support.clients import BODY, ROW
from tests.support.raw_server import response_bytes

_WHOLE = [
    b"".join(step for step in one.steps if isinstance(step, bytes))
    for one in CATALOGUE
    if not callable(one.steps)
]
CORPUS = [whole for whole in _WHOLE if 0 < len(whole) < 4000]
BODIES = list(dict.fromkeys(whole.partition(b"\r\n\r\n")[2] for whole in CORPUS))
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\0", b"\xff", b" ", b":", b",", b"[", b"]", b"{", b"}", b'"', b"\\",
    b"\\u0000", b"\\ud800", b"null",
    b"true", b"NaN", b"-0", b"1e999",
    b"9" * 25, b"1.50", b"0x", b"chunked", b"gzip", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 C\r\n\r\n", b"Content-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n0\r\n\r\n", b"Content-Encoding: gzip\r\n", b"Retry-After: 9\r\n",
    b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
    b"Date: Wed, 21 Oct 2015 07:27:00 GMT\r\n",
    b'{"code":-1003,"msg":"banned until 1762412880142"}', b'"code":-1021,', b'"msg":"', b"-",
    b"\xe2\x80\xae", b"\x1b[31m", b"1" * 13,
    json.dumps(ROW).encode(),
]  # fmt: skip
RARE = (204, 301, 400, 403, 418, 429, 451, 500, 503, 999)
STATUSES = [*["200 OK"] * 17, *(f"{status} Word" for status in RARE)]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Return data with some mutations.

    A bit is flipped, or a piece is cut out, doubled, or replaced by a token or another piece.
    """
    draw = chance.random
    for _ in range(1 + int(draw() ** 3 * 8)):
        size = len(data)
        start = int(draw() * (size + 1))
        end = min(size, start + int(draw() ** 4 * 40))
        match int(draw() * 5):
            case 0 if start < size:
                data = b"%b%c%b" % (
                    data[:start],
                    data[start] ^ 1 << int(draw() * 8),
                    data[start + 1 :],
                )
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:end] + data[start:]
            case 3:
                other = CORPUS[int(draw() * len(CORPUS))]
                at = int(draw() * len(other))
                data = data[:start] + other[at : at + int(draw() ** 2 * 60)] + data[end:]
            case _:
                data = data[:start] + TOKENS[int(draw() * len(TOKENS))] + data[end:]
    return data


def grow_json(chance: random.Random, depth: int = 0) -> Any:
    """A value that JSON can hold, often a row of the balance with one or two odd members."""
    draw = chance.random()
    if depth == 0 and draw < 0.7:
        return [
            row | {chance.choice([*ROW, "new"]): grow_json(chance, 2)}
            if chance.random() < 0.5
            else row
            for row in [ROW] * chance.randint(0, 4)
        ]
    if draw < 0.2 and depth < 6:
        return [grow_json(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    if draw < 0.4 and depth < 6:
        return {
            chance.choice([*ROW, "code", "msg", "", "\ud800"]): grow_json(chance, depth + 1)
            for _ in range(chance.randint(0, 4))
        }
    sign, digits, rest = (
        chance.choice("-+0 "),
        chance.randrange(10 ** chance.randint(1, 30)),
        chance.choice(["", ".", ".5", ".00000000", "e3"]),
    )
    amount = f"{sign.strip()}{digits}{rest}"
    odd = [
        None, True, False, 0, -1, 2**63, 2**64, 10**30, 1.5, float("inf"), float("nan"), "", "USDT",
        "币", "\0", amount, amount, -1021, -1003,
    ]  # fmt: skip
    return chance.choice(odd)


def make_case(seed: int, number: int) -> bytes:
    """Return the case of a number: a mutated response, or a valid one with a random body."""
    chance = random.Random(seed << 40 | number)
    draw = chance.random()
    if draw < 0.4:
        return mutate(CORPUS[int(chance.random() * len(CORPUS))], chance)
    if draw < 0.7:
        body = mutate(
            BODY if chance.random() < 0.5 else BODIES[int(chance.random() * len(BODIES))], chance
        )
    else:
        body = json.dumps(grow_json(chance), ensure_ascii=chance.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )
        body = mutate(body, chance) if chance.random() < 0.3 else body
    fields = (
        [b"Retry-After: " + TOKENS[int(chance.random() * len(TOKENS))].strip()]
        if chance.random() < 0.1
        else []
    )
    if chance.random() < 0.1:
        packed = (
            gzip.compress(body, 1, mtime=0) if chance.random() < 0.5 else zlib.compress(body, 1)
        )
        body, fields = (
            packed,
            [*fields, b"Content-Encoding: " + chance.choice([b"gzip", b"deflate", b"br"])],
        )
    if chance.random() < 0.2:
        cut = int(chance.random() * (len(body) + 1))
        halves = b"".join(
            b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part
        )
        head = response_bytes(b"", *fields, status=chance.choice(STATUSES))
        return (
            head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            + halves
            + b"0\r\n\r\n"
        )
    return response_bytes(body, *fields, status=chance.choice(STATUSES))
