"""Check the version of the generator library before anything of it is used."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

NAME: Final = "openapi-python-client"
VERSION: Final = "0.29.1"
"""The version that decides the committed bytes. Its Python API changes in patch releases."""


def library_problem() -> str | None:
    """Return what is wrong with the installed generator library, or `None`."""
    try:
        installed = version(NAME)
    except PackageNotFoundError:
        installed = "none"
    if installed == VERSION:
        return None
    return f"{NAME} {VERSION} is needed, and {installed} is installed; run make install"
