"""What becomes of one request: faults, bans, routes, weight, checks, answer, in this order. Knows no socket and no lock.

A scripted fault takes the place of the rest; a ban that lasts refuses; an unknown path or method is refused; weight is charged,
which may end in 429 or 418; the checks of ``rules`` run; the account's body, or the contract's first example, is sent.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, replace
from functools import partial

from .account import Account, Key
from .contract import Contract, Operation
from .faults import Scene
from .query import Query
from .record import Headers, Logged
from .reply import Reply, ok, page, refusal
from .rules import Inquiry, RefusalError, verify
from .script import Scripted
from .state import State


@dataclass(slots=True, repr=False)  # no repr: it would show key and signature
class Visit:
    """One request as it came, and what the checks found: the key that asks, or why it is refused."""

    method: str
    path: str
    query: Query
    headers: Headers
    body: bytes
    address: str
    operation: Operation | None
    api_key: str
    now: int
    key: Key | None = None
    refused: RefusalError | None = None


def treat(
    contract: Contract, state: State, method: str, target: bytes, headers: Headers, body: bytes, address: str
) -> Reply:
    """Answer a request, and put it on record."""
    visit = _judged(contract, state, method, target, headers, body, address)
    named = visit.operation.id if visit.operation else None
    scripted = state.script.take(named, visit.path, visit.api_key)
    reply = _answered(contract, state, visit) if scripted is None else _failed(contract, state, visit, scripted)
    reply = _dressed(state, visit, reply)
    state.record.add(_logged(state, visit, reply, scripted))
    return reply


def _judged(
    contract: Contract, state: State, method: str, target: bytes, headers: Headers, body: bytes, address: str
) -> Visit:
    raw_path, _, raw_query = target.partition(b"?")
    path, query = raw_path.decode("latin-1"), Query.parse(raw_query)
    operation, now = contract.find(method, path), state.clock()
    wanted = operation.key_header if operation else None
    # two key headers are one malformed key
    api_key = b", ".join([value for name, value in headers if name.lower() == wanted]).decode("latin-1")
    visit = Visit(method, path, query, headers, body, address, operation, api_key, now)
    if operation is None:
        return visit
    replayed = state.replayed(query.value(operation.signature)) if operation.signature else False
    try:
        visit.key = verify(Inquiry(operation, query, api_key, body, address, state.keys, now, state.switches, replayed))
    except RefusalError as refused:
        visit.refused = refused
    return visit


def _answered(contract: Contract, state: State, visit: Visit) -> Reply:
    operation, now, switches = visit.operation, visit.now, state.switches
    meter = state.meter(visit.address)
    if operation is None:
        return meter.shut(now, switches) or _astray(contract, state, visit)
    reply = meter.charge(operation.weight, now, switches)
    if reply is None and visit.refused is not None:
        reply = refusal(visit.refused.status(switches), visit.refused.code, visit.refused.text)
    if reply is None:
        account = visit.key.account if visit.key else state.account
        reply = ok(_body(contract, state, operation, account, now))
    return _weighed(state, visit, reply)


def _failed(contract: Contract, state: State, visit: Visit, scripted: Scripted) -> Reply:
    operation, now = visit.operation, visit.now
    key = state.keys.get(visit.api_key)  # whether it may or not: nothing is looked at
    good = _body(contract, state, operation, key.account if key else state.account, now) if operation else b"{}"
    answer = partial(_answered, contract, state, visit)
    reply = scripted.reply(Scene(good, now, state.switches, visit.path, answer, contract.errors, state.chance))
    if operation is None or not scripted.fault.weighed or reply.status >= 500:
        return reply
    state.meter(visit.address).spend(operation.weight, now)
    return _weighed(state, visit, reply)


def _astray(contract: Contract, state: State, visit: Visit) -> Reply:
    """No such route: it costs no weight, and the answer carries none."""
    methods = contract.methods(visit.path)
    status = state.switches.wrong_method if methods else 404
    if state.switches.not_found == "html" and status == 404:
        return page(404, "Not found")
    reply = refusal(status, -5000, f"Path {visit.path}, Method {visit.method} is invalid")
    return reply.with_header(b"Allow", ", ".join(methods).encode()) if status == 405 else reply


def _body(contract: Contract, state: State, operation: Operation, account: Account, now: int) -> bytes:
    seeded = account.replies.get(operation.id)
    body = contract.answer(operation, now) if seeded is None else seeded
    hidden = not account.opened and state.switches.unopened == "empty" and body[:1] == b"["
    return b"[]" if hidden else body


def _weighed(state: State, visit: Visit, reply: Reply) -> Reply:
    if not state.switches.used_weight:
        return reply
    return reply.with_header(b"X-MBX-USED-WEIGHT-1M", str(state.meter(visit.address).used).encode())


def _dressed(state: State, visit: Visit, reply: Reply) -> Reply:
    """The reply as the content network hands it out."""
    if state.switches.gzip and _takes_gzip(visit.headers) and not _is_coded(reply):
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


def _logged(state: State, visit: Visit, reply: Reply, scripted: Scripted | None) -> Logged:
    operation, refused = visit.operation, visit.refused
    return Logged(
        number=state.record.total + 1,
        at_ms=visit.now,
        address=visit.address,
        method=visit.method,
        path=visit.path,
        status=reply.status,
        code=reply.code,
        operation=operation.id if operation else None,
        fault=scripted.name if scripted else None,
        refusal=refused.why if refused else "" if operation else "there is no such path or method",
        api_key=visit.api_key,
        raw_query=visit.query.raw,
        headers=visit.headers,
        body=visit.body,
        signature=operation.signature if operation else None,
    )
