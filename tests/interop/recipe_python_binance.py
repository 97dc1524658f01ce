import os

from binance.client import Client

mock = os.environ["BINANCE_BASE_URL"]


class MockClient(Client):
    # Of the class, since the constructor pings already.
    API_URL = f"{mock}/api"
    FUTURES_URL = f"{mock}/fapi"


client = MockClient(os.environ["BINANCE_API_KEY"], os.environ["BINANCE_API_SECRET"])
print(client.futures_account_balance()[0]["balance"])
