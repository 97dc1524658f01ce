# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Binance USDⓈ-M Futures account balance: build requests and read responses.

This package is generated from spec version 0.1.0. It does no input or
output: a client sends what it builds and passes it what arrives. The sources of all facts are
listed in `openapi.json`.
"""

from typing import TYPE_CHECKING, Any

from .errors import InvalidArgumentError, ResponseMismatch
from .lazy import import_class
from .models import MODULE_BY_NAME
from .operations import OPERATIONS, AsyncOperations, SyncOperations
from .types import Operation, Parameter, Response, Signing

if TYPE_CHECKING:
    from .models import AccountBalance, ServerTime

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


def __getattr__(name: str) -> Any:
    return import_class(MODULE_BY_NAME, globals(), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
