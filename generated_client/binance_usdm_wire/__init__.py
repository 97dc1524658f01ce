# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Binance USDⓈ-M Futures account balance: the wire, without input or output.

How a request is built from arguments and how a reply becomes typed values. Opens no socket, reads no clock, holds no secret.
Spec version 3.0.0. Where a fact is not printed on the endpoint's own page, its source stands in brackets:

[page] developers.binance.com, USDS-margined futures, Futures Account Balance V3, updated 2026-01-15
(English and Chinese): the source of every fact that names no other
[gen] developers.binance.com, USDS-margined futures, General Info, as of 2026-05-28
[err] developers.binance.com, USDS-margined futures, Error Code, as of 2026-05-28
[time] developers.binance.com, USDS-margined futures, Check Server Time, as of 2026-05-28
[acc] developers.binance.com, USDS-margined futures, Account Information V3, as of 2026-05-28
[info] developers.binance.com, USDS-margined futures, Exchange Information, as of 2026-05-28
[ws] developers.binance.com, USDS-margined futures, WebSocket API General Info, as of 2026-05-28
[sdk] the exchange's own Python packages binance-sdk-derivatives-trading-usds-futures 18.1.0 and
binance-common 4.7.0
[log] developers.binance.com, derivatives, Change Log, entries up to 2026-05-11
[spot] the exchange's spot documentation, 2026-07-21; the same words for another product, never a
promise for futures
[seen] seen in published recordings of real replies (2025-01, 2025-11; balances are of the WebSocket
API's call with the same members) or reported or measured by others up to 2026
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
