"""Test scenarios: what a file sets, what is wrong with one, and that a saved one is loaded again."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Delivery,
    Exchange,
    ManualClock,
    Reply,
    Switches,
    row,
)
from binance_usdm.mock.admin.routes import AdminApi
from binance_usdm.mock.scenario.document import MAX_FILE_BYTES, scenario_schema
from tests.support.signed_requests import T0, send_query, sign_query
from tests.support.spec_facts import BALANCE_PATH

ED25519_PEM = (
    Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())
SCENARIO = """
[switches]
weight_limit = 6000
date_offset = -3600

[clock]
now_ms = 1_700_000_000_000
frozen = true

[[accounts]]
keys = [
    { api_key = "desk-key", api_secret = { env = "DESK_SECRET" } },
    { api_key = "desk-reader", api_secret = { file = "reader.txt" }, permissions = ["reading"] },
]

[[accounts.replies]]
operation = "balance"
rows = [{ asset = "USDT", balance = "100", available_balance = "9007199254740993.00000001" }]

[[accounts.replies]]
operation = "balance"
rows = [{ asset = "USDT", balance = "80" }]
nth = 2

[[accounts.replies]]
operation = "balance"
rows = []
after_ms = 60_000

[[accounts]]
keys = [{ api_key = "fund-key", api_secret = "fund-secret", addresses = ["203.0.113.0/24"] }]
opened = false

[[stubs]]
request = "GET /fapi/v3/account"
value = { canTrade = true, feeTier = 1.50 }

[[faults]]
fault = "latency"
options = { seconds = 0.001 }
times = "unlimited"
path = "/fapi/v3/account"

[[faults]]
reply = { status = 503, headers = [{ name = "Retry-After", value = "7" }], text = "busy" }
nth = 2
api_key = "fund-key"

[[addresses]]
address = "198.51.100.7"
banned_ms = 90_000
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "desk.toml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "reader.txt").write_text("secret-of-the-reader\n", encoding="utf-8")
    monkeypatch.setenv("DESK_SECRET", "secret-of-the-desk")
    return tmp_path


def ask(exchange: Exchange, key: str, secret: str, address: str = "127.0.0.1") -> Reply:
    query = sign_query(f"timestamp={exchange.clock()}", secret)
    return send_query(exchange, query, key, address)


