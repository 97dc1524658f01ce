"""Test accounts and keys of all types, the skewed clock, weight by address, and reset."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from binance_usdm import Client
from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Exchange,
    ManualClock,
    Reply,
    Switches,
)
from tests.support.signed_requests import PATH, T0, send_query, sign_query
from tests.support.spec_facts import BALANCE_WEIGHT, TIME_PATH

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
SIGN: dict[str, Any] = {
    "Ed25519": (ED25519, ED25519.sign),
    "RSA": (RSA, lambda payload: RSA.sign(payload, padding.PKCS1v15(), hashes.SHA256())),
}


def make_pem(private: Any) -> bytes:
    public: bytes = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public


def by(kind: str, query: str = f"timestamp={T0}", form: str = "base64") -> str:
    raw = SIGN[kind][1](query.encode())
    signature = quote(base64.b64encode(raw), safe="") if form == "base64" else raw.hex()
    return f"{query}&signature={signature}"


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(clock=ManualClock(T0))


# -- keys


@pytest.mark.parametrize("kind", SIGN)
@pytest.mark.promise("M1")
def test_a_public_key_opens_for_its_private_key_alone(exchange: Exchange, kind: str) -> None:
    exchange.add_account("asymmetric", make_pem(SIGN[kind][0]), balance=[])
    good = by(kind)
    assert send_query(exchange, good, "asymmetric").body == b"[]"
    other = "RSA" if kind == "Ed25519" else "Ed25519"
    for query in (
        by(other),
        sign_query(),
        f"timestamp={T0}&signature=",
        good.replace(f"{T0}", f"{T0 + 1}"),
        good[:-6],
    ):
        assert send_query(exchange, query, "asymmetric").status == 400


@pytest.mark.promise("M20")
def test_hex_for_keys_of_other_kinds_is_a_switch(exchange: Exchange) -> None:
    exchange.add_account("asymmetric", make_pem(ED25519))
    assert send_query(exchange, by("Ed25519", form="hex"), "asymmetric").code == -1022
    exchange.switches = Switches(hex_of_any_key=True)
    payload, _, proof = by("Ed25519", form="hex").partition("&signature=")
    for form in (proof, proof.upper()):
        assert send_query(exchange, f"{payload}&signature={form}", "asymmetric").status == 200
    assert send_query(exchange, by("Ed25519"), "asymmetric").status == 200, (
        "base64 goes on being right"
    )


def test_unsupported_public_keys_are_rejected(exchange: Exchange) -> None:
    """A public key of an unsupported type, and a PEM without one, are rejected."""
    with pytest.raises(ValueError, match="Ed25519 or RSA"):
        exchange.add_account("p256", make_pem(ec.generate_private_key(ec.SECP256R1())))
    for no_key in (
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"a-hostname\n",
    ):
        with pytest.raises(ValueError, match="use what `openssl pkey -in FILE -pubout` prints"):
            exchange.add_account("none", no_key)
    assert send_query(exchange, key="p256").code == -2015


def test_several_keys_open_one_account(exchange: Exchange) -> None:
    account = exchange.add_account("first-of-two", "its secret", balance=[])
    exchange.add_key(account, "second-of-two", make_pem(ED25519))
    exchange.seed("balance", b"[ ]", api_key="second-of-two")
    assert send_query(exchange, sign_query(secret="its secret"), "first-of-two").body == b"[ ]"
    assert send_query(exchange, by("Ed25519"), "second-of-two").body == b"[ ]"
    with pytest.raises(ValueError, match="already"):
        exchange.add_key(account, "first-of-two", "another secret")


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ((), "203.0.113.9", 200),
        (("203.0.113.9",), "203.0.113.9", 200),
        (("203.0.113.9", "2001:db8::/32"), "2001:db8::7", 200),
        (("203.0.113.0/24",), "203.0.113.255", 200),
        (("203.0.113.9",), "203.0.113.8", 401),
        (("2001:db8::/32",), "203.0.113.9", 401),
    ],
)
def test_a_key_is_used_from_the_addresses_on_its_list_only(
    exchange: Exchange, allowed: tuple[str, ...], address: str, status: int
) -> None:
    exchange.add_account("listed", "its secret", addresses=allowed)
    reply = send_query(exchange, sign_query(secret="its secret"), "listed", address)
    assert (reply.status, reply.code) == (status, None if status == 200 else -2015)
    assert status == 200 or address in exchange.requests[-1].refusal


def test_invalid_addresses_add_no_account(exchange: Exchange) -> None:
    """An invalid address list is rejected before the account is added."""
    with pytest.raises(ValueError, match="not a string of 8 characters"):
        exchange.add_account("listed", "its secret", addresses=["nonsense"])
    assert send_query(exchange, key="listed").code == -2015


@pytest.mark.parametrize("needed", ["reading", "futures", None])
def test_a_key_needs_the_permission_that_is_switched(
    exchange: Exchange, needed: str | None
) -> None:
    exchange.switches = Switches(needed_permission=needed)
    for permission in ("reading", "futures"):
        exchange.add_account(permission, "its secret", permissions=[permission])
        reply = send_query(exchange, sign_query(secret="its secret"), permission)
        assert (reply.status == 200) == (needed in (permission, None))
        assert reply.code in (None, -2015)
    with pytest.raises(ValueError, match="reading, futures"):
        exchange.add_account("ticked", "its secret", permissions=["withdrawals"])


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [("rows", 200, None), ("empty", 200, None), ("refused", 400, -4109)],
)
@pytest.mark.promise("M21")
def test_what_an_account_without_futures_sees_is_a_switch(
    exchange: Exchange, switch: Any, status: int, code: int | None
) -> None:
    exchange.switches = Switches(unopened=switch)
    exchange.add_account("unopened", "its secret", opened=False)
    reply = send_query(exchange, sign_query(secret="its secret"), "unopened")
    assert (reply.status, reply.code) == (status, code)
    assert (reply.body == b"[]") == (switch == "empty")
    assert send_query(exchange).body not in (b"[]", reply.body if code else b""), (
        "others see what they saw"
    )


# -- clock


def shown_text(exchange: Exchange) -> int:
    time: int = json.loads(exchange.handle("GET", TIME_PATH.encode(), []).body)["serverTime"]
    return time


def test_the_clock_can_be_ahead_behind_frozen_and_thawed() -> None:
    base = ManualClock(T0)
    exchange = Exchange(clock=base)
    exchange.clock.advance(10_000)
    assert (shown_text(exchange), exchange.clock.offset_ms) == (T0 + 10_000, 10_000)
    exchange.clock.freeze()
    base.advance(5_000)
    assert (shown_text(exchange), exchange.clock.frozen) == (T0 + 10_000, True)
    exchange.clock.advance(-10_000)
    assert shown_text(exchange) == T0
    exchange.clock.thaw()
    exchange.clock.thaw()
    base.advance(1)
    assert (shown_text(exchange), exchange.clock.frozen) == (T0 + 1, False)


def test_the_clock_drifts_from_when_it_was_told_to() -> None:
    base = ManualClock(T0)
    exchange = Exchange(clock=base)
    exchange.clock.drift(100)
    base.advance(1_000_000)
    assert shown_text(exchange) == T0 + 1_000_000 + 100
    exchange.clock.drift(-200)
    base.advance(1_000_000)
    assert shown_text(exchange) == T0 + 2_000_000 + 100 - 200
    exchange.clock.drift(0)
    base.advance(1_000_000)
    assert shown_text(exchange) == T0 + 3_000_000 - 100


def test_a_drifting_clock_freezes_and_goes_on_where_it_stood() -> None:
    base = ManualClock(T0)
    exchange = Exchange(clock=base)
    exchange.clock.drift(1000)
    base.advance(1000)
    exchange.clock.freeze()
    base.advance(1_000_000)
    assert shown_text(exchange) == T0 + 1001
    exchange.clock.thaw()
    assert shown_text(exchange) == T0 + 1001


@pytest.mark.parametrize("wrong", [1.5, True, "1", None])
def test_clock_moves_by_integers_only(exchange: Exchange, wrong: Any) -> None:
    """The clock is moved by integers only."""
    for move in (exchange.clock.advance, exchange.clock.drift):
        with pytest.raises(ValueError, match="must be an integer"):
            move(wrong)
    assert shown_text(exchange) == T0


# -- weight by address


@pytest.mark.promise("M5")
def test_every_address_has_a_weight_and_a_ban_of_its_own(exchange: Exchange) -> None:
    exchange.switches = Switches(weight_limit=2 * BALANCE_WEIGHT)
    here, there = "203.0.113.1", "203.0.113.2"
    assert [send_query(exchange, address=here).status for _ in range(3)] == [200, 200, 429]
    assert send_query(exchange, address=there).status == 200
    exchange.ban(60, there)
    exchange.spend(2 * BALANCE_WEIGHT, "203.0.113.3")
    assert [send_query(exchange, address=f"203.0.113.{last}").status for last in (2, 3, 4)] == [
        418,
        429,
        200,
    ]


def test_old_addresses_are_forgotten(exchange: Exchange) -> None:
    """Above the limit old addresses are forgotten, but not those that were banned."""
    exchange.switches = Switches(weight_limit=BALANCE_WEIGHT)
    exchange.ban(60, "203.0.113.1")
    exchange.spend(BALANCE_WEIGHT, "203.0.113.2")
    for number in range(10_000):
        exchange.spend(1, f"2001:db8::{number:x}")
    assert [send_query(exchange, address=f"203.0.113.{last}").status for last in (1, 2)] == [
        418,
        200,
    ]


def test_an_address_is_the_same_however_it_is_written(exchange: Exchange) -> None:
    exchange.ban(60, "2001:DB8::0:1")
    assert [
        send_query(exchange, address=text).status for text in ("2001:db8::1", "2001:db8::2")
    ] == [418, 200]
    exchange.add_account("listed", "its secret", addresses=["203.0.113.0/24"])
    assert (
        send_query(exchange, sign_query(secret="its secret"), "listed", "::ffff:203.0.113.5").status
        == 200
    )
    assert exchange.requests[-1].address == "203.0.113.5"


def test_what_is_no_address_and_no_weight_is_refused(exchange: Exchange) -> None:
    for act in (exchange.ban, exchange.spend):
        with pytest.raises(ValueError, match="not a string of 8 characters"):
            act(5, "nonsense")
    with pytest.raises(ValueError, match="not a string of 6 characters"):
        send_query(exchange, address="laptop")
    for weight in (-50, 1.5, True):
        with pytest.raises(ValueError, match="weight"):
            exchange.spend(weight)  # type: ignore[arg-type]
    assert exchange.used_weight == 0


@pytest.mark.parametrize(
    "secret", [make_pem(ED25519).decode(), "\n-----BEGIN PRIVATE KEY-----", None, 5]
)
def test_what_could_verify_nothing_is_no_secret(exchange: Exchange, secret: Any) -> None:
    with pytest.raises(ValueError, match="PEM of a public key as bytes"):
        exchange.add_account("never", secret)
    assert send_query(exchange, key="never").code == -2015


def test_a_client_can_come_from_another_address(exchange: Exchange) -> None:
    exchange.ban(60, "203.0.113.1")
    away, here = exchange.transport_from("203.0.113.1"), exchange.transport
    for transport, status in ((away, 418), (here, 200)):
        with httpx.Client(transport=transport) as client:
            assert client.get(f"https://exchange.invalid{TIME_PATH}").status_code == status


# -- reset


def test_a_reset_leaves_nothing_behind() -> None:
    base = ManualClock(T0)
    used, fresh = (Exchange(clock=base, switches=Switches(refuse_replay=True)) for _ in range(2))
    send_query(used)
    used.seed("balance", b"[]")
    used.add_account("more", "its secret")
    used.switches = Switches(weight_limit=5)
    used.spend(5000)
    used.ban(1000)
    used.fail("waf", times=None, probability=0.5)
    used.clock.advance(10_000)
    used.clock.drift(50)
    used.clock.freeze()
    for _ in range(7):
        send_query(used)
    used.reset()
    assert (list(used.requests), dict(used.counts), used.switches) == (
        [],
        {},
        Switches(refuse_replay=True),
    )
    for exchange in (used, fresh):
        exchange.fail("waf", times=None, probability=0.5)
    replies = [
        [send_query(each, sign_query(f"timestamp={T0 - n}")) for n in range(20)]
        for each in (used, fresh)
    ]
    assert replies[0] == replies[1], "chance begins anew too"
    assert {reply.status for reply in replies[0]} == {200, 403}
    used.recover()
    assert send_query(used, key="more").code == -2015


def test_setup_runs_after_every_reset() -> None:
    """The function setup is called at the start and after every reset."""

    def setup(exchange: Exchange) -> None:
        exchange.add_account("furnished", "its secret", balance=[])
        exchange.fail("waf")

    exchange = Exchange(clock=ManualClock(T0), setup=setup)
    for _ in range(2):
        assert send_query(exchange).status == 403
        assert send_query(exchange, sign_query(secret="its secret"), "furnished").body == b"[]"
        exchange.reset()


def test_the_log_and_the_counts_are_read_while_requests_come() -> None:
    exchange, stop = Exchange(log_size=50), threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            exchange.handle("GET", f"/{time.monotonic_ns() % 997}".encode(), [])
            exchange.fail("error", code=-time.monotonic_ns() % 997 - 1000)
            exchange.handle("GET", TIME_PATH.encode(), [])

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + 0.25
        while time.monotonic() < until:
            assert all(logged.number for logged in exchange.requests)
            assert sum(exchange.counts.values()) >= 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_signature_that_came_before_is_known_in_either_case() -> None:
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(refuse_replay=True))
    payload, _, proof = sign_query().partition("&signature=")
    assert [
        send_query(exchange, f"{payload}&signature={form}").status
        for form in (proof, proof.upper())
    ] == [200, 400]


def test_a_reset_exchange_takes_a_signature_that_came_before(exchange: Exchange) -> None:
    exchange = Exchange(clock=ManualClock(T0), switches=Switches(refuse_replay=True))
    assert [send_query(exchange, sign_query()).status for _ in range(2)] == [200, 400]
    exchange.reset()
    assert send_query(exchange, sign_query()).status == 200


# -- rows

ROW: dict[str, Any] = json.loads(
    """{"accountAlias":"FzFzSgSgTiTiuXuX","asset":"USDT","balance":"10.00000000",
    "crossWalletBalance":"10.00000000","crossUnPnl":"-3.10000000",
    "availableBalance":"250.99000000","maxWithdrawAmount":"6.90000000",
    "marginAvailable":true,"updateTime":1700000000000}"""
)
ZERO = {
    **ROW,
    **{name: "0.00000000" for name in ROW if str(ROW[name]).count(".")},
    "asset": "BNFCR",
    "updateTime": 0,
}


@pytest.mark.promise("M13")
def test_multi_assets_rows_are_sent(exchange: Exchange) -> None:
    """More available than there is, a loss, and a row of an asset that was never used."""
    exchange.seed("balance", [ROW, ZERO])
    assert json.loads(send_query(exchange).body) == [ROW, ZERO]
    assert b'"-3.10000000"' in send_query(exchange).body


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{**ROW, "memberOfTomorrow": {"a": 1}}],
        [{**ROW, "asset": "NEVERHEARDOF"}],
        [{**ROW, "asset": "币安人生"}],
    ],
)
@pytest.mark.promise("M14")
def test_what_readers_do_not_expect_is_answered_as_it_was_seeded(
    exchange: Exchange, rows: Any
) -> None:
    exchange.seed("balance", rows)
    assert json.loads(send_query(exchange).body) == rows
    with_client = Client(
        DEFAULT_API_KEY, DEFAULT_API_SECRET, transport=exchange.transport, clock=exchange.clock
    )
    assert [row.to_dict() for row in with_client.balance()] == rows


# -- compression


@pytest.mark.promise("M12")
def test_gzip_switch_compresses_bodies(exchange: Exchange) -> None:
    """With the switch gzip, bodies are compressed for clients that accept it."""
    import gzip

    exchange.switches = Switches(gzip=True)
    query = f"{PATH}?{sign_query()}".encode()
    headers = [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
    plain = exchange.handle("GET", query, [*headers, (b"Accept-Encoding", b"identity")])
    packed = exchange.handle("GET", query, [*headers, (b"accept-encoding", b"br, GZIP;q=0.5")])
    assert dict(packed.headers)[b"Content-Encoding"] == b"gzip"
    assert (gzip.decompress(packed.body), b"Content-Encoding" in dict(plain.headers)) == (
        plain.body,
        False,
    )
    for refusal in (b"gzip;q=0", b"br, gzip ; q=0.00, *"):
        assert (
            exchange.handle("GET", query, [*headers, (b"Accept-Encoding", refusal)]).body
            == plain.body
        )
    exchange.fail(Reply(200, ((b"content-encoding", b"gzip"),), packed.body))
    assert (
        exchange.handle("GET", query, [*headers, (b"Accept-Encoding", b"gzip")]).body == packed.body
    )
    exchange.fail("gzip")
    once = exchange.handle("GET", query, [*headers, (b"Accept-Encoding", b"gzip")])
    assert gzip.decompress(once.body) == plain.body
    assert FAULTS["gzip"].options == {}
