"""Admin API: the JSON values that show an exchange.

Each function takes the engine, locked, and the arguments of the request, and returns a JSON value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from hmac import compare_digest
from typing import Any

from binance_usdm.mock.engine import Engine
from binance_usdm.mock.faults.catalogue import FAULTS
from binance_usdm.mock.faults.queue import RULE_OPTIONS
from binance_usdm.mock.state.accounts import DEFAULT_API_SECRET, ApiKey
from binance_usdm.mock.state.redaction import log_entries
from binance_usdm.mock.state.weight import MINUTE

Params = Mapping[str, Any]
"""Arguments of a request, from its query or its body, validated."""
Handler = Callable[[Engine, Params], Any]


def get_state(engine: Engine, params: Params) -> Any:
    """Return operations and accounts.

    Returns:
        `{"operations": [{"id", "method", "path", "weight", "signed"}], "accounts": [{"opened",
        "replies": [operation id], "keys": [{"api_key", "kind", "default_secret", "addresses",
        "permissions"}]}]}`
    """
    operations = [
        {
            "id": operation.id,
            "method": operation.method,
            "path": operation.path,
            "weight": operation.largest_weight,
            "signed": bool(operation.signature),
        }
        for operation in engine.spec.operations
    ]
    accounts: dict[int, dict[str, Any]] = {}
    for key in engine.state.keys.values():
        if id(key.account) not in accounts:
            accounts[id(key.account)] = {
                "opened": key.account.futures_enabled,
                "replies": sorted(key.account.response_bodies),
                "keys": [],
            }
        accounts[id(key.account)]["keys"].append(_show_key(key))
    return {"operations": operations, "accounts": [*accounts.values()]}


def _show_key(key: ApiKey) -> dict[str, Any]:
    secret = key.secret if isinstance(key.secret, str) else ""
    return {
        "api_key": key.api_key,
        "kind": "hmac" if secret else "verifier",
        "default_secret": compare_digest(secret.encode(), DEFAULT_API_SECRET.encode()),
        "addresses": [str(network) for network in key.allowed_networks],
        "permissions": sorted(key.permissions),
    }


def get_clock(engine: Engine, params: Params) -> Any:
    """Return the clock.

    Returns:
        `{"now_ms", "offset_ms", "drift_ppm", "frozen"}`
    """
    clock = engine.clock
    return {
        "now_ms": clock(),
        "offset_ms": clock.offset_ms,
        "drift_ppm": clock.drift_ppm,
        "frozen": clock.frozen,
    }


def get_weight(engine: Engine, params: Params) -> Any:
    """Return weight and bans by IP address.

    Returns:
        `{"limit", "addresses": [{"address", "used", "banned_until": ms or null}]}`
    """
    now = engine.clock()
    addresses = [
        {
            "address": address,
            "used": counter.used if counter.minute == now // MINUTE else 0,
            "banned_until": counter.banned_until if now < counter.banned_until else None,
        }
        for address, counter in engine.state.counters.items()
    ]
    return {"limit": engine.state.switches.weight_limit, "addresses": addresses}


def get_faults(engine: Engine, params: Params) -> Any:
    """Return the faults that can be injected, and the queue.

    Returns:
        `{"known": [{"name", "about", "options"}], "queue": [{"fault", "options", "times",
        "operation", "path", "api_key", "nth", "probability"}]}`
    """
    descriptions = [
        {"name": name, "about": fault.description, "options": fault.options}
        for name, fault in FAULTS.items()
    ]
    queue = [
        {"fault": queued.name, "options": queued.options}
        | {name: getattr(queued, name) for name in RULE_OPTIONS}
        for queued in engine.fault_queue
    ]
    return {"known": descriptions, "queue": queue}


def get_switches(engine: Engine, params: Params) -> Any:
    """Return all switches.

    Returns:
        `{switch name: value}`
    """
    switches = engine.state.switches
    return {switch.name: getattr(switches, switch.name) for switch in fields(switches)}


def get_requests(engine: Engine, params: Params) -> Any:
    """Return the newest logged requests, or the first with a number above `after`, oldest first.

    Returns:
        `{"total", "more": whether `limit` left some out, "requests": [{"number", "at_ms",
        "address", "method", "path", "status", "code", "operation", "fault", "refusal", "received",
        "signed", "response"}]}`
    """
    after, limit = params["after"], params["limit"]
    if after is None:
        matching = engine.requests()
        chosen = matching[-limit:]
    else:
        matching = [logged for logged in engine.requests() if logged.number > after]
        chosen = matching[:limit]
    return {
        "total": engine.state.request_log.total,
        "more": len(chosen) < len(matching),
        "requests": log_entries(chosen, engine.redactor()),
    }


def get_counts(engine: Engine, params: Params) -> Any:
    """Return the number of requests by outcome since the last reset.

    Returns:
        `{"counts": [{"operation", "status", "code", "count"}], "total"}`
    """
    counts = [
        {"operation": operation, "status": status, "code": code, "count": count}
        for (operation, status, code), count in engine.counts().items()
    ]
    return {"counts": counts, "total": engine.state.request_log.total}
