"""Queued faults as JSON values, in scenarios and in the admin API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from binance_usdm.mock.core.response import IMMEDIATE, Delivery, Reply
from binance_usdm.mock.faults.fault import Option
from binance_usdm.mock.faults.queue import RULE_OPTIONS, QueuedFault, make_queued_fault

from .bodies import decode_base64, require_one_of, show_text

_PRINTABLE: Final = re.compile(r"[\t -~]*")
_UNLIMITED: Final = "unlimited"


def parse_fault_entry(entry: Mapping[str, Any]) -> QueuedFault:
    """Return a fault for the queue.

    Args:
        entry: `fault` with `options`, or `reply`, and the rules that select requests.

    Raises:
        ValueError: The fault is unknown, or an option, a rule or a header is not valid.
    """
    fault = entry.get("fault", "")
    if require_one_of(entry, "fault", "reply") == "reply":
        fault = _parse_reply(entry["reply"])
    options = {name: _parse_option(value) for name, value in entry.get("options", {}).items()}
    rules = {name: entry[name] for name in RULE_OPTIONS if name in entry}
    if rules.get("times") == _UNLIMITED:
        rules["times"] = None
    rules["probability"] = float(entry.get("probability", 1))
    return make_queued_fault(fault, options, **rules)


def _parse_option(value: Any) -> Option:
    if isinstance(value, str) and not _PRINTABLE.fullmatch(value):
        raise ValueError("options must have printable characters only")
    if isinstance(value, Decimal):
        return float(value)
    option: Option = value
    return option


def _parse_reply(entry: Mapping[str, Any]) -> Reply:
    pairs = [(header["name"], header["value"]) for header in entry.get("headers", ())]
    if not all(_PRINTABLE.fullmatch(value) for _, value in pairs):
        raise ValueError("header values must have printable characters only")
    if "text" in entry and "base64" in entry:
        raise ValueError("send at most one of text, base64")
    body = entry["text"].encode() if "text" in entry else decode_base64(entry.get("base64", ""))
    headers = tuple((name.encode(), value.encode()) for name, value in pairs)
    delivery = _parse_delivery(entry.get("delivery", {}))
    return Reply(entry["status"], headers, body, entry.get("code"), delivery)


def _parse_delivery(entry: Mapping[str, Any]) -> Delivery:
    return Delivery(
        latency=float(entry.get("latency", 0)),
        chunk=entry.get("chunk", 0),
        pause=float(entry.get("pause", 0)),
        cut=entry.get("cut"),
        reset=entry.get("reset", False),
    )


def show_fault(queued: QueuedFault) -> dict[str, Any]:
    """Return a fault as `parse_fault_entry` reads it, without what has its default.

    Raises:
        ValueError: A custom response has a header that a scenario cannot have.
    """
    entry: dict[str, Any] = {"fault": queued.name}
    if queued.reply is not None:
        entry = {"reply": _show_reply(queued.reply)}
    defaults = queued.fault.options
    changed = {name: value for name, value in queued.options.items() if value != defaults[name]}
    if changed:
        entry["options"] = changed
    for rule in RULE_OPTIONS:
        value = getattr(queued, rule)
        if rule == "times" and value is None:
            entry[rule] = _UNLIMITED
        elif value not in (None, 1):
            entry[rule] = value
    return entry


def _show_reply(reply: Reply) -> dict[str, Any]:
    entry: dict[str, Any] = {"status": reply.status}
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers]
    if not all(_PRINTABLE.fullmatch(value) for _, value in pairs):
        raise ValueError("a custom response in the queue has a header that a file cannot have")
    if pairs:
        entry["headers"] = [{"name": name, "value": value} for name, value in pairs]
    if reply.body:
        entry |= show_text(reply.body)
    if reply.code is not None:
        entry["code"] = reply.code
    if reply.delivery != IMMEDIATE:
        plain = asdict(IMMEDIATE)
        entry["delivery"] = {
            name: value for name, value in asdict(reply.delivery).items() if value != plain[name]
        }
    return entry
