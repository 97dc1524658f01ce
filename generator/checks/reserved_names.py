"""Names that generated code has already, read from the templates.

A name of the spec that becomes one of them would hide what the code needs.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
RENAME: Final = "give it another name with x-python-name"

RESERVED_OPERATIONS: Final = frozenset(
    {
        "account_balance", "aclose", "budget", "close", "close_connection", "completion", "connect",
        "contract", "doctor", "fetch_balance", "fetch_time", "from_env", "from_profile",
        "futures_account_balance", "futures_account_balance_v3", "futures_time", "get",
        "get_balance", "mock", "spec", "time", "whoami",
    }
)  # fmt: skip
"""Methods that every client already has, and other shell commands."""
RESERVED_ARGUMENTS: Final = frozenset(
    {
        "all_members", "all_profiles", "base_url", "columns", "csv", "demo", "help", "json",
        "non_zero", "output", "profile", "profiles_file", "proxy", "time", "timeout", "watch",
    }
)  # fmt: skip
"""Options that every shell command already has."""

_DOCSTRING: Final = re.compile(r'""".*?"""', re.DOTALL)
_JINJA: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_CLASS_LEVEL: Final = re.compile(
    r"^    (?:(?:async )?def (\w+)\(|@(\w+)|(\w+): .*?(?:= *(\w+)\()?.*$)", re.MULTILINE
)
_MODEL_TEMPLATES: Final = ("model", "object_methods", "tuple_methods", "records")


@functools.cache
def reserved_classes() -> frozenset[str]:
    """Return the names of classes that a generated module may import, define or use."""
    names: set[str] = set()
    for path in TEMPLATES.glob("*.py.jinja"):
        names.update(re.findall(r"\b_*[A-Z]\w*", _code(path)))
    return frozenset(names)


@functools.cache
def reserved_attributes() -> frozenset[str]:
    """Return the names that the body of a generated class defines or needs."""
    names: set[str] = set()
    for name in _MODEL_TEMPLATES:
        for match in _CLASS_LEVEL.finditer(_code(TEMPLATES / f"{name}.py.jinja")):
            names.update(filter(None, match.groups()))
        # What a default is made with: a field of this name would hide it from the next one.
        names.update(
            re.findall(r"(?m)^    \S.* = (\w+)[.(]", _code(TEMPLATES / f"{name}.py.jinja"))
        )
    # Expressions of `classes.Field.default`.
    return frozenset(name for name in names if name.islower()) | {"field"}


def _code(path: Path) -> str:
    """Return a template without docstrings, Jinja and what the spec fills in."""
    source = _JINJA.sub("", _DOCSTRING.sub("", path.read_text(encoding="utf-8")))
    flavors = "".join(source.replace("{{ flavor }}", flavor) for flavor in ("Sync", "Async"))
    return _PLACEHOLDER.sub("", re.sub("(?m)#.*$", "", flavors))
