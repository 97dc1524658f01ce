"""Folders of the project that tests read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests"
DATA: Final = TESTS / "data"
SPEC_FILE: Final = ROOT / "spec" / "openapi.yaml"
MYPY_CACHE: Final = ROOT / ".scratch" / "mypy"
"""Cache of mypy for packages that tests generate: what they import is read once, not by each."""
