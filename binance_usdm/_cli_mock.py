"""`binance-usdm mock`: the mock exchange from the shell, served or around a program. Knows sockets and processes, no operation."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import orjson

from binance_usdm import ConfigurationError
from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, FAULTS, Exchange, running
from binance_usdm_wire import OPERATIONS

from ._config import ENV_API_KEY, ENV_API_SECRET, ENV_BASE_URL


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    about = "A mock exchange with real signatures; not the exchange."
    mocks = commands.add_parser("mock", help="The mock exchange.", description=about).add_subparsers(
        required=True, metavar="COMMAND"
    )
    serve = _add(mocks, "serve", _serve, "Serve it until interrupted.")
    serve.add_argument("--port", type=_port, default=8787, help="0 takes a free one (%(default)s)")
    run = _add(
        mocks, "run", _run, f"Run a program against it: sets {ENV_API_KEY}, {ENV_API_SECRET} and {ENV_BASE_URL}."
    )
    run.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM [ARGUMENT ...]")


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run, refuse=command.error)
    command.add_argument("--api-key", default=DEFAULT_API_KEY, metavar="KEY", help="the account's made-up key")
    command.add_argument(
        "--api-secret", default=DEFAULT_API_SECRET, metavar="SECRET", help="its made-up secret; never a real one"
    )
    command.add_argument(
        "--clock-offset", type=int, default=0, metavar="MS", help="how far its clock is ahead of this machine's"
    )
    command.add_argument(
        "--reply", type=_reply, action="append", default=[], metavar="OPERATION=FILE", help="the JSON of its answers"
    )
    command.add_argument("--fault", choices=sorted(FAULTS), help="answer every request with this fault")
    return command


def _exchange(options: argparse.Namespace) -> Exchange:
    try:
        exchange = Exchange(
            api_key=options.api_key,
            api_secret=options.api_secret,
            clock=lambda: time.time_ns() // 1_000_000 + options.clock_offset,
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    for operation, body in options.reply:
        exchange.seed(operation, body)
    if options.fault:
        exchange.fail(options.fault, times=None)
    return exchange


def _listening(stack: ExitStack, exchange: Exchange, port: int = 0) -> str:
    try:
        return stack.enter_context(running(exchange, port))
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        raise ConfigurationError(f"the mock exchange cannot listen on port {port}: {error}") from None


def _serve(options: argparse.Namespace) -> int:
    exchange = _exchange(options)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        url = _listening(stack, exchange, options.port)
        print(f"mock exchange on {url}, key {exchange.api_key} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        while True:
            time.sleep(3600)
    return 0


def _run(options: argparse.Namespace) -> int:
    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not program:
        options.refuse("say what to run: binance-usdm mock run -- PROGRAM [ARGUMENT ...]")
    exchange = _exchange(options)
    with ExitStack() as stack:
        url = _listening(stack, exchange)
        account = {ENV_API_KEY: exchange.api_key, ENV_API_SECRET: exchange.api_secret, ENV_BASE_URL: url}
        try:
            code = subprocess.run(program, env={**os.environ, **account}, check=False).returncode  # the user's own  # noqa: S603
        except OSError as error:
            raise ConfigurationError(f"cannot run {program[0]}: {error.strerror}") from None
    return code if code >= 0 else 128 - code


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def _reply(text: str) -> tuple[str, bytes]:
    name, _, file = text.partition("=")
    operation = name.replace("-", "_")
    if operation not in OPERATIONS:
        raise argparse.ArgumentTypeError(f"takes OPERATION=FILE; the operations are {', '.join(OPERATIONS)}")
    try:
        body = Path(file).read_bytes()
        orjson.loads(body)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read ({error.strerror})") from None
    except orjson.JSONDecodeError:
        raise argparse.ArgumentTypeError("the file is not JSON") from None
    return operation, body
