"""Seeded faults of the mock exchange."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from binance_usdm.contract._cases.raw_requests import signature
from binance_usdm.mock import Reply
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "mock")


def change_parameters(**changes: Any) -> Patch:
    """Change attributes of every parameter of the spec."""
    return points.PARSE_PARAMETER.change_result(lambda parameter: replace(parameter, **changes))


def change_route(change: Callable[[str, str], tuple[str, str]]) -> Patch:
    """Change method and path before the operation is looked up."""
    return points.FIND_OPERATION.wrap(lambda find, spec, *route: find(spec, *change(*route)))


def change_context(**changes: Callable[[Any], Any]) -> Patch:
    """Change attributes of the request before its key is looked up."""

    def find_changed(find_key: Any, context: Any) -> Any:
        values = {name: change(getattr(context, name)) for name, change in changes.items()}
        return find_key(replace(context, **values))

    return points.FIND_KEY.wrap(find_changed)


def accept_code(code: int) -> Patch:
    """Accept what the check of parameters rejects with this code."""

    def check(parameters_check: Any, context: Any, operation: Any) -> None:
        try:
            parameters_check(context, operation)
        except points.RejectionError as error:
            if error.code != code:
                raise

    return points.PARAMETERS_CHECK.wrap(check)


def change_ok(change: Callable[[Reply], Any]) -> Patch:
    """Change attributes of every response with status 200."""
    return points.OK_RESPONSE.change_result(lambda reply: replace(reply, **change(reply)))


def _repeat_first_field(reply: Reply) -> Any:
    return {"body": re.sub(rb"\{([^,}]+)", rb"{\1,\1", reply.body)}


def change_rows(change: Callable[[dict[str, Any]], Any]) -> Patch:
    """Change every object of a response with status 200."""

    def change_body(reply: Reply) -> Any:
        value = json.loads(reply.body)
        changed = [change(row) for row in value] if isinstance(value, list) else change(value)
        return {"body": json.dumps(changed).encode()}

    return change_ok(change_body)


def change_values(change: Callable[[Any], Any]) -> Patch:
    return change_rows(lambda row: {name: change(value) for name, value in row.items()})


def remove_header(point: points.PatchPoint, name: bytes) -> Patch:
    def without(reply: Reply) -> Reply:
        return replace(reply, headers=tuple(each for each in reply.headers if each[0] != name))

    return point.change_result(without)


def verify_with(verify: Callable[[str, str], bool]) -> Patch:
    """Accept what the function accepts of payload and signature, beside what is right."""
    return points.VERIFY_SIGNATURE.wrap(
        lambda is_right, key, payload, text: (
            is_right(key, payload, text) or verify(payload.decode(), text)
        )
    )


def _decode_payload(split: Any, query: Any, name: str, *, last: bool) -> Any:
    signed = split(query, name, last=last)
    return signed and (unquote_to_bytes(signed[0]), signed[1])


def _without_window(operation: Any) -> Any:
    roles = operation.parameters_by_role
    return replace(
        operation, parameters_by_role={role: roles[role] for role in roles if role != "window"}
    )


def _cap_window(check: Any, context: Any, parameter: Any) -> Any:
    text = check(context, parameter)
    return str(min(int(text), 60000)) if parameter.signing_role == "window" and text else text


def _require_order(check: Any, context: Any, operation: Any) -> None:
    names = [name for name, _ in context.query.pairs]
    ordered = [each.name for each in operation.parameters if each.name in names]
    if [name for name in names if name in ordered] != ordered:
        raise points.RejectionError(-1102, name="timestamp")
    check(context, operation)


def _parse_any_case(parse: Any, raw: bytes) -> Any:
    known = {name.lower(): name for name in ("recvWindow", "timestamp")}
    pairs = tuple((known.get(name.lower(), name), value) for name, value in parse(raw).pairs)
    return points.Query(raw, pairs, dict(reversed(pairs)))


def _refund_rejected(add_header: Any, pipeline: Any, context: Any, reply: Any) -> Any:
    if context.rejection is not None:
        points.refund_weight(pipeline, context)
    return add_header(pipeline, context, reply)


def _round_amount(value: Any) -> Any:
    return re.sub(r"(\.\d\d)\d+$", r"\1", value) if isinstance(value, str) else value


def _number(value: Any) -> Any:
    return float(value) if re.fullmatch(r"-?\d+\.\d+", str(value)) else value


CONTENT: Final = "content_is_exact"
KEYS: Final = "keys_are_checked"
EXACT_KEYS: Final = "keys_are_exact"
SECRETS: Final = "secrets_belong_to_their_keys"
SIGNATURE: Final = "signature_is_checked"
TIMESTAMP: Final = "timestamp_is_checked"
VALUES: Final = "values_are_checked"
KNOWN: Final = "routes_are_known"
KEY_FIRST: Final = "key_is_missed_first"
NAMES: Final = "names_are_exact"
DUPLICATES: Final = "duplicates_are_rejected"
UNKNOWN: Final = "unknown_parameters_are_rejected"
ACCEPTED: Final = "only_described_is_accepted"
ROUTES: Final = "routes_are_exact"
STATUSES: Final = "every_status_is_produced"
MINUTES: Final = "minutes_follow_the_clock"
WEIGHT: Final = "weight_is_counted"
BANS: Final = "bans_get_longer"
BESIDE: Final = "values_beside_are_rejected"
HEADERS_SENT: Final = "every_header_is_sent"
COST: Final = "rejected_requests_cost_weight"
TIME: Final = "exchange_time_is_sent"
BASICS: Final = "basic_requests_work"
ACCOUNT: Final = "account_belongs_to_its_keys"
JUDGED: Final = "log_judges_every_request"
LOGGED: Final = "log_has_every_request"
ALIKE: Final = "rejected_keys_look_alike"
UNOPENED: Final = "unopened_accounts_follow_the_switch"
UNKNOWN_ROUTES: Final = "unknown_routes_say_so"
SWITCHED: Final = "unknown_routes_follow_the_switches"
BANNED: Final = "bans_reject_every_request"
LIMIT_TEXTS: Final = "limits_say_when_they_end"
LOADED: Final = "saved_scenario_is_loaded"
SHAPE: Final = (CONTENT, "response_schema_conformance")
# Checks that need an accepted request, and checks that look at an error response.
OK: Final = (CONTENT, KEYS, TIMESTAMP, ROUTES, MINUTES, SECRETS, WEIGHT)
REJECTED: Final = (DUPLICATES, KEYS, SIGNATURE, TIMESTAMP, UNKNOWN, SECRETS)

FAULTS: Final = (
    # Signature.
    fault(
        "signature not checked",
        SIGNATURE,
        SECRETS,
        ACCOUNT,
        "log_answers_for_signatures",
        JUDGED,
        "stubs_are_verified",
        "functions_verify_signatures",
        "public_keys_verify_signatures",
    )(points.VERIFY_SIGNATURE.replace(lambda *_: True)),
    fault(
        "uppercase signature rejected",
        SIGNATURE,
        "functions_verify_signatures",
        "public_keys_verify_signatures",
    )(
        points.VERIFY_SIGNATURE.replace(
            lambda key, payload, text: signature(payload.decode(), str(key.secret)) == text
        )
    ),
    fault("half of a signature accepted", SIGNATURE, SECRETS, ACCOUNT)(
        verify_with(lambda payload, text: text.lower()[:32] == signature(payload)[:32])
    ),
    fault("secret of another account accepted", SECRETS, ACCOUNT, "stubs_are_verified")(
        verify_with(lambda payload, text: signature(payload, "another-secret") == text)
    ),
    fault("signature accepted anywhere", SIGNATURE)(
        points.SPLIT_SIGNATURE.wrap(lambda split, query, name, last: split(query, name, last=False))
    ),
    fault(
        "signature over decoded bytes",
        SIGNATURE,
        "log_has_what_was_signed",
        "small_changes_follow_the_switches",
    )(points.SPLIT_SIGNATURE.wrap(_decode_payload)),
    # Key.
    fault("key not checked", KEY_FIRST, CONTENT, KEYS, EXACT_KEYS, SECRETS, "ignored_auth", BASICS)(
        points.FIND_KEY.replace(lambda context: next(iter(context.keys.values())))
    ),
    fault("key in any case", KEYS)(change_context(api_key=str.lower)),
    fault("key between spaces", EXACT_KEYS)(change_context(api_key=str.strip)),
    fault(
        "key rejected with 400",
        KEY_FIRST,
        KEYS,
        EXACT_KEYS,
        "ignored_auth",
        ALIKE,
        "key_format_follows_the_switch",
        "statuses_follow_the_switch",
        "stubs_are_verified",
    )(points.STATUS_BY_CODE.replace({})),
    fault("every key reads the first account", CONTENT, BASICS)(
        points.RESPONSE_BODY.wrap(
            lambda make_body, pipeline, operation, account, now, **more: make_body(
                pipeline, operation, points.first_account(pipeline), now, **more
            )
        )
    ),
    # Timestamp and window.
    fault("timestamp not checked", TIMESTAMP, JUDGED, "stubs_are_verified")(
        points.TIMESTAMP_CHECK.replace(lambda context, operation: None)
    ),
    fault("window ignored", TIMESTAMP)(points.PARSE_OPERATION.change_result(_without_window)),
    fault("one ms too far ahead", TIMESTAMP)(points.MAX_AHEAD_MS.replace(1001)),
    fault("one ms too old", TIMESTAMP)(points.DEFAULT_RECV_WINDOW_MS.replace(5001)),
    fault("window capped at a minute", TIMESTAMP)(points.CHECK_PARAMETER.wrap(_cap_window)),
    fault("timestamp optional", VALUES, ACCEPTED, "small_changes_follow_the_switches")(
        change_parameters(required=False)
    ),
    fault(
        "window required",
        NAMES,
        SIGNATURE,
        VALUES,
        *OK,
        UNKNOWN,
        "positive_data_acceptance",
        BASICS,
    )(change_parameters(required=True)),
    # Other parameters.
    fault("duplicates accepted", DUPLICATES)(accept_code(-1101)),
    fault(
        "unknown parameters accepted",
        UNKNOWN,
        NAMES,
        STATUSES,
        ACCEPTED,
        "bodies_wait_for_their_response",
        JUDGED,
        "order_follows_the_switch",
        "statuses_follow_the_switch",
    )(accept_code(-1104)),
    fault(
        "parameters in the order of the spec only",
        DUPLICATES,
        VALUES,
        "parameters_come_in_any_order",
    )(points.PARAMETERS_CHECK.wrap(_require_order)),
    fault("parameter names in any case", NAMES)(points.PARSE_QUERY.wrap(_parse_any_case)),
    fault("range of values not checked", ACCEPTED, BESIDE, VALUES)(
        points.VALUE_CONSTRAINTS.replace(lambda *_: [])
    ),
    fault(
        "type of values not checked",
        "not_a_server_error",
        ACCEPTED,
        BESIDE,
        VALUES,
        "error_codes_are_listed",
        "small_changes_follow_the_switches",
    )(change_parameters(validate=lambda text: None)),
    # Routes.
    fault("any method accepted", KNOWN, ROUTES, "undeclared_method", SWITCHED, UNKNOWN_ROUTES)(
        points.FIND_OPERATION.replace(
            lambda spec, method, path: next(
                (each for each in spec.operations if each.path == path), None
            )
        )
    ),
    fault("HEAD handled like GET", ROUTES)(
        change_route(lambda method, path: ("GET" if method == "HEAD" else method, path))
    ),
    fault("slash after a path accepted", ROUTES)(
        change_route(lambda method, path: (method, path.rstrip("/")))
    ),
    fault("path in any case", ROUTES)(change_route(lambda method, path: (method, path.lower()))),
    # Bodies, status and headers.
    fault("empty list", *SHAPE, TIME, BASICS)(change_ok(lambda reply: {"body": b"[]"})),
    fault("rounded to two decimals", CONTENT, BASICS)(change_values(_round_amount)),
    fault("last field dropped", *SHAPE, TIME, BASICS)(
        change_rows(lambda row: dict([*row.items()][:-1]))
    ),
    fault("number instead of string", *SHAPE, BASICS)(change_values(_number)),
    fault("fields null", *SHAPE, TIME, BASICS)(change_rows(dict.fromkeys)),
    fault(
        "first field twice",
        "repeated_field",
        # They compare bodies byte by byte.
        "compression_follows_the_switch",
        "faults_keep_the_response",
        "scenario_bodies_are_exact",
        "stubs_have_their_body",
    )(change_ok(_repeat_first_field)),
    fault("JSON cut", *SHAPE, TIME, BASICS)(change_ok(lambda reply: {"body": reply.body[:-2]})),
    fault(
        "status 202",
        *(*OK, NAMES, SIGNATURE, UNKNOWN, BASICS),
        *("parameters_come_in_any_order", "status_code_conformance"),
    )(change_ok(lambda reply: {"status": 202})),
    fault("content type text", "content_type_conformance")(
        change_ok(lambda reply: {"headers": ((b"Content-Type", b"text/plain"), *reply.headers[1:])})
    ),
    fault("exchange time frozen", TIME, "accounts_have_their_alias")(
        points.FILL_FIELDS.replace(lambda spec, schema, value, now, alias: value)
    ),
    fault("exchange time in whole seconds", TIME)(
        points.FILL_FIELDS.wrap(
            lambda fill, spec, schema, value, now, alias: fill(
                spec, schema, value, now // 1000 * 1000, alias
            )
        )
    ),
    # Error responses.
    fault(
        "rejected as a server error",
        *REJECTED,
        *(EXACT_KEYS, NAMES, STATUSES, KEY_FIRST, VALUES, BESIDE, "headers_are_described"),
        *("ignored_auth", "missing_required_header", "not_a_server_error"),
        ALIKE,
        UNOPENED,
        "key_format_follows_the_switch",
        "replays_follow_the_switch",
        "statuses_follow_the_switch",
        "stubs_are_verified",
        "functions_verify_signatures",
        "public_keys_verify_signatures",
        "small_changes_follow_the_switches",
    )(points.REJECTION_STATUS.replace(lambda error, switches: 500)),
    fault(
        "error response without code",
        KEY_FIRST,
        KNOWN,
        NAMES,
        VALUES,
        *REJECTED,
        "response_schema_conformance",
        "undeclared_method",
        LOGGED,
        ALIKE,
        SWITCHED,
        UNKNOWN_ROUTES,
        UNOPENED,
        "key_format_follows_the_switch",
        "order_follows_the_switch",
        "statuses_follow_the_switch",
        "functions_verify_signatures",
        "public_keys_verify_signatures",
        "small_changes_follow_the_switches",
    )(points.ERROR_RESPONSE.change_result(lambda reply: replace(reply, body=b'{"msg":"no"}'))),
    fault("undescribed fault", STATUSES, "faults_are_described")(
        points.TIMEOUT_FAULT.replace(
            replace(
                points.TIMEOUT_FAULT.value,
                make_response=lambda context: points.error_response(409, -1007, ""),
            )
        )
    ),
    fault("limit without a code", "faults_are_described", BANNED, LIMIT_TEXTS)(
        points.LIMIT_RESPONSE.wrap(lambda respond, status, code, text: respond(status, None, text))
    ),
    # Weight, limits and bans.
    fault("no weight in the response", WEIGHT, COST, BASICS, HEADERS_SENT)(
        remove_header(points.RESPOND, b"X-MBX-USED-WEIGHT-1M")
    ),
    fault(
        "every request weighs one",
        MINUTES,
        COST,
        WEIGHT,
        BASICS,
    )(
        points.CHARGE_WEIGHT.wrap(
            lambda charge, counter, weight, now, switches: charge(counter, 1, now, switches)
        )
    ),
    fault("rejected requests cost nothing", COST)(points.ADD_WEIGHT_HEADER.wrap(_refund_rejected)),
    fault("minutes of thirty seconds", MINUTES, LOADED)(points.MINUTE_MS.replace(30_000)),
    fault("no Retry-After", WEIGHT, MINUTES, BANS, BANNED, LIMIT_TEXTS, HEADERS_SENT)(
        remove_header(points.ADD_RETRY_AFTER, b"Retry-After")
    ),
    fault("Retry-After rounded down", MINUTES, WEIGHT, BANNED, LIMIT_TEXTS)(
        points.ADD_RETRY_AFTER.wrap(
            lambda add, reply, ms, switches: add(reply, max(ms - 999, 0), switches)
        )
    ),
    fault("ban a second too short", BANS, WEIGHT, BANNED, LIMIT_TEXTS, LOADED)(
        points.START_BAN.wrap(
            lambda ban, counter, ms, now, **more: ban(counter, ms - 1000, now, **more)
        )
    ),
    fault(
        "one weight for all addresses",
        "weight_belongs_to_the_address",
        "bans_belong_to_the_address",
        "faults_leave_the_rest_alone",
        "limits_belong_to_the_address",
        "recovery_keeps_accounts",
        "spent_weight_is_counted",
        "application_keeps_the_request",
    )(points.COUNTER_FOR.wrap(lambda find, state, address: find(state, "203.0.113.9"))),
    fault("bans of the same length", BANS, LIMIT_TEXTS)(
        points.START_BAN.wrap(
            lambda ban, counter, ms, now, **more: ban(counter, min(ms, 120_000), now, **more)
        )
    ),
)
