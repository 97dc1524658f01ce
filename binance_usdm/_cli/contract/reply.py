"""Run `contract reply`: compare recorded responses with the spec, without showing values."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binance_usdm import ConfigurationError

from .extra import explained_imports
from .values import load_spec

if TYPE_CHECKING:
    from binance_usdm.contract._recorded.deviations import Deviation, RecordedReply

JSON_HEADERS = {"Content-Type": "application/json"}


def run_reply(options: argparse.Namespace) -> int:
    """Print how recorded responses deviate from the spec."""
    with explained_imports():
        from binance_usdm.contract._recorded.deviations import Deviation, find_deviations
        from binance_usdm.contract._recorded.json_form import deviation_to_json

        document = load_spec(options)
    items = [item for path in options.files for item in _read(options, path, document)]
    replies = [item for item in items if not isinstance(item, Deviation)]
    deviations = [item for item in items if isinstance(item, Deviation)]
    deviations = [*deviations, *find_deviations(document, replies)]
    if options.json:
        rows = [deviation_to_json(each) for each in deviations]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for deviation in deviations:
            print(deviation)
        outcome = f"{len(deviations)} deviations" if deviations else "no deviation"
        print(f"{len(replies)} responses: {outcome}", file=sys.stderr)
    if options.proposal is not None:
        _write_proposal(options.proposal, document, deviations)
    return 1 if deviations else 0


def _read(
    options: argparse.Namespace, path: Path, document: Any
) -> list[RecordedReply] | list[Deviation]:
    """Return the responses of a file: a HAR, a script of `mock scrub`, or one body.

    Of a report of `doctor --contract` return the deviations.

    Raises:
        ConfigurationError: The file cannot be read. The message repeats nothing of it.
    """
    try:
        source = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if options.operation is not None:
        return [_read_body(options, source, document)]
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        value = None
    try:
        if isinstance(value, dict) and "log" in value:
            return _read_har(source, document)
        if isinstance(value, dict) and "findings" in value:
            return _read_report(value, document)
        if isinstance(value, list) and value and all(_is_row(row) for row in value):
            return _read_script(source)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    options.usage_error(f"{path} is no HAR file; for a body give its --operation")
    raise SystemExit(2)


def _read_body(options: argparse.Namespace, source: bytes, document: Any) -> RecordedReply:
    from binance_usdm.contract._recorded.deviations import RecordedReply
    from binance_usdm.contract._spec.operations import operations

    known = {operation.id.replace("_", "-"): operation for operation in operations(document)}
    operation = known.get(options.operation.replace("_", "-"))
    if operation is None:
        options.usage_error(f"argument --operation: expected one of: {', '.join(known)}")
        raise SystemExit(2)
    parts = (operation.method, operation.path, options.status, JSON_HEADERS)
    return RecordedReply(*parts, source)


def _read_har(source: bytes, document: Any) -> list[RecordedReply]:
    from binance_usdm.contract._recorded.deviations import RecordedReply
    from binance_usdm.contract._spec.operations import operations
    from binance_usdm.mock.capture.har import read_har

    class Routes:
        def __contains__(self, route: object) -> bool:
            method, path = route if isinstance(route, tuple) else ("", "")
            return any(
                method == operation.method and operation.matches(str(path))
                for operation in operations(document)
            )

    recorded = read_har(source, Routes(), Counter())
    return [
        RecordedReply(each.method, each.path, each.status, dict(each.headers), each.body)
        for each in recorded
    ]


def _read_report(report: Any, document: Any) -> list[Deviation]:
    from binance_usdm.contract._recorded.json_form import deviation_from_json

    try:
        facts = [each["facts"] for each in report["findings"] if each["check"] == "contract"]
        rows = [row for each in facts for row in each.get("deviations", ())]
        return [deviation_from_json(document, row) for row in rows]
    except (TypeError, KeyError, AttributeError):
        raise ValueError("must be what doctor --contract --json prints") from None


def _read_script(source: bytes) -> list[RecordedReply]:
    from binance_usdm.contract._recorded.deviations import RecordedReply
    from binance_usdm.mock.capture.script import load_script

    return [
        RecordedReply(
            captured.method or "",
            captured.path or "",
            captured.reply.status,
            {name.decode(): text.decode("latin-1") for name, text in captured.reply.headers},
            captured.reply.body,
        )
        for captured in load_script(source)
    ]


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and {"method", "path", "status"} <= row.keys()


def _write_proposal(path: Path, document: Any, deviations: list[Deviation]) -> None:
    from binance_usdm.contract._recorded.proposal import propose_document

    text = json.dumps(propose_document(document, deviations), indent=1, ensure_ascii=False)
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
