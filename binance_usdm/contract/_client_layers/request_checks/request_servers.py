"""A check that the client knows the servers of the document."""

from __future__ import annotations

from typing import Final

from binance_usdm.contract._cases.raw_requests import MakeExchange
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.operations import Operation

# The mock exchange of the document, which is no environment of the exchange.
NO_ENVIRONMENT: Final = "mock"


def base_urls_are_described(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Each base URL that the client has a name for is that of a server with this environment."""
    described = {each["x-environment"]: each["url"] for each in operation.document["servers"]}
    described.pop(NO_ENVIRONMENT, None)
    assert {*described} <= {*sdk.base_urls}, (
        f"no name for {sorted({*described} - {*sdk.base_urls})}"
    )
    for environment, url in sdk.base_urls.items():
        known = described.get(environment)
        assert url == known, f"{environment} is {url}, not {known}"


CHECKS: Final = (base_urls_are_described,)
