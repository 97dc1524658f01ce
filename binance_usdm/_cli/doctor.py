"""`binance-usdm doctor`: what is wrong, as text or JSON on stdout. Knows arguments and lines; finds nothing out itself."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import textwrap
from collections.abc import Callable, Sequence

import attrs

from binance_usdm import DEMO, ConfigurationError, __version__
from binance_usdm._config import validate_recv_window

from .checks import run_checks
from .findings import Finding

DESCRIPTION = """Explain what is wrong between this machine and the exchange: credentials, base URL, way, clock, one signed call.

Reads the same environment variables as the other commands, makes four calls for the time and one for the balance (weight 9 at most) and
changes nothing. The report holds no key, secret, signature, amount, address, path or host of your own, so it can be pasted into an issue.
Exit 0: no problem; 1: a problem; 2: wrong usage."""
WIDTH, INDENT = 100, " " * 9


def configure_parser(
    command: argparse.ArgumentParser, where: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Give the command its flags; `where` adds those that say which exchange, and how long to wait."""
    command.description, command.formatter_class = DESCRIPTION, argparse.RawDescriptionHelpFormatter
    command.set_defaults(run=_run)
    where(command)
    command.add_argument(
        "--recv-window",
        type=_parse_recv_window,
        metavar="MS",
        help="how old the request may be on arrival, as your program says it",
    )
    command.add_argument("--json", action="store_true", help="the same findings as JSON")


def _run(options: argparse.Namespace) -> int:
    base_url = options.base_url or (DEMO if options.demo else None)
    findings = run_checks(base_url, recv_window=options.recv_window, timeout=options.timeout)
    problems = [finding.check for finding in findings if finding.verdict == "problem"]
    made_by = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }
    if options.json:
        report = {
            **made_by,
            "problems": len(problems),
            "findings": [attrs.asdict(finding) for finding in findings],
        }
        json.dump(report, sys.stdout, indent=2)
        print()
    else:
        print(f"binance-usdm {made_by['version']}, Python {made_by['python']}, {made_by['system']}")
        print(*(line for finding in findings for line in _format_finding(finding)), sep="\n")
        print(_format_summary(problems))
    return 1 if problems else 0


def _format_finding(finding: Finding) -> list[str]:
    lines = [f"{finding.verdict:<9}{finding.check:<13}{finding.summary}"]
    lines += textwrap.wrap(
        finding.advice,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
    parts: list[dict[str, str]] = finding.facts.get("parts", [])
    lines += [f"{INDENT}  {part['name']} = {part['value']}  ({part['meaning']})" for part in parts]
    lines += [
        f"{INDENT}{name}: {finding.facts[name]}"
        for name in ("signed", "reproduce")
        if name in finding.facts
    ]
    return lines


def _format_summary(problems: Sequence[str]) -> str:
    if not problems:
        return "No problem was found."
    return f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: begin with {problems[0]}."


def _parse_recv_window(text: str) -> int | None:
    try:
        return validate_recv_window(int(text))
    except (ConfigurationError, ValueError):
        raise argparse.ArgumentTypeError(
            "must be a positive whole number of milliseconds"
        ) from None
