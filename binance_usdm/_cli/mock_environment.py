"""Environment of a program that `mock run` runs."""

from __future__ import annotations

import argparse
import os

from binance_usdm._environment import (
    ENV_API_KEY,
    ENV_API_KEY_FILE,
    ENV_API_SECRET,
    ENV_API_SECRET_FILE,
    ENV_BASE_URL,
    ENV_BUDGET,
    ENV_PRIVATE_KEY,
    ENV_PRIVATE_KEY_FILE,
    ENV_PRIVATE_KEY_PASSWORD,
    ENV_PROXY,
    without_proxy_for,
)


def program_environment(options: argparse.Namespace, api_key: str, url: str) -> dict[str, str]:
    """Return this process's environment with the mock's address and credentials.

    Credentials, budget and proxy of the shell are removed. Only a private key stays if the mock
    was given a public one.
    """
    account = {ENV_API_KEY: api_key, ENV_BASE_URL: url}
    if options.public_key is None:
        account[ENV_API_SECRET] = options.api_secret
        removed = {ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE, ENV_PRIVATE_KEY_PASSWORD}
    else:
        removed = {ENV_API_SECRET}
    removed |= {ENV_API_KEY_FILE, ENV_API_SECRET_FILE, ENV_BUDGET, ENV_PROXY}
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {**kept, **account, **without_proxy_for(url, kept)}
