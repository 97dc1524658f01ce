"""The pytest fixture ``usdm_exchange``. Knows pytest and the exchange; loads no client, no httpx and no server."""

from __future__ import annotations

import pytest

from .exchange import Exchange


@pytest.fixture
def usdm_exchange() -> Exchange:
    """A fresh mock exchange with its default key and secret, on the system's clock, as the client under test is."""
    return Exchange()