def balances(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [balance["balance"] for balance in json.loads(reply.body)]


def test_a_file_sets_everything(folder: Path) -> None:
    """Accounts, keys, balances that move, stubs, faults, switches, clock and bans."""
    exchange = Exchange(scenario=folder / "desk.toml")
    assert (exchange.api_key, exchange.api_secret) == ("desk-key", "secret-of-the-desk")
    assert (exchange.clock(), exchange.clock.frozen) == (T0, True)
    assert exchange.switches == Switches(weight_limit=6000, date_offset=-3600)
    first = ask(exchange, "desk-key", "secret-of-the-desk")
    assert b'"availableBalance":"9007199254740993.00000001"' in first.body
    assert balances(first) == ["100"]
    assert balances(ask(exchange, "desk-reader", "secret-of-the-reader")) == ["80"]
    exchange.clock.advance(60_000)
    assert balances(ask(exchange, "desk-key", "secret-of-the-desk")) == []
    assert ask(exchange, "desk-key", "another secret").code == -1022
    stub = exchange.handle("GET", b"/fapi/v3/account", ())
    assert stub.body == b'{"canTrade":true,"feeTier":1.50}'
    assert stub.delivery.latency == 0.001
    assert ask(exchange, "fund-key", "fund-secret").code == -2015
    replies = [ask(exchange, "fund-key", "fund-secret", "203.0.113.5") for _ in range(2)]
    assert [reply.status for reply in replies] == [503, 200]
    assert json.loads(replies[1].body)[0]["accountAlias"] != "SgsR"
    assert exchange.transport_from("198.51.100.7")
    banned = ask(exchange, "desk-key", "secret-of-the-desk", "198.51.100.7")
    assert (banned.status, dict(banned.headers)[b"Retry-After"]) == (418, b"30")


def test_a_reset_goes_back_to_the_file(folder: Path) -> None:
    """What a test changed is undone, and `setup` is called after the file."""
    seen = []
    exchange = Exchange(
        scenario=folder / "desk.toml", setup=lambda exchange: seen.append(exchange.api_key)
    )
    start = exchange.save_scenario()
    ask(exchange, "desk-key", "secret-of-the-desk")
    exchange.add_account("third", "its secret")
    exchange.switches = Switches()
    exchange.clock.thaw()
    exchange.reset()
    assert exchange.save_scenario() == start
    assert exchange.requests == []
    assert seen == ["desk-key", "desk-key"]


def test_an_empty_scenario_is_the_default_exchange() -> None:
    """Nothing is required, and an exchange as new saves nothing but its key."""
    exchange = Exchange(scenario={})
    assert exchange.save_scenario() == {"accounts": [{"keys": [{"api_key": DEFAULT_API_KEY}]}]}
    exchange.load_scenario({"accounts": [{"keys": [{"api_key": "short"}]}]})
    assert (exchange.api_key, exchange.api_secret) == ("short", DEFAULT_API_SECRET)


# -- what is saved is loaded again


def full_exchange() -> Exchange:
    """Return an exchange with every kind of state that a scenario can have."""
    clock = ManualClock(T0)
    exchange = Exchange(api_secret="first-inline-secret", clock=clock)
    exchange.seed("balance", [row("USDT", balance="0.10"), row("币安", balance="-1")])
    exchange.seed("balance", b"not JSON", nth=3)
    exchange.seed("balance", b"\xff\xfe", after_ms=500)
    exchange.seed("server_time", {"serverTime": 5}, after_ms=2**40 // 2)
    desk = exchange.add_account("desk-key", ED25519_PEM, opened=False, balance=[])
    exchange.add_key(desk, "desk-2", "second-inline-secret", permissions=["futures"])
    exchange.add_key(exchange.account, "first-2", DEFAULT_API_SECRET, addresses=["10.0.0.0/8"])
    exchange.stub("GET /a", b'{"exact":1.50,"big":1e400,"small":1E-7}')
    exchange.stub("GET /a", {"exact": "1.5"}, nth=2)
    exchange.stub("POST /b", b'{"twice":1,"twice":2}')
    exchange.stub("GET /fapi/v1/ping", b"pong")
    for name, fault in FAULTS.items():
        exchange.fail(name, nth=2, times=None if fault.costs_weight else 5)
    delivery = Delivery(latency=0.5, chunk=3, pause=0.25, cut=7, reset=True)
    headers = ((b"Retry-After", b"7"), (b"X-B", b""))
    exchange.fail(Reply(429, headers, b"\x00\xff", -1003, delivery), probability=0.25)
    exchange.fail(Reply(204), operation="balance", path="/p", api_key="desk-2")
    exchange.fail("error", code=-2015, status=418)
    exchange.fail("retyped-member", member="balance", becomes="null")
    exchange.spend(100)
    exchange.spend(7, "2001:db8::1")
    exchange.ban(60, "198.51.100.7")
    exchange.switches = Switches(
        order=("signature", "key", "parameters", "timestamp"),
        unknown_parameter=None,
        window_maximum=60_000,
        statuses={-1131: 418, -2008: 403},
        caller_ip="203.0.113.9",
        date_offset=None,
        unopened="refused",
        gzip=True,
    )
    exchange.clock.advance(5)
    exchange.clock.drift(100)
    clock.advance(12_345)
    return exchange


def through_a_file(scenario: Mapping[str, Any], path: Path) -> Path:
    path.write_text(json.dumps(scenario, ensure_ascii=False), encoding="utf-8")
    return path


def other_exchange(saved: Path, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """Load what was saved elsewhere, with the variables that it refers to."""
    secrets = {key.api_key: key.secret for key in exchange._engine.state.keys.values()}
    for account in json.loads(saved.read_bytes())["accounts"]:
        for key in account["keys"]:
            if "api_secret" in key:
                monkeypatch.setenv(key["api_secret"]["env"], str(secrets[key["api_key"]]))
    return Exchange(scenario=saved, clock=ManualClock(T0 + 12_345))


def test_load_of_save_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same exchange, in another one from a file, and once more from there."""
    exchange = full_exchange()
    saved = exchange.save_scenario()
    before = describe_state(exchange)
    VALIDATOR.validate(saved)
    exchange.load_scenario(saved)
    assert exchange.save_scenario() == saved
    assert describe_state(exchange) == before
    other = other_exchange(through_a_file(saved, tmp_path / "x.json"), exchange, monkeypatch)
    assert other.save_scenario() == saved
    assert describe_state(other) == before


def describe_state(exchange: Exchange) -> Any:
    """Return the state itself, without the functions that save it."""
    engine = exchange._engine
    state = engine.state
    now = engine.clock()
    accounts = {key.account: None for key in state.keys.values()}
    targets = [(account, "balance") for account in accounts]
    targets += [(state.account, "server_time"), (None, "stub GET /a")]  # type: ignore[list-item]
    return {
        "keys": [
            (key.api_key, isinstance(key.secret, str) and key.secret, key.allowed_networks,
             key.permissions, list(accounts).index(key.account))
            for key in sorted(state.keys.values(), key=lambda key: key.api_key)
        ],
        "accounts": [
            (account.response_bodies, account.futures_enabled, account.alias)
            for account in accounts
        ],
        "schedule": [
            [(s.body, s.nth, s.due_at_ms and s.due_at_ms - now) for s in state.schedule.waiting(t)]
            for t in targets
        ],
        "stubs": {route: stub.body for route, stub in state.stubs.items()},
        "faults": [
            (q.name, q.options, q.times, q.operation, q.path, q.api_key, q.nth, q.probability,
             q.reply)
            for q in engine.fault_queue
        ],
        "switches": state.switches,
        "now": now,
        "drift": engine.clock.drift_ppm,
        "addresses": {a: c for a, c in show_counters(exchange).items() if any(c)},
    }  # fmt: skip


def show_counters(exchange: Exchange) -> dict[str, tuple[int, ...]]:
    """Return weight and bans as far as they still count."""
    now = exchange.clock()
    return {
        address: (
            counter.used if counter.minute == now // 60_000 else 0,
            counter.rejected_calls if counter.minute == now // 60_000 else 0,
            counter.ban_count,
            max(0, counter.banned_until - now),
        )
        for address, counter in exchange._engine.state.counters.items()
    }


def test_every_switch_is_saved() -> None:
    """A switch that is added later cannot be forgotten."""
    other: dict[str, Any] = {
        "order": ("key", "signature", "parameters", "timestamp"), "unknown_parameter": None,
        "malformed_mandatory": -1130, "malformed_optional": -1130, "out_of_range": -1100,
        "missing_signature": -1022, "signature_last": False, "refuse_replay": True,
        "window_maximum": 1, "microseconds": True, "key_format": "[a-z-]+", "hex_of_any_key": True,
        "needed_permission": None, "unopened": "empty", "gzip": True, "statuses": {-1: 400},
        "not_found": "html", "wrong_method": 405, "caller_ip": "203.0.113.1", "retry_after": False,
        "used_weight": False, "date_offset": None, "lower_case_headers": True, "weight_limit": 1,
        "ban_after": 0, "ban_seconds": 0,
    }  # fmt: skip
    assert [*other] == [switch.name for switch in fields(Switches)]
    exchange = Exchange(switches=Switches(**other))
    saved = exchange.save_scenario()
    assert {*saved["switches"]} == {*other}
    VALIDATOR.validate(saved)
    again = Exchange(scenario=json.loads(json.dumps(saved)))
    assert again.switches == Switches(**other)


@pytest.mark.parametrize("seed", range(10))
def test_random_states_are_the_same(seed: int) -> None:
    """Whatever methods were called in whatever order, and however many requests came."""
    rng = random.Random(seed)
    exchange = Exchange(clock=ManualClock(T0))
    exchange.add_account("desk-key", "desk-secret")
    names = [*FAULTS]
    actions: list[Callable[[], object]] = [
        lambda: exchange.seed("balance", [row("USDT", balance=str(rng.random()))]),
        lambda: exchange.seed("balance", [], nth=rng.randint(1, 4)),
        lambda: exchange.seed("balance", b"{", "desk-key", after_ms=rng.randint(0, 90_000)),
        lambda: exchange.fail(rng.choice(names), rng.choice([None, 1, 3]), nth=rng.randint(1, 3)),
        lambda: exchange.spend(rng.randint(0, 900), rng.choice(["127.0.0.1", "::1"])),
        lambda: exchange.ban(rng.randint(1, 200), "10.0.0.1"),
        lambda: exchange.clock.advance(rng.randint(-1000, 100_000)),
        lambda: exchange.clock.drift(rng.randint(-500, 500)),
        exchange.clock.freeze,
        exchange.clock.thaw,
        lambda: send_query(exchange),
        lambda: ask(exchange, "desk-key", "desk-secret", "::1"),
    ]
    for _ in range(30):
        rng.choice(actions)()
        saved = exchange.save_scenario()
        VALIDATOR.validate(saved)
        before = describe_state(exchange)
        exchange.load_scenario(json.loads(json.dumps(saved)))
        assert exchange.save_scenario() == saved
        assert describe_state(exchange) == before


def test_a_loaded_exchange_behaves_the_same() -> None:
    """The next responses are those that the first exchange would have sent."""
    exchange = Exchange(clock=ManualClock(T0))
    exchange.seed("balance", [row("USDT", balance="1")], nth=2)
    exchange.seed("balance", [row("USDT", balance="2")], nth=4)
    exchange.fail("waf", times=2, nth=3)
    send_query(exchange)
    other = Exchange(scenario=exchange.save_scenario(), clock=ManualClock(T0))
    replies = [[send_query(each) for _ in range(6)] for each in (exchange, other)]
    assert [reply.body for reply in replies[0]] == [reply.body for reply in replies[1]]
    assert [reply.status for reply in replies[0]] == [200, 403, 403, 200, 200, 200]


# -- secrets


def test_no_secret_is_saved(folder: Path) -> None:
    """References stay references; inline secrets become references to variables."""
    exchange = Exchange(scenario=folder / "desk.toml")
    text = json.dumps(exchange.save_scenario())
    assert "secret-of" not in text
    assert "fund-secret" not in text
    keys = [key for account in json.loads(text)["accounts"] for key in account["keys"]]
    assert [key["api_secret"] for key in keys] == [
        {"env": "DESK_SECRET"},
        {"file": "reader.txt"},
        {"env": "BINANCE_MOCK_SECRET_87E483C1"},
    ]
    assert "secret" not in repr(exchange) + repr(exchange._scenario)


def test_what_was_saved_is_loaded_after_a_reset() -> None:
    """The exchange holds the secrets that it left out, also when the key is gone."""
    exchange = Exchange(clock=ManualClock(T0))
    exchange.add_account("desk-key", "desk-secret")
    saved = exchange.save_scenario()
    exchange.reset()
    exchange.load_scenario(saved)
    assert ask(exchange, "desk-key", "desk-secret").status == 200
    with pytest.raises(ValueError, match=r"keys\[0\]: the variable BINANCE_MOCK_SECRET_\w+ is"):
        Exchange(scenario=saved)


def test_a_variable_of_a_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that the exchange holds is for a variable that is not set."""
    exchange = Exchange(clock=ManualClock(T0))
    exchange.add_account("desk-key", "desk-secret")
    path = through_a_file(exchange.save_scenario(), tmp_path / "s.json")
    exchange.load_scenario(path)
    assert ask(exchange, "desk-key", "desk-secret").status == 200
    [variable] = {
        key["api_secret"]["env"]
        for account in json.loads(path.read_bytes())["accounts"]
        for key in account["keys"]
        if "api_secret" in key
    }
    monkeypatch.setenv(variable, "another-secret")
    exchange.load_scenario(path)
    assert ask(exchange, "desk-key", "another-secret").status == 200


def test_a_public_key_is_saved_and_may_be_a_file(tmp_path: Path) -> None:
    """A public key is not a secret, so it is in the scenario itself."""
    (tmp_path / "key.pem").write_bytes(ED25519_PEM)
    key = {"api_key": "signs", "public_key": {"file": "key.pem"}}
    exchange = Exchange(
        scenario=through_a_file({"accounts": [{"keys": [key]}]}, tmp_path / "k.json")
    )
    assert exchange.save_scenario()["accounts"] == [{"keys": [key]}]
    with pytest.raises(AttributeError):
        _ = exchange.api_secret
    inline = Exchange(api_key="signs", api_secret=ED25519_PEM).save_scenario()
    assert inline["accounts"][0]["keys"][0]["public_key"] == ED25519_PEM.decode()


def test_a_function_cannot_be_saved() -> None:
    """A scenario that would verify something else is not written."""
    exchange = Exchange(api_secret=lambda payload, signature: True)
    with pytest.raises(ValueError, match="the verifier of a key is a function"):
        exchange.save_scenario()


# -- what is wrong is said with its place

KEY = {"api_key": "K"}
CANARY = "Canary-of-a-secret-0123456789"


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"acounts": []}, "scenario has the unknown field acounts; expected: $schema, accounts, "
         "stubs, faults, switches, clock, addresses (did you mean accounts?)"),
        ({"accounts": [{"keys": [{**KEY, "api_secrt": CANARY}]}]},
         "scenario.accounts[0].keys[0] has the unknown field api_secrt; expected: api_key, "
         "api_secret, public_key, addresses, permissions (did you mean api_secret?)"),
        ({"accounts": [{"keys": [KEY]}, {"keys": [{**KEY, "api_secret": {"evn": "A"}}]}]},
         "scenario.accounts[1].keys[0].api_secret has the unknown field evn; expected: env, file "
         "(did you mean env?)"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": {CANARY: "A"}}]}]},
         "api_secret has the unknown field a string of 29 characters; expected: env, file"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": {"env": "A", "file": "B"}}]}]},
         "scenario.accounts[0].keys[0]: send exactly one of env, file"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": 5}]}]},
         "scenario.accounts[0].keys[0].api_secret is not of type string or object"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": {"env": "NO_SUCH_VARIABLE"}}]}]},
         "scenario.accounts[0].keys[0]: the variable NO_SUCH_VARIABLE is not set"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": {"env": CANARY}}]}]},
         "scenario.accounts[0].keys[0]: the variable a string of 29 characters is not set"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": {"file": "/no/such/file"}}]}]},
         "scenario.accounts[0].keys[0]: the file of a secret cannot be read (No such file"),
        ({"accounts": [{"keys": [{**KEY, "api_secret": CANARY, "public_key": CANARY}]}]},
         "scenario.accounts[0].keys[0]: send exactly one of api_secret, public_key"),
        ({"accounts": [{"keys": [{**KEY, "public_key": CANARY}]}]},
         "scenario.accounts[0].keys[0]: public_key is not a public key in PEM"),
        ({"accounts": [{"keys": [KEY, KEY]}]},
         "scenario.accounts[0].keys[1]: another key has the same api_key"),
        ({"accounts": [{"keys": [{"api_key": "a b"}]}]},
         "scenario.accounts[0].keys[0]: api_key is empty or does not match the switch key_format"),
        ({"accounts": [{"keys": [{**KEY, "addresses": ["nowhere"]}]}]},
         "scenario.accounts[0].keys[0]: addresses must be IP addresses or networks"),
        ({"accounts": [{"keys": [{**KEY, "permissions": ["trading"]}]}]},
         "scenario.accounts[0].keys[0]: permissions must be some of reading, futures"),
        ({"accounts": [{"keys": []}]}, "scenario.accounts[0].keys: the account needs a key"),
        ({"accounts": [{}]}, "scenario.accounts[0] lacks keys"),
        ({"accounts": [{"keys": [KEY], "replies": [{"operation": "balence", "rows": []}]}]},
         "scenario.accounts[0].replies[0]: unknown operation 'balence'; expected one of: balance, "
         "server_time (did you mean balance?)"),
        ({"accounts": [{"keys": [KEY], "replies": [{"operation": "balance"}]}]},
         "scenario.accounts[0].replies[0]: send exactly one of rows, value, text, base64"),
        ({"accounts": [{"keys": [KEY], "replies": [{"operation": "server_time", "rows": []}]}]},
         "scenario.accounts[0].replies[0]: rows are for the operation balance"),
        ({"accounts": [{"keys": [KEY], "replies": [
            {"operation": "balance", "rows": [{"asset": "USDT", "balence": "1"}]}]}]},
         "scenario.accounts[0].replies[0]: row has no field balence; did you mean balance?"),
        ({"accounts": [{"keys": [KEY], "replies": [
            {"operation": "balance", "rows": [{"asset": "USDT", "balance": "1,5"}]}]}]},
         "scenario.accounts[0].replies[0]: balance[0].balance: the value does not match"),
        ({"accounts": [{"keys": [KEY], "replies": [{"operation": "balance", "value": {}}]}]},
         "scenario.accounts[0].replies[0]: balance: the value is not of type array"),
        ({"accounts": [{"keys": [KEY]}, {"keys": [{"api_key": "L"}], "replies": [
            {"operation": "server_time", "value": {"serverTime": 1}}]}]},
         "scenario.accounts[1].replies[0]: server_time needs no key, so only the first account"),
        ({"accounts": [{"keys": [KEY], "replies": [
            {"operation": "balance", "rows": [], "nth": 1, "after_ms": 1}]}]},
         "scenario.accounts[0].replies[0]: pass either nth or after_ms"),
        ({"stubs": [{"request": f"GET {BALANCE_PATH}", "value": {}}]},
         f"scenario.stubs[0]: GET {BALANCE_PATH} is the operation balance"),
        ({"stubs": [{"request": "GET /a", "base64": "!"}]}, "scenario.stubs[0]: base64 is not valid"),
        ({"stubs": [{"request": "GET /a", "text": "", "nth": 2}]},
         "scenario.stubs[0]: GET /a needs a first body"),
        ({"faults": [{"fault": "wafer"}]}, "scenario.faults[0]: unknown fault 'wafer'; expected"),
        ({"faults": [{"fault": "latencey"}]}, "cut, reset (did you mean latency?)"),
        ({"faults": [{"fault": "waf", "time": 2}]},
         "scenario.faults[0] has the unknown field time; expected: fault, options, reply, times"),
        ({"faults": [{"fault": "waf", "times": "forever"}]}, "scenario.faults[0].times is not"),
        ({"faults": [{"fault": "waf", "times": 0}]}, "scenario.faults[0].times does not match"),
        ({"faults": [{"fault": "waf", "options": {"seconds": 1}}]},
         "scenario.faults[0]: unknown option seconds; expected: none"),
        ({"faults": [{"fault": "waf", "operation": "x"}]},
         "scenario.faults[0]: unknown operation 'x'"),
        ({"faults": [{"fault": "waf", "reply": {"status": 200}}]},
         "scenario.faults[0]: send exactly one of fault, reply"),
        ({"faults": [{"reply": {"status": 99}}]}, "scenario.faults[0].reply.status does not match"),
        ({"faults": [{"reply": {"status": 200, "headers": [{"name": "a b", "value": ""}]}}]},
         "scenario.faults[0]: headers must have names and values that are valid HTTP"),
        ({"switches": {"weight_limt": 1}}, "scenario.switches has the unknown field weight_limt"),
        ({"switches": {"weight_limt": 1}}, "(did you mean weight_limit?)"),
        ({"switches": {"gzip": 1}}, "scenario.switches.gzip is not of type boolean"),
        ({"switches": {"wrong_method": 403}}, "scenario.switches: wrong_method must be one of"),
        ({"clock": {"now_ms": 1, "offset_ms": 1}},
         "scenario.clock: set at most one of now_ms, offset_ms"),
        ({"addresses": [{"address": "localhost"}]},
         "scenario.addresses[0]: address must be an IP address"),
        ([], "scenario is not of type object"),
    ],
)  # fmt: skip
def test_a_problem_has_its_place(tmp_path: Path, scenario: Any, said: str) -> None:
    """The message names the file, the place and the name that was meant, and no secret."""
    path = through_a_file(scenario, tmp_path / "wrong.json")
    with pytest.raises(ValueError, match="scenario") as caught:
        Exchange(scenario=path)
    assert str(caught.value).startswith(f"{path}: scenario")
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)


