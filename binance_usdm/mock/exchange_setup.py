"""What a test sets on the mock exchange: accounts, bodies, faults, bans, weight, or all at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .core.response import Reply
from .core.switches import PERMISSIONS
from .engine import DEFAULT_CLIENT_ADDRESS, Engine
from .faults.fault import Option
from .faults.queue import make_queued_fault
from .scenario.document import Source
from .scenario.loading import load_scenario, read_scenario
from .scenario.saving import save_scenario
from .state.accounts import Account, Secret


class ExchangeSetup:
    """Methods of `Exchange` that set what later requests meet."""

    _engine: Engine

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
