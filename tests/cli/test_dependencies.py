"""The doctor's check of installed versions."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from binance_usdm._cli.doctor.dependencies import FIXED_VERSIONS, check_dependencies
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("0.15.9", "warning"), ("0.16.0", "ok"), ("0.16.0.post1", "ok"), ("1.0", "ok"), ("0.9", "warning")],
)  # fmt: skip
def test_an_old_version_is_named(
    version: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version before the fix is a warning with advisory and remedy."""
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "h11" else "9999.1")
    result = check_dependencies()
    assert result[0] == verdict
    assert result[3]["installed"]["h11"] == version
    if verdict == "warning":
        assert result[1:3] == (f"h11 {version} has CVE-2025-43859", "Install h11>=0.16.0")


def test_what_is_not_installed_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optional dependency may be absent."""

    def version(name: str) -> str:
        if name == "cryptography":
            raise metadata.PackageNotFoundError(name)
        return "9999.1"

    monkeypatch.setattr(metadata, "version", version)
    verdict, _, _, facts = check_dependencies()
    assert verdict == "ok"
    assert "cryptography" not in facts["installed"]


def test_the_locked_versions_have_every_fix() -> None:
    """What a fresh checkout installs passes the check."""
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)", lock))
    assert FIXED_VERSIONS.keys() <= locked.keys()
    assert check_dependencies()[0] == "ok"
