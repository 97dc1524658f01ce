# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Binance USDⓈ-M Futures account balance: the wire, without input or output.

How a request is built from arguments and how a reply becomes typed values. Opens no socket, reads no clock, holds no secret.
Spec version 3.0.0. Where a fact is not printed on the endpoint's own page, its source stands in brackets:

[page] developers.binance.com, USDS-margined futures, Futures Account Balance V3, updated 2026-01-15 (English and Chinese):
the source of every fact that names no other
[gen] developers.binance.com, USDS-margined futures, General Info, as of 2026-05-28
[err] developers.binance.com, USDS-margined futures, Error Code, as of 2026-05-28
[time] developers.binance.com, USDS-margined futures, Check Server Time, as of 2026-05-28
[log] developers.binance.com, derivatives, Change Log, entries up to 2026-05-11
[spot] the exchange's spot documentation, 2026-07-21; the same words for another product, never a promise for futures
[seen] seen in published recordings of real replies (2025-01, 2025-11) or measured by others in 2025 and 2026
"""

from .errors import BadArgument, Mismatch
from .models import AccountBalance, ServerTime
from .operations import OPERATIONS, AsyncOperations, SyncOperations
from .types import Operation, Parameter, Response, Signing

__all__ = [
    "AccountBalance",
    "AsyncOperations",
    "BadArgument",
    "Mismatch",
    "OPERATIONS",
    "Operation",
    "Parameter",
    "Response",
    "ServerTime",
    "Signing",
    "SyncOperations",
]
