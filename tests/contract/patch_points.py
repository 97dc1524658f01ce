"""Private modules and names of the product that the contract tests use.

Seeded faults replace the names that stand here as a `PatchPoint`. All other files of this directory
and of `binance_usdm.contract` use public names and the names of this file, so that a move in the
product changes this file alone; `test_patch_points.py` checks that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from binance_usdm import (
    APIError,
    AsyncTransport,
    DeadlineExceeded,
    IPBannedError,
    RetryPolicy,
    SyncTransport,
    TransportError,
    WeightLimiter,
    _base_client,
    _error_hints,
    _events,
)
from binance_usdm._auth import credentials, private_keys, signers
from binance_usdm._call import call as _call
from binance_usdm._call import clock as _call_clock
from binance_usdm._call import context as _call_context
from binance_usdm._call import error_mapping as _error_mapping
from binance_usdm._call import error_pages as _error_pages
from binance_usdm._call import get as _get
from binance_usdm._call import request as _request
from binance_usdm._call import response as _response
from binance_usdm._call.response import ParsedValue
from binance_usdm._concurrency.gates import TaskGate, ThreadGate
from binance_usdm._concurrency.threads import run_awaited, run_blocking
from binance_usdm._config import base_url as _base_url
from binance_usdm._config import environment, factories
from binance_usdm._config import validation as _config
from binance_usdm._http import httpx_adapter, messages
from binance_usdm._http.connections import origin_pool, parser, pool, proxy
from binance_usdm._http.connections.async_connection import AsyncConnection
from binance_usdm._http.connections.lease import EmptyLease, Lease
from binance_usdm._http.connections.parser import ResponseParser
from binance_usdm._http.connections.sync_connection import SyncConnection
from binance_usdm._policy import clock as _policy_clock
from binance_usdm._policy import limiter_queue
from binance_usdm._policy import retry as _retry
from binance_usdm._policy.limiter_queue import LimiterQueue
from binance_usdm._policy.retry import RetryQuota
from binance_usdm.contract._client_layers.sdk import BASE_URLS
from binance_usdm.mock import FAULTS, Logged, controls, engine, exchange, pipeline
from binance_usdm.mock.core import clock, query, response
from binance_usdm.mock.faults import body_changes, fault, queue
from binance_usdm.mock.scenario import bodies, loading, saving
from binance_usdm.mock.server import asgi, httpx_transport
from binance_usdm.mock.spec import api_spec, json_values, parameters, schema
from binance_usdm.mock.state import accounts, request_log, schedule, state, stubs, weight
from binance_usdm.mock.verify import checks, rejection
from binance_usdm_wire import AccountBalance, operations, rows, writing
from binance_usdm_wire.api.account import balance
from binance_usdm_wire.models import account_balance

__all__ = ["EmptyLease", "ParsedValue", "TaskGate", "ThreadGate", "run_awaited", "run_blocking"]


Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class PatchPoint:
    """An attribute of a module or class, or a key of a mapping, that a seeded fault replaces."""

    owner: Any
    name: str

    @property
    def value(self) -> Any:
        if isinstance(self.owner, Mapping):
            return self.owner[self.name]
        return getattr(self.owner, self.name)

    def replace(self, value: Any) -> Patch:
        """Return a patch that puts another value here."""
        if isinstance(self.owner, Mapping):
            return lambda patch: patch.setitem(cast("Any", self.owner), self.name, value)
        return lambda patch: patch.setattr(self.owner, self.name, value)

    def wrap(self, wrapper: Callable[..., Any]) -> Patch:
        """Return a patch that calls the wrapper, with the function before its arguments."""
        function = self.value
        return self.replace(lambda *args, **kwargs: wrapper(function, *args, **kwargs))

    def wrap_getter(self, wrapper: Callable[[Callable[[Any], Any], Any], Any]) -> Patch:
        """Return a patch that calls the wrapper instead of a property, with its getter."""
        getter = self.value.fget
        return self.replace(property(lambda owner: wrapper(getter, owner)))

    def change_result(self, change: Callable[[Any], Any]) -> Patch:
        """Return a patch that changes what the function returns."""
        return self.wrap(lambda call, *args, **kwargs: change(call(*args, **kwargs)))


# The mock exchange: credentials and query.
VERIFY_SIGNATURE = PatchPoint(accounts.ApiKey, "verify")
PARSE_QUERY = PatchPoint(query.Query, "parse")
SPLIT_SIGNATURE = PatchPoint(query.Query, "split_signature")
FIND_KEY = PatchPoint(checks, "_find_key")
# Its checks of a request.
HANDLE_REQUEST = PatchPoint(pipeline.Pipeline, "handle_request")
CHECK_REQUEST = PatchPoint(pipeline.Pipeline, "_check_request")
KEY_CHECK = PatchPoint(checks._CHECKS, "key")
PARAMETERS_CHECK = PatchPoint(checks._CHECKS, "parameters")
CHECK_SIGNATURE = PatchPoint(checks._CHECKS, "signature")
TIMESTAMP_CHECK = PatchPoint(checks._CHECKS, "timestamp")
CHECK_PARAMETER = PatchPoint(checks, "_check_parameter")
MAX_AHEAD_MS = PatchPoint(checks, "MAX_AHEAD_MS")
DEFAULT_RECV_WINDOW_MS = PatchPoint(checks, "DEFAULT_RECV_WINDOW_MS")
VIOLATION_REJECTION = PatchPoint(checks, "_violation_rejection")
COMPILE_VALIDATOR = PatchPoint(parameters, "compile_validator")
VALUE_CONSTRAINTS = PatchPoint(schema, "_constraints")
STATUS_BY_CODE = PatchPoint(rejection, "STATUS_BY_CODE")
REJECTION_STATUS = PatchPoint(rejection.RejectionError, "status")
# How it reads the spec.
PARSE_OPERATION = PatchPoint(api_spec.ApiSpec, "_parse_operation")
PARSE_PARAMETER = PatchPoint(api_spec.ApiSpec, "_parse_parameter")
FIND_OPERATION = PatchPoint(api_spec.ApiSpec, "find_operation")
FILL_FIELDS = PatchPoint(api_spec.ApiSpec, "_fill_fields")
# Its responses, weight and faults.
OK_RESPONSE = PatchPoint(pipeline, "json_ok_response")
ERROR_RESPONSE = PatchPoint(pipeline, "error_response")
RESPOND = PatchPoint(pipeline.Pipeline, "_respond")
RESPONSE_BODY = PatchPoint(pipeline.Pipeline, "_response_body")
ADD_WEIGHT_HEADER = PatchPoint(pipeline.Pipeline, "_with_weight_header")
MINUTE_MS = PatchPoint(weight, "MINUTE")
CHARGE_WEIGHT = PatchPoint(weight.WeightCounter, "charge")
COUNTER_FOR = PatchPoint(state.State, "counter_for")
START_BAN = PatchPoint(weight.WeightCounter, "ban")
LIMIT_RESPONSE = PatchPoint(weight, "error_response")
ADD_RETRY_AFTER = PatchPoint(weight, "_with_retry_after")
TIMEOUT_FAULT = PatchPoint(FAULTS, "timeout")
FIREWALL_FAULT = PatchPoint(FAULTS, "waf")
ERROR_FAULT = PatchPoint(FAULTS, "error")
ADD_WEIGHT = PatchPoint(weight.WeightCounter, "add")
BAN_RESPONSE = PatchPoint(weight.WeightCounter, "ban_response")
BANNED_RESPONSE = PatchPoint(weight, "banned_response")
SPEND = PatchPoint(controls.Controls, "spend")
NORMALIZE_IP = PatchPoint(engine, "normalize_ip")
WEIGHT_HEADERS = PatchPoint(pipeline.Pipeline, "_weight_headers")
NOT_FOUND_RESPONSE = PatchPoint(pipeline.Pipeline, "_not_found_response")
ALLOWED_METHODS = PatchPoint(api_spec.ApiSpec, "allowed_methods")
ADD_DATE = PatchPoint(pipeline.Pipeline, "_with_date")
FORMAT_DATE = PatchPoint(pipeline, "format_http_date")
PASS_ON = PatchPoint(pipeline, "pass_on")
# Its keys.
ADD_KEY = PatchPoint(state.State, "add_key")
MAKE_API_KEY = PatchPoint(state, "make_api_key")
ALLOWS_ADDRESS = PatchPoint(accounts.ApiKey, "allows_address")
KEY_REJECTION = PatchPoint(checks, "_key_rejection")
# Faults and bodies that wait.
FAULT_MATCHES = PatchPoint(queue.QueuedFault, "matches")
MATCH_FAULT = PatchPoint(queue.FaultQueue, "match")
ADD_FAULT = PatchPoint(queue.FaultQueue, "add")
CLEAR_FAULTS = PatchPoint(queue.FaultQueue, "clear")
RESPOND_WITH_FAULT = PatchPoint(pipeline.Pipeline, "_respond_with_fault")
SCHEDULE_BODY = PatchPoint(controls, "make_scheduled_body")
APPLY_SCHEDULE = PatchPoint(state.State, "apply_schedule")
SEED_BODY = PatchPoint(controls.Controls, "seed")
# What is set up, by hand, by a switch or by chance.
VALIDATE_BODY = PatchPoint(api_spec.ApiSpec, "validate_body")
EXAMPLE_BODY = PatchPoint(api_spec.ApiSpec, "example_body")
ACCOUNT_ALIAS = PatchPoint(controls, "account_alias")
TRANSPORT_ADDRESS = PatchPoint(exchange, "normalize_ip")
RESOLVE_OPTIONS = PatchPoint(fault.Fault, "resolve_options")
CHOOSE_STUB = PatchPoint(stubs.Stub, "choose_operation")
REMEMBER_SIGNATURE = PatchPoint(state.State, "remember_signature")
RUN_CHECKS = PatchPoint(pipeline, "run_checks")
MATCHES_KEY_FORMAT = PatchPoint(checks, "_matches_key_format")
IS_DRAWN = PatchPoint(queue.FaultQueue, "_is_drawn")
INIT_ENGINE = PatchPoint(engine.Engine, "__init__")
ADVANCE_CLOCK = PatchPoint(clock.SkewedClock, "advance")
FREEZE_CLOCK = PatchPoint(clock.SkewedClock, "freeze")
DRIFT_CLOCK = PatchPoint(clock.SkewedClock, "drift")
FIRST_KEY = PatchPoint(engine.Engine, "first_key")
LOAD_PUBLIC_KEY = PatchPoint(accounts, "load_public_key")
ENCODE_DECIMAL = PatchPoint(response, "_encode_decimal")
REQUIRED_ERRORS = PatchPoint(json_values._CHECKS_BY_TYPE[dict], "required")
# How a response is delivered and changed.
CLIENT_ADDRESS = PatchPoint(asgi, "_client_address")
PATH_IN_APPLICATION = PatchPoint(asgi, "_path_in_app")
MAY_HAVE_BODY = PatchPoint(asgi, "_may_have_body")
TRANSPORT_DELAYS = PatchPoint(httpx_transport, "_delays")
DELIVERY_PIECES = PatchPoint(response.Delivery, "pieces")
MAP_ROWS = PatchPoint(body_changes, "_map_rows")
APPLY_QUIRK = PatchPoint(body_changes, "apply_json_quirk")
INTERNAL_FAULT = PatchPoint(FAULTS, "internal")
LATENCY_FAULT = PatchPoint(FAULTS, "latency")
MOMENT_OF_BODY = PatchPoint(schedule, "_moment")
# Its log and its state.
IS_LOG_FULL = PatchPoint(request_log.RequestLog, "_is_over_limit")
SIGNED_PAYLOAD = PatchPoint(Logged, "signed_payload")
LOG_ENTRY = PatchPoint(pipeline.Pipeline, "_log_entry")
REJECTION_REASON = PatchPoint(Logged, "rejection_reason")
LOGGED_REPR = PatchPoint(Logged, "__repr__")
SIGNED_REQUESTS = PatchPoint(engine.Engine, "signed_requests")
EXPLAIN_BAD_SIGNATURE = PatchPoint(checks, "explain_bad_signature")
CLEAR_STATE = PatchPoint(engine.Engine, "_clear")
RESET = PatchPoint(engine.Engine, "reset")
RECOVER = PatchPoint(controls.Controls, "recover")
REPLACING_STATE = PatchPoint(engine.Engine, "replacing_state")
SAVED_KEY = PatchPoint(saving, "_show_key")
SAVED_COUNTER = PatchPoint(saving, "_show_counter")
SAVED_WAITING = PatchPoint(saving, "_show_waiting")
LOAD_ROW = PatchPoint(bodies, "_parse_row")
LOAD_CLOCK = PatchPoint(loading, "_set_clock")
SAVED_FAULT = PatchPoint(saving, "show_fault")

Account = accounts.Account
Pairs = query.Pairs
Query = query.Query
RejectionError = rejection.RejectionError
error_response = response.error_response

# The client: arguments, query and request.
BALANCE_OPERATION = PatchPoint(balance, "OPERATION")
WRITE_RECV_WINDOW = PatchPoint(balance, "_write_recv_window")
VALIDATE_RECV_WINDOW = PatchPoint(_config, "validate_recv_window")
NAMED_BASE_URLS = PatchPoint(BASE_URLS, "demo")
PARSE_BASE_URL = PatchPoint(_base_client, "parse_base_url")
GET_PARAMETERS = PatchPoint(_get, "_write_params")
GET_NAME_PROBLEM = PatchPoint(_get, "_name_problem")
GET_WRITERS = PatchPoint(_get, "_WRITERS")
BUILD_QUERY = PatchPoint(_request.RequestBuilder, "build_query")
APPEND_TIMESTAMP = PatchPoint(_request, "append_timestamp")
COMPUTE_SIGNATURE = PatchPoint(_request, "compute_signature")
BUILD_HEADERS = PatchPoint(_request, "build_headers")
BUILD_SIGNED = PatchPoint(_request.RequestBuilder, "build_signed")
TO_HTTPX_REQUEST = PatchPoint(httpx_adapter, "_to_httpx_request")
BIND_OPERATION = PatchPoint(_request.RequestBuilder, "bind_operation")
DEFAULT_HEADERS = PatchPoint(_request, "_DEFAULT_HEADERS")
HOST_HEADER = PatchPoint(_base_url.BaseUrl, "host")
# Its attempts, waits and clock.
SEND_ONCE = PatchPoint(_call.CallRunner, "_send_once")
SEND_OVER = PatchPoint(_call.CallRunner, "_send_over")
SEND_ATTEMPT = PatchPoint(_call.CallRunner, "_send_attempt")
IS_LOSS_RETRYABLE = PatchPoint(TransportError, "retryable")
RETRY_DELAY = PatchPoint(_call_context.CallContext, "_retry_delay")
ACQUIRE_WEIGHT = PatchPoint(limiter_queue.LimiterQueue, "acquire")
OBSERVE_WEIGHT = PatchPoint(limiter_queue.LimiterQueue, "observe")
CORRECT_CLOCK = PatchPoint(_call_clock.ClockSyncer, "_correct_clock")
SERVER_TIME_OPERATION = PatchPoint(_call_clock, "_SERVER_TIME")
SAMPLE_CLOCK = PatchPoint(_policy_clock.ExchangeClock, "sample")
READ_CLOCK = PatchPoint(_policy_clock.ExchangeClock, "__call__")
NEEDS_CLOCK_SYNC = PatchPoint(_policy_clock.ExchangeClock, "needs_sync")
# Its connections, proxy and environment.
CHECK_CLOSED = PatchPoint(_call_context.CallContext, "_raise_if_closed")
CLIENT_REPR = PatchPoint(_base_client.BaseClient, "__repr__")
DEFAULT_TLS = PatchPoint(pool, "tls_context")
CHECK_TLS = PatchPoint(pool, "check_ssl_context")
ORIGIN_POOL = PatchPoint(pool.ConnectionPool, "origin_pool")
POP_IDLE = PatchPoint(origin_pool.OriginPool, "pop")
CHOOSE_PROXY = PatchPoint(_base_client, "choose_proxy")
ENCODE_LOGIN = PatchPoint(proxy, "_encode_authorization")
CONNECT_REQUEST = PatchPoint(proxy.Proxy, "connect_request")
OPTIONS_FROM_ENV = PatchPoint(factories, "options_from_env")
READ_CREDENTIAL = PatchPoint(environment, "_read_credential")
SIGNING_VARIABLES = PatchPoint(environment, "SIGNING_VARIABLES")
ADD_OPTION_FROM_ENV = PatchPoint(environment, "_add_option")
SEND_OVER_SYNC_SOCKET = PatchPoint(SyncTransport, "send")
SEND_OVER_ASYNC_SOCKET = PatchPoint(AsyncTransport, "send")
INIT_POOL = PatchPoint(pool.ConnectionPool, "__init__")
CONTEXT_PROBLEM_OF_CLIENT = PatchPoint(_base_client, "ssl_context_problem")
CONTEXT_PROBLEM_OF_POOL = PatchPoint(pool, "ssl_context_problem")
CREDENTIAL_PROBLEM = PatchPoint(credentials, "credential_problem")
OTHER_API_PROBLEM = PatchPoint(_base_url, "_other_api_problem")
MAKE_GET = PatchPoint(_get, "make_get")
SIGN_WITH_PRIVATE_KEY = PatchPoint(private_keys.PrivateKeySigner, "sign")
# Its reading of responses.
PARSE_RESPONSE = PatchPoint(_call, "parse_response")
PARSE_USED_WEIGHT = PatchPoint(_call, "parse_used_weight")
FIND_ACCOUNT_MISMATCH = PatchPoint(_call_context, "find_account_mismatch")
COOLDOWN_SECONDS = PatchPoint(_call_context, "cooldown_seconds")
UNKNOWN_FIELDS = PatchPoint(rows._RecordDecoder, "additional_properties")
MAX_EXTENSIONS = PatchPoint(rows, "_MAX_EXTENSIONS")
TO_DECIMALS = PatchPoint(account_balance, "to_decimals")
UPDATED_AT = PatchPoint(AccountBalance, "updated_at")
# Its errors.
ERROR_CLASS_BY_CODE = PatchPoint(_error_mapping, "ERROR_CLASS_BY_CODE")
ERROR_CLASS_BY_STATUS = PatchPoint(_error_mapping, "ERROR_CLASS_BY_STATUS")
NON_RETRYABLE_CODES = PatchPoint(_error_mapping, "NON_RETRYABLE_CODES")
IS_RETRYABLE = PatchPoint(APIError, "retryable")
INIT_CLIENT = PatchPoint(_base_client.BaseClient, "__init__")
INIT_SIGNER = PatchPoint(signers.HmacSigner, "__init__")
SYNC_BALANCE = PatchPoint(operations.SyncOperations, "balance")
ASYNC_BALANCE = PatchPoint(operations.AsyncOperations, "balance")
HINT_BY_CODE = PatchPoint(_error_hints, "HINT_BY_CODE")
PARSE_BAN_END = PatchPoint(_error_mapping, "parse_ban_end_ms")
BANNED_UNTIL = PatchPoint(IPBannedError, "banned_until")
SANITIZE_TEXT = PatchPoint(_error_mapping, "sanitize_text")
PAGE_EXCERPT = PatchPoint(_error_pages, "_excerpt")
RECOGNIZE_CHALLENGE = PatchPoint(_error_pages, "_recognize_challenge")
MAX_EXCERPT_LENGTH = PatchPoint(_error_pages, "MAX_EXCERPT_LENGTH")
DESCRIBE_ERROR = PatchPoint(APIError, "_describe")
ERROR_ADDRESS = PatchPoint(_error_hints, "error_address")
LEAVE_LABEL = PatchPoint(_call_context.ErrorLabel, "__exit__")
REDUCE_ERROR = PatchPoint(APIError, "__reduce__")
# Its values as objects.
HOLDINGS = PatchPoint(AccountBalance, "HOLDINGS")
EQUAL_ROWS = PatchPoint(AccountBalance, "__eq__")
SET_IN_ROW = PatchPoint(AccountBalance, "__setattr__")
# What comes beside its values.
EMIT = PatchPoint(_call.CallRunner, "_emit")
BUDGET = PatchPoint(WeightLimiter, "budget")
TAKE_QUOTA = PatchPoint(RetryQuota, "acquire")
RETURN_QUOTA = PatchPoint(RetryQuota, "release")
LOG_LEVEL_BY_KIND = PatchPoint(_events, "_LOG_LEVEL_BY_KIND")
# Its attempts, deadline and limiter.
POLICY_DELAY = PatchPoint(RetryPolicy, "__call__")
MAKE_RESPONSE = PatchPoint(_call, "Response")
SYNC_AND_SEND = PatchPoint(_call.CallRunner, "_sync_and_send")
NOTE_TIME_LEFT = PatchPoint(_call, "note_time_left")
SHARED_STATE = PatchPoint(_base_client, "get_shared_state")
RAISE_IF_STOPPED = PatchPoint(_call.CallRunner, "_raise_if_stopped")
START_COOLDOWN = PatchPoint(LimiterQueue, "start_cooldown")
HOLD_ADDRESS = PatchPoint(_call_context.CallContext, "_start_cooldown")
WAIT_FOR_ROOM = PatchPoint(LimiterQueue, "wait_for_room")
START_LIMIT = PatchPoint(WeightLimiter, "start_cooldown")
MAX_DELAY_SECONDS = PatchPoint(_retry, "_MAX_DELAY_SECONDS")
TAKE_WEIGHT = PatchPoint(WeightLimiter, "acquire")
DECODE_OTHER_PATH = PatchPoint(_get, "decode")
# Its connections.
LATE_ERROR_CLASS = PatchPoint(_error_mapping, "DeadlineExceeded")
ERROR_FROM_FAILURE = PatchPoint(_call_context, "error_from_failure")
DEADLINE_IS_RETRYABLE = PatchPoint(DeadlineExceeded, "retryable")
SYNC_IS_USABLE = PatchPoint(SyncConnection, "is_usable")
ASYNC_IS_USABLE = PatchPoint(AsyncConnection, "is_usable")
KEEP_OR_CLOSE = PatchPoint(Lease, "_keep_or_close")
END_OF_DATA = PatchPoint(ResponseParser, "_end_of_data")
INIT_PARSER = PatchPoint(ResponseParser, "__init__")
MAX_HEADERS = PatchPoint(parser, "MAX_HEADERS")
DISCARD_CONNECTION = PatchPoint(Lease, "discard_connection")
IS_EXPIRED = PatchPoint(origin_pool.IdleConnection, "is_expired")
ACQUIRE_SLOT = PatchPoint(origin_pool.Slots, "try_acquire")
MAX_DECOMPRESSION_RATIO = PatchPoint(_response, "MAX_DECOMPRESSION_RATIO")

Headers = messages.Headers
HttpFailure = messages.HttpFailure
HttpRequest = messages.HttpRequest
HttpResponse = messages.HttpResponse
RequestTemplate = messages.RequestTemplate
TOO_LARGE = messages.TOO_LARGE
make_api_error = _error_mapping.make_api_error
integer_writer = writing.integer_writer
to_decimals = rows.to_decimals


def replace_transport(client: Any, transport: Any) -> None:
    """Use a transport instead of the client's default one."""
    client._transport = transport


