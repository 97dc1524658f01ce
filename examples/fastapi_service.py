"""Serve the balances of an account over HTTP with FastAPI.

    pip install fastapi uvicorn
    uvicorn fastapi_service:app

`GET /balance` returns the exchange's JSON with every digit. Balances are private: put
authentication in front of it. The client is opened and closed with the application.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request, Response

import binance_usdm


@asynccontextmanager
async def open_client(app: FastAPI) -> AsyncIterator[None]:
    async with binance_usdm.AsyncClient.from_env(timeout=5) as client:
        app.state.client = client
        yield


def get_client(request: Request) -> binance_usdm.AsyncClient:
    """Dependency: the client of the application. Tests replace it by `dependency_overrides`."""
    client: binance_usdm.AsyncClient = request.app.state.client
    return client


GET_CLIENT = Depends(get_client)


async def read_balance(client: binance_usdm.AsyncClient = GET_CLIENT) -> Response:
    try:
        rows = await client.balance()
    except binance_usdm.UsdmError as error:
        # The text of an error is for the log, not for callers.
        return Response(status_code=503 if error.retryable else 502)
    # FastAPI would make floats of Decimals, so the rows write their JSON themselves.
    body = "[" + ",".join(row.to_json() for row in rows) + "]"
    return Response(body, media_type="application/json")


app = FastAPI(lifespan=open_client)
app.add_api_route("/balance", read_balance, response_model=None)
