"""The `binance-usdm` command.

Subcommands and their arguments follow from the operations of the spec. Data goes to stdout,
everything else to stderr. Exit code 0: done, also when the reader of a pipe closed it early; 1:
rejected or failed; 2: wrong usage. Secrets come from the environment only.
"""

from __future__ import annotations

import argparse
import functools
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from binance_usdm import UsdmError, __version__
from binance_usdm._environment import (
    ENV_API_KEY,
    ENV_API_SECRET,
    ENV_BASE_URL,
    ENV_PRIVATE_KEY,
    ENV_PRIVATE_KEY_FILE,
    ENV_PRIVATE_KEY_PASSWORD,
    ENV_PROXY,
)
from binance_usdm_wire import OPERATIONS

from . import operations
from .streams import discard, open_closed_streams, print_message

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EPILOG = f"""\
environment variables:
  {ENV_API_KEY:<34}API key
  {ENV_API_SECRET:<34}HMAC secret of the key
  {ENV_PRIVATE_KEY:<34}Ed25519 or RSA private key as PEM text
  {ENV_PRIVATE_KEY_FILE:<34}path of its PEM file
  {ENV_PRIVATE_KEY_PASSWORD:<34}password of the private key, if it is encrypted
  {ENV_BASE_URL:<34}default of --base-url
  {ENV_PROXY:<34}default of --proxy

Set one of secret, private key and file. server-time needs none of them."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Arguments without the program's name. Use None for those of the process.

    Returns:
        The exit code.
    """
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A name that the encoding cannot represent is printed with escapes.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    exit_code = _run(sys.argv[1:] if arguments is None else arguments)
    return _flush_streams(exit_code)


def _run(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["--version"]:
            print(f"binance-usdm {__version__}")
            return 0
        options = _build_parser(arguments).parse_args(arguments)
        exit_code: int = options.run(options)
        return exit_code
    except SystemExit as end:
        # The parser has printed help or an error.
        return end.code if isinstance(end.code, int) else 1
    except UsdmError as error:
        return _fail(f"{type(error).__name__}: {error}")
    except RecursionError:
        return _fail("the response is nested too deeply to be printed")
    except OSError as error:
        return _fail_to_write(error, 0)
    except KeyboardInterrupt:
        return 130


def _flush_streams(exit_code: int) -> int:
    """Write what the streams still hold, and return the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        exit_code = _fail_to_write(error, exit_code)
    try:
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)
    return exit_code


def _fail_to_write(error: OSError, exit_code: int) -> int:
    discard(sys.stdout)
    # The reader of a pipe has closed it, as `head` does.
    if isinstance(error, BrokenPipeError):
        return exit_code
    return _fail(f"{type(error).__name__}: {error.strerror}")


def _fail(message: str) -> int:
    print_message(message)
    return 1


class _Parser(argparse.ArgumentParser):
    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        # The method of the base class ignores that a stream cannot be written.
        (file or sys.stdout).write(self.format_help())


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with all commands, and with the arguments of the command that is run.

    What the other commands need is not imported.
    """
    # No option before the command takes a value.
    command_name = next((word for word in arguments if not word.startswith("-")), None)
    parser = _Parser(
        prog="binance-usdm",
        description="Read the balances of a Binance USDⓈ-M futures account.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"binance-usdm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_command = functools.partial(
        commands.add_parser, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for operation in OPERATIONS.values():
        name = operation.id.replace("_", "-")
        command = add_command(
            name, help=operation.summary, description=operation.summary, epilog=EPILOG
        )
        if name == command_name:
            operations.configure_parser(command, operation)
    doctor_parser = add_command(
        "doctor", help="Explain what is wrong before you open an issue.", epilog=EPILOG
    )
    mock_parser = commands.add_parser("mock", help="Run the mock exchange.")
    if command_name == "doctor":
        from . import doctor

        doctor.configure_parser(doctor_parser)
    elif command_name == "mock":
        # The mock exchange takes as long to import as the rest of a command.
        from . import mock

        mock.configure_parser(mock_parser)
    return parser
