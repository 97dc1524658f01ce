"""Seeded faults of the client in what it sends, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import httpx
import pytest
from attrs import evolve

from binance_usdm import APIError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, signature
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch
from tests.support.spec_facts import BALANCE_PATH

from .response_patches import change_outcome, change_rows
from .seeded_fault import seed

Parameters = dict[str, str]
MAX_INT64: Final = 2**63 - 1


fault = partial(seed, "requests")
BALANCE: Final = BALANCE_PATH.encode()


@dataclass
class RequestParts:
    """Parts of a request that a fault changes."""

    target: bytes
    headers: list[tuple[bytes, bytes]]
    method: str = "GET"
    body: bytes = b""
    host: str | None = None


class RequestWithBody(points.HttpRequest):
    """A request with method and body, which requests of the client do not have."""

    def __init__(self, parts: RequestParts, template: Any, secrets: tuple[str, ...]) -> None:
        super().__init__(parts.target, template, secrets)
        self.method, self.body = parts.method, parts.body


def change_request(change: Callable[[RequestParts], dict[str, Any]]) -> Patch:
    """Change parts of the finished request before it is sent."""

    def build(build_signed: Any, builder: Any, *args: Any) -> points.HttpRequest:
        request = build_signed(builder, *args)
        parts = RequestParts(request.target, [*request.template.headers])
        parts = replace(parts, **change(parts))
        tls, host, port = request.template.origin
        origin = (tls, parts.host or host, port)
        template = points.RequestTemplate.build(origin, parts.headers)
        return RequestWithBody(parts, template, request.secrets)

    def to_httpx(to_httpx_request: Any, lease: Any, request: RequestWithBody) -> httpx.Request:
        converted: httpx.Request = to_httpx_request(lease, request)
        return httpx.Request(
            request.method,
            converted.url,
            headers=converted.headers,
            stream=httpx.ByteStream(request.body),
            extensions=converted.extensions,
        )

    def make_change(patch: pytest.MonkeyPatch) -> None:
        points.BUILD_SIGNED.wrap(build)(patch)
        points.TO_HTTPX_REQUEST.wrap(to_httpx)(patch)

    return make_change


def change_target(change: Callable[[bytes, bytes], bytes]) -> Patch:
    """Change the target of a request that has a query, by its path and query."""

    def changed(parts: RequestParts) -> dict[str, Any]:
        path, mark, query = parts.target.partition(b"?")
        return {"target": change(path, query)} if mark else {}

    return change_request(changed)


def change_headers(change: Callable[[bytes, bytes], tuple[bytes, bytes] | None]) -> Patch:
    """Change each header by its name and value, or remove it."""
    return change_request(
        lambda parts: {"headers": [new for header in parts.headers if (new := change(*header))]}
    )


def change_key_header(change: Callable[[bytes, bytes], tuple[bytes, bytes] | None]) -> Patch:
    return change_headers(
        lambda name, value: change(name, value) if value == KEY.encode() else (name, value)
    )


def change_user_agent(change: Callable[[bytes], bytes]) -> Patch:
    return change_headers(
        lambda name, value: (name, change(value) if name == b"User-Agent" else value)
    )


def add_header(name: bytes, value: bytes) -> Patch:
    return change_request(lambda parts: {"headers": [*parts.headers, (name, value)]})


def change_query(change: Callable[[Parameters], Parameters]) -> Patch:
    """Change the parameters before they are signed, so that the signature is valid."""

    def append(append_timestamp: Any, query: str, timestamp: str) -> str:
        parameters = split_query(append_timestamp(query, timestamp))
        return "&".join(map("=".join, change(parameters).items()))

    return points.APPEND_TIMESTAMP.wrap(append)


def change_parameter(name: str, change: Callable[[str], str]) -> Patch:
    """Change the value of a parameter that is sent, before it is signed."""
    return change_query(
        lambda query: {**query, name: change(query[name])} if name in query else query
    )


def split_query(query: str) -> Parameters:
    return dict(pair.split("=", 1) for pair in query.split("&") if pair)


def sign_with(sign: Callable[[str], str]) -> Patch:
    return points.COMPUTE_SIGNATURE.replace(lambda signer, payload: sign(payload.decode()).encode())


def write_window(write: Callable[[str, Any], str]) -> Patch:
    return points.WRITE_RECV_WINDOW.replace(write)


def accept_window(is_accepted: Callable[[Any], bool]) -> Patch:
    """Send some values of another type as integers."""
    strict = points.integer_writer(1, MAX_INT64)
    return write_window(
        lambda name, value: strict(name, int(value) if is_accepted(value) else value)
    )


def _move_last_first(query: bytes) -> bytes:
    rest, _, last = query.rpartition(b"&")
    return last + b"&" + rest


def _correct_window(name: str, value: Any) -> str:
    return str(value if isinstance(value, int) and 1 <= value <= MAX_INT64 else 5000)


async def _send_twice(send_once: Any, *args: Any, **options: Any) -> Any:
    await send_once(*args, **options)
    return await send_once(*args, **options)


def _keep_first_timestamp(patch: pytest.MonkeyPatch) -> None:
    timestamps: list[str] = []

    def first(timestamp: str) -> str:
        timestamps.append(timestamp)
        return timestamps[0]

    change_parameter("timestamp", first)(patch)


def _keep_timestamp_of_call(patch: pytest.MonkeyPatch) -> None:
    timestamps: dict[float, int] = {}

    async def send(send_once: Any, runner: Any, attempt: Any, **options: Any) -> Any:
        clock = points.replace_clock(runner, lambda: timestamps[attempt.deadline])
        timestamps.setdefault(attempt.deadline, clock())
        try:
            return await send_once(runner, attempt, **options)
        finally:
            points.replace_clock(runner, clock)

    points.SEND_ONCE.wrap(send)(patch)


def _retry_rejected(outcome: Any, _: Any) -> Any:
    if isinstance(outcome, APIError):
        outcome.retryable = outcome.status == 400
    return outcome


def send_default_window(everywhere: bool) -> Patch:
    """Send the client's own window with calls that have one, or also with unsigned calls."""

    def build(build_query: Any, builder: Any, operation: Any, arguments: Any) -> Any:
        query = build_query(builder, operation, arguments)
        default = points.default_recv_window(builder)
        if default is None or not (everywhere or "recvWindow" in split_query(query)):
            return query
        given = split_query(query) if everywhere else {}
        return "&".join(map("=".join, ({"recvWindow": str(default)} | given).items()))

    return points.BUILD_QUERY.wrap(build)


