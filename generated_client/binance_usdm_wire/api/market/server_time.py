# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""GET /fapi/v1/time: The exchange's clock."""

from __future__ import annotations

from typing import Final

from ...decoding import decode
from ...models import ServerTime
from ...types import Operation

_read = ServerTime.read


def query() -> dict[str, str]:
    """The query parameters by wire name, checked and percent-encoded, in the order of the spec; raises `BadArgument`."""
    _pairs: dict[str, str] = {}
    return _pairs


def parse(body: bytes) -> ServerTime:
    """The typed value of a 200 reply; raises `Mismatch`."""
    return _read(decode(body), None)


OPERATION: Final[Operation[ServerTime]] = Operation(
    id="server_time",
    method="GET",
    path="/fapi/v1/time",
    weight=1,
    security_type="NONE",
    key_header=None,
    signing=None,
    parameters=(),
    row=ServerTime,
    summary="The exchange's clock.",
    query=query,
    parse=parse,
)
