"""Values of the `contract` commands' arguments."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

REPORT_SUFFIXES: Final = (".xml", ".json", ".html")
MAX_SEED: Final = 2**32 - 1
MAX_EXAMPLES: Final = 100_000
MAX_SECONDS: Final = 86400.0


def load_spec(options: argparse.Namespace) -> Any:
    """Return the document of `--spec`, or the installed one. Ends the command if it is not valid.

    Raises:
        ImportError: The extra `contract` is missing.
    """
    from binance_usdm.contract import SPEC, load_document

    document = SPEC
    if options.spec is not None:
        try:
            document = load_document(options.spec)
        except ValueError as error:
            options.usage_error(f"argument --spec: {error}")
    return document


def parse_class(text: str) -> Any:
    """Return what `module:Name` names. Modules of the current folder can be imported."""
    module_name, colon, name = text.partition(":")
    if not (module_name and colon and name):
        raise argparse.ArgumentTypeError("must be module:Class, such as mine:MyClient")
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        value: Any = importlib.import_module(module_name)
        for part in name.split("."):
            value = getattr(value, part)
    except ImportError as error:
        raise argparse.ArgumentTypeError(f"cannot be imported: {error}") from None
    except AttributeError:
        raise argparse.ArgumentTypeError(f"{module_name} has no {name}") from None
    if not callable(value):
        raise argparse.ArgumentTypeError("is not a class or a function")
    return value


def parse_url(text: str) -> str:
    """Return the base URL of a server."""
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        has_more = parts.query or parts.fragment or parts.username or parts.password
    except ValueError:
        is_valid, has_more = False, ""
    if not is_valid or has_more:
        raise argparse.ArgumentTypeError("must be http://host[:port] or https://host[:port]")
    return text.rstrip("/")


def parse_report(text: str) -> Path:
    """Return the path of a report, in a folder that exists."""
    path = Path(text)
    if path.suffix not in REPORT_SUFFIXES:
        raise argparse.ArgumentTypeError(
            "must end with .xml, for JUnit, .json, for JSON, or .html, for a page"
        )
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError("its folder does not exist")
    return path


def integer_between(low: int, high: int) -> Callable[[str], int]:
    """Return a parser for an integer within bounds."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {high}")
        return int(text)

    return parse


def parse_seconds(text: str) -> float:
    """Return a time budget in seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be a positive number of seconds, at most {MAX_SECONDS:g}"
        )
    return seconds
