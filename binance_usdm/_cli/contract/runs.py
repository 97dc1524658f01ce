"""Run `contract run`, `contract client` and `contract mock`, and print what they find."""

from __future__ import annotations

import argparse
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from binance_usdm import ConfigurationError
from binance_usdm._cli.output.progress import make_progress
from binance_usdm._config.environment import options_from_env
from binance_usdm._secrets import Problem
from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    Exchange,
    ManualClock,
    Switches,
    running,
)

from .command import DEFAULT_EXAMPLES
from .extra import explained_imports
from .values import load_spec

if TYPE_CHECKING:
    from hypothesis import settings

    from binance_usdm.contract._cases.run_state import Run
    from binance_usdm.contract._reports.report import Report, Section

# Hundreds of requests come within one minute.
UNLIMITED = Switches(weight_limit=10**9)


def run_server(options: argparse.Namespace) -> int:
    """Check a server, or the mock exchange if no URL was given."""
    with _prepared(options) as (document, how, run), ExitStack() as stack:
        from binance_usdm.contract._server.account import Account
        from binance_usdm.contract._server.server_vs_spec import ServerCheck
        from binance_usdm.contract._server.session import Clock, UnusableServerError, now_ms

        url, account = options.url, Account(DEFAULT_API_KEY, DEFAULT_API_SECRET)
        clock: Clock = now_ms
        if url is None:
            exchange, clock = _make_exchange(options, document, now_ms())
            url = stack.enter_context(running(exchange))
        else:
            _reject_exchange(url, document)
            account = Account(*_credentials(options))
        check = ServerCheck(
            document=document,
            url=url,
            account=account,
            how=how,
            reproduce=lambda case: _command(options, "run", "--case", case),
            max_per_minute=options.max_per_minute,
            only=options.case,
            now=clock,
            assume=_assumed(options),
        )
        try:
            return _print_sections(options, options.url or "mock exchange", check.run(run), run)
        except UnusableServerError as error:
            raise ConfigurationError(str(error)) from None


def run_client(options: argparse.Namespace) -> int:
    """Check a client by layers B and C."""
    with _prepared(options) as (document, how, run):
        from binance_usdm.contract import Sdk
        from binance_usdm.contract._layers.layers import client_layers, run_layers

        name = _name(options.client)
        layers = client_layers(document, {name: Sdk(options.client)}, {name: how})
        return _print_sections(options, name, run_layers(document, layers, run), run)


def run_mock(options: argparse.Namespace) -> int:
    """Check a mock exchange by layer A."""
    with _prepared(options) as (document, how, run):
        from binance_usdm.contract import exchange_maker
        from binance_usdm.contract._layers.layers import mock_layer, run_layers

        make = exchange_maker(options.mock)
        layers = [mock_layer(document, make, how, _assumed(options))]
        return _print_sections(options, _name(options.mock), run_layers(document, layers, run), run)


def _assumed(options: argparse.Namespace) -> Switches:
    """Return what is assumed of open questions."""
    return Switches().with_changes(dict(options.assume))


def _make_exchange(
    options: argparse.Namespace, document: Any, ms: int
) -> tuple[Exchange, Callable[[], int]]:
    """Return a mock exchange that keeps to what is assumed, and its clock.

    The clock is a ms later whenever it is asked for the time of a request, and stands otherwise: a
    busy machine makes no request too old.
    """
    clock = ManualClock(ms)
    switches = replace(_assumed(options), weight_limit=UNLIMITED.weight_limit)
    try:
        exchange = Exchange(spec=document, switches=switches, clock=clock)
    except ValueError as error:
        options.usage_error(f"argument --assume: {error}")
        raise

    def now() -> int:
        clock.advance(1)
        return clock.ms

    return exchange, now


