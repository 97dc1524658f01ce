"""The mock exchange's public API."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .admin.routes import AdminApi
from .core.accounts import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account, Verifier, normalize_ip
from .core.clock import SkewedClock, system_time_ms
from .core.request_log import CountKey, Logged
from .core.response import Reply
from .core.spec import ApiSpec, load_packaged_spec
from .core.switches import PERMISSIONS, Switches
from .engine import DEFAULT_CLIENT_ADDRESS, Engine
from .faults.catalogue import Option
from .server import asgi, process

if TYPE_CHECKING:
    import httpx


class Exchange:
    """A USDⓈ-M futures exchange for tests: real signatures, clock, weights, and faults on demand.

    It is a transport for clients of httpx (``transport``), an ASGI application (``asgi``), and a plain function of bytes
    (``handle``). Threads may share it. ``clock`` returns
    milliseconds; the default is the system's, as clients use it too. ``spec`` is another OpenAPI document. Key and secret
    are the first account's, and no repr shows them. ``requests`` holds the latest ``log_size`` requests, ``counts`` how many
    ended how; ``switches`` may be exchanged at any time; ``random_seed`` makes faults with a probability repeatable;
    ``setup`` is called with the exchange when it is made and after every reset, to seed and script it.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_API_KEY,
        api_secret: str | Verifier | bytes = DEFAULT_API_SECRET,
        spec: Mapping[str, Any] | None = None,
        clock: Callable[[], int] = system_time_ms,
        switches: Switches | None = None,
        log_size: int = 1000,
        random_seed: int = 0,
        setup: Callable[[Exchange], object] = lambda exchange: None,
    ) -> None:
        self.api_key = api_key
        self.api_secret: Any = api_secret  # a str, unless a public key or a verifier was given
        self._engine = Engine(
            ApiSpec(load_packaged_spec() if spec is None else spec),
            api_key=api_key,
            api_secret=api_secret,
            clock=clock,
            switches=switches or Switches(),
            log_size=log_size,
            random_seed=random_seed,
            on_reset=lambda: setup(self),
        )
        setup(self)

    def __repr__(self) -> str:
        engine = self._engine
        return f"Exchange(operations={list(engine.spec.by_id)}, keys={len(engine.state.keys)})"

    def reset(self) -> None:
        """Be as on the first day: accounts, replies, faults, weight, bans, clock, switches, chance, log and counts.

        A clock that was given keeps its own time; what was set on ``clock`` is forgotten. ``setup`` is called again.
        """
        self._engine.reset()

    @property
    def clock(self) -> SkewedClock:
        """The exchange's clock: call it for the time in ms, or set it with its methods."""
        return self._engine.clock

    @property
    def account(self) -> Account:
        """The first account: the one of ``api_key``."""
        return self._engine.state.account

    @property
    def switches(self) -> Switches:
        """Where the switches stand."""
        return self._engine.state.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._engine.state.switches = switches

    @property
    def requests(self) -> list[Logged]:
        """The latest requests, the newest last; a list of their own for everybody who asks."""
        return self._engine.requests()

    @property
    def counts(self) -> Counter[CountKey]:
        """How many requests ended how since the beginning: (operation, HTTP status, code) -> number."""
        return self._engine.counts()

    @property
    def used_weight(self) -> int:
        """Weight used from 127.0.0.1, where requests without a socket come from, in the UTC minute of the latest; by all keys."""
        with self._engine.lock:
            return self._engine.state.counter_for(DEFAULT_CLIENT_ADDRESS).used

    @property
    def transport(self) -> httpx.MockTransport:
        """For ``Client(transport=...)``, sync or async: no socket is opened."""
        from .server.httpx_transport import (
            ExchangeTransport,
        )  # only whoever has httpx asks for this

        return ExchangeTransport(self.handle)

    def transport_from(self, address: str) -> httpx.MockTransport:
        """The same for requests that come from another IP address: for allow-lists, and for weight that is not shared."""
        from .server.httpx_transport import ExchangeTransport

        return ExchangeTransport(self.handle, normalize_ip(address))

    @property
    def asgi(self) -> asgi.Application:
        """The exchange as an ASGI application."""
        return asgi.make_asgi_app(self.handle)

    def add_account(
        self,
        api_key: str,
        api_secret: str | Verifier | bytes,
        *,
        opened: bool = True,
        **options: Any,
    ) -> Account:
        """One more account with its first key: ``options`` are those of ``add_key``, and its 200 bodies by operation."""
        return self._engine.add_account(api_key, api_secret, opened, **options)

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
        self._engine.add_key(
            account, api_key, api_secret, addresses=addresses, permissions=permissions
        )

    def seed(self, operation_id: str, value: Any, api_key: str | None = None) -> None:
        """Set the 200 body of an operation: a JSON value that the spec describes, or bytes that are sent as they are.

        A Decimal becomes its plain text. A value that does not fit the operation's schema is a ValueError that names the
        place; for drift on purpose send bytes, they are never looked at. Without a key it is the first account's, which
        also answers the operations that ask for no key.
        """
        self._engine.seed(operation_id, value, api_key)

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
        self._engine.fail(
            fault,
            times,
            operation=operation,
            path=path,
            api_key=api_key,
            nth=nth,
            probability=probability,
            options=options,
        )

    def ban(self, seconds: int = 120, address: str = DEFAULT_CLIENT_ADDRESS) -> None:
        """Ban an IP address: every request is answered 418 until the exchange's clock reaches the end, or ``recover``.

        A scripted fault still comes first.
        """
        self._engine.ban(seconds, address)

    def recover(self) -> None:
        """Be well again: forget every queued fault, every ban, and the weight used so far."""
        self._engine.recover()

    def spend(self, weight: int, address: str = DEFAULT_CLIENT_ADDRESS) -> None:
        """Let something else on the same IP address use weight."""
        self._engine.spend(weight, address)

    def assert_signed(self, *, operation: str | None = None, api_key: str | None = None) -> None:
        """Raise AssertionError unless there were requests, and each would have been taken by the exchange.

        Looks at those in ``requests`` to an operation that wants a signature, whatever answered them; says of each bad one why.
        """
        found = self._engine.signed_requests(operation, api_key)
        if not found:
            raise AssertionError("no request came to an operation that wants a signature")
        hide = self._engine.redactor()
        bad = [
            f"request {each.number}, {each.method} {hide(each.path)}: {hide(each.refusal)}"
            for each in found
            if each.refusal
        ]
        if bad:
            raise AssertionError(
                "\n".join(
                    [
                        f"{len(bad)} of {len(found)} requests were not as the exchange wants them:",
                        *bad,
                    ]
                )
            )

    def handle(
        self,
        method: str,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes = b"",
        address: str = DEFAULT_CLIENT_ADDRESS,
    ) -> Reply:
        """Answer one request: method, raw path with query, header pairs, body, the IP address it comes from."""
        return self._engine.handle(method, target, tuple(headers), body, address)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The same for sync clients of httpx: what ``httpx.MockTransport`` calls. ``transport`` is for both kinds."""
        from .server.httpx_transport import (
            ExchangeTransport,
        )  # the request came from httpx, so it is there

        return ExchangeTransport(self.handle).handle_request(request)


@contextmanager
def running(exchange: Exchange, port: int = 0, *, admin: bool = False) -> Iterator[str]:
    """Serve in a thread on the loopback address; gives the base URL. Port 0 takes a free one."""
    with process.run_in_thread(_application(exchange, admin), port) as url:
        yield url


def serve(
    exchange: Exchange,
    host: str = process.HOST,
    port: int = process.PORT,
    *,
    admin: bool = False,
    workers: int = 1,
    ready: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve until SIGINT or SIGTERM, in the main thread. Requests are not logged: a line for each would print signed URLs.

    ``ready`` is called with the base URL once no connection is refused any more. ``workers`` above 1 forks that many processes,
    where there is ``fork``; each has accounts, weight, faults and log of its own, so they cannot have one admin interface.
    """
    if workers < 1 or (workers > 1 and (admin or not hasattr(os, "fork"))):
        raise ValueError(
            "workers must be 1 or more; above 1 they need fork, and have no admin interface in common"
        )
    process.run_until_signal(_application(exchange, admin), host, port, workers, ready)


def _application(exchange: Exchange, admin: bool) -> asgi.Application:
    return asgi.make_asgi_app(exchange.handle, AdminApi(exchange._engine) if admin else None)
