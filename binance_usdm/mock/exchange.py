"""The mock exchange's public API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .admin.routes import AdminApi
from .core.clock import SkewedClock, system_time_ms
from .core.packaged_files import load_packaged_spec
from .core.response import Reply
from .core.switches import PERMISSIONS, Switches
from .engine import DEFAULT_CLIENT_ADDRESS, Engine
from .faults.fault import Option
from .faults.queue import make_queued_fault
from .scenario.document import Source
from .scenario.loading import Scenario, load_scenario, read_scenario
from .scenario.saving import save_scenario
from .server.asgi import Application, make_asgi_app
from .spec.api_spec import ApiSpec
from .state.accounts import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account, Secret, normalize_ip
from .state.request_log import CountKey, Logged

if TYPE_CHECKING:
    import httpx


class Exchange:
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

    def save_scenario(self) -> dict[str, Any]:
        """Return accounts, bodies, stubs, faults, switches, clock, weight and bans as a scenario.

        It is a JSON value for a file, without what has its default. Secrets that are not the
        default one are not in it: it refers to variables instead. The exchange itself keeps them,
        so it can load what it saved. Log, counts and the position in the random numbers are left
        out.

        Raises:
            ValueError: A key has a function as its verifier, or a custom response in the queue has
                a header that a file cannot have.
        """
        return save_scenario(self._engine)

    def load_scenario(self, scenario: Source) -> None:
        """Replace accounts, bodies, stubs, faults, switches, clock, weight and bans.

        Log and counts start again. If the scenario is not valid, the exchange stays as it is. A
        reset goes back to what the exchange started with.

        Args:
            scenario: Path of a TOML or JSON file, or what `save_scenario` returned.

        Raises:
            ValueError: The scenario is not valid, or a secret cannot be read. The message has the
                place, and no secret.
        """
        load_scenario(self._engine, read_scenario(scenario, self._engine.held_secrets))

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

    def add_account(
        self, api_key: str, api_secret: Secret, *, opened: bool = True, **options: Any
    ) -> Account:
        """Add an account with its first key.

        Args:
            api_key: API key, which no account has yet.
            api_secret: Its secret, in the forms of `add_key`.
            opened: Whether the account's owner opened futures trading.
            options: `addresses` and `permissions` of `add_key`; 200 bodies by operation id, as
                the `value` of `seed`.

        Raises:
            ValueError: The key, the secret, an option or a body is not valid.
        """
        return self._engine.add_account(api_key, api_secret, opened, **options)

    def add_key(
        self,
        account: Account,
        api_key: str,
        api_secret: Secret,
        *,
        addresses: Iterable[str] = (),
        permissions: Iterable[str] = PERMISSIONS,
    ) -> None:
        """Add a key to an account.

        Args:
            account: Account of this exchange.
            api_key: API key, which no account has yet.
            api_secret: HMAC secret, the PEM of an Ed25519 or RSA public key as bytes, or a function
                (signed bytes, signature) -> bool.
            addresses: IP addresses and networks that may use the key. Empty allows all.
            permissions: Some of "reading" and "futures".

        Raises:
            ImportError: A public key needs the package `cryptography`.
            ValueError: The key, the secret or an option is not valid.
        """
        self._engine.add_key(
            account, api_key, api_secret, addresses=addresses, permissions=permissions
        )

    def seed(
        self,
        operation_id: str,
        value: Any,
        api_key: str | None = None,
        *,
        nth: int | None = None,
        after_ms: int | None = None,
    ) -> None:
        """Set the 200 body of an operation, now or later.

        With several calls the body changes while a program runs: one for now, and one for each
        later `nth` or `after_ms`.

        Args:
            operation_id: Id of the operation.
            value: JSON value that the spec allows, with Decimals for decimal strings; or bytes,
                which are sent unchanged and not checked.
            api_key: Key of the account. Use `None` for the first one, which also responds to
                operations that need no key.
            nth: Which of the next responses is the first with the body; 1 is the next one. Only
                responses with the body as it is count, not errors and changed bodies.
            after_ms: Milliseconds of the exchange's clock after which responses have the body.
                Without `nth` and `after_ms` it is set now.

        Raises:
            ValueError: The operation or the key is unknown, the spec forbids the value, or a number
                is not valid. The message has the path of the value.
        """
        self._engine.seed(operation_id, value, api_key, nth=nth, after_ms=after_ms)

    def stub(
        self, request: str, value: Any, *, nth: int | None = None, after_ms: int | None = None
    ) -> None:
        """Set the 200 body of a path that the spec does not describe, now or later.

        A request to it with a key is verified as those to operations are: the key, and if it has a
        signature or a timestamp, these too. `assert_signed` covers it. `GET /fapi/v1/ping` is there
        from the start.

        Args:
            request: Method and path, such as "GET /fapi/v3/account".
            value: JSON value, with Decimals for decimal strings; or bytes, which are sent unchanged.
            nth: As for `seed`. The path has a body already.
            after_ms: As for `seed`. The path has a body already.

        Raises:
            ValueError: `request` is not a method and path, is an operation of the spec, or has no
                body yet that a later one could replace; or a number is not valid.
        """
        self._engine.stub(request, value, nth=nth, after_ms=after_ms)

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
        """Inject a fault into the next requests. Faults wait in a queue.

        The faults "banned" and "rate-limited" are single responses; use `ban` and `spend` for the
        state behind them.

        Args:
            fault: Name in `FAULTS`, or a custom response.
            times: Number of requests. `None` for no limit.
            operation: Only requests to the operation with this id.
            path: Only requests to this path.
            api_key: Only requests with this key.
            nth: Which of the matching requests is the first. Those before it are not counted.
            probability: Probability for each matching request, up to 1.
            options: Options of the fault.

        Raises:
            ValueError: An argument or an option is not valid.
        """
        rules: dict[str, Any] = {"times": times, "operation": operation, "path": path}
        rules |= {"api_key": api_key, "nth": nth, "probability": probability}
        self._engine.fail(make_queued_fault(fault, options, **rules))

    def ban(self, seconds: int = 120, address: str = DEFAULT_CLIENT_ADDRESS) -> None:
        """Reject requests from an IP address with 418, until the ban ends or `recover` is called.

        Queued faults still respond. `seconds` are those of the exchange's clock.

        Raises:
            ValueError: `seconds` is not an integer of 1 or more, or `address` no IP address.
        """
        self._engine.ban(seconds, address)

    def recover(self) -> None:
        """Forget all queued faults, bans and used weight."""
        self._engine.recover()

    def spend(self, weight: int, address: str = DEFAULT_CLIENT_ADDRESS) -> None:
        """Use weight, as if another program on an IP address did.

        Raises:
            ValueError: `weight` is not an integer of 0 or more, or `address` no IP address.
        """
        self._engine.spend(weight, address)

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
