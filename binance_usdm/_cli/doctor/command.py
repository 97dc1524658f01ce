"""The `doctor` command: arguments and output."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import textwrap
from collections.abc import Sequence
from contextlib import nullcontext

import attrs

from binance_usdm import DEMO, __version__
from binance_usdm._cli.arguments import (
    add_target_arguments,
    add_timeout_argument,
    parse_recv_window,
)
from binance_usdm._cli.output.progress import make_progress
from binance_usdm._cli.output.table import terminal_width
from binance_usdm._cli.read.accounts import add_profiles_file_argument, select_profile
from binance_usdm._policy.clock_samples import MAX_SAMPLES
from binance_usdm_wire import OPERATIONS

from .checks import run_checks
from .findings import Finding
from .probe import CheckContext

_MAX_WEIGHT = (MAX_SAMPLES + 1) * OPERATIONS["server_time"].weight + OPERATIONS["balance"].weight
DESCRIPTION = f"""\
Explain what is wrong between this machine and the exchange: credentials, base URL,
network path, clock, one signed call.

Reads the same environment variables or profile as the other commands, makes four calls for the
time and one for the balance (weight {_MAX_WEIGHT} at most) and changes nothing. The report
contains no key, secret, signature, amount, address, path or custom host, so you can
paste it into an issue. With --contract it also says where the responses deviate from the
spec: fields, types and codes, without a value.
Exit 0: no problem; 1: a problem; 2: wrong usage."""
MIN_WIDTH = 40
MAX_WIDTH = 100
INDENT = " " * 9


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add description and arguments to the parser of the command."""
    command.description = DESCRIPTION
    command.set_defaults(run=_run, usage_error=command.error)
    add_target_arguments(command)
    add_timeout_argument(command)
    command.add_argument(
        "--recv-window",
        type=parse_recv_window,
        metavar="MS",
        help="recvWindow in ms that your program uses",
    )
    command.add_argument(
        "--profile",
        metavar="NAME",
        help="check this account of the profiles file instead of the environment's",
    )
    add_profiles_file_argument(command)
    command.add_argument(
        "--contract",
        action="store_true",
        help="compare the responses with the spec, to notice that the exchange changed",
    )
    command.add_argument("--json", action="store_true", help="print the findings as JSON")


def _run(options: argparse.Namespace) -> int:
    base_url = options.base_url or (DEMO if options.demo else None)
    profile = select_profile(options, options.profile) if options.profile else None
    context = CheckContext(base_url, options.recv_window, options.timeout, options.proxy, profile)
    if options.contract:
        context.responses = []
    with make_progress("doctor") or nullcontext():
        findings = run_checks(context)
    problems = [
        finding.check for finding in findings if finding.verdict == "problem" and not finding.cause
    ]
    if options.json:
        _print_json(findings, problems)
    else:
        _print_text(findings, problems)
    return 1 if problems else 0


def _print_json(findings: Sequence[Finding], problems: Sequence[str]) -> None:
    report = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "problems": len(problems),
        "findings": [attrs.asdict(finding) for finding in findings],
    }
    json.dump(report, sys.stdout, indent=2)
    print()


def _print_text(findings: Sequence[Finding], problems: Sequence[str]) -> None:
    python = platform.python_version()
    print(f"binance-usdm {__version__}, Python {python}, {platform.system()}")
    for finding in findings:
        print(*_format_finding(finding), sep="\n")
    print(_format_summary(problems))


def _format_finding(finding: Finding) -> list[str]:
    lines = _wrap(finding.summary, f"{finding.verdict:<9}{finding.check:<13}")
    if finding.verdict == "problem" and finding.cause:
        lines.append(f"{INDENT}It follows from {finding.cause}.")
    lines += _wrap(finding.advice, INDENT)
    parts: list[dict[str, str]] = finding.facts.get("parts", [])
    lines += [f"{INDENT}  {part['name']} = {part['value']}  ({part['meaning']})" for part in parts]
    lines += [f"{INDENT}  {line}" for line in finding.facts.get("lines", ())]
    for name in ("signed", "reproduce", "next"):
        if name in finding.facts:
            lines.append(f"{INDENT}{name}: {finding.facts[name]}")
    return lines


def _wrap(text: str, start: str) -> list[str]:
    width = terminal_width(sys.stdout) or MAX_WIDTH
    return textwrap.wrap(
        text,
        min(max(width, MIN_WIDTH), MAX_WIDTH),
        initial_indent=start,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _format_summary(problems: Sequence[str]) -> str:
    if not problems:
        return "No problem was found."
    plural = "s" if len(problems) > 1 else ""
    return f"{len(problems)} problem{plural}. Fix {problems[0]} first."
