"""Read balances with one client, and print what came out: one JSON line for each call.

    python -I answers.py CLIENT CALLS

It takes BINANCE_BASE_URL, BINANCE_API_KEY and BINANCE_API_SECRET from the environment and gives a
call one second. A line has `raised` (the class) or `returned` (the type, of a list its length and
the type of its first balance), `seconds`, and whether the error's text shows the signature.
"""

import json
import os
import sys
import time

BASE_URL = os.environ["BINANCE_BASE_URL"]
KEYS = (os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"])


def binance_usdm():  # type: ignore[no-untyped-def]
    import binance_usdm

    return binance_usdm.Client(*KEYS, base_url=BASE_URL, timeout=1.0).balance


def official_python():  # type: ignore[no-untyped-def]
    from binance_common.configuration import ConfigurationRestAPI  # type: ignore[import-not-found]
    from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (  # type: ignore[import-not-found]
        DerivativesTradingUsdsFutures,
    )

    configuration = ConfigurationRestAPI(*KEYS, base_path=BASE_URL, timeout=1000)
    client = DerivativesTradingUsdsFutures(config_rest_api=configuration)
    return lambda: client.rest_api.futures_account_balance_v3().data()


def futures_connector():  # type: ignore[no-untyped-def]
    from binance.um_futures import UMFutures  # type: ignore[import-not-found]

    return UMFutures(*KEYS, base_url=BASE_URL, timeout=1).balance


def python_binance():  # type: ignore[no-untyped-def]
    from binance.client import Client  # type: ignore[import-not-found]

    client = Client(*KEYS, requests_params={"timeout": 1}, ping=False)
    client.FUTURES_URL = f"{BASE_URL}/fapi"
    return client.futures_account_balance


def ccxt_python():  # type: ignore[no-untyped-def]
    import ccxt  # type: ignore[import-not-found]

    exchange = ccxt.binance({"apiKey": KEYS[0], "secret": KEYS[1], "timeout": 1000})
    exchange.urls["api"]["fapiPrivateV3"] = f"{BASE_URL}/fapi/v3"
    return exchange.fapiPrivateV3GetBalance


def describe(value: object) -> str:
    if not isinstance(value, list):
        return type(value).__name__
    first = value[0] if value else None
    balance = first.get("balance") if isinstance(first, dict) else getattr(first, "balance", None)
    return f"list of {len(value)}, {type(balance).__name__}"


def main(client: str, calls: int) -> None:
    call = globals()[client.replace("-", "_")]()
    for _ in range(calls):
        began = time.monotonic()
        try:
            answer: dict[str, object] = {"returned": describe(call())}
        # Whatever a client raises is an answer.
        except Exception as error:  # noqa: BLE001
            shows = "signature=" in f"{error} {error!r}"
            answer = {"raised": type(error).__name__, "shows_signature": shows}
        print(json.dumps({**answer, "seconds": round(time.monotonic() - began, 1)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
