"""Where hypothesis may keep what it learns of the source: with pytest's own cache, not beside the code. Examples are never stored."""

from __future__ import annotations

import pytest
from hypothesis.configuration import set_hypothesis_home_dir


def pytest_configure(config: pytest.Config) -> None:
    cache: pytest.Cache | None = getattr(config, "cache", None)  # there is none with -p no:cacheprovider
    if cache is not None:
        set_hypothesis_home_dir(cache.mkdir("hypothesis"))
