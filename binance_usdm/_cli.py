"""`binance-usdm`: the shell's way through the public door. Subcommands and their flags follow from the spec's operations.

Data goes to stdout, everything else to stderr. Exit 0 done, 1 any UsdmError, 2 wrong usage. Secrets come from the environment only.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from binance_usdm import DEMO, Client, ConfigurationError, UsdmError, __version__
from binance_usdm_wire import OPERATIONS, Operation

from ._config import DEFAULT_TIMEOUT, ENV_API_KEY, ENV_API_SECRET, ENV_BASE_URL
from ._render import RENDERERS, Rows

ADVICE = f"Signed commands read {ENV_API_KEY} and {ENV_API_SECRET}; {ENV_BASE_URL} is the default of --base-url."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except UsdmError as error:
        print(f"binance-usdm: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="binance-usdm", description="What a Binance USDⓈ-M futures account holds.", epilog=ADVICE
    )
    parser.add_argument("--version", action="version", version=f"binance-usdm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for operation in OPERATIONS.values():
        _add_operation(commands, operation)
    mock = commands.add_parser(
        "mock", help="The mock exchange.", description="A mock exchange with real signatures; not the exchange."
    )
    mocks = mock.add_subparsers(required=True, metavar="COMMAND")
    _add_mock(mocks, "serve", _serve, "Serve it until interrupted.").add_argument("--port", type=int, default=8787)
    run = _add_mock(
        mocks, "run", _run, f"Run a program against it: sets {ENV_API_KEY}, {ENV_API_SECRET} and {ENV_BASE_URL}."
    )
    run.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM [ARGUMENT ...]")
    return parser


# operations of the spec


def _add_operation(commands: Any, operation: Operation[Any]) -> None:
    name = operation.id.replace("_", "-")
    command = commands.add_parser(name, help=operation.summary, description=operation.summary, epilog=ADVICE)
    command.set_defaults(run=_call, operation=operation, asset=None, non_zero=False)
    for parameter in operation.parameters:
        command.add_argument(
            "--" + parameter.name.replace("_", "-"),
            type=_reader(parameter.type),
            required=parameter.required,
            help=parameter.description.replace("%", "%%"),
        )
    target = command.add_mutually_exclusive_group()
    target.add_argument("--base-url", metavar="URL", help="another exchange host, such as a mock's")
    target.add_argument("--demo", action="store_true", help=f"demo trading ({DEMO})")
    command.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT, metavar="S", help="seconds for the whole call (%(default)s)"
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_const", const="json", dest="form", help="the reply's members and texts, as JSON"
    )
    form.add_argument("--csv", action="store_const", const="csv", dest="form", help="the same as CSV")
    if "asset" in _attributes(operation):
        command.add_argument("--asset", action="append", metavar="NAME", help="only this asset; may be repeated")
    if operation.row is not None and operation.row.HOLDINGS:
        command.add_argument("--non-zero", action="store_true", help="leave out rows that hold nothing")


def _attributes(operation: Operation[Any]) -> set[str]:
    return set() if operation.row is None else {field.name for field in attrs.fields(operation.row)}


def _reader(kind: type) -> Callable[[str], Any]:
    readers: dict[type, Callable[[str], Any]] = {bool: _boolean, Decimal: Decimal}
    return readers.get(kind, kind)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _call(options: argparse.Namespace) -> int:
    operation: Operation[Any] = options.operation
    arguments = {parameter.name: getattr(options, parameter.name) for parameter in operation.parameters}
    with _client(options) as client:
        result = getattr(client, operation.id)(**arguments)
    single = not isinstance(result, list)
    rows = [row for row in ([result] if single else result) if _wanted(row, options)]
    for asset in options.asset or ():
        if all(row.asset != asset for row in rows):
            print(f"binance-usdm: no row for the asset {asset!r}", file=sys.stderr)
    columns = list(operation.row.WIRE_NAMES.values()) if operation.row is not None else []
    dumped = [row.to_dict() if operation.row is not None else {"value": row} for row in rows]
    form = options.form or ("table" if sys.stdout.isatty() else "plain")
    RENDERERS[form](Rows(columns, dumped, single), sys.stdout)
    return 0


def _client(options: argparse.Namespace) -> Client:
    base_url = options.base_url or (DEMO if options.demo else os.environ.get(ENV_BASE_URL))
    chosen: dict[str, Any] = {"timeout": options.timeout, **({"base_url": base_url} if base_url else {})}
    return Client(**chosen) if options.operation.key_header is None else Client.from_env(**chosen)


def _wanted(row: Any, options: argparse.Namespace) -> bool:
    if options.asset and row.asset not in options.asset:
        return False
    return not options.non_zero or any(getattr(row, name) for name in row.HOLDINGS)


# the mock exchange


def _add_mock(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    from .mock import FAULTS

    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument("--api-key", metavar="KEY", help="the account's made-up key")
    command.add_argument("--api-secret", metavar="SECRET", help="its made-up secret; never a real one")
    command.add_argument(
        "--clock-offset", type=int, default=0, metavar="MS", help="how far its clock is ahead of this machine's"
    )
    command.add_argument(
        "--reply", action="append", default=[], metavar="OPERATION=FILE", help="the JSON text that it answers with"
    )
    command.add_argument("--fault", choices=sorted(FAULTS), help="answer every request with this fault")
    return command


def _exchange(options: argparse.Namespace) -> Any:
    from time import time_ns

    from .mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange

    exchange = Exchange(
        api_key=options.api_key or DEFAULT_API_KEY,
        api_secret=options.api_secret or DEFAULT_API_SECRET,
        clock=lambda: time_ns() // 1_000_000 + options.clock_offset,
    )
    for reply in options.reply:
        operation, _, file = reply.partition("=")
        if operation not in OPERATIONS:
            raise ConfigurationError(f"--reply takes OPERATION=FILE; the operations are {', '.join(OPERATIONS)}")
        try:
            exchange.seed(operation, Path(file).read_bytes())
        except OSError as error:
            raise ConfigurationError(f"--reply: the file cannot be read ({error.strerror})") from None
    if options.fault:
        exchange.fail(options.fault, times=None)
    return exchange


def _serve(options: argparse.Namespace) -> int:
    from .mock import serve

    exchange = _exchange(options)
    print(
        f"mock exchange on http://127.0.0.1:{options.port}, key {exchange.api_key} (Ctrl-C ends it)",
        file=sys.stderr,
        flush=True,
    )
    try:
        serve(exchange, port=options.port)
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    return 0


def _run(options: argparse.Namespace) -> int:
    import subprocess

    from .mock import running

    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not program:
        raise ConfigurationError("say what to run: binance-usdm mock run -- PROGRAM [ARGUMENT ...]")
    exchange = _exchange(options)
    with running(exchange) as url:
        account = {ENV_API_KEY: exchange.api_key, ENV_API_SECRET: exchange.api_secret, ENV_BASE_URL: url}
        try:
            code = subprocess.run(program, env={**os.environ, **account}, check=False).returncode  # the user's own  # noqa: S603
        except OSError as error:
            raise ConfigurationError(f"cannot run {program[0]}: {error.strerror}") from None
    return code if code >= 0 else 128 - code
