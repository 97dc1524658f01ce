"""`client.get` reads a path that the spec does not describe, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from binance_usdm import (
    APIError,
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    RateLimitError,
    ServerError,
    UnexpectedResponse,
    UsdmError,
    WeightLimiter,
)
from binance_usdm._call.request import _MAX_TEMPLATES
from binance_usdm.mock import Exchange
from tests.support import canaries
from tests.support.clients import KEY, NOW, SECRET, RecordingHandler, error_response
from tests.support.incidents import Incidents
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

PATH = "/fapi/v1/multiAssetsMargin"
MODE = b'{"multiAssetsMargin":true}'


def test_signed_get_is_signed(make_client: Callable[..., Any]) -> None:
    """Key, timestamp and a signature over the exact query are sent, and JSON comes back."""
    handler = RecordingHandler(MODE)
    client = make_client(handler, clock=lambda: NOW, recv_window=3000)
    assert client.get(PATH, {"symbol": "BTC USDT"}, weight=30) == {"multiAssetsMargin": True}
    (request,) = handler.requests
    query = f"symbol=BTC%20USDT&recvWindow=3000&timestamp={NOW}"
    signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    assert (request.method, request.headers["X-MBX-APIKEY"]) == ("GET", KEY)
    assert handler.targets == [f"{PATH}?{query}&signature={signature}".encode()]
    response = client.get_detailed(PATH, weight=30)
    assert (response.parsed, response.status_code) == ({"multiAssetsMargin": True}, 200)


def test_mock_exchange_accepts_a_get(exchange_client: Callable[..., Any]) -> None:
    """The mock exchange verifies what is sent, and counts the weight."""
    rows = exchange_client().get(BALANCE_PATH, {"recvWindow": 4000}, weight=BALANCE_WEIGHT)
    assert Decimal(rows[0]["balance"]) == Decimal("122607.35137903")
    with pytest.raises(AuthenticationError):
        exchange_client(api_secret="wrong").get(BALANCE_PATH, weight=BALANCE_WEIGHT)


@pytest.fixture
def exchange_client(make_client: Callable[..., Any]) -> Callable[..., Any]:
    exchange = Exchange()

    def connect(**options: Any) -> Any:
        credentials = {"api_key": exchange.api_key, "api_secret": exchange.api_secret, **options}
        return make_client(transport=exchange.transport, **credentials)

    return connect


def test_unsigned_get_sends_no_key(make_client: Callable[..., Any]) -> None:
    """Without `signed` neither key nor timestamp is sent, whatever was called before."""
    handler = RecordingHandler(b"[]")
    client = make_client(handler)
    for signed in (True, False, True, False):
        client.get("/fapi/v1/depth", {"symbol": "BTCUSDT"}, weight=2, signed=signed)
    keyed = [request.headers.get("X-MBX-APIKEY") for request in handler.requests]
    assert keyed == [KEY, None, KEY, None]
    assert [b"signature=" in target for target in handler.targets] == [True, False, True, False]
    assert handler.targets[1] == b"/fapi/v1/depth?symbol=BTCUSDT"


def test_unsigned_get_needs_no_key(make_client: Callable[..., Any]) -> None:
    """A client without credentials reads what is public, and a signed GET is an error."""
    client = make_client(RecordingHandler(b"[]"), api_key=None, api_secret=None)
    assert client.get("/fapi/v1/depth", weight=2, signed=False) == []
    with pytest.raises(ConfigurationError, match=f"GET {PATH} needs an API key"):
        client.get(PATH, weight=30)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"1.10", Decimal("1.10")),
        (b'{"a":0.1000000000000000055511151231257827}', {"a": Decimal("0.1000000000000000055511151231257827")}),
        (b'[[1e-7,"1e-7"],{"b":{"c":9007199254740993}}]', [[Decimal("1e-7"), "1e-7"], {"b": {"c": 2**53 + 1}}]),
        (b"123456789012345678901234567890", Decimal(123456789012345678901234567890)),
        (b"null", None),
        (b'{"code":200,"msg":"success"}', {"code": 200, "msg": "success"}),
        (b'{"code":-1,"msg":"x","data":1}', {"code": -1, "msg": "x", "data": 1}),
    ],
)  # fmt: skip
def test_json_is_exact(make_client: Callable[..., Any], body: bytes, value: Any) -> None:
    """Numbers keep all digits, and no number becomes a float."""
    found = make_client(RecordingHandler(body)).get(PATH, weight=1)
    assert (found, repr(found)) == (value, repr(value))


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b"", b"<html>", b'{"a":NaN}', b'{"a":1', b"[1]]"]
)  # fmt: skip
def test_other_bodies_are_rejected(make_client: Callable[..., Any], body: bytes) -> None:
    """A repeated field, a page and half a response are errors."""
    with pytest.raises(UnexpectedResponse):
        make_client(RecordingHandler(body)).get(PATH, weight=1)


@pytest.mark.parametrize("status", [200, 400, 429, 503])
def test_errors_are_those_of_every_call(make_client: Callable[..., Any], status: int) -> None:
    """An error body is an error of the tree, also with HTTP 200."""
    client = make_client(RecordingHandler(error_response(status, -1022, "bad signature")))
    with pytest.raises(AuthenticationError, match="-1022"):
        client.get(PATH, weight=1)


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (400, -1104, "after client.get, compare its params with the endpoint's page; for other"),
        (404, -5000, "after client.get, compare the path with the endpoint's page; for other"),
        (404, None, "after client.get, compare the path with the endpoint's page; for other"),
    ],
)
def test_hints_name_the_page_of_the_endpoint(
    make_client: Callable[..., Any], status: int, code: int | None, hint: str
) -> None:
    """A parameter or path that the exchange does not know is most likely the caller's."""
    response = error_response(status, code) if code else httpx.Response(404, text="not found")
    with pytest.raises(APIError) as caught:
        make_client(RecordingHandler(response)).get(PATH, {"symbl": "BTCUSDT"}, weight=1)
    assert caught.value.hint.startswith(hint)


