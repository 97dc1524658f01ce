"""A response is converted exactly or rejected: the error names place and types, never a value.

On both clients.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from binance_usdm import UnexpectedResponse
from tests.support.clients import BODY, ROW, BlockingFacade, body_handler

ClientOf = Callable[..., BlockingFacade]
# It stands for private data in a response. As digits it is an amount too.
CANARY = "618033988749894"


def unexpected(client: BlockingFacade) -> tuple[tuple[int | str, ...], str, str]:
    with pytest.raises(UnexpectedResponse) as caught:
        client.balance()
    error = caught.value
    assert error.status == 200
    assert not any(CANARY in said for said in (str(error), repr(error), repr(vars(error))))
    return error.path, error.expected, error.found


def rows(*rows_: Any) -> bytes:
    return json.dumps(rows_).encode()


@pytest.mark.promise("S15")
@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<html>ok</html>", b"OK", BODY[:-1], BODY[: len(BODY) // 2], BODY + b"x",
        BODY + BODY, b"[1,]", b"[", b"]",
        BODY.replace(b"QmZt", b"Qm\xff"), BODY.replace(b"QmZt", b"Qm\xed\xa0\x80"),
        BODY.replace(b"QmZt", b"\\ud800"),
        b"\xef\xbb\xbf" + BODY, BODY.decode().encode("utf-16"), BODY.decode().encode("utf-32"),
        b"\0" + BODY, BODY + b"\0",
        BODY.replace(b"true", b"True"), BODY.replace(b'"', b"'"), BODY.replace(b"[", b"[/* */"),
        b"NaN", b"[Infinity]",
        BODY.replace(b"1762412880142", b"NaN"), BODY.replace(b"1762412880142", b"-Infinity"),
        BODY.replace(b"1762412880142", b"01"),
        b"[" * 40_000, b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
        gzip.compress(BODY),
    ],
)  # fmt: skip
def test_what_is_no_json_is_no_balance(client_of: ClientOf, body: bytes) -> None:
    assert unexpected(client_of(body_handler(body))) == ((), "a JSON text", "invalid JSON")


@pytest.mark.promise("R16")
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{}", "an object"), (b"null", "null"), (b'"[]"', "a string"), (b"0", "a number"),
        (b"1.5", "a number"), (b"false", "a boolean"),
        (b'{"data": []}', "an object"), (json.dumps(ROW).encode(), "an object"),
        (b'{"rows": [[]]}', "an object"), (b'"NaN"', "a string"),
    ],
)  # fmt: skip
def test_nothing_but_an_empty_list_is_an_empty_wallet(
    client_of: ClientOf, body: bytes, found: str
) -> None:
    assert unexpected(client_of(body_handler(body))) == ((), "an array", found)
    assert client_of(body_handler(b" [ ] \n")).balance() == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (None, "null"),
        ([], "an array"),
        (CANARY, "a string"),
        (int(CANARY), "a number"),
        (True, "a boolean"),
    ],
)
def test_a_row_that_is_no_object_is_named(client_of: ClientOf, row: Any, found: str) -> None:
    assert unexpected(client_of(body_handler(rows(ROW, ROW, row)))) == ((2,), "an object", found)


AMOUNT, TIME = "a decimal string", f"an integer from 0 to {2**63 - 1}"
EXPECTED = {
    "accountAlias": "a string", "asset": "a string", "balance": AMOUNT,
    "crossWalletBalance": AMOUNT, "crossUnPnl": AMOUNT,
    "availableBalance": AMOUNT, "maxWithdrawAmount": AMOUNT, "marginAvailable": "a boolean",
    "updateTime": TIME,
}  # fmt: skip
NO_PLAIN = "a string that is not a decimal number"
# Values by JSON type, each with a canary where possible.
ODD: dict[str, list[Any]] = {
    "null": [None],
    "a number": [float(CANARY), 0.5],
    "an array": [[CANARY], []],
    "an object": [{CANARY: CANARY}, {}],
}
NO_AMOUNT = ["", " ", "NaN", "Infinity", "-Infinity", "1_000", "1e40", "1E-40",
             "1e999999999", "+1", ".5", "5.",
 "--1", "0x1", "1,5", " 1", "1\n", "01",
             "-", "1.2.3", "٣", "１", CANARY + "x", "1" * 300 + "x", "\u2212" + CANARY,
             "null"]  # fmt: skip


@pytest.mark.parametrize(("field", "expected"), EXPECTED.items())
def test_a_field_of_the_wrong_kind_is_named_with_its_row_and_not_shown(
    client_of: ClientOf, field: str, expected: str
) -> None:
    assert set(EXPECTED) == set(ROW)
    kinds = {kind: [*values] for kind, values in ODD.items()}
    if expected == AMOUNT:
        kinds.update({NO_PLAIN: NO_AMOUNT, "a boolean": [True], "a number": [int(CANARY), 1.5, 0]})
    elif expected == TIME:
        kinds.update(
            {
                "a string": [CANARY, ""],
                "a boolean": [True, False],
                "an integer out of range": [-1, 2**63, -(2**63)],
            }
        )
        kinds["a number"] = [1.5, 1e3, 2**64, 10**300]
    else:
        kinds["a string" if expected == "a boolean" else "a boolean"] = (
            ["true"] if expected == "a boolean" else [True, False]
        )
        kinds["a number"] += [int(CANARY), 0, 1]
    for found, values in kinds.items():
        for value in values:
            body = rows(ROW, {**ROW, field: value})
            assert unexpected(client_of(body_handler(body))) == ((1, field), expected, found), value
    missing = {name: value for name, value in ROW.items() if name != field}
    assert unexpected(client_of(body_handler(rows(ROW, missing)))) == (
        (1, field),
        expected,
        "nothing",
    )
    misspelt = {**missing, field.upper() if field.upper() != field else field.lower(): ROW[field]}
    assert unexpected(client_of(body_handler(rows(ROW, misspelt)))) == (
        (1, field),
        expected,
        "nothing",
    )


@pytest.mark.promise("S15")
def test_a_member_that_comes_twice_is_refused_wherever_it_is(client_of: ClientOf) -> None:
    twice = "an object with a duplicate field"
    for member in (
        b'"balance": "12.50000000"',
        b'"new": 1',
        b'"new": {"a": 1, "a": 1}',
        b'"new": [{"a": 1, "\\u0061": 1}]',
    ):
        text = BODY.replace(b'"asset"', member + b', "asset"')
        text = text.replace(b'"asset"', member + b', "asset"') if b'"new": 1' in member else text
        assert unexpected(client_of(body_handler(text))) == ((), "a JSON text", twice), member
    colons = BODY.replace(b"QmZt", b"a:b:c").replace(b'"USDT"', b'"U:S"')
    assert client_of(body_handler(colons)).balance()[0].account_alias == "a:b:c"


@pytest.mark.promise("R17")
def test_unknown_members_and_odd_numbers_within_them_are_kept_exactly(client_of: ClientOf) -> None:
    text = BODY.replace(
        b'{"acc',
        b'{"new": 0.10000000000000000000000000000001, "big": 123456789012345678901234567890, "acc',
    )
    row = client_of(body_handler(text)).balance()[0]
    kept = {name: str(value) for name, value in row.additional_properties.items()}
    assert kept == {
        "new": "0.10000000000000000000000000000001",
        "big": "123456789012345678901234567890",
    }
    for number, found in (
        (b"1e-99999999999999999999", "a number that is out of range"),
        (b"1e999", "invalid JSON"),
    ):
        endless = BODY.replace(b'{"acc', b'{"new": ' + number + b', "acc')
        assert unexpected(client_of(body_handler(endless))) == ((), "a JSON text", found)
