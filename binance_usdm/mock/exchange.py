"""The mock exchange's public API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .admin.routes import AdminApi
from .core.clock import SkewedClock, system_time_ms
from .core.packaged_files import load_packaged_spec
from .core.response import Reply
from .core.switches import Switches
from .engine import DEFAULT_CLIENT_ADDRESS, Engine
from .exchange_setup import ExchangeSetup
from .scenario.document import Source
from .scenario.loading import Scenario, load_scenario, read_scenario
from .server.asgi import Application, make_asgi_app
from .spec.api_spec import ApiSpec
from .state.accounts import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account, Secret, normalize_ip
from .state.request_log import CountKey, Logged

if TYPE_CHECKING:
    import httpx


class Exchange(ExchangeSetup):
    """USDⓈ-M futures exchange for tests, with real signatures, clock and weights.

    Use it as a transport of httpx clients (`transport`), as an ASGI application (`asgi`), as a
    function (`handle`), or on a socket (`running`, `serve`). Threads can share it.

    Args:
        api_key: API key of the first account.
        api_secret: Its HMAC secret, the PEM of a public key as bytes, or a function
            (signed bytes, signature) -> bool. The repr does not show it.
        spec: Another OpenAPI document. `None` uses the installed one.
        clock: Function that returns the time in ms. By default the system's, as for clients.
        switches: Settings for undocumented behavior. They can be replaced at any time.
        log_size: Number of requests that `requests` keeps.
        random_seed: Seed that makes faults with a probability repeatable.
        setup: Function that is called with the exchange now and after every reset, for example to
            set bodies and queue faults.
        scenario: What the exchange starts with: the path of a TOML or JSON file, or what
            `save_scenario` returned. A scenario with accounts replaces `api_key` and `api_secret`.

    Raises:
        ValueError: The key or secret is not valid, the spec asks for something unsupported, or the
            scenario is not valid or used beside a key or switches.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_API_KEY,
        api_secret: Secret = DEFAULT_API_SECRET,
        spec: Mapping[str, Any] | None = None,
        clock: Callable[[], int] = system_time_ms,
        switches: Switches | None = None,
        log_size: int = 1000,
        random_seed: int = 0,
        setup: Callable[[Exchange], object] = lambda exchange: None,
        scenario: Source | None = None,
    ) -> None:
        self._setup = setup
        self._scenario: Scenario | None = None
        if scenario is not None:
            self._scenario = read_scenario(scenario, {})
            has_key = (api_key, api_secret) != (DEFAULT_API_KEY, DEFAULT_API_SECRET)
            if (has_key and self._scenario.has_accounts) or switches is not None:
                raise ValueError("accounts and switches are those of the scenario; set them there")
        self._engine = Engine(
            ApiSpec(load_packaged_spec() if spec is None else spec),
            api_key=api_key,
            api_secret=api_secret,
            clock=clock,
            switches=switches or Switches(),
            log_size=log_size,
            random_seed=random_seed,
            on_reset=self._set_up,
        )
        self._set_up()

    def _set_up(self) -> None:
        if self._scenario is not None:
            load_scenario(self._engine, self._scenario)
        self._setup(self)

    def __repr__(self) -> str:
        engine = self._engine
        return f"Exchange(operations={list(engine.spec.by_id)}, keys={len(engine.state.keys)})"

    @property
    def api_key(self) -> str:
        """First API key of the first account, for clients."""
        return self._engine.first_key.api_key

    @property
    def api_secret(self) -> str:
        """HMAC secret of `api_key`, for clients.

        Raises:
            AttributeError: The exchange got a public key or a function instead.
        """
        secret = self._engine.first_key.secret
        if not isinstance(secret, str):
            raise AttributeError("the exchange has no api_secret: it got a public key or function")
        return secret

    def reset(self) -> None:
        """Reset accounts, bodies, faults, weight, bans, switches, log and counts.

        Then the scenario of the start is loaded and `setup` is called. The clock shows the time of
        the function `clock` again. The random numbers start again.
        """
        self._engine.reset()

    @property
    def clock(self) -> SkewedClock:
        """Clock of the exchange. Call it for the time in ms, or move it with its methods."""
        return self._engine.clock

    @property
    def account(self) -> Account:
        """The first account, which has `api_key`."""
        return self._engine.state.account

    @property
    def switches(self) -> Switches:
        """Settings for undocumented behavior. Assign others to change them."""
        return self._engine.state.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._engine.state.switches = switches

    @property
    def requests(self) -> list[Logged]:
        """A copy of the latest requests, oldest first."""
        return self._engine.requests()

    @property
    def counts(self) -> Counter[CountKey]:
        """Number of requests since the last reset by (operation, HTTP status, code)."""
        return self._engine.counts()

    @property
    def used_weight(self) -> int:
        """Weight from 127.0.0.1, as without a socket, in the UTC minute of the latest request."""
        with self._engine.lock:
            return self._engine.state.counter_for(DEFAULT_CLIENT_ADDRESS).used

    @property
    def transport(self) -> httpx.MockTransport:
        """Transport for sync and async clients, such as `Client(transport=...)`."""
        return self.transport_from(DEFAULT_CLIENT_ADDRESS)

    def transport_from(self, address: str) -> httpx.MockTransport:
        """Return a transport for sync and async clients whose requests come from an IP address.

        Raises:
            ValueError: `address` is not an IP address.
        """
        # Imported here, since the mock works without httpx.
        from .server.httpx_transport import ExchangeTransport

        return ExchangeTransport(self.handle, normalize_ip(address))

    @property
    def asgi(self) -> Application:
        """The exchange as an ASGI application."""
        return self.asgi_app()

    def asgi_app(
        self, *, admin: bool = False, admin_token: str | None = None, scheme: str = "http"
    ) -> Application:
        """Return the exchange as an ASGI application, with or without the admin page and API.

        Args:
            admin: Whether to serve the admin page and API under `/__admin/` too.
            admin_token: Token with which other machines may use them. `None` allows this one only.
            scheme: "http" or "https", as the application is served.

        Raises:
            ValueError: `admin_token` is not valid.
        """
        admin_api = AdminApi(self._engine, scheme, admin_token) if admin else None
        return make_asgi_app(self.handle, admin_api)

    def assert_signed(self, *, operation: str | None = None, api_key: str | None = None) -> None:
        """Check that there were requests that need a signature, and that each of them was valid.

        Only `requests` are checked, whatever the response was: those to an operation, with a key.

        Raises:
            AssertionError: There was no such request, or some were not valid. The message has the
                reason for each, without secrets.
            ValueError: The operation is unknown.
        """
        signed = self._engine.signed_requests(operation, api_key)
        if not signed:
            raise AssertionError("no request to an operation that needs a signature was received")
        rejected = [logged for logged in signed if logged.refusal]
        if rejected:
            redact = self._engine.redactor()
            lines = [f"{len(rejected)} of {len(signed)} requests would be rejected:"]
            for logged in rejected:
                request = f"request {logged.number}, {logged.method} {redact(logged.path)}"
                lines.append(f"{request}: {redact(logged.refusal)}")
            raise AssertionError("\n".join(lines))

    def handle(
        self,
        method: str,
        target: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes = b"",
        address: str = DEFAULT_CLIENT_ADDRESS,
    ) -> Reply:
        """Respond to a request, without a socket.

        Args:
            method: HTTP method.
            target: Raw path with query.
            headers: Header names and values.
            body: Raw body.
            address: IP address of the client.

        Returns:
            Response, to be delivered as its `delivery` describes.
        """
        return self._engine.handle(method, target, tuple(headers), body, address)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request of a sync httpx client, as `httpx.MockTransport(exchange)` does."""
        return self.transport.handle_request(request)
