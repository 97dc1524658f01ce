"""`binance-usdm mock`: the mock exchange from the shell, served or around a program. Knows files and processes, no operation."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Container
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import orjson

from binance_usdm import ConfigurationError
from binance_usdm._environment import (
    ENV_API_KEY,
    ENV_API_SECRET,
    ENV_BASE_URL,
    ENV_PRIVATE_KEY,
    ENV_PRIVATE_KEY_FILE,
    ENV_PRIVATE_KEY_PASSWORD,
)
from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Exchange,
    Switches,
    running,
    serve,
)
from binance_usdm.mock.capture.script import dump_script, load_captures, load_script
from binance_usdm_wire import OPERATIONS

T = TypeVar("T")

_FAULT_RULE_OPTIONS = ("times", "operation", "path", "api_key", "nth", "probability")


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Give the command its own commands."""
    command.description = "A mock exchange with real signatures; not the exchange."
    mocks = command.add_subparsers(required=True, metavar="COMMAND")
    serving = _add_server_command(mocks, "serve", _run_serve, "Serve it until interrupted.")
    serving.add_argument(
        "--port", type=_parse_port, default=8787, help="0 takes a free one (%(default)s)"
    )
    serving.add_argument(
        "--admin",
        action="store_true",
        help="with page and admin interface at /__admin/, for this machine",
    )
    serving.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes, each with a state of its own",
    )
    run = _add_server_command(
        mocks,
        "run",
        _run_program,
        f"Run a program against it: sets {ENV_API_KEY}, {ENV_API_SECRET} and {ENV_BASE_URL}.",
    )
    run.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM [ARGUMENT ...]")
    text = "Print captured replies (HAR, or raw HTTP) as scripted ones, without what identifies an account."
    scrub = mocks.add_parser("scrub", help=text, description=text)
    scrub.set_defaults(run=_run_scrub)
    scrub.add_argument("capture", type=_read_file, metavar="FILE")


def _add_server_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run, usage_error=command.error)
    add = command.add_argument
    add("--api-key", default=DEFAULT_API_KEY, metavar="KEY", help="the account's made-up key")
    add(
        "--api-secret",
        default=DEFAULT_API_SECRET,
        metavar="SECRET",
        help="its made-up secret; never a real one",
    )
    add(
        "--public-key",
        type=_read_file,
        metavar="FILE",
        help="PEM of an Ed25519 or RSA key, in the place of a secret",
    )
    add(
        "--clock-offset",
        type=int,
        default=0,
        metavar="MS",
        help="how far its clock is ahead of this machine's",
    )
    add(
        "--reply",
        type=_parse_response_option,
        action="append",
        default=[],
        metavar="OPERATION=FILE",
        help="the JSON of its answers",
    )
    about = "answer every request with it; a rule narrows that: times, nth, probability, operation, path, api_key"
    add(
        "--fault",
        type=_parse_fault,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE,...]",
        help=about,
    )
    add(
        "--switch",
        type=_parse_switch,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="turn a switch; value as JSON",
    )
    add(
        "--replay",
        type=_read_file,
        metavar="FILE",
        help="play what `mock scrub` printed, a reply for a request",
    )
    return command


def _build_exchange(options: argparse.Namespace) -> Exchange:
    def setup(exchange: Exchange) -> None:
        for operation, body in options.reply:
            exchange.seed(operation, body)
        for captured in load_script(options.replay) if options.replay else ():
            exchange.fail(captured.reply, path=captured.path)
        for name, given in options.fault:
            exchange.fail(name, **{"times": None, **given})

    try:
        return Exchange(
            api_key=options.api_key,
            api_secret=options.api_secret if options.public_key is None else options.public_key,
            clock=lambda: time.time_ns() // 1_000_000 + options.clock_offset,
            switches=Switches().with_changes(dict(options.switch)),
            setup=setup,
        )
    except (ValueError, ImportError) as error:
        raise ConfigurationError(str(error)) from None