def test_get_is_retried_and_reported(make_client: Callable[..., Any]) -> None:
    """A failure that may pass is retried, and the event names the path."""
    events = Incidents()
    handler = RecordingHandler(error_response(503, -1001), MODE)

    def retry(error: UsdmError, attempt: int) -> float | None:
        return 0.0 if attempt < 2 else None

    client = make_client(handler, retry=retry, on_event=events.append)
    assert client.get_detailed(PATH, weight=1).attempts == 2
    assert [(event.kind, event.operation) for event in events] == [("retry", f"GET {PATH}")]
    with pytest.raises(ServerError):
        make_client(RecordingHandler(error_response(503, -1001))).get(PATH, weight=1)


def test_get_takes_its_weight(make_client: Callable[..., Any]) -> None:
    """The weight that was passed is taken from the budget that all calls share."""
    handler = RecordingHandler(MODE)
    limiter = WeightLimiter(100, 1, now=lambda: NOW, monotonic=lambda: 0.0)
    client = make_client(handler, limiter=limiter, timeout=0.5)
    with pytest.raises(ConfigurationError, match="request weight 101 exceeds the budget of 100"):
        client.get(PATH, weight=101)
    assert limiter.acquire(65) == 0
    client.get(PATH, weight=30)
    with pytest.raises(RateLimitError, match="is exhausted until"):
        client.get(PATH, weight=30)
    assert len(handler.requests) == 1


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    """A client whose requests must not be sent."""
    return make_client(RecordingHandler(AssertionError("sent")))


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "fapi/v1/time", "//evil.example/fapi", "https://evil.example/x", "/fapi/../sapi/v1",
        "/fapi/./v1", "/fapi/v1/", "/fapi//v1", "/fapi/v1?symbol=A", "/fapi/v1#a", "/fapi/%2e%2e/v1",
        "/fapi/v1 HTTP/1.1", "/fapi/v1\r\nX: 1", "/fapi/v1\n", "/fapi\\v1", "/@evil/x", "/fapi/ü",
        "/" + "a" * 200, TIME_PATH.encode(), None, 5,
    ],
)  # fmt: skip
def test_path_is_checked(client: Any, path: Any) -> None:
    """A path that could lead elsewhere is an error, and nothing is sent."""
    with pytest.raises(ConfigurationError, match=r"^path must be like /fapi/v1/multiAssetsMargin"):
        client.get(path, weight=1)


