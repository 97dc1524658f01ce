"""Parser of the `contract` commands.

What the layers need is imported when one of them runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from binance_usdm._cli.mock.values import parse_switch

from .program import PROTOCOL
from .values import (
    MAX_EXAMPLES,
    MAX_SEED,
    integer_between,
    parse_class,
    parse_report,
    parse_seconds,
    parse_url,
)

DEFAULT_EXAMPLES: Final = 25
EPILOG: Final = """\
exit codes: 0: nothing was found; 1: something was found; 2: wrong usage; 3: nothing was found, and
the time budget ended before everything was tried.

All but `reply` need the extra `contract`: pip install '.[contract]' in a clone."""
_RUN_TEXT: Final = "Check a server or a proxy, by default the mock exchange, against the spec."
_RUN_DESCRIPTION: Final = f"""{_RUN_TEXT}

With --url, API key and HMAC secret of an account of that server are read from BINANCE_API_KEY and
BINANCE_API_SECRET, or from the files that BINANCE_API_KEY_FILE and BINANCE_API_SECRET_FILE name. A
run sends invalid requests, too: hosts of the exchange itself are rejected."""
_CLIENT_TEXT: Final = "Check a Python client with the methods of Client or AsyncClient."
_MOCK_TEXT: Final = "Check a subclass of the mock exchange."
_REPLY_TEXT: Final = "Compare recorded responses with the spec, without showing a value."
_REPLY_DESCRIPTION: Final = f"""{_REPLY_TEXT}

A file is a HAR, what `mock scrub` or `doctor --contract --json` prints, or with --operation one
body; - is stdin. Reported are fields that are unknown or missing, other types, values out of
pattern or range, and statuses and codes that the spec does not have. Exits with 1 if there is one."""
_PROGRAM_TEXT: Final = "Check a program in any language by four calls to the mock exchange."


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add the subcommands to the parser of the command."""
    command.description = "Contract tests for a server, a program, a client or a mock."
    command.epilog = EPILOG
    commands = command.add_subparsers(required=True, metavar="COMMAND")
    run = _add(commands, "run", _RUN_TEXT, _RUN_DESCRIPTION)
    run.set_defaults(run=_call("runs", "run_server"))
    run.add_argument("--url", type=parse_url, metavar="URL", help="base URL of the server")
    _add_run_arguments(run)
    _add_assume_argument(run)
    run.add_argument(
        "--max-per-minute",
        type=integer_between(1, 1_000_000),
        metavar="N",
        help="send at most N requests in a minute (default: no limit)",
    )
    run.add_argument(
        "--case", metavar="ID", help="send only this case, as `reproduce with` names it"
    )
    for name, text, argument in (
        ("client", _CLIENT_TEXT, "client"),
        ("mock", _MOCK_TEXT, "mock"),
    ):
        layers = _add(commands, name, text, text)
        layers.set_defaults(run=_call("runs", f"run_{name}"))
        layers.add_argument(
            argument,
            type=parse_class,
            metavar="MODULE:CLASS",
            help="class, or function that makes one; modules of this folder can be imported",
        )
        _add_run_arguments(layers)
        if name == "mock":
            _add_assume_argument(layers)
    program = _add(commands, "program", _PROGRAM_TEXT, f"{_PROGRAM_TEXT}\n\n{PROTOCOL}")
    program.set_defaults(run=_call("program", "run_program_calls"))
    program.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM [ARGUMENT ...]")

    reply = _add(commands, "reply", _REPLY_TEXT, _REPLY_DESCRIPTION)
    reply.set_defaults(run=_call("reply", "run_reply"))
    reply.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recorded responses")
    reply.add_argument("--operation", metavar="NAME", help="the files are bodies of this operation")
    reply.add_argument(
        "--status",
        type=integer_between(100, 599),
        default=200,
        metavar="N",
        help="status of these bodies (default: %(default)s)",
    )
    _add_spec_argument(reply)
    reply.add_argument("--json", action="store_true", help="print the deviations as JSON")
    reply.add_argument(
        "--proposal",
        type=Path,
        metavar="FILE",
        help="write the spec as it would describe these responses, too",
    )


def _add_spec_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--spec",
        type=Path,
        metavar="FILE",
        help="OpenAPI document in JSON or YAML (default: the one of this package)",
    )


def _add(commands: Any, name: str, text: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(usage_error=parser.error)
    return parser


def _add_assume_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--assume",
        type=parse_switch,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="assume another answer to an open question, a switch of `mock serve`; the value is "
        "JSON. May be repeated. A finding that rests on an assumption says so, and counts all the "
        "same: the exit code is 1",
    )


def _add_run_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of all commands that generate cases."""
    _add_spec_argument(command)
    command.add_argument(
        "--seed",
        type=integer_between(0, MAX_SEED),
        metavar="N",
        help="generate other random cases (default: the same in every run)",
    )
    command.add_argument(
        "--max-examples",
        type=integer_between(0, MAX_EXAMPLES),
        default=DEFAULT_EXAMPLES,
        metavar="N",
        help="random cases of an operation, beside all examples and edges (default: %(default)s)",
    )
    command.add_argument(
        "--time-budget",
        type=parse_seconds,
        metavar="S",
        help="begin no new case after S seconds, and exit 3 if nothing was found (default: none)",
    )
    command.add_argument(
        "--report",
        type=parse_report,
        action="append",
        default=[],
        metavar="FILE",
        help="write a report: .xml for JUnit, .json or .html; may be repeated",
    )


def _call(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """Return a function that imports what a command needs when it runs."""

    def run(options: argparse.Namespace) -> int:
        from importlib import import_module

        exit_code: int = getattr(import_module(f"{__package__}.{module}"), function)(options)
        return exit_code

    return run
