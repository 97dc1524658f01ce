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

from binance_usdm.mock.core.redaction import log_entries
from binance_usdm.mock.core.response import Reply
from binance_usdm.mock.core.strict_json import dumps
from binance_usdm.mock.core.weight import MINUTE
from binance_usdm.mock.engine import DEFAULT_CLIENT_ADDRESS, Engine
from binance_usdm.mock.faults.catalogue import FAULTS, Option

Params = Mapping[str, Any]
Handler = Callable[[Engine, Params], Any]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE: Final = re.compile(r"[\t -~]*")
_ALWAYS: Final = {"times": 1, "operation": None, "path": None, "api_key": None, "nth": 1}
_RULE_FIELDS: Final = tuple(_ALWAYS)


# -- what is there -----------------------------------------------------------------------------------------------------


def get_state(engine: Engine, given: Params) -> Any:
    accounts: dict[int, Any] = {}
    for key in engine.state.keys.values():
        known = {
            "opened": key.account.futures_enabled,
            "replies": sorted(key.account.response_bodies),
            "keys": [],
        }
        accounts.setdefault(id(key.account), known)["keys"].append(
            {
                "api_key": key.api_key,
                "kind": "hmac" if isinstance(key.secret, str) else "verifier",
                "addresses": [str(network) for network in key.allowed_networks],
                "permissions": sorted(key.permissions),
            }
        )
    operations = [
        {
            "id": each.id,
            "method": each.method,
            "path": each.path,
            "weight": each.weight,
            "signed": bool(each.signature),
        }
        for each in engine.spec.operations
    ]
    return {"operations": operations, "accounts": [*accounts.values()]}


def get_clock(engine: Engine, given: Params) -> Any:
    clock = engine.clock
    return {
        "now_ms": clock(),
        "offset_ms": clock.offset_ms,
        "drift_ppm": clock.drift_ppm,
        "frozen": clock.frozen,
    }


def get_weight(engine: Engine, given: Params) -> Any:
    now = engine.clock()
    addresses = [
        {
            "address": address,
            "used": meter.used if meter.minute == now // MINUTE else 0,
            "banned_until": meter.banned_until if now < meter.banned_until else None,
        }
        for address, meter in engine.state.counters.items()
    ]
    return {"limit": engine.state.switches.weight_limit, "addresses": addresses}


def get_faults(engine: Engine, given: Params) -> Any:
    known = [
        {"name": name, "about": each.description, "options": each.options}
        for name, each in FAULTS.items()
    ]
    members, queue = (*_RULE_FIELDS, "options", "probability"), engine.fault_queue
    queued = [
        {"fault": each.name} | {name: getattr(each, name) for name in members} for each in queue
    ]
    return {"known": known, "queue": queued}


def get_switches(engine: Engine, given: Params) -> Any:
    return {
        each.name: getattr(engine.state.switches, each.name)
        for each in fields(engine.state.switches)
    }


def get_requests(engine: Engine, given: Params) -> Any:
    return {
        "total": engine.state.request_log.total,
        "requests": log_entries(
            engine.requests(), engine.redactor(), after=given["after"], limit=given["limit"]
        ),
    }


def get_counts(engine: Engine, given: Params) -> Any:
    counts = [
        {"operation": operation, "status": status, "code": code, "count": count}
        for (operation, status, code), count in engine.counts().items()
    ]
    return {"counts": counts, "total": engine.state.request_log.total}


# -- what is done ------------------------------------------------------------------------------------------------------


def _require_exactly_one(given: Params, *names: str) -> str:
    found = [name for name in names if name in given]
    if len(found) != 1:
        raise ValueError(f"send exactly one of {', '.join(names)}")
    return found[0]


def _key_options(given: Params) -> tuple[str | bytes, dict[str, Any]]:
    secret = given[_require_exactly_one(given, "api_secret", "public_key")]
    options = {
        name: given[name] for name in ("addresses", "permissions", "opened") if name in given
    }
    return secret.encode() if "public_key" in given else secret, options


def post_account(engine: Engine, given: Params) -> Any:
    secret, options = _key_options(given)
    engine.add_account(given["api_key"], secret, options.pop("opened", True), **options)
    return get_state(engine, given)


