"""The `mock` commands."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, TypeVar

from binance_usdm import ConfigurationError
from binance_usdm._config.environment import ENV_API_KEY, ENV_API_SECRET, ENV_BASE_URL
from binance_usdm.mock import Exchange, Switches, running, serve
from binance_usdm.mock.capture.script import dump_script, load_captures
from binance_usdm.mock.core.clock import system_time_ms
from binance_usdm.mock.scenario.document import schema_text
from binance_usdm.mock.server.process import HOST

from .admin import read_admin_token
from .arguments import add_listening_arguments, add_server_command
from .environment import program_environment, sealed_environment
from .program import ProgramStartError, run_program, start_watcher
from .proxy_trap import start_trap
from .report import report_end, start_log
from .start import start_lines
from .values import read_file

T = TypeVar("T")

_ADVICE_BY_ERRNO: Final = {
    errno.EADDRINUSE: (
        "another program uses the port; end it, or choose another port (--port 0 picks a free one)"
    ),
    errno.EADDRNOTAVAIL: (
        "this machine does not have the address; --host 0.0.0.0 listens on all that it has"
    ),
    errno.EACCES: "the port is reserved for the system; choose one from 1024 to 65535, or 0",
}
_SCHEMA_TEXT = "Print the JSON Schema of the files for --seed, for editors."
_SCRUB_TEXT = "Print what a test needs of the responses in a HAR file, for --replay."


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add the subcommands to the parser of the command."""
    command.description = "A mock exchange that verifies signatures; not the exchange."
    commands = command.add_subparsers(required=True, metavar="COMMAND")
    serve_command = add_server_command(
        commands, "serve", _run_serve, "Run the mock exchange until Ctrl-C or SIGTERM."
    )
    add_listening_arguments(serve_command)
    run_command = add_server_command(
        commands,
        "run",
        _run_program,
        f"Run a program against the mock: sets {ENV_API_KEY}, {ENV_API_SECRET} and {ENV_BASE_URL}.",
    )
    run_command.add_argument(
        "--sealed",
        action="store_true",
        help="end the program if it tries to reach another host, by a proxy that refuses",
    )
    run_command.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="-- PROGRAM [ARGUMENT ...]"
    )
    schema_command = commands.add_parser("schema", help=_SCHEMA_TEXT, description=_SCHEMA_TEXT)
    schema_command.set_defaults(run=_run_schema)
    scrub_command = commands.add_parser("scrub", help=_SCRUB_TEXT, description=_SCRUB_TEXT)
    scrub_command.set_defaults(run=_run_scrub)
    scrub_command.add_argument("capture", type=read_file, metavar="FILE")


def _build_exchange(options: argparse.Namespace) -> Exchange:
    switches = dict(options.switch)

    def setup(exchange: Exchange) -> None:
        exchange.switches = exchange.switches.with_changes(switches)
        for api_key, api_secret in options.account:
            exchange.add_account(api_key, api_secret)
        for operation, body in options.reply:
            exchange.seed(operation, body)
        for request, body in options.stub:
            exchange.stub(request, body)
        for captured in options.replay:
            exchange.fail(captured.reply, path=captured.path)
        for name, fault_options in options.fault:
            exchange.fail(name, **{"times": None, **fault_options})

    try:
        return Exchange(
            api_key=options.api_key,
            api_secret=options.api_secret if options.public_key is None else options.public_key,
            clock=_make_clock(options.clock_offset),
            # Before the keys, whose form is a switch.
            switches=Switches().with_changes(switches) if options.seed is None else None,
            setup=setup,
            scenario=options.seed,
        )
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    # Each argument is valid. Together they are not.
    except ValueError as error:
        options.usage_error(str(error))
        raise


def _make_clock(offset_ms: int) -> Callable[[], int]:
    if not offset_ms:
        return system_time_ms
    return lambda: system_time_ms() + offset_ms


def _with_server_errors(serve_mock: Callable[[], T], host: str = HOST, port: int = 0) -> T:
    """Call a function that starts the server.

    Raises:
        ConfigurationError: The port is in use, this machine does not have the address, or the extra
            `mock` is not installed.
    """
    try:
        return serve_mock()
    except (ImportError, RuntimeError) as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        advice = _ADVICE_BY_ERRNO.get(error.errno or 0, os.strerror(error.errno or 0))
        raise ConfigurationError(
            f"the mock exchange cannot listen on {host}, port {port}: {advice}"
        ) from None


def _run_serve(options: argparse.Namespace) -> int:
    if options.tls_key and not options.tls_cert:
        options.usage_error("--tls-key needs --tls-cert")
    if options.admin and options.workers > 1:
        options.usage_error("--admin needs one process, since --workers share no state")
    if options.admin_token_file and not options.admin:
        options.usage_error("--admin-token-file needs --admin")
    admin_token = read_admin_token(options) if options.admin else None
    if options.workers > 1 and (options.strict or options.log or options.report):
        options.usage_error("--strict, --log and --report need one process")
    exchange = _build_exchange(options)
    start_log(options, exchange)

    def print_start(url: str) -> None:
        print("\n".join(start_lines(options, exchange, url)), file=sys.stderr, flush=True)

    def serve_exchange() -> None:
        serve(
            exchange,
            options.host,
            options.port,
            admin=options.admin,
            admin_token=admin_token,
            workers=options.workers,
            ready=print_start,
            tls_cert=options.tls_cert,
            tls_key=options.tls_key,
        )

    try:
        _with_server_errors(serve_exchange, options.host, options.port)
    except ValueError as error:
        options.usage_error(str(error))
    return report_end(options, exchange, 0) if options.workers == 1 else 0


def _run_program(options: argparse.Namespace) -> int:
    program = options.program
    if program[:1] == ["--"]:
        program = program[1:]
    if not program or not program[0]:
        options.usage_error("the program is missing: mock run -- PROGRAM [ARGUMENT ...]")
    exchange = _build_exchange(options)
    start_log(options, exchange)
    with ExitStack() as stack:
        watcher = stack.enter_context(start_watcher())
        url = _with_server_errors(lambda: stack.enter_context(running(exchange)))
        environment = program_environment(exchange, url)
        trap = stack.enter_context(start_trap()) if options.sealed else None
        if trap is not None:
            environment = sealed_environment(environment, trap.url)
        on_start = (lambda end_program: None) if trap is None else trap.set_program
        try:
            exit_code = run_program(program, environment, watcher, on_start)
        except ProgramStartError as error:
            print(f"binance-usdm: {error}", file=sys.stderr)
            return error.exit_code
    if trap is not None and trap.hosts:
        hosts = ", ".join(trap.hosts)
        print(f"binance-usdm: the program was ended: it tried to reach {hosts}", file=sys.stderr)
        exit_code = 1
    return report_end(options, exchange, exit_code)


def _run_schema(options: argparse.Namespace) -> int:
    sys.stdout.write(schema_text())
    return 0


def _run_scrub(options: argparse.Namespace) -> int:
    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            script = dump_script(load_captures(options.capture))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    for warning in caught:
        print(f"binance-usdm: {warning.message}", file=sys.stderr)
    sys.stdout.write(script.decode())
    return 0
