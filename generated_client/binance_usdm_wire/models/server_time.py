# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from ..errors import ResponseMismatch
from ..reading import (
    MISSING,
    PathStep,
    copy_fields,
    integer_reader,
)

_read_server_time = integer_reader(0, 9223372036854775807)


@frozen(slots=True, kw_only=True)
class ServerTime:
    """The exchange's clock [time]."""

    server_time: int
    """Now, ms since 1970-01-01 UTC [time]."""
    additional_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    """Members that the spec does not know, as they came."""

    WIRE_NAMES: ClassVar[Mapping[str, str]] = {
        "server_time": "serverTime",
    }
    """Attribute -> member of the JSON object, in the order of the spec."""
    HOLDINGS: ClassVar[tuple[str, ...]] = ()
    """Amounts that are all zero in a row that holds nothing."""

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> ServerTime:
        """Read a decoded JSON object; raises `ResponseMismatch` naming the field when a member is missing, null or of another type."""
        rest = copy_fields(source)
        take = rest.pop
        return cls(
            server_time=_read_server_time(take("serverTime", MISSING), "serverTime"),
            additional_properties=rest,
        )

    @classmethod
    def read(cls, value: Any, step: PathStep) -> ServerTime:
        """`from_dict` for a value that stands at `step` of a larger one."""
        try:
            return cls.from_dict(value)
        except ResponseMismatch as mismatch:
            raise mismatch.with_prefix(step) from None

    def to_dict(self) -> dict[str, Any]:
        """The JSON object this was read from: `to_dict(from_dict(x)) == x`, amounts as the same text.

        ValueError for an amount of a row made by hand that is no finite Decimal.
        """
        found: dict[str, Any] = {
            "serverTime": self.server_time,
        }
        for name, value in self.additional_properties.items():
            found.setdefault(name, value)
        return found
