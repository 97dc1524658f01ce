"""The mock exchange as its users see it: accounts, replies, faults, weight, clock and log. Knows no socket; decides nothing itself."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

from . import app
from .account import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account, Key, Verifier, ip, networks, public_key
from .clock import SkewedClock, system
from .contract import Contract, Operation, packaged
from .faults import Option
from .logbook import hider
from .record import Count, Logged, Record
from .reply import Reply, dump
from .script import Scripted, named
from .state import State
from .switches import PERMISSIONS, Switches
from .treatment import treat

if TYPE_CHECKING:
    import httpx

ADDRESS: Final = "127.0.0.1"
"""Where a request comes from that came through no socket."""


class Exchange:
    """A USDⓈ-M futures exchange for tests: real signatures, clock, weights, and faults on demand.

    It is a transport for clients of httpx (``transport``), an ASGI application (``asgi``), and a plain function of bytes
    (``handle``). Threads may share it. ``clock`` returns
    milliseconds; the default is the system's, as clients use it too. ``spec`` is another OpenAPI document. Key and secret
    are the first account's, and no repr shows them. ``requests`` holds the latest ``log_size`` requests, ``counts`` how many
    ended how; ``switches`` may be exchanged at any time; ``seed_of_chance`` makes faults with a probability repeatable;
    ``setup`` is called with the exchange when it is made and after every reset, to seed and script it.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_API_KEY,
        api_secret: str | Verifier | bytes = DEFAULT_API_SECRET,
        spec: Mapping[str, Any] | None = None,
        clock: Callable[[], int] = system,
        switches: Switches | None = None,
        log_size: int = 1000,
        seed_of_chance: int = 0,
        setup: Callable[[Exchange], object] = lambda exchange: None,
    ) -> None:
        self.api_key, self.api_secret = api_key, api_secret
        self.clock = SkewedClock(clock)
        self._lock = threading.RLock()
        self._contract = Contract(packaged() if spec is None else spec)
        self._first = (switches or Switches(), log_size, seed_of_chance, setup)
        self.reset()

    def __repr__(self) -> str:
        return f"Exchange(operations={list(self._contract.by_id)}, keys={len(self._state.keys)})"

    def reset(self) -> None:
        """Be as on the first day: accounts, replies, faults, weight, bans, clock, switches, chance, log and counts.

        A clock that was given keeps its own time; what was set on ``clock`` is forgotten. ``setup`` is called again.
        """
        switches, log_size, seed, setup = self._first
        with self._lock:
            self.clock.reset()
            self._state = State(switches, self.clock, Random(seed), Record(log_size))  # repeatable on purpose  # noqa: S311
            self.add_key(self._state.account, self.api_key, self.api_secret)
            setup(self)

    @property
    def account(self) -> Account:
        """The first account: the one of ``api_key``."""
        return self._state.account

    @property
    def switches(self) -> Switches:
        """Where the switches stand."""
        return self._state.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._state.switches = switches

    @property
    def requests(self) -> list[Logged]:
        """The latest requests, the newest last; a list of their own for everybody who asks."""
        with self._lock:
            return [*self._state.record.requests]

    @property
    def counts(self) -> Counter[Count]:
        """How many requests ended how since the beginning: (operation, HTTP status, code) -> number."""
        with self._lock:
            return Counter(self._state.record.counts)

    @property
    def used_weight(self) -> int:
        """Weight used from 127.0.0.1, where requests without a socket come from, in the UTC minute of the latest; by all keys."""
        with self._lock:
            return self._state.meter(ADDRESS).used

    @property
    def transport(self) -> httpx.MockTransport:
        """For ``Client(transport=...)``, sync or async: no socket is opened."""
        from .transport import ExchangeTransport  # only whoever has httpx asks for this

        return ExchangeTransport(self)

    def transport_from(self, address: str) -> httpx.MockTransport:
        """The same for requests that come from another IP address: for allow-lists, and for weight that is not shared."""
        from .transport import ExchangeTransport

        return ExchangeTransport(self, ip(address))

    @property
    def asgi(self) -> app.Application:
        """The exchange as an ASGI application."""
        return app.application(self)

    def add_account(
        self, api_key: str, api_secret: str | Verifier | bytes, *, opened: bool = True, **options: Any
    ) -> Account:
        """One more account with its first key: ``options`` are those of ``add_key``, and its 200 bodies by operation."""
        account = Account(opened=opened)
        how = {name: options.pop(name) for name in ("addresses", "permissions") if name in options}
        bodies = {name: self._sendable(name, value, api_key) for name, value in options.items()}
        self.add_key(account, api_key, api_secret, **how)
        account.replies.update(bodies)
        return account

    def add_key(
        self,
        account: Account,
        api_key: str,
        api_secret: str | Verifier | bytes,
        *,
        addresses: Iterable[str] = (),
        permissions: Iterable[str] = PERMISSIONS,
    ) -> None:
        """One more key of an account.

        ``api_secret`` is an HMAC secret, an Ed25519 or RSA public key (PEM, as bytes), or a function that verifies. ``addresses``
        are the only IP addresses or networks it may be used from, ``permissions`` are of "reading" and "futures".
        """
        if not api_key or not re.fullmatch(self.switches.key_format, api_key):
            raise ValueError("api_key is empty or not of the switched key_format: no request could ever use it")
        if not {*permissions} <= {*PERMISSIONS}:
            raise ValueError(f"permissions must be of {', '.join(PERMISSIONS)}")
        secret = public_key(api_secret) if isinstance(api_secret, bytes) else api_secret
        if not (callable(secret) or isinstance(secret, str)) or str(secret).lstrip().startswith("-----BEGIN"):
            raise ValueError("api_secret must be an HMAC secret, the PEM of a public key as bytes, or a function")
        with self._lock:
            if api_key in self._state.keys:
                raise ValueError("there is an account with this key already")
            self._state.keys[api_key] = Key(api_key, secret, account, networks(addresses), frozenset(permissions))

    def seed(self, operation_id: str, value: Any, api_key: str | None = None) -> None:
        """Set the 200 body of an operation: a JSON value that the spec describes, or bytes that are sent as they are.

        A Decimal becomes its plain text. A value that does not fit the operation's schema is a ValueError that names the
        place; for drift on purpose send bytes, they are never looked at. Without a key it is the first account's, which
        also answers the operations that ask for no key.
        """
        body = self._sendable(operation_id, value, api_key)
        if api_key is not None and api_key not in self._state.keys:
            raise ValueError("no account with this key")
        with self._lock:
            account = self._state.account if api_key is None else self._state.keys[api_key].account
            account.replies[operation_id] = body

    def fail(
        self,
        fault: str | Reply,
        times: int | None = 1,
        *,
        operation: str | None = None,
        path: str | None = None,
        api_key: str | None = None,
        nth: int = 1,
        probability: float = 1.0,
        **options: Option,
    ) -> None:
        """Answer the next requests with a fault of ``FAULTS`` and its options, or with a reply of your own.

        ``times=None`` is for ever; ``operation``, ``path`` and ``api_key`` wait for requests to that or with that, ``nth`` lets those
        before pass, ``probability`` tosses a coin for each. Faults queue up behind each other.
        "banned" and "rate-limited" are replies only: ``ban`` and ``spend`` bring about what lasts.
        """
        if operation is not None:
            self._operation(operation)
        name, found, filled = named(fault, options)
        with self._lock:
            self._state.script.add(Scripted(name, found, filled, times, operation, path, api_key, nth, probability))

    def ban(self, seconds: int = 120, address: str = ADDRESS) -> None:
        """Ban an IP address: every request is answered 418 until the exchange's clock reaches the end, or ``recover``.

        A scripted fault still comes first.
        """
        if type(seconds) is not int or seconds < 1:
            raise ValueError("seconds must be a whole number, 1 or more")
        with self._lock:
            self._state.meter(ip(address)).ban(1000 * seconds, self.clock())

    def recover(self) -> None:
        """Be well again: forget every queued fault, every ban, and the weight used so far."""
        with self._lock:
            self._state.script.clear()
            self._state.meters.clear()

    def spend(self, weight: int, address: str = ADDRESS) -> None:
        """Let something else on the same IP address use weight."""
        if type(weight) is not int or weight < 0:
            raise ValueError("weight must be a whole number, 0 or more")
        with self._lock:
            self._state.meter(ip(address)).spend(weight, self.clock())

    def assert_signed(self, *, operation: str | None = None, api_key: str | None = None) -> None:
        """Raise AssertionError unless there were requests, and each would have been taken by the exchange.

        Looks at those in ``requests`` to an operation that wants a signature, whatever answered them; says of each bad one why.
        """
        if operation is not None:
            self._operation(operation)
        due = {each.id for each in self._contract.operations if each.signature}
        with self._lock:
            found = [logged for logged in self._state.record.of(operation, api_key) if logged.operation in due]
        if not found:
            raise AssertionError("no request came to an operation that wants a signature")
        hide = hider(self)
        bad = [
            f"request {each.number}, {each.method} {hide(each.path)}: {hide(each.refusal)}"
            for each in found
            if each.refusal
        ]
        if bad:
            raise AssertionError(
                "\n".join([f"{len(bad)} of {len(found)} requests were not as the exchange wants them:", *bad])
            )

    def handle(
        self,
        method: str,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes = b"",
        address: str = ADDRESS,
    ) -> Reply:
        """Answer one request: method, raw path with query, header pairs, body, the IP address it comes from."""
        with self._lock:
            return treat(self._contract, self._state, method, target, tuple(headers), body, ip(address))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The same for sync clients of httpx: what ``httpx.MockTransport`` calls. ``transport`` is for both kinds."""
        from .transport import ExchangeTransport  # the request came from httpx, so it is there

        return ExchangeTransport(self).handle_request(request)

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