def post_key(engine: Engine, given: Params) -> Any:
    secret, options = _key_options(given)
    if given["account_of"] not in engine.state.keys:
        raise ValueError("no account has the key of account_of")
    account = engine.account_of(given["account_of"])
    engine.add_key(account, given["api_key"], secret, **options)
    return get_state(engine, given)


def post_response(engine: Engine, given: Params) -> Any:
    if _require_exactly_one(given, "value", "text") == "value":
        engine.spec.validate_body(engine.require_operation(given["operation"]), given["value"])
        body = dumps(given["value"])
    else:
        body = given["text"].encode()
    engine.seed(given["operation"], body, given.get("api_key"))
    return get_state(engine, given)


def patch_clock(engine: Engine, given: Params) -> Any:
    clock = engine.clock
    if "frozen" in given:
        (clock.freeze if given["frozen"] else clock.thaw)()
    if "offset_ms" in given:
        clock.advance(given["offset_ms"] - clock.offset_ms)  # so that a frozen one follows
    if "drift_ppm" in given:
        clock.drift(given["drift_ppm"])
    clock.advance(given.get("advance_ms", 0))
    return get_clock(engine, given)


def _address_argument(given: Params) -> str:
    return str(given.get("address", DEFAULT_CLIENT_ADDRESS))


def post_weight(engine: Engine, given: Params) -> Any:
    engine.spend(given["weight"], _address_argument(given))
    return get_weight(engine, given)


def post_ban(engine: Engine, given: Params) -> Any:
    engine.ban(given.get("seconds", 120), _address_argument(given))
    return get_weight(engine, given)


def post_recover(engine: Engine, given: Params) -> Any:
    engine.recover()
    return get_weight(engine, given)


def post_fault(engine: Engine, given: Params) -> Any:
    fault = (
        given["fault"]
        if _require_exactly_one(given, "fault", "reply") == "fault"
        else _custom_response(given["reply"])
    )
    options: dict[str, Any] = {
        name: _parse_option(value) for name, value in given.get("options", {}).items()
    }
    when: dict[str, Any] = _ALWAYS | {name: given[name] for name in _RULE_FIELDS if name in given}
    engine.fail(fault, probability=float(given.get("probability", 1)), options=options, **when)
    return get_faults(engine, given)


def _parse_option(value: Any) -> Option:
    if isinstance(value, str) and not _PRINTABLE.fullmatch(value):
        raise ValueError("options must be printable")
    return float(value) if isinstance(value, Decimal) else value


def _custom_response(given: Params) -> Reply:
    pairs = [(each["name"], each["value"]) for each in given.get("headers", ())]
    if not all(_TOKEN.fullmatch(name) and _PRINTABLE.fullmatch(value) for name, value in pairs):
        raise ValueError("headers must have the names and values that HTTP allows")
    if "text" in given and "base64" in given:
        raise ValueError("send at most one of text, base64")
    body = (
        given["text"].encode()
        if "text" in given
        else base64.b64decode(given.get("base64", ""), validate=True)
    )
    return Reply(
        given["status"], tuple((name.encode(), value.encode()) for name, value in pairs), body
    )


def delete_faults(engine: Engine, given: Params) -> Any:
    engine.fault_queue.clear()
    return get_faults(engine, given)


def patch_switches(engine: Engine, given: Params) -> Any:
    engine.state.switches = engine.state.switches.with_changes(given)
    return get_switches(engine, given)


def post_reset(engine: Engine, given: Params) -> Any:
    engine.reset()
    return get_state(engine, given)


RESOURCES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "state"): get_state,
    ("POST", "accounts"): post_account,
    ("POST", "keys"): post_key,
    ("POST", "replies"): post_response,
    ("GET", "clock"): get_clock,
    ("PATCH", "clock"): patch_clock,
    ("GET", "weight"): get_weight,
    ("POST", "spend"): post_weight,
    ("POST", "ban"): post_ban,
    ("POST", "recover"): post_recover,
    ("GET", "faults"): get_faults,
    ("POST", "faults"): post_fault,
    ("DELETE", "faults"): delete_faults,
    ("GET", "switches"): get_switches,
    ("PATCH", "switches"): patch_switches,
    ("GET", "requests"): get_requests,
    ("GET", "counts"): get_counts,
    ("POST", "reset"): post_reset,
}
"""By method and name."""
