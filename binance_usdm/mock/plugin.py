"""The pytest fixture ``usdm_exchange``. Knows pytest and the exchange, uses no client and no server.

pytest loads it as a part of ``binance_usdm``, whose front door loads the client and httpx; uvicorn is not loaded.
"""

from __future__ import annotations

import pytest

from .exchange import Exchange


@pytest.fixture
def usdm_exchange() -> Exchange:
    """A fresh mock exchange with its default key and secret, on the system's clock, as the client under test is."""
    return Exchange()