def _use_plain_http(parse_base_url: Any, *args: Any) -> Any:
    url = parse_base_url(*args)
    return url._replace(origin=(False, url.origin[1], 80))


def _send_first_key(patch: pytest.MonkeyPatch) -> None:
    keys: list[Any] = []

    def build(build_headers: Any, url: Any, key_header: Any, api_key: Any) -> Any:
        keys.append(api_key)
        return build_headers(url, key_header, keys[0])

    points.BUILD_HEADERS.wrap(build)(patch)


def _drop_plain_arguments(patch: pytest.MonkeyPatch) -> None:
    for point in (points.SYNC_BALANCE, points.ASYNC_BALANCE):
        point.wrap(lambda call, client, **arguments: call(client))(patch)


CALL: Final = "each_call_has_its_timestamp"
ATTEMPT: Final = "each_attempt_has_its_timestamp"
WINDOW: Final = "default_window_is_sent"
BASE_PATH: Final = "base_path_is_kept"
TYPES: Final = "arguments_keep_their_type"
EXTRA: Final = "only_given_arguments_are_sent"
RECONNECT: Final = "ended_connection_is_replaced"
WAIT: Final = "requests_are_built_after_waits"
CORRECTED: Final = "late_clock_is_corrected"
# With a timestamp, or another request, that is not what the clock says.
CLOCK: Final = (CORRECTED, "exchange_clock_is_read_first", "good_clock_is_left_alone")
# A request for the time that is not what it should be.
TIME: Final = CLOCK[:2]
# A transport may repeat the headers of a request that failed.
SHOWN: Final = "secrets_are_not_shown"
UNSENT: Final = "what_cannot_be_sent_is_an_error"
SOCKETS: Final = "sockets_carry_the_same"
KEPT: Final = "transport_options_are_kept"
# The exchange responds as before, so only a check of the request notices.
SENT: Final = ("wire_conformance",)
# The exchange responds differently to a late call.
LATE: Final = (*SENT, "window_is_respected")
# The exchange rejects every call. To schemathesis a 401 does not say that arguments are invalid.
BARRED: Final = (*LATE, ATTEMPT)
REJECTED: Final = (*BARRED, "positive_data_acceptance")