def test_several_problems_are_said_at_once(tmp_path: Path) -> None:
    """The first three, and the number of the others."""
    path = through_a_file({"accounts": [{"key": 1}] * 3}, tmp_path / "wrong.json")
    with pytest.raises(ValueError, match=r"accounts\[0\] lacks keys.*; and 3 more$"):
        Exchange(scenario=path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"", "the name of a scenario must end with .toml or .json"),
        ("a.json", b"{", "the body must be JSON"),
        ("a.json", b'{"clock":{},"clock":{}}', "has a field twice"),
        ("a.toml", b"[clock]\n[clock]", "the file is not valid TOML"),
        ("a.toml", b"x = 2026-11-30", "scenario.x is a date; write it as a string"),
        ("a.toml", b"[[faults]]\nx = [[1.0, 07:00:00]]", "scenario.faults[0].x[0][1] is a date"),
        ("a.toml", b"[[stubs]]\nrequest='GET /a'\nvalue=inf", "numbers must be finite"),
        ("a.toml", b"[[stubs]]\nrequest='GET /a'\nvalue=1e999999", "numbers must be finite"),
        ("a.toml", b"\xff", "the file must be UTF-8"),
        ("a.toml", b"#" * (MAX_FILE_BYTES + 1), "the file is larger than 4 MiB"),
    ],
    ids=range(10),
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """Two forms, read strictly."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name) as caught:
        Exchange(scenario=tmp_path / name)
    assert said in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """As wrong usage, not as an exception of the operating system."""
    with pytest.raises(ValueError, match=r"none\.toml: the file cannot be read \(No such file"):
        Exchange(scenario=tmp_path / "none.toml")


def test_a_scenario_excludes_a_key_and_switches() -> None:
    """One of two answers would be ignored without a word."""
    with pytest.raises(ValueError, match="accounts and switches are those of the scenario"):
        Exchange(api_key="K", scenario={"accounts": [{"keys": [KEY]}]})
    with pytest.raises(ValueError, match="accounts and switches are those of the scenario"):
        Exchange(switches=Switches(), scenario={})
    assert Exchange(api_key="K", scenario={"clock": {}}).api_key == "K"


@pytest.mark.parametrize(
    "wrong",
    [
        {"addresses": [{"address": "x"}]},
        {"clock": {"frozen": True, "offset_ms": 5}, "faults": [{"fault": "x"}]},
        {"switches": {"gzip": True}, "stubs": [{"request": "x", "text": ""}]},
    ],
)
def test_a_wrong_scenario_changes_nothing(wrong: dict[str, Any]) -> None:
    """The exchange stays as it is, with its log."""
    exchange = full_exchange()
    ask(exchange, "first-2", DEFAULT_API_SECRET, "10.0.0.1")
    saved, before, requests = exchange.save_scenario(), describe_state(exchange), exchange.requests
    with pytest.raises(ValueError, match="scenario"):
        exchange.load_scenario(wrong)
    assert exchange.save_scenario() == saved
    assert describe_state(exchange) == before
    assert exchange.requests == requests


def test_the_schema_and_the_mock_agree(folder: Path) -> None:
    """The schema is one of JSON Schema, and an independent validator accepts the same file."""
    jsonschema.Draft202012Validator.check_schema(scenario_schema())
    VALIDATOR.validate(tomllib.loads(SCENARIO))
    for wrong in ({"accounts": [{"keys": [{**KEY, "api_secret": {}}]}]}, {"x": 1}):
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(wrong)


# -- the admin API


def send(exchange: Exchange, method: str, body: Any = None) -> Reply:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    admin = AdminApi(exchange._engine)
    return admin.handle(method, "/__admin/scenario", b"", headers, sent, "127.0.0.1")


def test_the_admin_api_saves_and_loads() -> None:
    """What GET returns is what PUT accepts, byte for byte, with a line for each field."""
    exchange = full_exchange()
    saved = send(exchange, "GET").body
    assert json.loads(saved) == exchange.save_scenario()
    assert saved.count(b"\n") > 100
    exchange.reset()
    assert send(exchange, "GET").body != saved
    assert send(exchange, "PUT", saved).status == 200
    assert send(exchange, "GET").body == saved


def test_references_are_not_followed_for_the_admin_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client must not learn by trial what variables and files of the server have."""
    monkeypatch.setenv("SECRET_OF_THE_SERVER", CANARY)
    (tmp_path / "secret.txt").write_text(CANARY)
    exchange = Exchange(clock=ManualClock(T0))
    for reference in ({"env": "SECRET_OF_THE_SERVER"}, {"file": str(tmp_path / "secret.txt")}):
        body = {"accounts": [{"keys": [{**KEY, "api_secret": reference}]}]}
        reply = send(exchange, "PUT", body)
        assert reply.status == 400
        assert "which only a start with --seed reads" in reply.body.decode()
        assert ask(exchange, "K", CANARY).code == -2015
    inline = {"accounts": [{"keys": [{**KEY, "api_secret": "s"}]}]}
    assert send(exchange, "PUT", inline).status == 200
    assert ask(exchange, "K", "s").status == 200


def test_an_admin_error_has_the_place() -> None:
    """The same check as for files, with the same question."""
    reply = send(Exchange(), "PUT", {"accounts": [{"kees": []}]})
    assert reply.status == 400
    assert "the body.accounts[0] lacks keys" in json.loads(reply.body)["error"]
    reply = send(Exchange(), "PUT", {"clok": {}})
    assert "did you mean clock?" in json.loads(reply.body)["error"]
