"""The exchange's own package for Python: one reading of the balances. The contract of these programs is in run.py."""

import json
import os

from binance_common.configuration import ConfigurationRestAPI  # type: ignore[import-not-found]  # has its own venv
from binance_common.errors import Error  # type: ignore[import-not-found]
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (  # type: ignore[import-not-found]
    DerivativesTradingUsdsFutures,
)

configuration = ConfigurationRestAPI(
    api_key=os.environ["BINANCE_API_KEY"],
    api_secret=os.environ["BINANCE_API_SECRET"],
    base_path=os.environ["BINANCE_BASE_URL"],
    timeout=10_000,
)
client = DerivativesTradingUsdsFutures(config_rest_api=configuration)
try:
    reply = client.rest_api.futures_account_balance_v3()
    rows = [
        row.model_dump(by_alias=True, exclude={"additional_properties"}) for row in reply.data()
    ]
    print(json.dumps({"ok": True, "balances": rows}))
except Error as error:  # its status_code is the exchange's code
    print(json.dumps({"ok": False, "code": error.status_code, "error": type(error).__name__}))