@pytest.mark.parametrize("weight", [None, 0, -1, 1.5, "30", True])
def test_weight_is_asked_for(client: Any, weight: Any) -> None:
    """Without the weight of the endpoint the error says where it stands."""
    with pytest.raises(ConfigurationError, match=r"^weight must be the request weight .* its page"):
        client.get(PATH, weight=weight)


@pytest.mark.parametrize("method", ["get", "get_detailed"])
def test_a_call_without_weight_says_what_to_pass(client: Any, method: str) -> None:
    """A caller without a type checker gets the sentence, not Python's TypeError."""
    with pytest.raises(ConfigurationError, match=r"^weight must be .* \(pass weight=30, for exam"):
        getattr(client, method)(PATH)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("symbol=A", r"^params must be a dict of query parameters"),
        ([("symbol", "A")], r"^params must be a dict"),
        ({"symbol": 1.5}, r"^params\['symbol'\] must be a string, an integer, a Decimal or a bool"),
        ({"symbols": ["A"]}, r"^params\['symbols'\] must be a string"),
        ({"symbol": ""}, r"^params\['symbol'\] must be a non-empty string"),
        ({"symbol": "\ud800"}, r"^params\['symbol'\] must be a string that UTF-8 can encode"),
        ({"price": Decimal("NaN")}, r"^params\['price'\] must be a finite Decimal"),
        ({"a&b": "1"}, r"^params must have names of ASCII letters and digits"),
        ({5: "1"}, r"^params must have names"),
        ({"timestamp": 5}, r"^params must not have timestamp; the client adds it"),
        ({"Signature": "x"}, r"^params must not have Signature"),
    ],
)
def test_params_are_checked(client: Any, params: Any, message: str) -> None:
    """A parameter that cannot be sent exactly is an error that does not repeat it."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        client.get(PATH, params, weight=1)
    assert caught.value.__context__ is None


def test_signed_is_a_boolean(client: Any) -> None:
    """What is neither True nor False is an error."""
    with pytest.raises(ConfigurationError, match=r"^signed must be True or False"):
        client.get(PATH, weight=1, signed="yes")


def test_params_are_written_plainly(make_client: Callable[..., Any]) -> None:
    """Amounts have no exponent, booleans are JSON's, and None is not sent."""
    handler = RecordingHandler(b"[]")
    params = {"a": Decimal("1E+3"), "b": True, "c": None, "d": -5, "e": "ü&="}
    make_client(handler).get("/fapi/v1/depth", params, weight=1, signed=False)
    assert handler.targets == [b"/fapi/v1/depth?a=1000&b=true&d=-5&e=%C3%BC%26%3D"]
    assert params["c"] is None


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_nothing_can_be_traded(client_class: type) -> None:
    """There is no method for what changes something, nor one that takes a method's name."""
    names = {name.lower() for name in dir(client_class)}
    assert not names & {"post", "put", "delete", "patch", "request", "send"}
    with pytest.raises(TypeError):
        client_class(KEY, SECRET).get("/fapi/v1/order", weight=1, method="POST")


def test_many_paths_take_little_memory(make_client: Callable[..., Any]) -> None:
    """What is kept for each path is bounded."""
    client = make_client(RecordingHandler(b"[]"))
    for number in range(_MAX_TEMPLATES + 10):
        client.get(f"/fapi/v1/path{number}", weight=1)
    assert len(client.client._request_builder._templates) <= _MAX_TEMPLATES


@pytest.mark.promise("S1", "S2", "S3", "S4")
def test_get_shows_no_secret(make_client: Callable[..., Any]) -> None:
    """Neither the error nor its frames hold key, secret or signature."""

    def fail(request: httpx.Request) -> httpx.Response:
        canaries.remember_signature(request)
        return error_response(400, -1102, f"bad {request.url.query.decode()} {canaries.KEY}")

    client = make_client(fail, api_key=canaries.KEY, api_secret=canaries.SECRET)
    with pytest.raises(Exception, match="-1102") as caught:
        client.get(PATH, {"symbol": "BTCUSDT"}, weight=1)
    assert canaries.holds_no_canary(canaries.crash_report(caught.value))
