"""Parse the values of arguments of the `mock` commands.

A parser raises `argparse.ArgumentTypeError` for a value that it rejects: that is wrong usage, exit
code 2.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import msgspec

from binance_usdm.mock import FAULTS, Exchange, Switches
from binance_usdm.mock.capture.script import CapturedResponse, load_script
from binance_usdm.mock.faults.queue import RULE_OPTIONS
from binance_usdm.mock.state.accounts import load_public_key
from binance_usdm_wire import OPERATIONS

_RULE_OPTIONS_WITH_TEXT: Final = {"operation", "path", "api_key"}


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn what the mock rejects into wrong usage of the argument that is being parsed."""
    try:
        yield
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_not_empty(text: str) -> str:
    """Return a string that is not empty."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def parse_api_secret(text: str) -> str:
    """Return an HMAC secret."""
    if text.lstrip().startswith("-----BEGIN"):
        raise argparse.ArgumentTypeError("must be an HMAC secret, not PEM text; use --public-key")
    return parse_not_empty(text)


def parse_account(text: str) -> tuple[str, str]:
    """Return API key and secret of KEY=SECRET."""
    api_key, _, api_secret = text.partition("=")
    if not api_key or not api_secret:
        raise argparse.ArgumentTypeError("must be KEY=SECRET")
    return api_key, parse_api_secret(api_secret)


def parse_public_key(path: str) -> bytes:
    """Return the PEM of an Ed25519 or RSA public key."""
    pem = read_file(path)
    # A missing package is no wrong usage. The exchange reports it.
    with _usage_errors(), suppress(ImportError):
        load_public_key(pem)
    return pem


def parse_script(path: str) -> list[CapturedResponse]:
    """Return the responses of a file that `mock scrub` wrote."""
    with _usage_errors():
        return load_script(read_file(path))


def parse_workers(text: str) -> int:
    """Return a number of processes."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("must be an integer of 1 or more")
    return int(text)


def parse_port(text: str) -> int:
    """Return a port; 0 means any free port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def parse_host(text: str) -> str:
    """Return an IP address to listen on. `localhost` is 127.0.0.1."""
    try:
        return str(ipaddress.ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be an IP address; 0.0.0.0 is every IPv4 address of this machine"
        ) from None


def read_file(path: str) -> bytes:
    """Return the content of a file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read ({error.strerror})") from None


def parse_readable_path(path: str) -> str:
    """Return the path of a file that can be read."""
    read_file(path)
    return path


def parse_response_option(text: str) -> tuple[str, bytes]:
    """Return operation and body of OPERATION=FILE. The operation may be a command's name."""
    name, _, path = text.partition("=")
    operation = name.replace("-", "_")
    if operation not in OPERATIONS:
        raise argparse.ArgumentTypeError(
            f"must be OPERATION=FILE; the operations are {', '.join(OPERATIONS)}"
        )
    return operation, _read_json(path)


def parse_stub(text: str) -> tuple[str, bytes]:
    """Return method and path, and body, of 'METHOD /PATH=FILE'."""
    request, equals, path = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be 'METHOD /PATH=FILE'")
    with _usage_errors():
        # A new exchange checks the path, and forgets the stub.
        Exchange().stub(request, b"")
    return request, _read_json(path)


def _read_json(path: str) -> bytes:
    """Return the content of a file, which is JSON."""
    body = read_file(path)
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise argparse.ArgumentTypeError("the file is not JSON") from None
    return body


def parse_fault(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and options of NAME[:OPTION=VALUE,...]."""
    name, _, rest = text.partition(":")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(
            f"unknown fault {name!r}; expected one of: {', '.join(FAULTS)}"
        )
    defaults = FAULTS[name].options
    text_options = {option for option, default in defaults.items() if isinstance(default, str)}
    text_options |= _RULE_OPTIONS_WITH_TEXT
    options = dict(_parse_pair(pair, text_options) for pair in rest.split(",") if pair)
    option_names = (*defaults, *RULE_OPTIONS)
    unknown = [option for option in options if option not in option_names]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{name} accepts {', '.join(option_names)}, not {', '.join(unknown)}"
        )
    with _usage_errors():
        # A new exchange checks options and operation, and forgets the fault.
        Exchange().fail(name, **options)
    return name, options


def parse_switch(text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE."""
    name, value = _parse_pair(text)
    names = [field.name for field in fields(Switches)]
    if name not in names:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE; the switches are {', '.join(names)}")
    with _usage_errors():
        Switches().with_changes({name: value})
    return name, value


def _parse_pair(text: str, text_options: Container[str] = ()) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE.

    Args:
        text: The pair.
        text_options: Names whose value is a string. Any other value is JSON, or a string if it is
            not valid JSON.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be NAME=VALUE")
    if name in text_options:
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
