"""The `whoami` command: which account, key and exchange the other commands would use."""

from __future__ import annotations

import argparse
import hashlib
import sys
from typing import Any, Final

from binance_usdm import Client
from binance_usdm._auth.credentials import Credentials
from binance_usdm._config.defaults import DEFAULT_TIMEOUT
from binance_usdm_wire import OPERATIONS

from .arguments import add_target_arguments
from .doctor.advice import KEY_TYPE_BY_SIGNER, describe_environment
from .output.formats import LABEL_COLUMN, RENDERERS, TableData, add_format_arguments
from .read.accounts import add_profile_arguments, open_accounts, report_failures

DESCRIPTION: Final = """\
Show which exchange, account and type of key the other commands would use.

Nothing is sent, and no key or secret is shown. The fingerprint is the beginning of the
API key's SHA-256; compare it with
    printf %s "$BINANCE_API_KEY" | sha256sum | cut -c 1-16"""
COLUMNS: Final = ("environment", "base_url", "key_type", "key_fingerprint")
FINGERPRINT_LENGTH: Final = 16


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add description and arguments to the parser of the command."""
    command.description = DESCRIPTION
    command.set_defaults(run=_run, usage_error=command.error, timeout=DEFAULT_TIMEOUT)
    add_target_arguments(command)
    add_profile_arguments(command)
    add_format_arguments(command)


def _run(options: argparse.Namespace) -> int:
    with open_accounts(options, OPERATIONS["balance"]) as accounts:
        rows = [_describe(client) for client in accounts.clients]
        columns = [LABEL_COLUMN, *COLUMNS] if accounts.has_labels else COLUMNS
    exit_code = report_failures(accounts.failures, len(rows), options.report)
    if rows:
        table = TableData(columns, rows, is_single_object=not accounts.has_labels)
        RENDERERS[options.output_format](table, sys.stdout)
    return exit_code


def _describe(client: Client) -> dict[str, Any]:
    """Return what may be known of a client's account. It has no secret."""
    builder = client._request_builder
    row: dict[str, Any] = {
        "environment": describe_environment(builder.origin[1]),
        "base_url": str(builder.url),
        "key_type": _key_type(builder._credentials),
        "key_fingerprint": _fingerprint(builder._credentials),
    }
    return row if client._label is None else {LABEL_COLUMN: client._label, **row}


def _key_type(credentials: Credentials) -> str:
    return KEY_TYPE_BY_SIGNER.get(type(credentials.signer).__name__, "custom")


def _fingerprint(credentials: Credentials) -> str:
    """Return the beginning of the API key's SHA-256, from which no key can be found."""
    api_key = credentials.api_key or ""
    return hashlib.sha256(api_key.encode("ascii")).hexdigest()[:FINGERPRINT_LENGTH]