def own_transport(client: Any, is_own: bool) -> None:
    """Let a client close its transport with itself, or leave it open."""
    client._owns_transport = is_own


def replace_clock(runner: Any, clock: Any) -> Any:
    """Use a clock for the timestamps of a client, and return the one that it had."""
    previous, runner._clock = runner._clock, clock
    return previous


def correct_custom_clock(client: Any) -> None:
    """Have a client sync its clock though its option is a function."""
    client._clock_mode = "auto"


def own_delay(context: Any, error: Any, failed_attempts: int) -> float | None:
    """Return the delay that the client's option gives."""
    return cast("float | None", context._retry(error, failed_attempts))


def local_time(clock: Any) -> int:
    """Return this machine's time in ms, which a clock shows before its first sync."""
    return cast("int", clock._wall()) // 1_000_000


def limiter_of(runner: Any) -> Any:
    return runner._limiter_queue


def newest_partition(idle_connections: Any) -> Any:
    """Return the key's number of the newest idle connection."""
    idle = idle_connections._idle
    return idle[-1].partition if idle else None


def forget_max_reply_bytes(client: Any) -> None:
    """Let a client use the default size instead of the one that its option said."""
    client._max_reply_bytes = messages.DEFAULT_MAX_RESPONSE_BYTES


def renew_deadline(runner: Any, attempt: Any) -> Any:
    """Return an attempt that has the whole time of its call."""
    return attempt._replace(deadline=time.monotonic() + runner._timeout)


