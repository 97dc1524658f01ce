"""Arguments that several commands have, and parsers of argument values.

A parser raises `argparse.ArgumentTypeError` for a value that it rejects: that is wrong usage, exit
code 2.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from binance_usdm import DEMO, ConfigurationError
from binance_usdm._config.base_url import parse_base_url
from binance_usdm._config.defaults import DEFAULT_TIMEOUT, MAX_TIMEOUT
from binance_usdm._config.environment import ENV_PROXY, http_hosts_from_env
from binance_usdm._config.validation import validate_recv_window, validate_timeout
from binance_usdm._http.connections.proxy import Proxy
from binance_usdm._secrets import Problem
from binance_usdm_wire import Parameter, ResponseMismatch

MIN_INTERVAL_SECONDS: Final = 1.0
MAX_INTERVAL_SECONDS: Final = 86400.0


def add_target_arguments(command: argparse.ArgumentParser) -> None:
    """Add `--base-url`, `--demo` and `--proxy`."""
    target = command.add_mutually_exclusive_group()
    target.add_argument(
        "--base-url",
        type=_parse_base_url,
        metavar="URL",
        help="base URL of the exchange, a gateway or a mock",
    )
    target.add_argument("--demo", action="store_true", help=f"use demo trading ({DEMO})")
    command.add_argument(
        "--proxy",
        type=_parse_proxy,
        metavar="URL",
        help="http://[user:pass@]host[:port]; other users of this machine can see a password here, "
        f"but not in {ENV_PROXY}",
    )


def add_timeout_argument(command: argparse.ArgumentParser) -> None:
    """Add `--timeout`."""
    command.add_argument(
        "--timeout",
        type=_parse_seconds,
        default=DEFAULT_TIMEOUT,
        metavar="S",
        help=f"total time for a call in seconds, retries included (default: {DEFAULT_TIMEOUT:g})",
    )


def parameter_type(parameter: Parameter) -> Callable[[str], Any]:
    """Return the parser for values of a parameter of the spec.

    A list is written with commas, and an argument that is sent as JSON is written as JSON.
    """
    if parameter.read_json is not None:
        return lambda text: _parse_json(text, parameter.read_json)
    parse = argument_type(parameter.type)
    if not parameter.is_list:
        return parse

    def parse_list(text: str) -> list[Any]:
        return [parse(item) for item in text.split(",")]

    parse_list.__name__ = "list"
    return parse_list


def argument_type(value_type: type) -> Callable[[str], Any]:
    """Return the parser for values of a type."""
    parsers: dict[type, Callable[[str], Any]] = {bool: _parse_bool, Decimal: _parse_decimal}
    return parsers.get(value_type, value_type)


def _parse_json(text: str, read: Any) -> Any:
    # Other commands do not wait for this import.
    from binance_usdm_wire.decoding import decode

    try:
        return read(decode(text.encode("utf-8", "surrogateescape")), None)
    except ResponseMismatch as mismatch:
        raise argparse.ArgumentTypeError(f"must be {mismatch.expected}") from None


def parse_recv_window(text: str) -> int | None:
    """Return a `recvWindow` in ms."""
    try:
        return validate_recv_window(int(text))
    except (ConfigurationError, ValueError):
        raise argparse.ArgumentTypeError("must be a positive integer of milliseconds") from None


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
            f"must be a positive number of seconds, at most {MAX_TIMEOUT:g}"
        ) from None


def parse_interval(text: str) -> float:
    """Return the seconds between two calls."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not MIN_INTERVAL_SECONDS <= seconds <= MAX_INTERVAL_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds from {MIN_INTERVAL_SECONDS:g} to {MAX_INTERVAL_SECONDS:g}"
        )
    return seconds


def _parse_base_url(text: str) -> str:
    url = parse_base_url(text, http_hosts_from_env())
    if isinstance(url, Problem):
        raise argparse.ArgumentTypeError(url)
    return text


def _parse_proxy(text: str) -> str:
    proxy = Proxy.from_url(text)
    if not isinstance(proxy, Proxy):
        raise argparse.ArgumentTypeError(proxy)
    return text