FAULTS: Final = (
    # Timestamp and signature.
    fault(
        "timestamp in seconds",
        *REJECTED,
        CALL,
        RECONNECT,
        WAIT,
        *CLOCK,
        "time_of_the_round_trip_is_added",
    )(change_parameter("timestamp", lambda text: str(int(text) // 1000))),
    fault("timestamp of the next millisecond", *BARRED, CALL, RECONNECT, WAIT)(
        change_parameter("timestamp", lambda text: str(int(text) + 1))
    ),
    fault(
        "one timestamp for all calls",
        CALL,
        ATTEMPT,
        RECONNECT,
        WAIT,
        *CLOCK,
        "time_of_the_round_trip_is_added",
    )(_keep_first_timestamp),
    fault("one timestamp for all attempts", ATTEMPT, RECONNECT, WAIT, CORRECTED)(
        _keep_timestamp_of_call
    ),
    fault("signature first", *REJECTED)(
        change_target(lambda path, query: path + b"?" + _move_last_first(query))
    ),
    fault(
        "signature over the sorted query",
        *LATE,
        UNSENT,
        "positive_data_acceptance",
        "secrets_of_any_length_sign",
        "private_keys_sign",
        "each_client_sends_its_key",
    )(sign_with(lambda payload: signature("&".join(sorted(payload.split("&"), reverse=True))))),
    fault("signature over the path as well", *REJECTED, UNSENT)(
        sign_with(lambda payload: signature("/fapi?" + payload))
    ),
    fault("signature with another secret", *REJECTED, UNSENT)(
        sign_with(lambda payload: signature(payload, "another"))
    ),
    fault("signature cut", *REJECTED)(
        change_target(lambda path, query: (path + b"?" + query)[:-1])
    ),
    # Window.
    fault("window dropped", *LATE, WINDOW)(
        change_query(lambda query: {name: query[name] for name in query if name != "recvWindow"})
    ),
    fault("window always 5000", *LATE, WINDOW)(change_parameter("recvWindow", lambda text: "5000")),
    fault("window in seconds", *LATE, WINDOW, "positive_data_acceptance")(
        change_parameter("recvWindow", lambda text: str(int(text) // 1000))
    ),
    fault("window digits percent-encoded", *SENT)(
        change_parameter("recvWindow", lambda text: f"%3{text}")
    ),
    fault("window sent without being given", EXTRA)(
        change_query(
            lambda query: {"recvWindow": "5000", **query} if "timestamp" in query else query
        )
    ),
    fault("default window dropped", WINDOW)(
        points.VALIDATE_RECV_WINDOW.replace(lambda value: None)
    ),
    fault("default window wins", WINDOW)(send_default_window(everywhere=False)),
    fault("default window with every call", WINDOW)(send_default_window(everywhere=True)),
    # Arguments.
    fault("arguments not checked", *SENT, TYPES, "arguments_beside_are_rejected")(
        write_window(lambda name, value: str(value))
    ),
    fault(
        "invalid arguments corrected",
        *SENT,
        TYPES,
        "negative_data_rejection",
        "only_described_is_accepted",
        "arguments_beside_are_rejected",
    )(write_window(_correct_window)),
    fault("true accepted as a window", TYPES)(accept_window(lambda value: value is True)),
    fault("float accepted as a window", TYPES)(
        accept_window(lambda value: isinstance(value, float))
    ),
    fault("string of digits accepted as a window", TYPES)(
        accept_window(lambda value: isinstance(value, str) and value.isdigit())
    ),
    fault("argument lost", "arguments_are_declared")(
        points.BALANCE_OPERATION.replace(evolve(points.BALANCE_OPERATION.value, parameters=()))
    ),
    # Query and path.
    fault(
        "parameter twice",
        *REJECTED,
        RECONNECT,
        EXTRA,
        CALL,
        WINDOW,
        WAIT,
        *CLOCK,
        "time_of_the_round_trip_is_added",
    )(change_target(lambda path, query: path + b"?" + query.split(b"&")[0] + b"&" + query)),
    fault("undescribed parameter", *REJECTED, EXTRA)(
        change_query(lambda query: {**query, "source": "sdk"})
    ),
    fault("key in the query", *REJECTED, EXTRA)(
        change_query(lambda query: {**query, "apiKey": KEY})
    ),
    fault("empty parameter at the end", *REJECTED)(
        change_target(lambda path, query: path + b"?" + query + b"&")
    ),
    fault(
        "second question mark",
        *REJECTED,
        EXTRA,
        CALL,
        WINDOW,
        WAIT,
        RECONNECT,
        *CLOCK,
        "time_of_the_round_trip_is_added",
    )(change_target(lambda path, query: path + b"??" + query)),
    fault("another path", *BARRED, BASE_PATH)(
        change_request(lambda parts: {"target": parts.target.replace(BALANCE, BALANCE + b"s")})
    ),
    fault("base path dropped", BASE_PATH)(
        change_request(lambda parts: {"target": parts.target[parts.target.index(b"/fapi") :]})
    ),
    # Key and other headers.
    fault("no key", *BARRED)(change_key_header(lambda name, value: None)),
    fault("key twice", *BARRED, "each_client_sends_its_key", *TIME)(
        add_header(b"X-MBX-APIKEY", KEY.encode())
    ),
    fault("key in capitals", *BARRED)(change_key_header(lambda name, value: (name, value.upper()))),
    fault("secret as key", *BARRED, SHOWN)(
        change_key_header(lambda name, value: (name, SECRET.encode()))
    ),
    fault("secret in a header", *SENT, SHOWN)(add_header(b"X-Debug", SECRET.encode())),
    fault("secret in the user agent", *SENT, SHOWN)(
        change_user_agent(lambda value: value + SECRET.encode())
    ),
    fault("cookie", *SENT)(add_header(b"Cookie", b"a=b")),
    fault("key sent with public calls", *SENT, *TIME)(
        points.BUILD_HEADERS.wrap(
            lambda build, url, key_header, api_key: build(
                url, key_header or "X-MBX-APIKEY", api_key
            )
        )
    ),
    fault("key of the first client in all", "each_client_sends_its_key")(_send_first_key),
    fault("secrets cut to 64 bytes", "secrets_of_any_length_sign")(
        points.INIT_SIGNER.wrap(lambda init, signer, secret: init(signer, secret[:64]))
    ),
    # Method, body, host and number of requests.
    fault("port missing in Host", "host_has_its_port")(
        change_headers(
            lambda name, value: (name, value.partition(b":")[0] if name == b"Host" else value)
        )
    ),
    fault("arguments of plain methods dropped", "plain_methods_do_the_same")(_drop_plain_arguments),
    fault(
        "POST",
        *BARRED,
        *TIME,
        SOCKETS,
        "clock_is_corrected_once",
        "time_of_the_round_trip_is_added",
    )(change_request(lambda parts: {"method": "POST"})),
    fault("body", *REJECTED)(change_request(lambda parts: {"body": b"{}"})),
    fault("another host", *SENT, BASE_PATH, "each_environment_has_its_host")(
        change_request(lambda parts: {"host": "elsewhere.invalid"})
    ),
    fault(
        "plain HTTP",
        *SENT,
        SOCKETS,
        KEPT,
        "clients_close_what_is_theirs",
        "unsafe_options_are_rejected",
        BASE_PATH,
        RECONNECT,
        "each_environment_has_its_host",
        "host_has_its_port",
        "connections_are_kept_apart",
        "proxy_is_used",
        "refused_tunnel_is_an_error",
        "only_own_proxy_is_used",
        "certificates_are_checked",
        "concurrent_calls_are_apart",
    )(points.PARSE_BASE_URL.wrap(_use_plain_http)),
    fault(
        "two requests",
        *SENT,
        KEPT,
        CALL,
        ATTEMPT,
        WINDOW,
        BASE_PATH,
        WAIT,
        RECONNECT,
        *CLOCK,
        "clock_is_corrected_once",
        "only_retryable_errors_are_retried",
        "attempts_send_the_same",
        "each_client_sends_its_key",
        "each_request_takes_its_weight",
        "retry_after_is_a_floor",
        "redirects_are_not_followed",
        "nothing_is_kept_between_calls",
        "closed_client_sends_nothing",
        "certificates_are_checked",
        "connections_are_kept_apart",
        "refused_tunnel_is_an_error",
        "only_own_proxy_is_used",
    )(points.SEND_ONCE.wrap(_send_twice)),
    fault(
        "rejected calls retried",
        "only_retryable_errors_are_retried",
        ATTEMPT,
        "attempts_send_the_same",
        "good_clock_is_left_alone",
    )(change_outcome(_retry_rejected)),
    # Rows, as far as this layer looks at them.
    fault("last row dropped", "transparent")(change_rows(lambda rows: rows[:-1])),
    fault("rows reversed", "transparent")(change_rows(lambda rows: rows[::-1])),
    # Changes that keep every promise.
    fault("another user agent", reason="the spec does not say what a client calls itself")(
        change_user_agent(lambda value: b"sdk")
    ),
    fault(
        "key header in lower case", reason="header names are the same in any case (RFC 9110, 5.1)"
    )(change_key_header(lambda name, value: (name.lower(), value))),
    fault(
        "another order of headers",
        reason="headers of different names have no order (RFC 9110, 5.3)",
    )(change_request(lambda parts: {"headers": parts.headers[::-1]})),
)
