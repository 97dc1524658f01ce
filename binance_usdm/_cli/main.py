"""The `binance-usdm` command.

Subcommands and their arguments follow from the operations of the spec. Data goes to stdout,
everything else to stderr. Exit code 0: done; 1: rejected or failed; 2: wrong usage. Secrets come
from the environment only.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from binance_usdm import UsdmError, __version__
from binance_usdm._environment import (
    ENV_API_KEY,
    ENV_API_SECRET,
    ENV_BASE_URL,
    ENV_PRIVATE_KEY,
    ENV_PRIVATE_KEY_FILE,
)
from binance_usdm_wire import OPERATIONS

from . import operations

EPILOG = (
    f"Credentials: {ENV_API_KEY} with {ENV_API_SECRET}, {ENV_PRIVATE_KEY} or "
    f"{ENV_PRIVATE_KEY_FILE}. {ENV_BASE_URL} is the default of --base-url."
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Arguments without the program's name. Use None for those of the process.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the encoding cannot represent is printed with escapes.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UsdmError as error:
        return _fail(f"{type(error).__name__}: {error}")
    except OSError as error:
        # The interpreter flushes stdout at its end, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # The reader of a pipe has closed it, as `head` does.
        if isinstance(error, BrokenPipeError):
            return 0
        return _fail(f"{type(error).__name__}: {error.strerror}")
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str]) -> int:
    try:
        options = _build_parser(arguments).parse_args(arguments)
        exit_code: int = options.run(options)
        return exit_code
    finally:
        sys.stdout.flush()


def _fail(message: str) -> int:
    print(f"binance-usdm: {message}", file=sys.stderr)
    return 1


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with all commands, and with the arguments of the command that is run.

    What the other commands need is not imported.
    """
    # No option before the command takes a value.
    command_name = next((word for word in arguments if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="binance-usdm",
        description="Read the balances of a Binance USDⓈ-M futures account.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"binance-usdm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for operation in OPERATIONS.values():
        name = operation.id.replace("_", "-")
        command = commands.add_parser(
            name, help=operation.summary, description=operation.summary, epilog=EPILOG
        )
        if name == command_name:
            operations.configure_parser(command, operation)
    doctor_parser = commands.add_parser(
        "doctor", help="Explain what is wrong before you open an issue."
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
