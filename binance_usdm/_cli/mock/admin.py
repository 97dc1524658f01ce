"""The admin token of `mock serve`."""

from __future__ import annotations

import argparse
import os
from typing import Final

from .values import read_file

# Not a secret: the variable's name.
ENV_ADMIN_TOKEN: Final = "BINANCE_MOCK_ADMIN_TOKEN"  # noqa: S105


def read_admin_token(options: argparse.Namespace) -> str | None:
    """Return the admin token of the file that was named, or of the environment.

    A newline at the end does not count. `None` if there is no token.
    """
    if options.admin_token_file is not None:
        content = read_file(options.admin_token_file)
        return content.decode("latin-1").removesuffix("\n").removesuffix("\r")
    return os.environ.get(ENV_ADMIN_TOKEN) or None
