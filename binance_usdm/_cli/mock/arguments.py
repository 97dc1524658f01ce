"""Arguments of the `mock` commands that set the mock up."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET
from binance_usdm.mock.server.process import HOST, PORT

from .admin import ENV_ADMIN_TOKEN
from .report import add_report_arguments
from .values import (
    parse_account,
    parse_api_secret,
    parse_fault,
    parse_host,
    parse_not_empty,
    parse_port,
    parse_public_key,
    parse_readable_path,
    parse_response_option,
    parse_script,
    parse_stub,
    parse_switch,
    parse_workers,
)


def add_server_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    """Add a command that serves the mock, with the arguments that set the mock up."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run, usage_error=command.error)
    add = command.add_argument
    add(
        "--seed",
        type=parse_readable_path,
        metavar="FILE",
        help="TOML or JSON file with accounts, balances, keys, stubs, faults, switches and clock "
        "(`mock schema` prints what it may have)",
    )
    add(
        "--api-key",
        type=parse_not_empty,
        default=DEFAULT_API_KEY,
        metavar="KEY",
        help="fake API key of the account",
    )
    add(
        "--api-secret",
        type=parse_api_secret,
        default=DEFAULT_API_SECRET,
        metavar="SECRET",
        help="fake API secret; never use a real one",
    )
    add(
        "--public-key",
        type=parse_public_key,
        metavar="FILE",
        help="PEM file with an Ed25519 or RSA public key, instead of --api-secret",
    )
    add(
        "--account",
        type=parse_account,
        action="append",
        default=[],
        metavar="KEY=SECRET",
        help="another account, by its fake API key and secret",
    )
    add(
        "--clock-offset",
        type=int,
        default=0,
        metavar="MS",
        help="milliseconds that the mock's clock is ahead of this machine",
    )
    add(
        "--reply",
        type=parse_response_option,
        action="append",
        default=[],
        metavar="OPERATION=FILE",
        help="JSON file to return for an operation",
    )
    add(
        "--stub",
        type=parse_stub,
        action="append",
        default=[],
        metavar="'METHOD /PATH=FILE'",
        help="JSON file to return for a path that is no operation; signed requests are verified",
    )
    add(
        "--fault",
        type=parse_fault,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE,...]",
        help="inject a fault into every response; limit it with times=, nth=, probability=, "
        "operation=, path=, api_key=",
    )
    add(
        "--switch",
        type=parse_switch,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a behavior switch; the value is JSON",
    )
    add(
        "--replay",
        type=parse_script,
        default=[],
        metavar="FILE",
        help="return recorded responses (from `mock scrub`) in order",
    )
    add_report_arguments(command)
    return command


def add_listening_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `mock serve` alone: where it listens, and to whom."""
    add = command.add_argument
    add(
        "--host",
        type=parse_host,
        default=HOST,
        metavar="ADDRESS",
        help="IP address to listen on; 0.0.0.0 for other machines and containers "
        "(default: %(default)s, this machine only)",
    )
    add(
        "--port",
        type=parse_port,
        default=PORT,
        help="0 picks a free port (default: %(default)s)",
    )
    add(
        "--admin",
        action="store_true",
        help="serve a page and the admin API at /__admin/, and a page that signs requests in the "
        "browser at /__admin/http, for this machine only",
    )
    add(
        "--admin-token-file",
        type=parse_readable_path,
        metavar="FILE",
        help="file with a token with which other machines may use them too "
        f"(or the variable {ENV_ADMIN_TOKEN})",
    )
    add(
        "--tls-cert",
        type=parse_readable_path,
        metavar="FILE",
        help="PEM file with a certificate chain, to serve https",
    )
    add(
        "--tls-key",
        type=parse_readable_path,
        metavar="FILE",
        help="PEM file with its private key, unless it is in the file of --tls-cert",
    )
    add(
        "--workers",
        type=parse_workers,
        default=1,
        metavar="N",
        help="number of processes; they share no state",
    )
