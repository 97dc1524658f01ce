"""ccxt for Python: one reading of the balances. The contract of these programs is in run.py."""

import json
import os
import re

import ccxt  # type: ignore[import-not-found]  # has its own venv

exchange = ccxt.binance(
    {"apiKey": os.environ["BINANCE_API_KEY"], "secret": os.environ["BINANCE_API_SECRET"]}
)
exchange.urls["api"]["fapiPrivateV3"] = os.environ["BINANCE_BASE_URL"] + "/fapi/v3"
exchange.options["recvWindow"] = (
    5000  # its own 10000 would let a clock pass that is ten seconds late
)
try:
    rows = (
        exchange.fapiPrivateV3GetBalance()
    )  # the endpoint itself: fetch_balance reads /fapi/v3/account
    rows = [
        {**row, "updateTime": int(row["updateTime"])} for row in rows
    ]  # it makes text of every number
    print(json.dumps({"ok": True, "balances": rows}))
except ccxt.BaseError as error:
    code = re.search(r'"code":(-?\d+)', str(error))
    print(json.dumps({"ok": False, "code": code and int(code[1]), "error": type(error).__name__}))
