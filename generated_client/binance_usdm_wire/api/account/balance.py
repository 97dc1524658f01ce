# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""GET /fapi/v3/balance: Balances of the account, one row an asset."""

from __future__ import annotations

from typing import Final

from ... import writing
from ...models import AccountBalance
from ...types import Operation, Parameter, Signing

_write_recv_window = writing.integer(1, 9223372036854775807)


def query(*, recv_window: int | None = None) -> dict[str, str]:
    """The query parameters by wire name, checked and percent-encoded, in the order of the spec; raises `BadArgument`."""
    _pairs: dict[str, str] = {}
    if recv_window is not None:
        _pairs["recvWindow"] = _write_recv_window("recv_window", recv_window)
    return _pairs


OPERATION: Final[Operation[list[AccountBalance]]] = Operation(
    id="balance",
    method="GET",
    path="/fapi/v3/balance",
    weight=5,
    security_type="USER_DATA",
    key_header="X-MBX-APIKEY",
    signing=Signing(timestamp="timestamp", signature="signature", window="recvWindow"),
    parameters=(
        Parameter(
            name="recv_window",
            type=int,
            required=False,
            description="How old the request may be when the exchange looks at it, in ms, inclusive: refused with -1021 [err] when server time minus timestamp is larger. The exchange takes 5000 when it is not sent, and advises 5000 or less [gen]. No maximum is documented for futures.",
        ),
    ),
    row=AccountBalance,
    summary="Balances of the account, one row an asset.",
    query=query,
    parse=AccountBalance.parse_rows,
)