def raise_if_closed(runner: Any) -> None:
    runner._raise_if_closed()


def keep_hint(error: Any, original: Any) -> None:
    """Give an error the hint of the one that it replaces."""
    error._page_hint = original._page_hint


async def hold_own_limiter(start: Any, runner: Any, *args: Any) -> None:
    """Start a cooldown of the client's limiter, and none of the address."""
    shared = runner._shared
    runner._shared = shared._replace(limiter=runner._limiter_queue.limiter)
    try:
        await start(runner, *args)
    finally:
        runner._shared = shared


async def sleep(runner: Any, seconds: float) -> None:
    await runner._gates.sleep(seconds)


def keep_connection(lease: Any) -> None:
    """Let a lease keep its connection, whatever came over it."""
    lease.parser.keep_alive = True


def default_recv_window(builder: Any) -> int | None:
    return cast("int | None", builder._recv_window)


def first_account(mock_pipeline: Any) -> Any:
    return mock_pipeline._state.account


def counters(mock_pipeline: Any) -> Any:
    """Return the weight counters of a mock exchange by address."""
    return mock_pipeline._state.counters


def counter_for(mock_pipeline: Any, context: Any) -> Any:
    """Return the weight counter for a request."""
    return counter_at(mock_pipeline, context.address)


def counter_at(mock_pipeline: Any, address: str) -> Any:
    return mock_pipeline._state.counter_for(address)


def used_weight(mock_pipeline: Any, context: Any) -> int:
    return int(counter_for(mock_pipeline, context).used)


def clear_state(mock_engine: Any) -> None:
    mock_engine._clear()


def not_found_response(mock_pipeline: Any, context: Any) -> Any:
    return mock_pipeline._not_found_response(context)


def refund_weight(mock_pipeline: Any, context: Any) -> None:
    """Take back the weight that a request was charged."""
    counter_for(mock_pipeline, context).used -= context.operation.weight
