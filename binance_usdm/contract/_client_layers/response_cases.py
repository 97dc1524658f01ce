"""A client that receives the responses of a check, and checks of what it makes of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

import httpx
from hypothesis import Phase, settings

from binance_usdm import Response, RetryPolicy, UnexpectedResponse, UsdmError
from binance_usdm.contract._cases.expectations import Outcome
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._cases.run_state import current_run
from binance_usdm.contract._client_layers.calls import python_name, sample_arguments
from binance_usdm.contract._client_layers.sdk import Respond, Sdk
from binance_usdm.contract._client_layers.value_differences import _differences, _with_plain_amounts
from binance_usdm.contract._spec.exact_json import decode
from binance_usdm.contract._spec.operations import Operation
from binance_usdm.contract._spec.response_model import DescribedResponse

T = TypeVar("T")
Header: TypeAlias = tuple[bytes, bytes]
JSON: Final[Header] = (b"Content-Type", b"application/json")
VALUE: Final[Outcome] = (Response, 200, None)
UNEXPECTED: Final[Outcome] = (UnexpectedResponse, 200, None)


class UnlimitedLimiter:
    """A limiter without memory, so that each response is checked alone."""

    def acquire(self, weight: int) -> float:
        return 0.0

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def cooldown_left(self) -> float:
        return 0.0

    def observe(self, used_weight: int) -> None: ...


def make_one_attempt(error: UsdmError, attempt: int) -> None:
    """Ask the policy without retries. One that allows another attempt does not sleep before it."""
    delay = RetryPolicy.off()(error, attempt)
    assert delay is None, f"attempt {attempt + 1} in {delay} s, after {error!r}"


def make_client(sdk: Sdk, transport: Any, **more: Any) -> Any:
    limiter = UnlimitedLimiter()
    options = {"clock": lambda: T0, "retry": make_one_attempt, "limiter": limiter, **more}
    return sdk.client(KEY, SECRET, transport=transport, **options)


def http_response(status: int, body: bytes, *headers: Header) -> httpx.Response:
    """Return a response as a transport of either client returns it."""
    return httpx.Response(status, headers=[*headers], stream=httpx.ByteStream(body))


@dataclass
class ResponseCase:
    """A described response, and a client that receives it in many forms.

    Each call has a new client, which has learned its account from no other response, unless
    `one_client` is used.

    Attributes:
        response: The response.
        sdk: The client.
        make_exchange: Makes an exchange.
        how: Whether bodies are random, too.
        number: Number of the response, by which a thinned out list starts.
        loop: Event loop for the asyncio client.
    """

    response: DescribedResponse
    sdk: Sdk = field(repr=False)
    make_exchange: MakeExchange = field(repr=False)
    how: settings = field(repr=False)
    number: int = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def __post_init__(self) -> None:
        self._client: Any = None
        self._received = httpx.Response(500)
        self._sent: list[httpx.Request] = []

    def __str__(self) -> str:
        return f"{self.operation}, status {self.response.status}"

    @property
    def operation(self) -> Operation:
        return self.response.operation

    @contextmanager
    def one_client(self, **options: Any) -> Iterator[None]:
        """Use one client, made with these options, for all calls within the context."""
        self._client = self._make_client(**options)
        try:
            yield
        finally:
            self._client = None

    def receive(
        self,
        body: bytes,
        *headers: Header,
        status: int | None = None,
        call: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Return the client's response or error, for which it sends one request."""
        status = status or self.response.status
        self._received = http_response(status, body, *headers)
        if (coverage := current_run().coverage) is not None:
            request = (self.operation.method, self.operation.path, self.operation.required_query)
            coverage.observe(*request, status, self._received.headers, body)
        self._sent.clear()
        received = (call or self.call)(self._client or self._make_client())
        assert len(self._sent) == 1, f"{len(self._sent)} requests for {body[:400]!r}, {received!r}"
        return received

    def _make_client(self, **options: Any) -> Any:
        """Return a client with a transport for it alone: a ban is kept for the transport."""
        transport = self.make_transport(lambda request: self._received, self._sent)
        return make_client(self.sdk, transport, **options)

    def make_transport(self, respond: Respond, sent: list[httpx.Request]) -> Any:
        """Return a transport that appends every request to a list and responds."""
        transport: Any = self.sdk.transport(respond)

        def handle_request(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return respond(request)

        transport.handle_request = handle_request
        return transport

    def call(self, client: Any, *pairs: str, suffix: str = "_detailed") -> Any:
        """Return the response, value or error of a client's method."""
        try:
            return self.run(self.begin_call(client, *pairs, suffix=suffix))
        except UsdmError as error:
            return error

    def begin_call(self, client: Any, *pairs: str, suffix: str = "_detailed") -> Any:
        """Call a client's method with more pairs of the query; of asyncio it is a coroutine."""
        method = getattr(client, f"{python_name(self.operation.id)}{suffix}")
        return method(**sample_arguments(self.operation, *pairs))

    def run(self, result: Any) -> Any:
        """Return a result of either client, which of asyncio is a coroutine."""
        return self.loop.run_until_complete(result) if inspect.iscoroutine(result) else result

    def shows_secret(self, text: str, sent: Iterable[httpx.Request]) -> bool:
        """Return whether a text shows a key, the secret, or a signature of requests."""
        name = self.operation.signature
        signatures = [request.url.params[name] for request in sent] if name else []
        secrets = [SECRET, *([KEY] if self.operation.key_header else []), *signatures]
        return any(secret in text for secret in secrets)

    def close(self, client: Any) -> None:
        self.run(client.aclose() if is_async(client) else client.close())

    def expect(
        self, expected: Outcome, body: bytes, *headers: Header, status: int | None = None
    ) -> Any:
        """Receive a response and check the outcome."""
        received = self.receive(body, *headers, status=status)
        found = outcome_of(received)
        assert found == expected, f"{received!r}, not {expected}, for {body[:400]!r}"
        return received

    def expect_value(self, body: bytes, *headers: Header) -> Any:
        """Receive a response and check that its value is that of the body."""
        received = self.receive(body, *headers)
        self.check_value(received, body)
        return received

    def check_value(self, received: Any, body: bytes) -> None:
        """Check that the value is that of the body: typed, exact, and written back the same."""
        assert isinstance(received, Response), f"{received!r} for {body[:400]!r}"
        document, schema = self.operation.document, self.response.schema
        value = _with_plain_amounts(document, schema, decode(body))
        differences = [*_differences(document, schema, received.parsed, value, "")]
        assert not differences, f"{'; '.join(differences[:3])}; for the body {body[:200]!r}"

    def thin_out(self, items: Iterable[T], offset: int = 0) -> list[T]:
        """Return all items, or every third in a run without random cases, which is faster."""
        everything = list(items)
        offset += self.number
        return everything if Phase.generate in self.how.phases else everything[offset % 3 :: 3]


def is_async(client: Any) -> bool:
    """Return whether a client is one of asyncio."""
    return hasattr(client, "aclose")


def outcome_of(received: Any) -> Outcome:
    """Return class, status and code; status 0 when no complete response came."""
    status = getattr(received, "status_code", getattr(received, "status", 0))
    return type(received), status, getattr(received, "code", None)
