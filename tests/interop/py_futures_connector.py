"""The exchange's deprecated futures connector: one reading of the balances. The contract of these programs is in run.py."""

import json
import os

from binance.error import ClientError  # type: ignore[import-not-found]  # has its own venv
from binance.um_futures import UMFutures  # type: ignore[import-not-found]

client = UMFutures(
    os.environ["BINANCE_API_KEY"],
    os.environ["BINANCE_API_SECRET"],
    base_url=os.environ["BINANCE_BASE_URL"],
)
try:
    print(json.dumps({"ok": True, "balances": client.balance()}))
except ClientError as error:
    print(json.dumps({"ok": False, "code": error.error_code, "error": type(error).__name__}))
