"""Admin API: show and change the balances of accounts."""

from __future__ import annotations

from typing import Any

from binance_usdm.mock.core.strict_json import dumps, loads
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.spec.rows import BALANCE_OPERATION, change_row, default_row
from binance_usdm.mock.state.accounts import Account

from .views import Params


def get_balances(engine: Engine, params: Params) -> Any:
    """Return the rows of every account.

    Returns:
        `{"accounts": [{"api_key", "rows": [{field name: value}] or null}]}`, with null for a body
        that is not a list of rows.
    """
    if BALANCE_OPERATION not in engine.spec.by_id:
        return {"accounts": []}
    first_keys: dict[Account, str] = {}
    for key in engine.state.keys.values():
        first_keys.setdefault(key.account, key.api_key)
    return {
        "accounts": [
            {"api_key": api_key, "rows": _rows_of(engine, account)}
            for account, api_key in first_keys.items()
        ]
    }


def patch_balances(engine: Engine, params: Params) -> Any:
    """Change, add or remove a row of an account, and return the balances.

    Body: `{"api_key": string or null, "asset", "fields": {field name: value} or null}`, with null
    to remove the row.

    Raises:
        ValueError: The key or a field is unknown, the spec forbids a value, or the body of the
            account is not a list of rows.
    """
    api_key = params.get("api_key")
    account = engine.state.account_of(api_key)
    rows = _rows_of(engine, account)
    if rows is None:
        raise ValueError("the body of the account is not a list of rows; set all of it")
    asset, fields = params["asset"], params["fields"]
    positions = [position for position, row in enumerate(rows) if row.get("asset") == asset]
    if fields is None:
        rows = [row for row in rows if row.get("asset") != asset]
    elif positions:
        rows[positions[0]] = change_row(engine.spec, rows[positions[0]], fields)
    else:
        new_row = default_row(engine.spec, asset)
        rows.append(change_row(engine.spec, new_row, {"account_alias": account.alias, **fields}))
    engine.seed(BALANCE_OPERATION, dumps(rows), api_key)
    return get_balances(engine, params)


def _rows_of(engine: Engine, account: Account) -> list[dict[str, Any]] | None:
    body = account.response_bodies.get(BALANCE_OPERATION)
    if body is None:
        operation = engine.spec.require_operation(BALANCE_OPERATION)
        body = engine.spec.example_body(operation, engine.clock(), account.alias)
    try:
        rows = loads(body)
    except ValueError:
        return None
    is_list_of_rows = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    return rows if is_list_of_rows else None
