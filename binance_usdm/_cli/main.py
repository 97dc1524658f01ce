"""The `binance-usdm` command.

`--version` and `--help` do not import the client. A standard stream that is closed or cannot be
written is a sink.

Subcommands and their arguments follow from the operations of the spec. Data goes to stdout,
everything else to stderr. Exit code 0: done, also when the reader of a pipe closed it early; 1:
rejected or failed; 2: wrong usage; 3: some accounts were read and some were not. Secrets come from
the environment, or from where a profile refers to.
"""

from __future__ import annotations

import os
import sys

from binance_usdm._version import __version__

# As in `typing`, whose import takes longer than the rest of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any, NoReturn, TextIO

EPILOG = """\
environment variables:
  BINANCE_API_KEY                   API key
  BINANCE_API_SECRET                HMAC secret of the key
  BINANCE_API_KEY_FILE              path of a file with the API key
  BINANCE_API_SECRET_FILE           path of a file with the HMAC secret
  BINANCE_API_PRIVATE_KEY           Ed25519 or RSA private key as PEM text
  BINANCE_API_PRIVATE_KEY_FILE      path of its PEM file
  BINANCE_API_PRIVATE_KEY_PASSWORD  password of the private key, if it is encrypted
  BINANCE_BASE_URL                  default of --base-url
  BINANCE_ALLOW_HTTP_HOSTS          test hosts to be reached by http, separated by commas
  BINANCE_PROXY                     default of --proxy
  BINANCE_BUDGET                    Redis URL of a weight budget that processes share
  BINANCE_PROFILES_FILE             default of --profiles-file

Set one of secret, private key and their files. server-time needs none of them."""
HELP_BY_COMMAND = {
    "doctor": "Explain what is wrong before you open an issue.",
    "whoami": "Show which exchange, account and key would be used.",
    "mock": "Run the mock exchange.",
    "completion": "Print a script for your shell.",
    "contract": "Run contract tests against a server, a program, a client or a mock.",
    "spec": "Print the OpenAPI document for other tools.",
}
"""Commands beside the operations."""
MODULE_BY_COMMAND = {
    "doctor": "doctor.command",
    "whoami": "whoami",
    "mock": "mock.command",
    "completion": "completion",
    "contract": "contract.command",
    "spec": "spec",
}
"""Modules of `_cli` with a `configure_parser`. That of the command which is run is imported."""
COMMANDS_WITH_VARIABLES = ("doctor", "whoami")
"""Those of the commands that read the environment as the operations do."""


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
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    exit_code = _run(sys.argv[1:] if arguments is None else arguments)
    return _flush_streams(exit_code)


def _run(arguments: Sequence[str]) -> int:
    try:
        if arguments[:1] == ["--version"]:
            print(f"binance-usdm {__version__}")
            return 0
        return _run_command(_build_parser(arguments).parse_args(arguments))
    except SystemExit as end:
        # The parser has printed help or an error.
        return end.code if isinstance(end.code, int) else 1
    except RecursionError:
        return _fail("the response is nested too deeply to be printed")
    except OSError as error:
        return _fail_to_write(error, 0)
    except KeyboardInterrupt:
        return 130


def _run_command(options: argparse.Namespace) -> int:
    try:
        exit_code: int = options.run(options)
    except Exception as error:
        # A command that may raise it has imported the client.
        from binance_usdm import UsdmError

        if not isinstance(error, UsdmError):
            raise
        return _fail(f"{type(error).__name__}: {error}")
    return exit_code


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


def open_closed_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Otherwise a file or a socket would get its descriptor, and what is meant for the stream would be
    written there.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is this one. Programs that are started inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdin", "stdout", "stderr"):
        # print() would write to stdout instead of to a stream that is None.
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            # It stays open until the end of the process.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def discard(stream: TextIO) -> None:
    """Drop what a stream still holds and what is written to it from now on.

    The interpreter flushes the streams at its end, which would fail again.
    """
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, stream.fileno())
    os.close(sink)


def print_message(message: str) -> None:
    """Print a line to stderr, or nowhere if that cannot be written."""
    try:
        print(f"binance-usdm: {message}", file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with all commands, and with the arguments of the command that is run.

    What the other commands need is not imported.
    """
    import argparse
    import functools
    import importlib

    from binance_usdm_wire.summaries import SUMMARY_BY_ID

    class Parser(argparse.ArgumentParser):
        def print_help(self, file: Any = None) -> None:
            # The method of the base class ignores that a stream cannot be written.
            (file or sys.stdout).write(self.format_help())

        def parse_known_args(self, *args: Any, **options: Any) -> Any:
            # Of a subcommand too, so that its own usage and options are named.
            namespace, unknown = super().parse_known_args(*args, **options)
            if unknown:
                from binance_usdm._cli.suggestions import suggest

                # Never a value, which may be a secret.
                names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
                question = suggest(names, self._option_string_actions)
                self.error(f"unrecognized arguments: {' '.join(unknown)}{question}")
            return namespace, unknown

        def error(self, message: str) -> NoReturn:
            from binance_usdm._cli.usage_errors import hide_values

            super().error(hide_values(message, arguments))

    # No option before the command takes a value.
    command_name = next((word for word in arguments if not word.startswith("-")), None)
    parser = Parser(
        prog="binance-usdm",
        description="Read the balances of a Binance USDⓈ-M futures account.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"binance-usdm {__version__}")

    def make_parser(prog: str, **options: Any) -> Any:
        # Of a command that is not run only its line in the help is needed: that of 1,000 commands
        # takes 0.1 s instead of 0.2 s.
        return Parser(prog=prog, **options) if prog.rpartition(" ")[2] == command_name else None

    parser_class: Any = make_parser
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=parser_class)
    add_command = functools.partial(
        commands.add_parser, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for operation_id, summary in SUMMARY_BY_ID.items():
        name = operation_id.replace("_", "-")
        command = add_command(name, help=summary, description=summary, epilog=EPILOG)
        if name == command_name:
            from binance_usdm._cli.read import operations
            from binance_usdm_wire import OPERATIONS

            operations.configure_parser(command, OPERATIONS[operation_id])
            command.set_defaults(report=print_message)
    for name, summary in HELP_BY_COMMAND.items():
        epilog = EPILOG if name in COMMANDS_WITH_VARIABLES else None
        command = add_command(name, help=summary, epilog=epilog)
        if name == command_name:
            module = importlib.import_module(f"binance_usdm._cli.{MODULE_BY_COMMAND[name]}")
            module.configure_parser(command)
            command.set_defaults(report=print_message)
    return parser
