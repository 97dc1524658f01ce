"""Admin API: handlers.

Each function takes the engine, locked, and the arguments of the request. It changes the exchange
and returns a JSON value of `views`. A ValueError is sent back as a 400 with its message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from binance_usdm.mock.core.response import JSON, Reply
from binance_usdm.mock.core.strict_json import dumps
from binance_usdm.mock.engine import DEFAULT_CLIENT_ADDRESS, Engine
from binance_usdm.mock.scenario.bodies import require_one_of
from binance_usdm.mock.scenario.fault_entries import parse_fault_entry
from binance_usdm.mock.scenario.loading import load_scenario, make_scenario
from binance_usdm.mock.scenario.saving import save_scenario

from .balances import get_balances, patch_balances
from .views import (
    Handler,
    Params,
    get_clock,
    get_counts,
    get_faults,
    get_requests,
    get_state,
    get_switches,
    get_weight,
)


def post_account(engine: Engine, params: Params) -> Any:
    """Add an account with its first key, and return the state.

    Body: `{"api_key", "api_secret" or "public_key", "addresses", "permissions", "opened"}`

    Raises:
        ValueError: A field is not valid, or an account has the key already.
    """
    options = _key_options(params)
    opened = params.get("opened", True)
    engine.add_account(params["api_key"], _parse_secret(params), opened, **options)
    return get_state(engine, params)


def post_key(engine: Engine, params: Params) -> Any:
    """Add a key to an account, and return the state.

    Body: `{"account_of", "api_key", "api_secret" or "public_key", "addresses", "permissions"}`

    Raises:
        ValueError: A field is not valid, or no account has the key `account_of`.
    """
    secret = _parse_secret(params)
    if params["account_of"] not in engine.state.keys:
        raise ValueError("no account has the key account_of")
    account = engine.state.account_of(params["account_of"])
    engine.add_key(account, params["api_key"], secret, **_key_options(params))
    return get_state(engine, params)


def _parse_secret(params: Params) -> str | bytes:
    secret: str = params[require_one_of(params, "api_secret", "public_key")]
    return secret.encode() if "public_key" in params else secret


def _key_options(params: Params) -> dict[str, Any]:
    return {name: params[name] for name in ("addresses", "permissions") if name in params}


def post_response(engine: Engine, params: Params) -> Any:
    """Set the 200 body of an operation, now or later, and return the state.

    Body: `{"operation", "api_key": string or null, "value": JSON value or "text": string}`, and
    `"nth"` or `"after_ms"`

    Raises:
        ValueError: The operation or the key is unknown, or the spec forbids `value`.
    """
    operation_id = params["operation"]
    if require_one_of(params, "value", "text") == "value":
        operation = engine.spec.require_operation(operation_id)
        engine.spec.validate_body(operation, params["value"])
        body = dumps(params["value"])
    else:
        body = params["text"].encode()
    moment = {name: params[name] for name in ("nth", "after_ms") if name in params}
    engine.seed(operation_id, body, params.get("api_key"), **moment)
    return get_state(engine, params)


def patch_clock(engine: Engine, params: Params) -> Any:
    """Set the clock, and return it. Fields that are not sent stay unchanged.

    Body: `{"offset_ms", "drift_ppm", "advance_ms", "frozen": bool}`
    """
    clock = engine.clock
    if "frozen" in params:
        if params["frozen"]:
            clock.freeze()
        else:
            clock.thaw()
    if "offset_ms" in params:
        # A step, so that a frozen clock moves too.
        clock.advance(params["offset_ms"] - clock.offset_ms)
    if "drift_ppm" in params:
        clock.drift(params["drift_ppm"])
    clock.advance(params.get("advance_ms", 0))
    return get_clock(engine, params)


def post_weight(engine: Engine, params: Params) -> Any:
    """Use weight as another program would, and return weight and bans.

    Body: `{"weight", "address"}`

    Raises:
        ValueError: `address` is not an IP address.
    """
    engine.spend(params["weight"], _address_argument(params))
    return get_weight(engine, params)


def post_ban(engine: Engine, params: Params) -> Any:
    """Ban an IP address, and return weight and bans.

    Body: `{"seconds", "address"}`

    Raises:
        ValueError: `address` is not an IP address.
    """
    engine.ban(params.get("seconds", 120), _address_argument(params))
    return get_weight(engine, params)


def _address_argument(params: Params) -> str:
    return str(params.get("address", DEFAULT_CLIENT_ADDRESS))


def post_recover(engine: Engine, params: Params) -> Any:
    """Forget queued faults, bans and used weight, and return weight and bans. Body: `{}`."""
    engine.recover()
    return get_weight(engine, params)


def post_fault(engine: Engine, params: Params) -> Any:
    """Queue a fault or a custom response, and return the faults.

    Body: `{"fault": name, "options": {name: value}}` or `{"reply": {"status", "headers":
    [{"name", "value"}], "text" or "base64"}}`, and `"times"`, `"operation"`, `"path"`,
    `"api_key"`, `"nth"`, `"probability"`

    Raises:
        ValueError: The fault or the operation is unknown, or an option or a header is not valid.
    """
    engine.fail(parse_fault_entry(params))
    return get_faults(engine, params)


def delete_faults(engine: Engine, params: Params) -> Any:
    """Forget the queued faults, and return the faults."""
    engine.fault_queue.clear()
    return get_faults(engine, params)


def patch_switches(engine: Engine, params: Params) -> Any:
    """Change some switches, and return all. Body: `{switch name: value}`.

    Raises:
        ValueError: A name or a value is not valid.
    """
    engine.state.switches = engine.state.switches.with_changes(params)
    return get_switches(engine, params)


def post_reset(engine: Engine, params: Params) -> Any:
    """Reset everything, and return the state. Body: `{}`."""
    engine.reset()
    return get_state(engine, params)


def get_scenario(engine: Engine, params: Params) -> Any:
    """Return the state as a scenario, in lines, so that two versions can be compared.

    Raises:
        ValueError: The state has something that a file cannot have.
    """
    text = json.dumps(save_scenario(engine), ensure_ascii=False, indent=2)
    return Reply(200, ((b"Content-Type", JSON),), text.encode() + b"\n")


def put_scenario(engine: Engine, params: Params) -> Any:
    """Replace the state by that of a scenario, and return it. References are not followed.

    Raises:
        ValueError: The scenario is not valid. The message has the place.
    """
    load_scenario(engine, make_scenario(params, None, engine.held_secrets))
    return get_scenario(engine, params)


RESOURCES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "state"): get_state,
    ("POST", "accounts"): post_account,
    ("POST", "keys"): post_key,
    ("POST", "replies"): post_response,
    ("GET", "balances"): get_balances,
    ("PATCH", "balances"): patch_balances,
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
    ("GET", "scenario"): get_scenario,
    ("PUT", "scenario"): put_scenario,
    ("POST", "reset"): post_reset,
}
"""Handler by method and resource."""
