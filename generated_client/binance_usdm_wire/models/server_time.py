# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from attrs import field, frozen

from ..errors import ResponseMismatch, subscript_error
from ..reading import MISSING, PathStep, copy_fields, format_json, integer_reader

_read_server_time = integer_reader(0, 9223372036854775807)


@frozen(slots=True, kw_only=True)
class ServerTime:
    """The exchange's clock."""

    server_time: int
    """Now, ms since 1970-01-01 UTC."""
    additional_properties: Mapping[str, Any] = field(factory=dict, hash=False)
    """Fields that are not in the spec, as decoded."""

    WIRE_NAMES: ClassVar[Mapping[str, str]] = {
        "server_time": "serverTime",
    }
    """Name of the JSON field by attribute, in the order of the spec."""
    HOLDINGS: ClassVar[tuple[str, ...]] = ()
    """Attributes that are all zero in a row without holdings."""
    INSTANTS: ClassVar[tuple[str, ...]] = ("server_time",)
    """Attributes that are ms since 1970-01-01 UTC."""

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> ServerTime:
        """Read a decoded JSON object.

        Args:
            source: The object. Fields that are not in the spec are kept.

        Raises:
            ResponseMismatch: A field is missing, null or of another type. The error names it.
        """
        rest = copy_fields(source)
        take = rest.pop
        return cls(
            server_time=_read_server_time(take("serverTime", MISSING), "serverTime"),
            additional_properties=rest,
        )

    @classmethod
    def read(cls, value: Any, step: PathStep) -> ServerTime:
        """Read a decoded JSON object inside a larger value, at `step`."""
        try:
            return cls.from_dict(value)
        except ResponseMismatch as mismatch:
            raise mismatch.with_prefix(step) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that this was read from, as exact Python values.

        Amounts are strings in plain digits. `json.dumps` rejects a `Decimal`, which is a number in
        a field that is not in the spec; use `to_json`.

        Raises:
            ValueError: An amount was replaced by something other than a finite `Decimal`.
        """
        fields: dict[str, Any] = {
            "serverTime": self.server_time,
        }
        for name, value in self.additional_properties.items():
            fields.setdefault(name, value)
        return fields

    # Type checkers report a subscript, which they would not with this method.
    if not TYPE_CHECKING:

        def __getitem__(self, name: object) -> NoReturn:
            raise subscript_error(self, name)

    def to_json(self) -> str:
        """Return the JSON text of `to_dict()`, with all digits of each number.

        Raises:
            ValueError: As for `to_dict`.
        """
        return format_json(self.to_dict())
