"""Operations of the exchange: method, path, weight, and what a request may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .parameters import Json, Parameter


@dataclass(frozen=True, slots=True)
class Operation:
    """Method and path of the exchange, with what it accepts and responds with.

    `key_header` is the lower-case name of the header with the API key, `signature` the name of
    the parameter with the signature; each is `None` if the operation needs none. `allowed_names`
    are all names that a query may have, `None` for any. `weight` is a number, or weights by the
    value of a parameter.
    """

    id: str
    method: str
    path: str
    weight: int | Json
    parameters: tuple[Parameter, ...]
    key_header: bytes | None
    signature: str | None
    example: Any
    schema: Json
    allowed_names: frozenset[str] | None
    parameters_by_role: Mapping[str, Parameter]
    path_pattern: re.Pattern[str] | None = None

    def path_values(self, path: str) -> Mapping[str, str]:
        """Return the percent-decoded values of the parameters in a path of this operation."""
        match = self.path_pattern and self.path_pattern.fullmatch(path)
        if not match:
            return {}
        names = re.findall(r"\{([^}]+)\}", self.path)
        return dict(zip(names, map(unquote, match.groups()), strict=True))

    def weight_of(self, query: Mapping[str, str], path_values: Mapping[str, str]) -> int:
        """Return the weight of a request, from its strings by parameter."""
        rule = self.weight
        if isinstance(rule, int):
            return rule
        name = rule["parameter"]
        text = path_values.get(name, query.get(name))
        if text is None:
            return int(rule["absent"])
        for step in rule["steps"][:-1]:
            if re.fullmatch("-?[0-9]{1,40}", text) and int(text) <= step["to"]:
                return int(step["weight"])
        return int(rule["steps"][-1]["weight"])

    @property
    def largest_weight(self) -> int:
        """The weight, or the largest one if it depends on a parameter."""
        if isinstance(self.weight, int):
            return self.weight
        weights = [self.weight["absent"], *(step["weight"] for step in self.weight["steps"])]
        return max(map(int, weights))


def compile_path(path: str) -> re.Pattern[str] | None:
    """Return the pattern of a path with parameters, `None` for a path without."""
    if "{" not in path:
        return None
    parts = re.split(r"\{([^}]+)\}", path)
    # Every second part is the name of a parameter.
    return re.compile(
        "".join("([^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )
