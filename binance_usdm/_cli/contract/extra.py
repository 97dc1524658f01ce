"""Explain that the extra `contract` is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from binance_usdm import ConfigurationError


@contextmanager
def explained_imports() -> Iterator[None]:
    """Raise `ConfigurationError` for a package that cannot be imported within the context."""
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"contract needs the extra contract ({error.name} is missing); "
            "in a clone of the repository, run pip install '.[contract]'"
        ) from None
