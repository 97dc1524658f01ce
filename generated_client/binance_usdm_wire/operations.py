# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Every operation, and the methods that a client gets for them. A client mixes one class in and supplies `_call`."""

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
