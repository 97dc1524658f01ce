"""What the admin interface shows of an exchange, and changes in it. Knows no request: ``admin`` has read it, and checked its members.

Every function takes the engine, locked, and what was given; it returns a JSON value, or raises a ValueError that says what to do.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from binance_usdm.mock.core.redaction import entries
from binance_usdm.mock.core.response import Reply
from binance_usdm.mock.core.strict_json import written
from binance_usdm.mock.core.weight import MINUTE
from binance_usdm.mock.engine import DEFAULT_CLIENT_ADDRESS, Engine
from binance_usdm.mock.faults.catalogue import FAULTS, Option

Given = Mapping[str, Any]
Resource = Callable[[Engine, Given], Any]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE: Final = re.compile(r"[\t -~]*")
_ALWAYS: Final = {"times": 1, "operation": None, "path": None, "api_key": None, "nth": 1}
_WHEN: Final = tuple(_ALWAYS)


# -- what is there -----------------------------------------------------------------------------------------------------


def _state(engine: Engine, given: Given) -> Any:
    accounts: dict[int, Any] = {}
    for key in engine.state.keys.values():
        known = {"opened": key.account.opened, "replies": sorted(key.account.replies), "keys": []}
        accounts.setdefault(id(key.account), known)["keys"].append(
            {
                "api_key": key.api_key,
                "kind": "hmac" if isinstance(key.secret, str) else "verifier",
                "addresses": [str(network) for network in key.addresses],
                "permissions": sorted(key.permissions),
            }
        )
    operations = [
        {"id": each.id, "method": each.method, "path": each.path, "weight": each.weight, "signed": bool(each.signature)}
        for each in engine.spec.operations
    ]
    return {"operations": operations, "accounts": [*accounts.values()]}


def _clock(engine: Engine, given: Given) -> Any:
    clock = engine.clock
    return {"now_ms": clock(), "offset_ms": clock.offset_ms, "drift_ppm": clock.drift_ppm, "frozen": clock.frozen}


def _weight(engine: Engine, given: Given) -> Any:
    now = engine.clock()
    addresses = [
        {
            "address": address,
            "used": meter.used if meter.minute == now // MINUTE else 0,
            "banned_until": meter.banned_until if now < meter.banned_until else None,
        }
        for address, meter in engine.state.meters.items()
    ]
    return {"limit": engine.state.switches.weight_limit, "addresses": addresses}


def _faults(engine: Engine, given: Given) -> Any:
    known = [{"name": name, "about": each.about, "options": each.options} for name, each in FAULTS.items()]
    members, queue = (*_WHEN, "options", "probability"), engine.fault_queue
    queued = [{"fault": each.name} | {name: getattr(each, name) for name in members} for each in queue]
    return {"known": known, "queue": queued}


def _switches(engine: Engine, given: Given) -> Any:
    return {each.name: getattr(engine.state.switches, each.name) for each in fields(engine.state.switches)}


def _requests(engine: Engine, given: Given) -> Any:
    return {
        "total": engine.state.record.total,
        "requests": entries(engine.requests(), engine.redactor(), after=given["after"], limit=given["limit"]),
    }


def _counts(engine: Engine, given: Given) -> Any:
    counts = [
        {"operation": operation, "status": status, "code": code, "count": count}
        for (operation, status, code), count in engine.counts().items()
    ]
    return {"counts": counts, "total": engine.state.record.total}


# -- what is done ------------------------------------------------------------------------------------------------------


def _one_of(given: Given, *names: str) -> str:
    found = [name for name in names if name in given]
    if len(found) != 1:
        raise ValueError(f"send exactly one of {', '.join(names)}")
    return found[0]


def _key_options(given: Given) -> tuple[str | bytes, dict[str, Any]]:
    secret = given[_one_of(given, "api_secret", "public_key")]
    options = {name: given[name] for name in ("addresses", "permissions", "opened") if name in given}
    return secret.encode() if "public_key" in given else secret, options


def _add_account(engine: Engine, given: Given) -> Any:
    secret, options = _key_options(given)
    engine.add_account(given["api_key"], secret, options.pop("opened", True), **options)
    return _state(engine, given)


def _add_key(engine: Engine, given: Given) -> Any:
    secret, options = _key_options(given)
    if given["account_of"] not in engine.state.keys:
        raise ValueError("no account has the key of account_of")
    account = engine.account_of(given["account_of"])
    engine.add_key(account, given["api_key"], secret, **options)
    return _state(engine, given)


def _seed(engine: Engine, given: Given) -> Any:
    if _one_of(given, "value", "text") == "value":
        engine.spec.check(engine.require_operation(given["operation"]), given["value"])
        body = written(given["value"])
    else:
        body = given["text"].encode()
    engine.seed(given["operation"], body, given.get("api_key"))
    return _state(engine, given)


def _set_clock(engine: Engine, given: Given) -> Any:
    clock = engine.clock
    if "frozen" in given:
        (clock.freeze if given["frozen"] else clock.thaw)()
    if "offset_ms" in given:
        clock.advance(given["offset_ms"] - clock.offset_ms)  # so that a frozen one follows
    if "drift_ppm" in given:
        clock.drift(given["drift_ppm"])
    clock.advance(given.get("advance_ms", 0))
    return _clock(engine, given)


def _address(given: Given) -> str:
    return str(given.get("address", DEFAULT_CLIENT_ADDRESS))


def _spend(engine: Engine, given: Given) -> Any:
    engine.spend(given["weight"], _address(given))
    return _weight(engine, given)


def _ban(engine: Engine, given: Given) -> Any:
    engine.ban(given.get("seconds", 120), _address(given))
    return _weight(engine, given)


def _recover(engine: Engine, given: Given) -> Any:
    engine.recover()
    return _weight(engine, given)


def _fail(engine: Engine, given: Given) -> Any:
    fault = given["fault"] if _one_of(given, "fault", "reply") == "fault" else _own(given["reply"])
    options: dict[str, Any] = {name: _option(value) for name, value in given.get("options", {}).items()}
    when: dict[str, Any] = _ALWAYS | {name: given[name] for name in _WHEN if name in given}
    engine.fail(fault, probability=float(given.get("probability", 1)), options=options, **when)
    return _faults(engine, given)


def _option(value: Any) -> Option:
    if isinstance(value, str) and not _PRINTABLE.fullmatch(value):
        raise ValueError("options must be printable")
    return float(value) if isinstance(value, Decimal) else value


def _own(given: Given) -> Reply:
    pairs = [(each["name"], each["value"]) for each in given.get("headers", ())]
    if not all(_TOKEN.fullmatch(name) and _PRINTABLE.fullmatch(value) for name, value in pairs):
        raise ValueError("headers must have the names and values that HTTP allows")
    if "text" in given and "base64" in given:
        raise ValueError("send at most one of text, base64")
    body = given["text"].encode() if "text" in given else base64.b64decode(given.get("base64", ""), validate=True)
    return Reply(given["status"], tuple((name.encode(), value.encode()) for name, value in pairs), body)


def _clear_faults(engine: Engine, given: Given) -> Any:
    engine.fault_queue.clear()
    return _faults(engine, given)


def _set_switches(engine: Engine, given: Given) -> Any:
    engine.state.switches = engine.state.switches.turned(given)
    return _switches(engine, given)


def _reset(engine: Engine, given: Given) -> Any:
    engine.reset()
    return _state(engine, given)


RESOURCES: Final[Mapping[tuple[str, str], Resource]] = {
    ("GET", "state"): _state,
    ("POST", "accounts"): _add_account,
    ("POST", "keys"): _add_key,
    ("POST", "replies"): _seed,
    ("GET", "clock"): _clock,
    ("PATCH", "clock"): _set_clock,
    ("GET", "weight"): _weight,
    ("POST", "spend"): _spend,
    ("POST", "ban"): _ban,
    ("POST", "recover"): _recover,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _fail,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "switches"): _switches,
    ("PATCH", "switches"): _set_switches,
    ("GET", "requests"): _requests,
    ("GET", "counts"): _counts,
    ("POST", "reset"): _reset,
}
"""By method and name."""
