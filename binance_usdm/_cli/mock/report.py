"""What `mock run` and `mock serve` report: a line for each request, a summary, a file."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from binance_usdm import ConfigurationError
from binance_usdm.mock import Exchange, Logged
from binance_usdm.mock.state.redaction import format_logged
from binance_usdm.mock.state.verdict import Verdict

_SUFFIXES: Final = (".json", ".xml")


def add_report_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments for what is reported."""
    command.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 if a request was rejected that no fault, ban or set clock explains",
    )
    command.add_argument(
        "--log", action="store_true", help="print a line for each request, without its query"
    )
    command.add_argument(
        "--report",
        type=parse_report_path,
        metavar="FILE",
        help="write the outcome to a file at the end: .json for JSON, .xml for JUnit",
    )


def parse_report_path(text: str) -> Path:
    """Return the path of a report, in a folder that exists."""
    path = Path(text)
    if path.suffix not in _SUFFIXES:
        raise argparse.ArgumentTypeError("must end with .json, for JSON, or .xml, for JUnit")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError("its folder does not exist")
    return path


def start_log(options: argparse.Namespace, exchange: Exchange) -> None:
    """Print each request from now on, if `--log` asks for it."""
    engine = exchange._engine

    def print_logged(logged: Logged) -> None:
        _print_line(format_logged(logged, engine.redactor()))

    if options.log:
        engine.on_request = print_logged


def report_end(options: argparse.Namespace, exchange: Exchange, exit_code: int) -> int:
    """Print the summary, write the report, and return the exit code.

    Args:
        options: Arguments of the command.
        exchange: Exchange that has ended.
        exit_code: Exit code without a verdict.

    Raises:
        ConfigurationError: The report cannot be written.
    """
    verdict = exchange._engine.verdict
    for line in verdict.summary_lines():
        _print_line(line)
    if options.report is not None:
        text = _to_json(verdict) if options.report.suffix == ".json" else to_junit(verdict)
        try:
            options.report.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"the report cannot be written: {error.strerror}") from None
    return exit_code or int(options.strict and verdict.unexpected_count > 0)


def _print_line(line: str) -> None:
    # The exit code is that of the program, whether or not the line can be read.
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _to_json(verdict: Verdict) -> str:
    return json.dumps(verdict.to_json(), indent=2, ensure_ascii=False) + "\n"


def to_junit(verdict: Verdict) -> str:
    """Return the outcome as a JUnit file with one case for each operation or unknown path.

    A case fails if requests were rejected unexpectedly.
    """
    answered = verdict.answered_by_target
    targets = dict.fromkeys([*answered, *(group.target for group in verdict.groups)])
    suite = ElementTree.Element("testsuite", name="mock exchange")
    failure_count = 0
    for target in targets:
        case = ElementTree.SubElement(suite, "testcase", classname="mock_exchange", name=target)
        groups = [group for group in verdict.groups if group.target == target]
        unexpected = [group for group in groups if not group.is_expected]
        if unexpected:
            failure_count += 1
            rejected = sum(group.count for group in unexpected)
            message = f"{rejected} requests were rejected: {unexpected[0].reason}"
            failure = ElementTree.SubElement(case, "failure", message=message)
            failure.text = "\n".join(str(group) for group in groups)
        else:
            output = ElementTree.SubElement(case, "system-out")
            output.text = "\n".join([f"{answered.get(target, 0)} answered", *map(str, groups)])
    output = ElementTree.SubElement(suite, "system-out")
    output.text = "\n".join(verdict.summary_lines())
    suite.set("tests", str(len(targets)))
    suite.set("failures", str(failure_count))
    suite.set("errors", "0")
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
