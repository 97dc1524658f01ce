"""Programs that call a mock exchange, each with a key at an address, and the errors they get."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from binance_usdm.contract._cases.raw_requests import (
    KEY,
    SECRET,
    T0,
    encode_target,
    header_value,
    key_headers,
    sign,
)
from binance_usdm.contract._spec.document import JSON_TYPE
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.mock import Exchange, Reply

# The blocks of addresses that documents may use.
ADDRESS: Final = "203.0.113.1"
OTHER_ADDRESS: Final = "203.0.113.2"


@dataclass(frozen=True)
class Caller:
    """A program with a key and its secret, at an address."""

    key: str = KEY
    secret: str = field(default=SECRET, repr=False)
    address: str = ADDRESS

    def send(
        self, exchange: Exchange, operation: Operation, timestamp: int = T0, *pairs: str
    ) -> Reply:
        """Send a request in which only the arguments can be invalid."""
        query = sign(operation, operation.query(timestamp, *pairs), self.secret)
        return exchange.handle(
            operation.method,
            encode_target(operation, query),
            key_headers(operation, self.key),
            address=self.address,
        )


# Fake credentials, which only an exchange of a check accepts: S105 looks for real ones.
OTHER_KEY: Final = "another-key"
OTHER_SECRET: Final = "another-secret"  # noqa: S105
FIRST: Final = Caller()
OTHER: Final = Caller(OTHER_KEY, OTHER_SECRET)


# A path that no document has.
STUB_PATH: Final = "/no/such/path"


def stub_operation(operation: Operation) -> Operation:
    """Return an operation at the path of a stub, which is signed as another one."""
    return replace(operation, method="GET", path=STUB_PATH, declared=())


class Rejection(NamedTuple):
    """Status, code and message of an error response."""

    status: int
    code: int
    message: str


def read_rejection(reply: Reply) -> Rejection:
    """Return what an error response says, which is a code and a message in JSON.

    Raises:
        AssertionError: It is something else.
    """
    assert reply.status >= 400, f"{reply.status}"
    assert header_value(reply, "Content-Type").startswith(JSON_TYPE), f"{reply.headers}"
    body = json.loads(reply.body)
    assert {*body} == {"code", "msg"}, f"{reply.body!r}"
    assert type(body["code"]) is int, f"{reply.body!r}"
    assert type(body["msg"]) is str, f"{reply.body!r}"
    return Rejection(reply.status, body["code"], body["msg"])
