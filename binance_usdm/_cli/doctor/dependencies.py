"""Check that no installed dependency is older than the fix of a known security problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from .findings import CheckResult, Facts

FIXED_VERSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "anyio": ("4.14.2", "CVE-2026-63374"),
    "certifi": ("2024.7.4", "CVE-2024-39689"),
    "cryptography": ("44.0.1", "CVE-2024-12797"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "httpx": ("0.23.0", "CVE-2021-41945"),
    "idna": ("3.15", "CVE-2026-45409"),
}
"""Distribution -> (first version without the problem, advisory).

Known on 2026-11-30. The package does not require versions of what only its dependencies need, since
that would limit what else can be installed.
"""


def check_dependencies() -> CheckResult:
    """Compare the installed versions with those that fixed a known security problem."""
    installed: dict[str, str] = {}
    for name in FIXED_VERSIONS:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    facts: Facts = {"installed": installed}
    old = [
        name
        for name, version in installed.items()
        if _release(version) < _release(FIXED_VERSIONS[name][0])
    ]
    if not old:
        return "ok", "no version with a known security problem", "", facts
    problems = [f"{name} {installed[name]} has {FIXED_VERSIONS[name][1]}" for name in old]
    advice = " ".join(f"{name}>={FIXED_VERSIONS[name][0]}" for name in old)
    return "warning", "; ".join(problems), f"Install {advice}", facts


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers at the start of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])
