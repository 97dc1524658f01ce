"""Checks of the mock: keys of one account, where they may be used, and what rejects them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote

from binance_usdm.contract._cases.raw_requests import (
    T0,
    UNLIMITED,
    MakeExchange,
    send_query,
    status_and_code,
)
from binance_usdm.contract._mock_layer.basics import needs_basics
from binance_usdm.contract._mock_layer.callers import (
    FIRST,
    OTHER,
    OTHER_KEY,
    OTHER_SECRET,
    Caller,
    read_rejection,
)
from binance_usdm.contract._spec.error_messages import match_message
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, Switches

LISTED: Final = ("203.0.113.7", "198.51.100.64/26", "2001:db8::/32")
# Addresses, and whether the list above has them: both edges of each network.
ADDRESSES: Final = (
    *(("203.0.113.7", True), ("203.0.113.6", False), ("203.0.113.70", False)),
    *(("198.51.100.64", True), ("198.51.100.127", True)),
    *(("198.51.100.63", False), ("198.51.100.128", False)),
    *(("2001:db8::1", True), ("2001:db8:ffff:ffff::1", True), ("2001:db9::1", False)),
    *(("::ffff:203.0.113.7", True), ("::ffff:203.0.113.8", False), ("127.0.0.1", False)),
)
# Needed permission, those of a key, and whether it may read.
PERMISSIONS: Final[tuple[tuple[str | None, tuple[str, ...], bool], ...]] = (
    ("reading", ("reading",), True),
    ("reading", ("futures",), False),
    ("reading", (), False),
    ("reading", ("futures", "reading"), True),
    ("futures", ("futures",), True),
    ("futures", ("reading",), False),
    (None, (), True),
)


def account_belongs_to_its_keys(operation: Operation, make: MakeExchange) -> None:
    """All keys of an account read and set the same, each with its own secret."""
    if operation.key_header is None:
        return
    exchange, last = make(), operation.examples[-1]
    exchange.add_account("stranger-key", "stranger-secret")
    stranger = Caller("stranger-key", "stranger-secret")
    before = _body(exchange, operation, stranger)
    exchange.add_key(exchange.account, OTHER_KEY, OTHER_SECRET)
    assert _body(exchange, operation, OTHER) == _body(exchange, operation, FIRST)
    for key, value in ((OTHER_KEY, last), (None, []), (FIRST.key, operation.examples[0])):
        if isinstance(operation.examples[0], list) or value != []:
            exchange.seed(operation.id, value, key)
            for caller in (FIRST, OTHER):
                found = _body(exchange, operation, caller)
                assert found == value, f"{caller.key} after {key} was set"
    assert _body(exchange, operation, stranger) == before, "another account changed"
    for caller in (FIRST, OTHER) if operation.signature else ():
        wrong = replace(caller, secret=(FIRST if caller is OTHER else OTHER).secret)
        assert wrong.send(exchange, operation).status != 200, f"{caller.key} with another secret"


def addresses_of_a_key_hold(operation: Operation, make: MakeExchange) -> None:
    """A key with addresses is rejected from all others; a key without any is not."""
    if operation.key_header is None:
        return
    exchange = make()
    exchange.add_key(exchange.account, OTHER_KEY, OTHER_SECRET, addresses=LISTED)
    exchange.add_account("listed-key", "listed-secret", addresses=LISTED)
    rejected = _rejected(exchange, operation)
    for address, is_listed in ADDRESSES:
        expected = (200, None) if is_listed else rejected
        for caller in (OTHER, Caller("listed-key", "listed-secret")):
            reply = replace(caller, address=address).send(exchange, operation)
            assert status_and_code(reply) == expected, f"{caller.key} from {address}"
        reply = replace(FIRST, address=address).send(exchange, operation)
        assert reply.status == 200, f"a key without addresses, from {address}"


def permissions_of_a_key_hold(operation: Operation, make: MakeExchange) -> None:
    """A key without the permission that reading needs is rejected; others of its account are not."""
    for needed, permissions, is_allowed in PERMISSIONS if operation.key_header else ():
        exchange = make(switches=Switches(needed_permission=needed))
        exchange.add_key(exchange.account, OTHER_KEY, OTHER_SECRET, permissions=permissions)
        reply = OTHER.send(exchange, operation)
        expected = (200, None) if is_allowed else _rejected(exchange, operation)
        assert status_and_code(reply) == expected, f"{permissions}, needed {needed}"
        assert FIRST.send(exchange, operation).status == 200, "the account's first key"


def rejected_keys_look_alike(operation: Operation, make: MakeExchange) -> None:
    """Unknown keys and those not allowed here get one response, with the documented message."""
    if operation.key_header is None:
        return
    for address in (None, "203.0.113.99"):
        exchange = make(switches=Switches(caller_ip=address))
        exchange.add_key(exchange.account, "far-key", OTHER_SECRET, addresses=["198.51.100.1"])
        exchange.add_key(exchange.account, "blind-key", OTHER_SECRET, permissions=())
        for key in ("far-key", "blind-key", "no-such-key"):
            found = read_rejection(Caller(key, OTHER_SECRET).send(exchange, operation))
            assert found[:2] == (401, -2015), f"{key}: {found}"
            text, _, ip = found.message.partition(", request ip: ")
            assert ip == (address or ""), f"{key}: {found}"
            assert match_message(operation.document, found.code, text) == (), f"{key}: {found}"
        found = read_rejection(Caller("").send(exchange, operation))
        assert found[:2] == (401, -2014), f"no key: {found}"
        assert match_message(operation.document, found.code, found.message) == (), f"{found}"


def functions_verify_signatures(operation: Operation, make: MakeExchange) -> None:
    """A function instead of a secret gets the signed bytes and the decoded signature, and decides."""
    if operation.signature is None:
        return
    payload, digits = operation.query(T0), "00FFab"
    for is_hex, sent, expected in (
        (False, "aB%2B%2F9%3D%3D", "aB+/9=="),
        (False, digits, digits),
        (True, digits, base64.b64encode(bytes.fromhex(digits)).decode()),
    ):
        exchange = make(switches=replace(UNLIMITED, hex_of_any_key=is_hex))
        for key, is_valid in (("yes-key", True), ("no-key", False)):
            calls: list[Any] = []
            verify = partial(_note_call, calls, is_valid)
            exchange.add_account(key, verify)
            query = f"{payload}&{operation.signature}={sent}"
            reply = send_query(exchange, operation, query, key)
            right = (200, None) if is_valid else (400, -1022)
            assert status_and_code(reply) == right, f"{key}: {reply}"
            # Others are tried to find out what is wrong.
            assert (payload.encode(), expected) in calls, f"{sent}: {calls[:1]}"


def public_keys_verify_signatures(operation: Operation, make: MakeExchange) -> None:
    """A signature of a private key is accepted for its query, and for no other one."""
    if operation.signature is None:
        return
    exchange, payload = make(), operation.query(T0)
    for name, (pem, sign_bytes) in make_private_keys().items():
        exchange.add_account(f"{name}-key", pem)
        for what, signed, expected in (
            ("its query", payload, (200, None)),
            ("another query", f"{payload}&", (400, -1022)),
        ):
            text = quote(base64.b64encode(sign_bytes(signed.encode())), safe="")
            query = f"{payload}&{operation.signature}={text}"
            reply = send_query(exchange, operation, query, f"{name}-key")
            assert status_and_code(reply) == expected, f"{name}, {what}: {reply}"


def unopened_accounts_follow_the_switch(operation: Operation, make: MakeExchange) -> None:
    """An account without futures has rows, no rows, or is rejected; other accounts have theirs."""
    example = operation.examples[0]
    expected: dict[Any, tuple[int, int | None, bool]] = {
        "rows": (200, None, example == []),
        "empty": (200, None, isinstance(example, list)),
        "refused": (400, -4109, False),
    }
    for unopened, (status, code, is_empty) in expected.items() if operation.key_header else ():
        exchange = make(switches=Switches(unopened=unopened))
        exchange.add_account(OTHER_KEY, OTHER_SECRET, opened=False)
        reply = OTHER.send(exchange, operation)
        assert status_and_code(reply) == (status, code), f"{unopened}: {reply.body!r}"
        assert (reply.body == b"[]") == is_empty, f"{unopened}: {reply.body!r}"
        assert _body(exchange, operation, FIRST) == example, f"{unopened}"


CHECKS: Final = tuple(
    needs_basics(check)
    for check in (
        account_belongs_to_its_keys,
        addresses_of_a_key_hold,
        permissions_of_a_key_hold,
        rejected_keys_look_alike,
        functions_verify_signatures,
        public_keys_verify_signatures,
        unopened_accounts_follow_the_switch,
    )
)


def _body(exchange: Exchange, operation: Operation, caller: Caller) -> Any:
    reply = caller.send(exchange, operation)
    assert reply.status == 200, f"{caller.key}: {reply.status}"
    return json.loads(reply.body)


def _rejected(exchange: Exchange, operation: Operation) -> tuple[int, int | None]:
    """Return status and code for an unknown key."""
    return status_and_code(Caller("no-such-key").send(exchange, operation))


def _note_call(calls: list[Any], result: bool, payload: bytes, signature: str) -> bool:
    calls.append((payload, signature))
    return result


@cache
def make_private_keys() -> dict[str, tuple[bytes, Callable[[bytes], bytes]]]:
    """Return, by algorithm, the PEM of a new public key and what signs with its private one.

    Without the package cryptography, which the mock needs for them too, there is none.
    """
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    except ImportError:
        return {}
    ed, rsa_key = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    sha256 = (padding.PKCS1v15(), hashes.SHA256())
    return {
        "ed25519": (ed.public_key().public_bytes(*form), ed.sign),
        "rsa": (
            rsa_key.public_key().public_bytes(*form),
            lambda payload: rsa_key.sign(payload, *sha256),
        ),
    }
