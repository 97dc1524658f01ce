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

if TYPE_CHECKING:
    from binance_usdm.contract._recorded.deviations import Deviation, RecordedReply

JSON_HEADERS = {"Content-Type": "application/json"}


def run_reply(options: argparse.Namespace) -> int:
    """Print how recorded responses deviate from the spec."""
    with explained_imports():
        from binance_usdm.contract import SPEC, load_document
        from binance_usdm.contract._recorded.deviations import find_deviations

    document = SPEC
    if options.spec is not None:
        try:
            document = load_document(options.spec)
        except ValueError as error:
            options.usage_error(f"argument --spec: {error}")
    replies = [reply for path in options.files for reply in _read(options, path, document)]
    deviations = find_deviations(document, replies)
    if options.json:
        print(json.dumps([_to_json(each) for each in deviations], indent=2, ensure_ascii=False))
    else:
        for deviation in deviations:
            print(deviation)
        outcome = f"{len(deviations)} deviations" if deviations else "no deviation"
        print(f"{len(replies)} responses: {outcome}", file=sys.stderr)
    if options.proposal is not None:
        _write_proposal(options.proposal, document, deviations)
    return 1 if deviations else 0


def _read(options: argparse.Namespace, path: Path, document: Any) -> list[RecordedReply]:
    """Return the responses of a file: a HAR, a script of `mock scrub`, or one body.

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


def _to_json(deviation: Deviation) -> dict[str, Any]:
    fields = {name: value for name, value in vars(deviation).items() if name != "pointer"}
    return {
        **fields,
        "pointer": "/".join(str(step).replace("/", "~1") for step in deviation.pointer),
    }


def _write_proposal(path: Path, document: Any, deviations: list[Deviation]) -> None:
    from binance_usdm.contract._recorded.proposal import propose_document

    text = json.dumps(propose_document(document, deviations), indent=1, ensure_ascii=False)
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
