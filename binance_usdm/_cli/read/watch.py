"""`--watch`: call again and again until Ctrl-C, and show what changes."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Final

from binance_usdm import Budget, RateLimitError, TransportError, UsdmError
from binance_usdm._cli.arguments import MIN_INTERVAL_SECONDS
from binance_usdm._cli.output.columns import Record, View, left_out_warning, read_view
from binance_usdm._cli.output.formats import RECEIVED_COLUMN
from binance_usdm._cli.output.progress import can_move_cursor, make_progress
from binance_usdm._cli.output.watch_output import ChangedLines, LiveTable, Round
from binance_usdm._policy.weight_budget import MINUTE_MS
from binance_usdm_wire import Operation

from .accounts import Accounts, Outcome, call_each, describe_failure, open_accounts

SelectRecords = Callable[[Outcome, argparse.Namespace], tuple[list[Record], int]]
_STREAM_FORMATS: Final = ("table", "jsonl", "csv", "tsv")


def watch(
    options: argparse.Namespace,
    arguments: dict[str, Any],
    added: Sequence[str],
    select_records: SelectRecords,
) -> int:
    """Call an operation in intervals and show what changes.

    Args:
        options: Parsed arguments of the command.
        arguments: Arguments of the operation.
        added: Columns that come first.
        select_records: Returns the rows of an outcome that are shown.

    Returns:
        The exit code: 0 after Ctrl-C, 1 when nothing could be read.
    """
    if options.output_format not in _STREAM_FORMATS:
        options.usage_error("argument --watch: JSON cannot be continued; use --output jsonl")
    operation: Operation[Any] = options.operation
    is_live = options.output_format == "table" and can_move_cursor(sys.stdout)
    view = read_view(options, operation, *added)
    if not is_live and not view.is_chosen:
        view = view._replace(columns=(RECEIVED_COLUMN, *view.columns))
    output = LiveTable(view, sys.stdout) if is_live else ChangedLines(view, sys.stdout)
    progress = make_progress(operation.id)
    on_event = progress.on_event if progress else None
    with open_accounts(options, operation, on_event) as accounts:
        _check_interval(options, accounts)
        watcher = Watcher(options, arguments, accounts, select_records, view)
        try:
            while True:
                started_at = time.monotonic()
                with progress or nullcontext():
                    shown = watcher.read()
                output.show(shown)
                if not watcher.can_continue:
                    return 1
                wait = max(options.watch, watcher.wait_seconds)
                time.sleep(max(started_at + wait - time.monotonic(), 0.0))
        except KeyboardInterrupt:
            output.end()
            return 0


class Watcher:
    """Reads the accounts again and again. An account that fails keeps its earlier rows.

    Attributes:
        can_continue: Whether another round makes sense.
        wait_seconds: Time that the exchange asks to wait.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        arguments: dict[str, Any],
        accounts: Accounts,
        select_records: SelectRecords,
        view: View,
    ) -> None:
        self._options = options
        self._arguments = arguments
        self._accounts = accounts
        self._select_records = select_records
        self._records: dict[str, list[Record]] = {}
        self._view = view
        self._notes: list[str] = []
        options.report = self._notes.append
        self.can_continue = True
        self.wait_seconds = 0.0

    def read(self) -> Round:
        """Make a round of calls and return what there is to show."""
        self._notes.clear()
        outcome = self._call()
        if outcome.responses:
            records, _ = self._select_records(outcome, self._options)
            if warning := left_out_warning(records, self._view):
                self._notes.append(warning)
            for label in outcome.responses:
                self._records[label] = [
                    record for record in records if (record.label or "") == label
                ]
        errors = outcome.failures.values()
        self.wait_seconds = max((_wait_of(error) for error in errors), default=0.0)
        # What failed for good at the start, such as a wrong key, will fail again.
        can_recover = bool(self._records) and any(map(_may_pass, errors))
        self.can_continue = bool(outcome.responses) or can_recover
        return Round(
            records=[record for records in self._records.values() for record in records],
            messages=[
                *map(describe_failure, errors),
                *self._notes,
            ],
            budget=self._least_budget(),
            interval=self._options.watch,
        )

    def _call(self) -> Outcome:
        try:
            return call_each(self._accounts, self._options.operation, self._arguments)
        except UsdmError as error:
            return Outcome({}, {"": error})

    def _least_budget(self) -> Budget | None:
        """Return the budget that has the least left, without those in a Redis that is away."""
        limiters = {client._limiter_queue.limiter: client for client in self._accounts.clients}
        budgets = []
        for client in limiters.values():
            # The calls have said so.
            with suppress(TransportError):
                budgets.append(client.budget())
        return min(budgets, key=lambda budget: budget.left or 0, default=None)


def _may_pass(error: UsdmError) -> bool:
    return error.retryable or isinstance(error, RateLimitError)


def _wait_of(error: UsdmError) -> float:
    return (error.retry_after or 0.0) if isinstance(error, RateLimitError) else 0.0


def _check_interval(options: argparse.Namespace, accounts: Accounts) -> None:
    """End with wrong usage when the rounds would use more than the weight budget."""
    weight = options.operation.weight
    clients = {client._limiter_queue.limiter: client for client in accounts.clients}
    counts = Counter(client._limiter_queue.limiter for client in accounts.clients)
    for limiter, client in clients.items():
        limit = client.budget().limit
        if limit is None:
            continue
        count = counts[limiter]
        seconds = max(count * weight * MINUTE_MS / 1000 / limit, MIN_INTERVAL_SECONDS)
        if options.watch < seconds:
            options.usage_error(
                f"argument --watch: must be at least {seconds + 0.05:.1f}: {count} accounts cost "
                f"weight {count * weight} each time, and the budget is {limit} a minute"
            )
