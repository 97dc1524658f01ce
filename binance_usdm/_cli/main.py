"""`binance-usdm`: the shell's way through the public door. Subcommands and their flags follow from the spec's operations.

Data goes to stdout, everything else to stderr. Exit 0 done, 1 refused or failed, 2 wrong usage. Secrets come from the environment only.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from binance_usdm import DEMO, Client, ConfigurationError, UsdmError, __version__
from binance_usdm._config import DEFAULT_TIMEOUT, parse_base_url, validate_timeout
from binance_usdm._environment import ENV_API_KEY, ENV_API_SECRET, ENV_BASE_URL
from binance_usdm_wire import OPERATIONS, InvalidArgumentError, Operation, Parameter

from .table import RENDERERS, TableData

EPILOG = f"Signed commands read {ENV_API_KEY} and {ENV_API_SECRET}; {ENV_BASE_URL} is the default of --base-url."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a name that the encoding cannot hold is no reason to fail
    try:
        try:
            given = sys.argv[1:] if arguments is None else arguments
            options = _build_parser(given).parse_args(given)
            code: int = options.run(options)
        finally:
            sys.stdout.flush()
    except UsdmError as error:
        print(f"binance-usdm: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the interpreter flushes once more at its end
        if isinstance(error, BrokenPipeError):  # the reader had enough
            return 0
        print(f"binance-usdm: {type(error).__name__}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """All commands by name, and the chosen one with its flags: what the others need is neither built nor imported."""
    chosen = next(
        (word for word in arguments if not word.startswith("-")), None
    )  # no flag before it takes a value
    parser = argparse.ArgumentParser(
        prog="binance-usdm",
        description="What a Binance USDⓈ-M futures account holds.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"binance-usdm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for operation in OPERATIONS.values():
        name = operation.id.replace("_", "-")
        command = commands.add_parser(
            name, help=operation.summary, description=operation.summary, epilog=EPILOG
        )
        if name == chosen:
            _add_operation_arguments(command, operation)
    doctor = commands.add_parser("doctor", help="Explain what is wrong before you open an issue.")
    mock = commands.add_parser("mock", help="The mock exchange.")
    if chosen == "doctor":
        from . import doctor as doctor_command

        doctor_command.configure_parser(doctor, _add_target_arguments)
    elif chosen == "mock":
        from . import (
            mock as mock_command,
        )  # its mock exchange takes as long to import as all the rest of a command

        mock_command.configure_parser(mock)
    return parser


# operations of the spec


def _add_operation_arguments(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
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
            metavar=parameter.name.upper(),
            type=_argument_type(parameter.type),
            required=parameter.required,
            help=parameter.description.replace("%", "%%"),
        )
    _add_target_arguments(command)
    formats = command.add_mutually_exclusive_group()
    formats.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="output_format",
        help="the reply's members and texts, as JSON",
    )
    formats.add_argument(
        "--csv", action="store_const", const="csv", dest="output_format", help="the same as CSV"
    )
    members = (
        set()
        if operation.row_class is None
        else {field.name for field in attrs.fields(operation.row_class)}
    )
    if "asset" in members - {parameter.name for parameter in operation.parameters}:
        command.add_argument(
            "--asset",
            action="append",
            dest="assets",
            metavar="NAME",
            help="only this asset; may be repeated",
        )
    if operation.row_class is not None and operation.row_class.HOLDINGS:
        command.add_argument(
            "--non-zero", action="store_true", help="leave out rows that hold nothing"
        )


def _add_target_arguments(command: argparse.ArgumentParser) -> None:
    target = command.add_mutually_exclusive_group()
    target.add_argument(
        "--base-url",
        type=_parse_base_url,
        metavar="URL",
        help="another exchange host, such as a mock's",
    )
    target.add_argument("--demo", action="store_true", help=f"demo trading ({DEMO})")
    command.add_argument(
        "--timeout",
        type=_parse_seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help="for the whole call (%(default)s s)",
    )


def _dest_name(parameter: Parameter) -> str:
    """Where its value is kept: no name of the spec can hide one of ours."""
    return f"parameter {parameter.name}"


def _run_operation(options: argparse.Namespace) -> int:
    operation: Operation[Any] = options.operation
    arguments = {
        parameter.name: getattr(options, _dest_name(parameter))
        for parameter in operation.parameters
    }
    try:
        operation.build_query(**arguments)
    except InvalidArgumentError as error:
        options.usage_error(str(error))
    with _make_client(options) as client:
        result = getattr(client, operation.id)(**arguments)
    single = not isinstance(result, list)
    rows = [result] if single else result
    missing = [
        asset
        for asset in dict.fromkeys(options.assets or ())
        if all(row.asset != asset for row in rows)
    ]
    for asset in missing:
        print(f"binance-usdm: no row for the asset {asset!r}", file=sys.stderr)
    columns = (
        list(operation.row_class.WIRE_NAMES.values()) if operation.row_class is not None else []
    )
    wanted = [row for row in rows if _is_selected(row, options)]
    dumped = [
        row.to_dict() if operation.row_class is not None else {"value": row} for row in wanted
    ]
    output_format = options.output_format or ("table" if sys.stdout.isatty() else "text")
    RENDERERS[output_format](TableData(columns, dumped, single), sys.stdout)
    return 1 if missing else 0


def _make_client(options: argparse.Namespace) -> Client:
    base_url = options.base_url or (DEMO if options.demo else os.environ.get(ENV_BASE_URL))
    chosen: dict[str, Any] = {
        "timeout": options.timeout,
        **({"base_url": base_url} if base_url else {}),
    }
    return Client(**chosen) if options.operation.key_header is None else Client.from_env(**chosen)


def _is_selected(row: Any, options: argparse.Namespace) -> bool:
    if options.assets and row.asset not in options.assets:
        return False
    return not options.non_zero or any(getattr(row, name) for name in row.HOLDINGS)


# readers of one argument: what they refuse is wrong usage


def _argument_type(kind: type) -> Callable[[str], Any]:
    return {bool: _parse_bool, Decimal: _parse_decimal}.get(kind, kind)


def _parse_bool(text: str) -> bool:
    if text not in {"true", "false"}:
        raise argparse.ArgumentTypeError("must be true or false")
    return text == "true"


def _parse_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError("must be a number") from None


def _parse_seconds(text: str) -> float:
    try:
        return validate_timeout(float(text))
    except (ConfigurationError, ValueError):
        raise argparse.ArgumentTypeError(
            "must be a positive number of seconds, at most a day"
        ) from None


def _parse_base_url(text: str) -> str:
    url = parse_base_url(text)
    if isinstance(url, str):
        raise argparse.ArgumentTypeError(url)
    return text