def _with_server_errors(act: Callable[[], T], port: int = 0) -> T:
    """Do what needs a socket, and the package that serves."""
    try:
        return act()
    except (ImportError, ValueError, RuntimeError) as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        raise ConfigurationError(
            f"the mock exchange cannot listen on port {port}: {error}"
        ) from None


def _run_serve(options: argparse.Namespace) -> int:
    exchange = _build_exchange(options)

    def ready(url: str) -> None:
        page = f", page {url}/__admin/" if options.admin else ""
        print(
            f"mock exchange on {url}, key {exchange.api_key}{page} (Ctrl-C ends it)",
            file=sys.stderr,
            flush=True,
        )

    _with_server_errors(
        lambda: serve(
            exchange, port=options.port, admin=options.admin, workers=options.workers, ready=ready
        ),
        options.port,
    )
    return 0


def _run_program(options: argparse.Namespace) -> int:
    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not program:
        options.usage_error("say what to run: binance-usdm mock run -- PROGRAM [ARGUMENT ...]")
    exchange = _build_exchange(options)
    with ExitStack() as stack:
        url = _with_server_errors(lambda: stack.enter_context(running(exchange)))
        account = {ENV_API_KEY: exchange.api_key, ENV_BASE_URL: url}
        if options.public_key is None:
            account[ENV_API_SECRET] = options.api_secret
        # the shell's own credentials stay out, but for a private key where a public one was given
        foreign = (
            {ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE, ENV_PRIVATE_KEY_PASSWORD}
            if ENV_API_SECRET in account
            else {ENV_API_SECRET}
        )
        account |= {
            name: value for name, value in os.environ.items() if name not in {*account, *foreign}
        }
        try:
            code = subprocess.run(program, env=account, check=False).returncode  # the user's own  # noqa: S603
        except OSError as error:
            raise ConfigurationError(f"cannot run {program[0]}: {error.strerror}") from None
    return code if code >= 0 else 128 - code


def _run_scrub(options: argparse.Namespace) -> int:
    try:
        script = dump_script(load_captures(options.capture))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    sys.stdout.write(script.decode())
    return 0


def _parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def _read_file(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read ({error.strerror})") from None


def _parse_response_option(text: str) -> tuple[str, bytes]:
    name, _, file = text.partition("=")
    operation = name.replace("-", "_")
    if operation not in OPERATIONS:
        raise argparse.ArgumentTypeError(
            f"takes OPERATION=FILE; the operations are {', '.join(OPERATIONS)}"
        )
    body = _read_file(file)
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        raise argparse.ArgumentTypeError("the file is not JSON") from None
    return operation, body


def _parse_fault(text: str) -> tuple[str, dict[str, Any]]:
    name, _, rest = text.partition(":")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(f"no fault {name}; there are {', '.join(FAULTS)}")
    options = FAULTS[name].options
    texts = {option for option, default in options.items() if isinstance(default, str)} | {
        "operation",
        "path",
        "api_key",
    }
    given = dict(_parse_pair(part, texts) for part in rest.split(",") if part)
    known = (*options, *_FAULT_RULE_OPTIONS)
    if unknown := given.keys() - known:
        raise argparse.ArgumentTypeError(
            f"{name} takes {', '.join(known)}, not {', '.join(unknown)}"
        )
    return name, given


def _parse_switch(text: str) -> tuple[str, Any]:
    name, value = _parse_pair(text)
    names = [each.name for each in fields(Switches)]
    if name not in names:
        raise argparse.ArgumentTypeError(f"takes NAME=VALUE; the switches are {', '.join(names)}")
    return name, value


def _parse_pair(text: str, texts: Container[str] = ()) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON, or as the text that it is where it is none, or where the name is one of `texts`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("takes NAME=VALUE")
    try:
        return name, value if name in texts else json.loads(value)
    except ValueError:
        return name, value
