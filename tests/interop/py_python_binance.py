"""python-binance: one reading of the balances. The contract of these programs is in run.py."""

import json
import os

from binance.client import Client  # type: ignore[import-not-found]  # has its own venv
from binance.exceptions import BinanceAPIException  # type: ignore[import-not-found]

client = Client(
    os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"], ping=False
)  # a ping would go to the spot host
client.FUTURES_URL = os.environ["BINANCE_BASE_URL"] + "/fapi"
client.REQUEST_RECVWINDOW = 5000  # its own 10000 would let a clock pass that is ten seconds late
try:
    print(json.dumps({"ok": True, "balances": client.futures_account_balance()}))
except BinanceAPIException as error:
    print(json.dumps({"ok": False, "code": error.code, "error": type(error).__name__}))
