"""The mock exchange: routes, verifies and answers requests given as bytes. Knows no socket; reads its contract as data.

What happens to a request, in this order: a scripted fault takes its place; a ban that lasts refuses it; an unknown path
or method is refused; its weight is charged, which may end in 429 or 418; the checks of ``rules`` run; the account's
body, or else the contract's first example, is sent.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import app
from .account import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account, Verifier
from .clock import checked, system
from .contract import Contract, Operation, packaged
from .faults import Scene, Script
from .limits import WeightMeter
from .query import Pairs, Query
from .reply import Reply, dump, ok, page, refusal
from .rules import Inquiry, RefusalError, verify
from .switches import Switches

if TYPE_CHECKING:
    import httpx

_REMEMBERED = 10_000

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """One request and how it ended. Query and headers hold key and signature as they came, so the repr leaves them out."""

    method: str
    path: str
    status: int
    code: int | None
    operation: str | None
    at_ms: int
    query: Pairs = field(repr=False)
    raw_query: bytes = field(repr=False)
    headers: Headers = field(repr=False)


class Exchange:
    """A USDⓈ-M futures exchange for tests: real signatures, clock, weights, and faults on demand.

    It is an ``httpx.MockTransport`` handler (``transport`` is that, ready-made, for sync and async clients), an ASGI
    application (``asgi``), and a plain function of bytes (``handle``). Threads may share it. ``clock`` returns
    milliseconds; the default is the system's, as clients use it too. ``spec`` is another OpenAPI document. Key and secret
    are the first account's, and no repr shows them. ``requests`` holds the latest ``log_size`` requests, ``switches``
    may be exchanged at any time.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_API_KEY,
        api_secret: str = DEFAULT_API_SECRET,
        spec: Mapping[str, Any] | None = None,
        clock: Callable[[], int] = system,
        switches: Switches | None = None,
        log_size: int = 1000,
    ) -> None:
        self.api_key, self.api_secret = api_key, api_secret
        self.switches = switches or Switches()
        self.requests: deque[Logged] = deque(maxlen=log_size)
        self._contract = Contract(packaged() if spec is None else spec)
        self._now = checked(clock)
        self._lock = threading.Lock()
        self._meter = WeightMeter()
        self._script = Script()
        self._signatures: dict[str, None] = {}
        self._accounts: dict[str, Account] = {}
        self._first = self.add_account(api_key, api_secret)

    def __repr__(self) -> str:
        return f"Exchange(operations={list(self._contract.by_id)}, accounts={len(self._accounts)})"

    @property
    def used_weight(self) -> int:
        """Weight used in the UTC minute of the latest request, all accounts together: they share one IP address."""
        return self._meter.used

    @property
    def transport(self) -> httpx.MockTransport:
        """For ``Client(transport=...)``, sync or async: no socket is opened."""
        import httpx  # only whoever has httpx asks for this

        return httpx.MockTransport(self)

    @property
    def asgi(self) -> app.Application:
        """The exchange as an ASGI application."""
        return app.application(self)

    def add_account(self, api_key: str, api_secret: str | Verifier, **replies: Any) -> Account:
        """One more account, and its 200 bodies by operation. A function as secret verifies signatures of other kinds."""
        if not api_key or not re.fullmatch(self.switches.key_format, api_key):
            raise ValueError("api_key is empty or not of the switched key_format: no request could ever use it")
        bodies = {name: self._sendable(name, value, api_key) for name, value in replies.items()}
        with self._lock:
            if api_key in self._accounts:
                raise ValueError("there is an account with this key already")
            self._accounts[api_key] = account = Account(api_key, api_secret, bodies)
        return account

    def seed(self, operation_id: str, value: Any, api_key: str | None = None) -> None:
        """Set the 200 body of an operation: a JSON value that the spec describes, or bytes that are sent as they are.

        A Decimal becomes its plain text. A value that does not fit the operation's schema is a ValueError that names the
        place; for drift on purpose send bytes, they are never looked at. Without a key it is the first account's, which
        also answers the operations that ask for no key.
        """
        body = self._sendable(operation_id, value, api_key)
        if api_key is not None and api_key not in self._accounts:
            raise ValueError("no account with this key")
        with self._lock:
            account = self._first if api_key is None else self._accounts[api_key]
            account.replies[operation_id] = body

    def fail(self, fault: str | Reply, times: int | None = 1, *, operation: str | None = None) -> None:
        """Answer the next requests with a fault of ``FAULTS``, or with a reply of your own, instead of treating them.

        ``times=None`` is for ever; ``operation`` waits for requests to that one. Faults queue up behind each other.
        "banned" and "rate-limited" are replies only: ``ban`` and ``spend`` bring about what lasts.
        """
        if operation is not None:
            self._operation(operation)
        with self._lock:
            self._script.add(fault, times, operation)

    def ban(self, seconds: int = 120) -> None:
        """Ban the IP address: every request is answered 418 until the exchange's clock reaches the end, or ``recover``."""
        if type(seconds) is not int or seconds < 1:
            raise ValueError("seconds must be a whole number, 1 or more")
        with self._lock:
            self._meter.ban(1000 * seconds, self._now())

    def recover(self) -> None:
        """Be well again: forget every queued fault, every ban, and the weight used so far."""
        with self._lock:
            self._script.clear()
            self._meter = WeightMeter()

    def spend(self, weight: int) -> None:
        """Let something else on the same IP address use weight."""
        with self._lock:
            self._meter.spend(weight, self._now())

    def handle(self, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Reply:
        """Answer one request: method, raw path with query, header pairs, body."""
        raw_path, _, raw_query = target.partition(b"?")
        path, query, sent = raw_path.decode("latin-1"), Query.parse(raw_query), tuple(headers)
        with self._lock:
            now, operation = self._now(), self._contract.find(method, path)
            if operation is None:
                reply = self._astray(method, path, now)
            else:
                keys = tuple(value for name, value in sent if name.lower() == operation.key_header)
                replayed = self._replayed(operation, query)
                reply = self._treat(Inquiry(operation, query, keys, body, self._accounts, now, self.switches, replayed))
            if self.switches.lower_case_headers:
                reply = replace(reply, headers=tuple((name.lower(), value) for name, value in reply.headers))
            known = operation.id if operation else None
            self.requests.append(
                Logged(method, path, reply.status, reply.code, known, now, query.pairs, raw_query, sent)
            )
        return reply

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The same for httpx: what ``httpx.MockTransport`` calls."""
        import httpx  # the request came from httpx, so it is there

        reply = self.handle(request.method, request.url.raw_path, request.headers.raw, request.content)
        return httpx.Response(reply.status, headers=list(reply.headers), content=reply.body)

    def _sendable(self, operation_id: str, value: Any, api_key: str | None) -> bytes:
        operation = self._operation(operation_id)
        if operation.key_header is None and api_key is not None:
            raise ValueError(f"{operation_id} asks for no key, so its answer belongs to no account")
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        body = dump(value)
        self._contract.check(operation, json.loads(body, parse_float=Decimal))  # what a reader gets, tuples as lists
        return body

    def _operation(self, name: str) -> Operation:
        if name not in self._contract.by_id:
            raise ValueError(f"no operation {name}; there are {', '.join(self._contract.by_id)}")
        return self._contract.by_id[name]

    def _astray(self, method: str, path: str, now: int) -> Reply:
        """No such route: it costs no weight, and the answer carries none."""
        fault = self._script.take(None)
        if fault is not None:
            return fault.reply(Scene(b"{}", now, self.switches))
        if (shut := self._meter.shut(now, self.switches)) is not None:
            return shut
        methods = self._contract.methods(path)
        status = self.switches.wrong_method if methods else 404
        reply = refusal(status, -5000, f"Path {path}, Method {method} is invalid")
        if self.switches.not_found == "html" and status == 404:
            reply = page(404, "Not found")
        return reply.with_header(b"Allow", ", ".join(methods).encode()) if status == 405 else reply

    def _treat(self, inquiry: Inquiry) -> Reply:
        operation, now = inquiry.operation, inquiry.now
        fault = self._script.take(operation.id)
        if fault is not None:
            reply = fault.reply(Scene(self._body(operation, self._first, now), now, self.switches))
            if not fault.weighed:
                return reply
            self._meter.spend(operation.weight, now)
        else:
            reply = self._meter.charge(operation.weight, now, self.switches) or self._answer(inquiry)
        used = str(self._meter.used).encode()
        return reply.with_header(b"X-MBX-USED-WEIGHT-1M", used) if self.switches.used_weight else reply

    def _answer(self, inquiry: Inquiry) -> Reply:
        try:
            account = verify(inquiry)
        except RefusalError as refused:
            return refusal(refused.status(self.switches), refused.code, refused.text)
        return ok(self._body(inquiry.operation, account or self._first, inquiry.now))

    def _body(self, operation: Operation, account: Account, now: int) -> bytes:
        seeded = account.replies.get(operation.id)
        return self._contract.answer(operation, now) if seeded is None else seeded

    def _replayed(self, operation: Operation, query: Query) -> bool:
        """Whether the request's signature came before; remembers the last ten thousand while the switch is on."""
        signature = query.value(operation.signature) if operation.signature else None
        if signature is None or not self.switches.refuse_replay:
            return False
        before = signature in self._signatures
        self._signatures[signature] = None
        if len(self._signatures) > _REMEMBERED:
            del self._signatures[next(iter(self._signatures))]
        return before
