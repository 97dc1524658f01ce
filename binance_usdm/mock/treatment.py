"""What becomes of one request: faults, bans, routes, weight, checks, answer, in this order. Knows no socket and no lock.

A scripted fault takes the place of the rest; a ban that lasts refuses; an unknown path or method is refused; weight is charged,
which may end in 429 or 418; the checks of ``rules`` run; the account's body, or the contract's first example, is sent.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from functools import partial

from .account import Account
from .contract import Contract, Operation
from .faults import Scene
from .query import Query
from .record import Headers, Logged
from .reply import Reply, ok, page, refusal
from .rules import Inquiry, RefusalError, verify
from .script import Scripted
from .state import State


def treat(
    contract: Contract, state: State, method: str, target: bytes, headers: Headers, body: bytes, address: str
) -> Reply:
    """Answer a request, and put it on record."""
    inquiry = _judged(contract, state, method, target, headers, body, address)
    called = inquiry.operation.id if inquiry.operation else None
    scripted = state.script.take(called, inquiry.path, inquiry.api_key)
    reply = _answered(contract, state, inquiry) if scripted is None else _failed(contract, state, inquiry, scripted)
    reply = _dressed(state, inquiry, reply)
    state.record.add(_logged(state, inquiry, reply, scripted))
    return reply


def _judged(
    contract: Contract, state: State, method: str, target: bytes, headers: Headers, body: bytes, address: str
) -> Inquiry:
    raw_path, _, raw_query = target.partition(b"?")
    path, query = raw_path.decode("latin-1"), Query.parse(raw_query)
    operation, now, switches = contract.find(method, path), state.clock(), state.switches
    wanted = operation.key_header if operation else None
    # two key headers are one malformed key
    sent = []
    for name, value in headers:  # no comprehension: its function costs more than it does
        if name.lower() == wanted:
            sent.append(value)
    api_key = b", ".join(sent).decode("latin-1")
    inquiry = Inquiry(method, path, query, headers, body, address, operation, api_key, state.keys, now, switches)
    if operation is not None:
        if switches.refuse_replay and operation.signature is not None:
            inquiry.replayed = state.replayed(query.first.get(operation.signature))
        try:
            verify(inquiry, operation)
        except RefusalError as refused:
            inquiry.refused = refused
    return inquiry


def _answered(contract: Contract, state: State, inquiry: Inquiry) -> Reply:
    operation, now, switches = inquiry.operation, inquiry.now, state.switches
    meter = state.meter(inquiry.address)
    if operation is None:
        return meter.shut(now, switches) or _astray(contract, state, inquiry)
    reply = meter.charge(operation.weight, now, switches)
    if reply is None and inquiry.refused is not None:
        reply = refusal(inquiry.refused.status(switches), inquiry.refused.code, inquiry.refused.text)
    if reply is None:
        account = inquiry.key.account if inquiry.key else state.account
        return ok(_body(contract, state, operation, account, now), _weight(state, inquiry))
    return _weighed(state, inquiry, reply)


def _failed(contract: Contract, state: State, inquiry: Inquiry, scripted: Scripted) -> Reply:
    operation, now = inquiry.operation, inquiry.now
    key = state.keys.get(inquiry.api_key)  # whether it may or not: nothing is looked at
    good = _body(contract, state, operation, key.account if key else state.account, now) if operation else b"{}"
    answer = partial(_answered, contract, state, inquiry)
    reply = scripted.reply(Scene(good, now, state.switches, inquiry.path, answer, contract.errors, state.chance))
    if operation is None or not scripted.fault.weighed or reply.status >= 500:
        return reply
    state.meter(inquiry.address).spend(operation.weight, now)
    return _weighed(state, inquiry, reply)


def _astray(contract: Contract, state: State, inquiry: Inquiry) -> Reply:
    """No such route: it costs no weight, and the answer carries none."""
    methods = contract.methods(inquiry.path)
    status = state.switches.wrong_method if methods else 404
    if state.switches.not_found == "html" and status == 404:
        return page(404, "Not found")
    reply = refusal(status, -5000, f"Path {inquiry.path}, Method {inquiry.method} is invalid")
    return reply.with_header(b"Allow", ", ".join(methods).encode()) if status == 405 else reply


def _body(contract: Contract, state: State, operation: Operation, account: Account, now: int) -> bytes:
    seeded = account.replies.get(operation.id)
    body = contract.answer(operation, now) if seeded is None else seeded
    hidden = not account.opened and state.switches.unopened == "empty" and body[:1] == b"["
    return b"[]" if hidden else body


def _weighed(state: State, inquiry: Inquiry, reply: Reply) -> Reply:
    for header in _weight(state, inquiry):
        reply = reply.with_header(*header)
    return reply


def _weight(state: State, inquiry: Inquiry) -> Headers:
    if not state.switches.used_weight:
        return ()
    return ((b"X-MBX-USED-WEIGHT-1M", b"%d" % state.meter(inquiry.address).used),)


def _dressed(state: State, inquiry: Inquiry, reply: Reply) -> Reply:
    """The reply as the content network hands it out."""
    if state.switches.gzip and _takes_gzip(inquiry.headers) and not _is_coded(reply):
        packed = gzip.compress(reply.body, mtime=0)
        reply = replace(reply, body=packed, headers=(*reply.headers, (b"Content-Encoding", b"gzip")))
    if state.switches.lower_case_headers:
        reply = replace(reply, headers=tuple((name.lower(), value) for name, value in reply.headers))
    return reply


def _is_coded(reply: Reply) -> bool:
    return any(name.lower() == b"content-encoding" for name, _ in reply.headers)


def _takes_gzip(headers: Headers) -> bool:
    accepted = [value for name, value in headers if name.lower() == b"accept-encoding"]
    return re.search(rb"(?i)\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?![.0-9]))", b",".join(accepted)) is not None


def _logged(state: State, inquiry: Inquiry, reply: Reply, scripted: Scripted | None) -> Logged:
    operation, refused = inquiry.operation, inquiry.refused
    return Logged(  # by place: names would take half as long again
        state.record.total + 1,
        inquiry.now,
        inquiry.address,
        inquiry.method,
        inquiry.path,
        reply.status,
        reply.code,
        operation.id if operation else None,
        scripted.name if scripted else None,
        refused.why if refused else "" if operation else "there is no such path or method",
        inquiry.api_key,
        inquiry.query.raw,
        inquiry.headers,
        inquiry.body,
        operation.signature if operation else None,
    )
