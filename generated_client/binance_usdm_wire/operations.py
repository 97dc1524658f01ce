# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Operations of the spec, and the methods that call them.

A client inherits from `SyncOperations` or `AsyncOperations` and defines `_call`. The module of an
operation is imported when the operation is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .lazy import LazyOperations, lazy_methods
from .types import SupportsAsyncCall, SupportsCall

if TYPE_CHECKING:
    from .api.account import balance as _balance
    from .api.market import server_time as _server_time

OPERATIONS: Final = LazyOperations(
    {
        "balance": "account",
        "server_time": "market",
    }
)
"""Every operation of the spec by its id, in the order of the spec."""

if TYPE_CHECKING:

    class SyncOperations(_balance.SyncMethods, _server_time.SyncMethods, SupportsCall):
        """Methods of a blocking client."""

    class AsyncOperations(_balance.AsyncMethods, _server_time.AsyncMethods, SupportsAsyncCall):
        """Methods of an asyncio client."""

else:

    @lazy_methods(OPERATIONS, "SyncMethods")
    class SyncOperations(SupportsCall):
        """Methods of a blocking client."""

        __slots__ = ()

    @lazy_methods(OPERATIONS, "AsyncMethods")
    class AsyncOperations(SupportsAsyncCall):
        """Methods of an asyncio client."""

        __slots__ = ()
