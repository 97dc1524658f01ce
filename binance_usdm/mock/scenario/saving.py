"""Return the state of an exchange as a scenario."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import partial
from typing import Any, Final

from binance_usdm.mock.core.switches import PERMISSIONS, Switches
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.state.accounts import Account, ApiKey
from binance_usdm.mock.state.schedule import ScheduledBody, Target
from binance_usdm.mock.state.stubs import BUILT_IN_STUBS
from binance_usdm.mock.state.weight import MINUTE, WeightCounter

from .bodies import Validate, show_body
from .fault_entries import show_fault
from .secrets import show_secret


def save_scenario(engine: Engine) -> dict[str, Any]:
    """Return the state of an exchange as a scenario, without what has its default.

    Secrets that are not the default one become references. The log, the counts, the signatures that
    `refuse_replay` remembers and the position in the random numbers are not in it.

    Raises:
        ValueError: A key has a function as its verifier, or a custom response in the queue has a
            header that a file cannot have.
    """
    with engine.lock:
        parts = {
            "accounts": _show_accounts(engine),
            "stubs": _show_stubs(engine),
            "faults": [show_fault(queued) for queued in engine.fault_queue],
            "switches": _show_switches(engine.state.switches),
            "clock": _show_clock(engine),
            "addresses": _show_addresses(engine),
        }
    return {name: part for name, part in parts.items() if part}


def _show_accounts(engine: Engine) -> list[dict[str, Any]]:
    keys_by_account: dict[Account, list[dict[str, Any]]] = {engine.state.account: []}
    for key in engine.state.keys.values():
        keys_by_account.setdefault(key.account, []).append(_show_key(engine, key))
    entries = []
    for account, keys in keys_by_account.items():
        entry: dict[str, Any] = {"keys": keys}
        if not account.futures_enabled:
            entry["opened"] = False
        replies = _show_replies(engine, account)
        if replies:
            entry["replies"] = replies
        entries.append(entry)
    return entries


def _show_key(engine: Engine, key: ApiKey) -> dict[str, Any]:
    entry: dict[str, Any] = {"api_key": key.api_key, **show_secret(engine, key)}
    if key.allowed_networks:
        entry["addresses"] = [str(network) for network in key.allowed_networks]
    if key.permissions != {*PERMISSIONS}:
        entry["permissions"] = sorted(key.permissions)
    return entry


def _show_replies(engine: Engine, account: Account) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for operation in engine.spec.operations:
        entry = {"operation": operation.id}
        validate = partial(engine.spec.validate_body, operation)
        # What is due is the body already, although no request came since.
        engine.state.apply_schedule(operation, account, engine.clock(), is_response=False)
        if operation.id in account.response_bodies:
            body = account.response_bodies[operation.id]
            entries.append(entry | show_body(body, validate))
        entries += _show_waiting(engine, (account, operation.id), entry, validate)
    return entries


def _show_stubs(engine: Engine) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for method, path in [*engine.state.stubs]:
        request = f"{method} {path}"
        operation = engine.state.stubs[method, path].open
        engine.state.apply_schedule(
            operation, engine.state.account, engine.clock(), is_response=False
        )
        stub = engine.state.stubs[method, path]
        waiting = _show_waiting(engine, (None, operation.id), {"request": request})
        if waiting or BUILT_IN_STUBS.get(request) != stub.body:
            entries += [{"request": request, **show_body(stub.body)}, *waiting]
    return entries


def _show_waiting(
    engine: Engine,
    target: Target,
    entry: dict[str, Any],
    validate: Validate = lambda value: None,
) -> list[dict[str, Any]]:
    now = engine.clock()
    return [
        {**entry, **show_body(scheduled.body, validate), **_show_moment(scheduled, now)}
        for scheduled in engine.state.schedule.waiting(target)
    ]


def _show_moment(scheduled: ScheduledBody, now: int) -> dict[str, Any]:
    if scheduled.due_at_ms is None:
        return {"nth": scheduled.nth}
    return {"after_ms": scheduled.due_at_ms - now}


def _show_switches(switches: Switches) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for switch in fields(switches):
        value = getattr(switches, switch.name)
        default = switch.default
        if default is MISSING:
            # The statuses, by code.
            default, value = {}, {str(code): status for code, status in value.items()}
        if value != default:
            entry[switch.name] = list(value) if isinstance(value, tuple) else value
    return entry


def _show_clock(engine: Engine) -> dict[str, Any]:
    clock = engine.clock
    shown: Final = {
        "now_ms": clock() if clock.frozen else 0,
        "offset_ms": 0 if clock.frozen else clock.total_offset_ms,
        "drift_ppm": clock.drift_ppm,
        "frozen": clock.frozen,
    }
    return {name: value for name, value in shown.items() if value}


def _show_addresses(engine: Engine) -> list[dict[str, Any]]:
    now = engine.clock()
    entries = []
    for address, counter in engine.state.counters.items():
        entry = _show_counter(counter, now)
        if entry:
            entries.append({"address": address, **entry})
    return entries


def _show_counter(counter: WeightCounter, now: int) -> dict[str, Any]:
    is_current = counter.minute == now // MINUTE
    shown = {
        "used": counter.used if is_current else 0,
        "rejected_calls": counter.rejected_calls if is_current else 0,
        "ban_count": counter.ban_count,
        "banned_ms": max(0, counter.banned_until - now),
    }
    return {name: value for name, value in shown.items() if value}
