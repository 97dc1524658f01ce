# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Binance USDⓈ-M Futures account balance: build requests and read responses.

This package is generated from spec version 3.0.0. It does no input or
output: a client sends what it builds and passes it what arrives. The sources of all facts are
listed in `openapi.json`.
"""

from .errors import InvalidArgumentError, ResponseMismatch
from .models import AccountBalance, ServerTime
from .operations import OPERATIONS, AsyncOperations, SyncOperations
from .types import Operation, Parameter, Response, Signing

__all__ = [
    "AccountBalance",
    "AsyncOperations",
    "InvalidArgumentError",
    "OPERATIONS",
    "Operation",
    "Parameter",
    "Response",
    "ResponseMismatch",
    "ServerTime",
    "Signing",
    "SyncOperations",
]
