"""Files of the pages: templates, style sheets, scripts and words."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_asset(name: str) -> str:
    """Return a file that is installed beside this module."""
    return files("binance_usdm.mock.admin").joinpath(name).read_text(encoding="utf-8")
