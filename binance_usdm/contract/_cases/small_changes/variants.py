"""What a variant of a valid request is, and what must come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from binance_usdm.contract._cases.assumptions import Assumption, find_assumptions
from binance_usdm.mock import Switches

Response: TypeAlias = tuple[int, int | None]
"""HTTP status, and the code of an error payload."""
Expectation: TypeAlias = Callable[[Switches], Collection[Response]]
"""Which responses are right, for an exchange with these switches."""
OK: Final[Response] = (200, None)


@dataclass(frozen=True)
class Variant:
    """A request that differs from a valid one by one small change.

    Attributes:
        name: What was changed.
        method: HTTP method.
        path: Path of the request.
        query: Query as it is sent.
        key: Value of the key header, or `None` for no header.
        key_header: Name of the key header, or `None` for an exchange that has none.
        expect: Which responses are right.
        times: How often it is sent. The last response counts.
    """

    name: str
    method: str
    path: str
    query: str = field(repr=False)
    key: str | None = field(repr=False)
    key_header: str | None = field(repr=False)
    expect: Expectation = field(repr=False)
    times: int = 1

    @property
    def slug(self) -> str:
        """The name as a part of an identifier."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def headers(self) -> dict[str, str]:
        """Header fields of the request."""
        return {self.key_header: self.key} if self.key_header and self.key is not None else {}

    def is_right(self, response: Response, switches: Switches) -> bool:
        """Return whether a response is right for an exchange with these switches."""
        return response in self.expect(switches)

    def find_assumptions(self, response: Response, assume: Switches) -> tuple[Assumption, ...]:
        """Return the assumptions without which a response would be right."""
        return find_assumptions(lambda switches: self.is_right(response, switches), assume)

    def describe_expected(self, switches: Switches) -> str:
        """Return in words what must come."""
        responses = sorted(self.expect(switches), key=lambda each: (each[0], -(each[1] or 0)))
        return " or ".join(describe_response(*each) for each in responses)


def read_code(status: int, body: bytes) -> int | None:
    """Return the code of an error payload, or `None` for a body that is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = value.get("code") if isinstance(value, dict) else None
    is_error = type(code) is int and (status >= 400 or code < 0)
    return code if is_error else None


def describe_response(status: int, code: int | None) -> str:
    """Return status and code in words."""
    return f"HTTP {status}" + (f", code {code}" if code is not None else "")
