"""Checks of the client with arguments just beside what the document allows."""

from __future__ import annotations

import asyncio
from typing import Final

from binance_usdm import ConfigurationError
from binance_usdm.contract._cases.raw_requests import MakeExchange
from binance_usdm.contract._cases.small_changes.values_beside import values_beside
from binance_usdm.contract._client_layers.calls import (
    RecordedCall,
    argument_name,
    call_method,
    sample_arguments,
)
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.operations import Operation


def arguments_beside_are_rejected(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A value of the right type that the schema does not allow is rejected, and nothing is sent."""
    client, transport = sdk.connect(make())
    for parameter in operation.parameters:
        for value in values_beside(parameter):
            arguments = sample_arguments(operation) | {argument_name(parameter): value}
            call = RecordedCall(arguments)
            asyncio.run(call_method(client, operation, call))
            place = f"{argument_name(parameter)}={value!r}"
            assert not transport.sent, f"{place}: {transport.sent[-1].target!r}"
            assert isinstance(call.error, ConfigurationError), f"{place}: {call.error!r}"


CHECKS: Final = (arguments_beside_are_rejected,)