@contextmanager
def _prepared(options: argparse.Namespace) -> Iterator[tuple[Any, settings, Run]]:
    """Yield the document, which cases are generated, and the run.

    Raises:
        ConfigurationError: The extra is missing, or the spec cannot be used.
    """
    if not __debug__:
        raise ConfigurationError("the checks are assertions; run Python without -O")
    with explained_imports():
        from hypothesis.configuration import set_hypothesis_home_dir

        from binance_usdm.contract._cases.run_state import Run
        from binance_usdm.contract._cases.schemathesis_setup import settings_for
    # Hypothesis would make a folder in the current one, though nothing is stored.
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        run = Run(seed=options.seed)
        if options.time_budget is not None:
            run.ends_at = time.monotonic() + options.time_budget
        yield load_spec(options), settings_for(options.max_examples), run


def _print_sections(
    options: argparse.Namespace, target: str, sections: Iterator[Section], run: Run
) -> int:
    """Print each section when it has ended, write the reports, and return the exit code."""
    from binance_usdm.contract._cases.assumptions import format_switch
    from binance_usdm.contract._reports.report import (
        TABLE_HEAD,
        Report,
        coverage_lines,
        section_lines,
    )

    kept = {"seed": str(options.seed), "max_examples": str(options.max_examples)}
    if assumptions := getattr(options, "assume", ()):
        kept["assume"] = " ".join(format_switch(*each) for each in assumptions)
    report = Report(target, kept)
    print(TABLE_HEAD, flush=True)
    progress = make_progress("contract")
    if progress is not None:
        run.on_step = lambda: progress.set_count(f"{run.steps} cases and checks")
    while True:
        with progress or nullcontext():
            section = next(sections, None)
        if section is None:
            break
        print("\n".join(section_lines(section)), flush=True)
        report.sections.append(section)
    report.is_complete = run.is_complete
    report.coverage = run.coverage
    if run.coverage is not None and getattr(options, "case", None) is None:
        print("\n".join(coverage_lines(run.coverage)), flush=True)
    if not run.is_complete:
        print("the time budget ended before everything was tried", flush=True)
    _write_reports(options, report)
    return report.exit_code


def _write_reports(options: argparse.Namespace, report: Report) -> None:
    from binance_usdm.contract._reports.files import write_report

    for path in options.report:
        try:
            write_report(report, path)
        except OSError as error:
            raise ConfigurationError(f"the report cannot be written: {error.strerror}") from None


def _reject_exchange(url: str, document: Any) -> None:
    """Raise an error for a host of the exchange, which bans who sends invalid requests."""
    hosts = {urlsplit(server["url"]).hostname for server in document.get("servers", ())}
    domains = {".".join(str(host).split(".")[-2:]) for host in hosts} - {"0.1", "localhost"}
    host = str(urlsplit(url).hostname).rstrip(".").lower()
    if ".".join(host.split(".")[-2:]) in domains:
        raise ConfigurationError(
            f"{host} is a host of the exchange; it bans addresses that send invalid requests"
        )


def _credentials(options: argparse.Namespace) -> tuple[str, str]:
    """Return key and HMAC secret of the environment."""
    found = options_from_env(
        {"base_url": "", "proxy": None, "allow_http_hosts": (), "limiter": None}
    )
    problem = str(found) if isinstance(found, Problem) else ""
    if isinstance(found, dict) and "api_secret" in found:
        return str(found["api_key"]), str(found["api_secret"])
    options.usage_error(
        f"argument --url: {problem or 'signatures are HMAC; set BINANCE_API_SECRET'}"
    )
    raise SystemExit(2)


def _command(options: argparse.Namespace, *words: str) -> str:
    """Return the command that runs one case with the same options."""
    from binance_usdm.contract._cases.assumptions import format_switch

    command = ["binance-usdm", "contract", *words]
    values = {"--url": options.url, "--spec": options.spec, "--seed": options.seed}
    if options.max_examples != DEFAULT_EXAMPLES:
        values["--max-examples"] = options.max_examples
    for name, value in values.items():
        if value is not None:
            command += [name, os.fspath(value) if name == "--spec" else str(value)]
    for each in options.assume:
        command += ["--assume", format_switch(*each)]
    return shlex.join(command)


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', repr(value))}"
