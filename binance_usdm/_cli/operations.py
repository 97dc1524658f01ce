"""Commands for the operations of the spec, such as `balance`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import attrs

from binance_usdm import DEMO, Client, ConfigurationError
from binance_usdm._environment import (
    ENV_NAMES_BY_OPTION,
    http_hosts_from_env,
    limiter_from_env,
)
from binance_usdm._secrets import Problem
from binance_usdm_wire import InvalidArgumentError, Operation, Parameter

from .arguments import add_target_arguments, argument_type
from .columns import Record, add_output_arguments, left_out_warning, make_table, read_view
from .output import RENDERERS


def configure_parser(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
    """Add the arguments of an operation to its command."""
    command.set_defaults(
        run=_run_operation,
        usage_error=command.error,
        operation=operation,
        assets=None,
        non_zero=False,
    )
    for parameter in operation.parameters:
        command.add_argument(
            "--" + parameter.name.replace("_", "-"),
            dest=_dest_name(parameter),
            metavar=None if parameter.choices else parameter.name.upper(),
            choices=parameter.choices or None,
            type=argument_type(parameter.type),
            required=parameter.required,
            help=parameter.description.replace("%", "%%"),
        )
    add_target_arguments(command)
    add_output_arguments(command, operation)
    _add_row_arguments(command, operation)


def _add_row_arguments(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
    """Add the arguments that select rows, where the rows have what they need."""
    if operation.row_class is None:
        return
    names = {field.name for field in attrs.fields(operation.row_class)}
    # A parameter of the operation takes precedence over ours.
    names -= {parameter.name for parameter in operation.parameters}
    if "asset" in names:
        command.add_argument(
            "--asset",
            action="append",
            dest="assets",
            metavar="NAME",
            help="show only this asset; repeat for several",
        )
    if operation.row_class.HOLDINGS:
        command.add_argument(
            "--non-zero", action="store_true", help="hide assets without any balance or profit"
        )


def _dest_name(parameter: Parameter) -> str:
    """Return the attribute of a parsed parameter. It cannot collide with other attributes."""
    return f"parameter {parameter.name}"


def _run_operation(options: argparse.Namespace) -> int:
    operation: Operation[Any] = options.operation
    arguments = _read_arguments(options)
    view = read_view(options, operation)
    with _make_client(options) as client:
        response = getattr(client, f"{operation.id}_detailed")(**arguments)
    is_single = not isinstance(response.parsed, list)
    rows = [response.parsed] if is_single else response.parsed
    missing = _missing_assets(rows, options.assets or ())
    for asset in missing:
        options.report(f"no row for the asset {asset!r}{_suggest_asset(rows, asset)}")
    records = [Record(row, response.received_at_ms) for row in rows if _is_selected(row, options)]
    warning = left_out_warning(records, view)
    if warning:
        options.report(warning)
    RENDERERS[view.output_format](make_table(records, view, is_single_object=is_single), sys.stdout)
    return 1 if missing else 0


def _read_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Return the operation's arguments. Invalid ones are wrong usage."""
    operation: Operation[Any] = options.operation
    arguments = {
        parameter.name: getattr(options, _dest_name(parameter))
        for parameter in operation.parameters
    }
    try:
        operation.build_query(**arguments)
    except InvalidArgumentError as error:
        options.usage_error(str(error))
    return arguments


def _make_client(options: argparse.Namespace) -> Client:
    client_options: dict[str, Any] = {"timeout": options.timeout}
    if options.base_url or options.demo:
        client_options["base_url"] = options.base_url or DEMO
    if options.proxy:
        client_options["proxy"] = options.proxy
    if options.operation.key_header is not None:
        return Client.from_env(**client_options)
    return _make_unsigned_client(client_options)


def _make_unsigned_client(client_options: dict[str, Any]) -> Client:
    """Return a client without a key. Its other options may come from the environment."""
    problem = ""
    variables = [
        option
        for option in ("base_url", "proxy")
        if option not in client_options and os.environ.get(ENV_NAMES_BY_OPTION[option])
    ]
    found: dict[str, Any] = {
        option: os.environ[ENV_NAMES_BY_OPTION[option]] for option in variables
    }
    variables.append("allow_http_hosts")
    limiter = limiter_from_env(str(client_options.get("base_url") or found.get("base_url", "")))
    if isinstance(limiter, Problem):
        raise ConfigurationError(str(limiter))
    if limiter is not None:
        found["limiter"] = limiter
    try:
        return Client(allow_http_hosts=http_hosts_from_env(), **found, **client_options)
    except ConfigurationError as error:
        option, _, rest = str(error).partition(" ")
        problem = f"{ENV_NAMES_BY_OPTION[option] if option in variables else option} {rest}"
    # Keep secrets out of tracebacks; see _secrets.py.
    del found, client_options
    raise ConfigurationError(problem)


def _missing_assets(rows: Sequence[Any], assets: Sequence[str]) -> list[str]:
    """Return the assets that have no row, each once."""
    if not assets:
        return []
    existing = {row.asset for row in rows}
    return [asset for asset in dict.fromkeys(assets) if asset not in existing]


def _suggest_asset(rows: Sequence[Any], missing: str) -> str:
    """Return a question about the asset that was probably meant, "" if none is close."""
    # Other calls do not wait for this import.
    import difflib

    name_by_upper = {row.asset.upper(): row.asset for row in rows}
    matches = difflib.get_close_matches(missing.strip().upper(), name_by_upper, n=1)
    if not matches:
        return ""
    name = name_by_upper[matches[0]]
    return f"; did you mean {name if name.isprintable() else repr(name)}?"


def _is_selected(row: Any, options: argparse.Namespace) -> bool:
    if options.assets and row.asset not in options.assets:
        return False
    return not options.non_zero or any(getattr(row, name) for name in row.HOLDINGS)
