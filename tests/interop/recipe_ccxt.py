import os

import ccxt

mock = os.environ["BINANCE_BASE_URL"]
exchange = ccxt.binance(
    {
        "apiKey": os.environ["BINANCE_API_KEY"],
        "secret": os.environ["BINANCE_API_SECRET"],
        # Otherwise it also loads markets and currencies of other hosts.
        "options": {
            "defaultType": "future",
            "fetchMarkets": {"types": ["linear"]},
            "fetchCurrencies": False,
        },
    }
)
for name, url in exchange.urls["api"].items():
    if isinstance(url, str):
        # All of them: a call of another kind would leave with the real host.
        exchange.urls["api"][name] = mock + "/" + url.split("/", 3)[3]
print(exchange.fetch_balance()["USDT"]["total"])
