# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Operations of the spec, and the methods that call them.

A client inherits from `SyncOperations` or `AsyncOperations` and defines `_call`.
"""

from __future__ import annotations

from typing import Any, Final

from .api.account import balance as _balance
from .api.market import server_time as _server_time
from .types import Operation, SupportsAsyncCall, SupportsCall

OPERATIONS: Final[dict[str, Operation[Any]]] = {
    "balance": _balance.OPERATION,
    "server_time": _server_time.OPERATION,
}
"""Every operation of the spec by its id, in the order of the spec."""


class SyncOperations(_balance.SyncMethods, _server_time.SyncMethods, SupportsCall):
    """Methods of a blocking client."""

    __slots__ = ()


class AsyncOperations(_balance.AsyncMethods, _server_time.AsyncMethods, SupportsAsyncCall):
    """Methods of an asyncio client."""

    __slots__ = ()
