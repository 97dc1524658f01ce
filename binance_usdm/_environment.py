"""Read client options from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ._auth.private_keys import signer_from_pem
from ._errors import ConfigurationError

ENV_API_KEY: Final = "BINANCE_API_KEY"
ENV_API_SECRET: Final = "BINANCE_API_SECRET"  # the variable's name  # noqa: S105
ENV_PRIVATE_KEY: Final = "BINANCE_API_PRIVATE_KEY"
ENV_PRIVATE_KEY_FILE: Final = "BINANCE_API_PRIVATE_KEY_FILE"
ENV_PRIVATE_KEY_PASSWORD: Final = "BINANCE_API_PRIVATE_KEY_PASSWORD"  # likewise  # noqa: S105
ENV_BASE_URL: Final = "BINANCE_BASE_URL"
ENV_NAMES_BY_OPTION: Final = {
    "api_key": ENV_API_KEY,
    "api_secret": ENV_API_SECRET,
    "base_url": ENV_BASE_URL,
}


def options_from_env(options: Mapping[str, Any]) -> dict[str, Any] | str:
    """The constructor's arguments that environment variables give, without those in `options`, or a complaint that repeats no value.

    An empty variable is one that is not set.
    """
    value = os.environ.get
    found: dict[str, Any] = {
        option: value(name)
        for option, name in ENV_NAMES_BY_OPTION.items()
        if value(name) and option not in options
    }
    if "api_key" not in {*found, *options}:
        return f"the environment variable {ENV_API_KEY} is not set"
    if not {"signer", "api_secret"}.isdisjoint(options):
        found.pop("api_secret", None)
        return found
    signed_by = [
        name for name in (ENV_API_SECRET, ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE) if value(name)
    ]
    if len(signed_by) != 1:
        which = (
            f"{' and '.join(signed_by)} are set: unset all but one"
            if signed_by
            else f"{ENV_API_SECRET} is not set"
        )
        return f"one environment variable must say what signs: {which}"
    if signed_by != [ENV_API_SECRET]:
        text = value(ENV_PRIVATE_KEY) or ""
        try:
            found["signer"] = signer_from_pem(
                os.fsencode(text) or Path(value(ENV_PRIVATE_KEY_FILE) or ""),
                value(ENV_PRIVATE_KEY_PASSWORD) or None,
            )
        except ConfigurationError as error:
            option, _, problem = str(error).partition(" ")
            return f"{ENV_PRIVATE_KEY_PASSWORD if option == 'password' else signed_by[0]} {problem}"
    return found
