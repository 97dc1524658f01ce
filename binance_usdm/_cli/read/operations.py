"""Commands for the operations of the spec, such as `balance`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import attrs

from binance_usdm._cli.arguments import (
    add_target_arguments,
    add_timeout_argument,
    parameter_type,
    parse_interval,
)
from binance_usdm._cli.output.columns import (
    Record,
    add_output_arguments,
    left_out_warning,
    make_table,
    read_view,
)
from binance_usdm._cli.output.formats import LABEL_COLUMN, RENDERERS
from binance_usdm._cli.suggestions import suggest
from binance_usdm_wire import InvalidArgumentError, Operation, Parameter

from .accounts import (
    Outcome,
    add_profile_arguments,
    call_each,
    has_profiles,
    open_accounts,
    report_failures,
)

if TYPE_CHECKING:
    from binance_usdm._cli.output.progress import Progress


def configure_parser(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
    """Add the arguments of an operation to its command."""
    command.set_defaults(
        run=_run_operation,
        usage_error=command.error,
        operation=operation,
        assets=None,
        non_zero=False,
    )
    for parameter in operation.parameters:
        command.add_argument(
            "--" + parameter.name.replace("_", "-"),
            dest=_dest_name(parameter),
            metavar=None if _is_one_of(parameter) else parameter.name.upper(),
            choices=parameter.choices if _is_one_of(parameter) else None,
            type=parameter_type(parameter),
            required=parameter.required,
            help=parameter.description.replace("%", "%%"),
        )
    add_target_arguments(command)
    add_timeout_argument(command)
    add_profile_arguments(command)
    command.add_argument(
        "--watch",
        type=parse_interval,
        metavar="S",
        help="call again every S seconds, until Ctrl-C: in place on a terminal, with marks on what "
        "changed; in a pipe each row that changed is a line",
    )
    add_output_arguments(command, operation)
    _add_row_arguments(command, operation)


def _is_one_of(parameter: Parameter) -> bool:
    """Return whether the argument is one of the values that the spec lists."""
    return bool(parameter.choices) and not parameter.is_list


def _add_row_arguments(command: argparse.ArgumentParser, operation: Operation[Any]) -> None:
    """Add the arguments that select rows, where the rows have what they need."""
    if operation.row_class is None:
        return
    names = {field.name for field in attrs.fields(operation.row_class)}
    # A parameter of the operation takes precedence over ours.
    names -= {parameter.name for parameter in operation.parameters}
    if "asset" in names:
        command.add_argument(
            "--asset",
            action="append",
            dest="assets",
            metavar="NAME",
            help="show only this asset; repeat for several",
        )
    if operation.row_class.HOLDINGS:
        command.add_argument(
            "--non-zero", action="store_true", help="hide assets without any balance or profit"
        )


def _dest_name(parameter: Parameter) -> str:
    """Return the attribute of a parsed parameter. It cannot collide with other attributes."""
    return f"parameter {parameter.name}"


def _run_operation(options: argparse.Namespace) -> int:
    operation: Operation[Any] = options.operation
    arguments = _read_arguments(options)
    added = [LABEL_COLUMN] if has_profiles(options) else []
    if options.watch is not None:
        from .watch import watch

        return watch(options, arguments, added, _select_records)
    view = read_view(options, operation, *added)
    progress = _make_progress(operation.id)
    on_event, on_account = (progress.on_event, progress.on_account) if progress else (None, None)
    with (
        open_accounts(options, operation, on_event) as accounts,
        # The profiles are open: a command that prints a secret may ask on the same terminal.
        progress or nullcontext(),
    ):
        outcome = call_each(accounts, operation, arguments, on_account)
    exit_code = report_failures(outcome.failures, len(outcome.responses), options.report)
    records, missing_count = _select_records(outcome, options)
    warning = left_out_warning(records, view)
    if warning:
        options.report(warning)
    is_single = not accounts.has_labels and not isinstance(outcome.responses[""].parsed, list)
    table = make_table(records, view, is_single_object=is_single)
    if records or outcome.responses:
        RENDERERS[view.output_format](table, sys.stdout)
    return exit_code or int(missing_count > 0)


def _make_progress(what: str) -> Progress | None:
    """Return a progress line, None when stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None
    # Jobs do not wait for this import.
    from binance_usdm._cli.output.progress import make_progress

    return make_progress(what)


def _select_records(outcome: Outcome, options: argparse.Namespace) -> tuple[list[Record], int]:
    """Return the rows that the arguments select, and how many assets have none."""
    records = []
    missing_count = 0
    for label, response in outcome.responses.items():
        parsed = response.parsed
        if options.operation.dump is not None:
            parsed = options.operation.dump(parsed)
        rows = parsed if isinstance(parsed, list) else [parsed]
        for asset in _missing_assets(rows, options.assets or ()):
            missing_count += 1
            named = f"{label}: " if label else ""
            assets = [row.asset for row in rows]
            options.report(f"{named}no row for the asset {asset!r}{suggest([asset], assets)}")
        records += [
            Record(row, response.received_at_ms, label or None)
            for row in rows
            if _is_selected(row, options)
        ]
    return records, missing_count


def _read_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Return the operation's arguments. Invalid ones are wrong usage."""
    operation: Operation[Any] = options.operation
    arguments = {
        parameter.name: getattr(options, _dest_name(parameter))
        for parameter in operation.parameters
    }
    try:
        operation.build_query(**arguments)
    except InvalidArgumentError as error:
        options.usage_error(str(error))
    return arguments


def _missing_assets(rows: Sequence[Any], assets: Sequence[str]) -> list[str]:
    """Return the assets that have no row, each once."""
    if not assets:
        return []
    existing = {row.asset for row in rows}
    return [asset for asset in dict.fromkeys(assets) if asset not in existing]


def _is_selected(row: Any, options: argparse.Namespace) -> bool:
    if options.assets and row.asset not in options.assets:
        return False
    return not options.non_zero or any(getattr(row, name) for name in row.HOLDINGS)
