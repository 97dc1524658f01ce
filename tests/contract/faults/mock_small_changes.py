"""Seeded faults of the mock exchange that only the table of small changes shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import signature
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .mock import (
    DUPLICATES,
    KEY_FIRST,
    NAMES,
    SIGNATURE,
    TIMESTAMP,
    UNKNOWN,
    VALUES,
    fault,
    verify_with,
)


def change_pairs(change: Callable[[points.Pairs], points.Pairs]) -> Patch:
    """Change names and values of the query before they are looked at."""

    def parse_changed(parse: Any, raw: bytes) -> Any:
        pairs = change(parse(raw).pairs)
        return points.Query(raw, pairs, dict(reversed(pairs)))

    return points.PARSE_QUERY.wrap(parse_changed)


def change_timestamp(change: Callable[[int, int], int]) -> Patch:
    """Change a timestamp and the present time to another timestamp before it is checked."""

    def check_changed(check: Any, context: Any, operation: Any) -> None:
        values = dict(context.checked_values)
        if operation.parameters_by_role.get("timestamp") is not None:
            name = operation.parameters_by_role["timestamp"].name
            values[name] = str(change(int(values[name] or "0"), context.now))
        check(replace(context, checked_values=values), operation)

    return points.TIMESTAMP_CHECK.wrap(check_changed)


def change_code(old: int, new: int) -> Patch:
    """Reject with another code."""

    def error_response(respond: Any, status: int, code: int | None, text: str) -> Any:
        return respond(status, new if code == old else code, text)

    return points.ERROR_RESPONSE.wrap(error_response)


def _read_exact_header(
    handle: Any, pipeline: Any, method: str, target: bytes, headers: Any, *more: Any
) -> Any:
    known = [each for each in headers if each[0] != b"x-mbx-apikey"]
    return handle(pipeline, method, target, known, *more)


def _ahead_with_window(check: Any, context: Any, operation: Any) -> None:
    sent = int(context.checked_values.get("timestamp") or "0")
    if context.checked_values.get("recvWindow") and sent > context.now:
        context = replace(context, now=sent)
    check(context, operation)


def _shorter_window(check: Any, context: Any, parameter: Any) -> Any:
    text = check(context, parameter)
    is_window = parameter.signing_role == "window" and text
    return str(int(text) - 1) if is_window else text


def _swap_malformed(reject: Any, switches: Any, parameter: Any, violation: Any) -> Any:
    codes = switches.malformed_mandatory, switches.malformed_optional
    swapped = replace(switches, malformed_mandatory=codes[1], malformed_optional=codes[0])
    return reject(swapped, parameter, violation)


def _validate_like_python(make: Any, schema: Any) -> Any:
    validate = make(schema)

    def read(text: str) -> Any:
        try:
            return validate(str(int(text))) if schema["type"] == "integer" else validate(text)
        except ValueError:
            return validate(text)

    return read


def _allow_signing_names(check: Any, context: Any, operation: Any) -> None:
    try:
        check(context, operation)
    except points.RejectionError as error:
        extra = {*context.query.first_values} - operation.allowed_names
        if error.code != -1104 or not extra <= {"timestamp", "recvWindow", "signature"}:
            raise


def _reject_needless_key(check: Any, context: Any, operation: Any) -> None:
    has_key = any(name.lower() == b"x-mbx-apikey" for name, _ in context.headers)
    if operation.key_header is None and has_key:
        raise points.RejectionError(-2014)
    check(context, operation)


def _parameters_first(check: Any, context: Any, operation: Any) -> None:
    points.PARAMETERS_CHECK.value(context, operation)
    check(context, operation)


FAULTS: Final = (
    # Timestamp and window.
    fault("edge ahead ignored with a window", TIMESTAMP)(
        points.TIMESTAMP_CHECK.wrap(_ahead_with_window)
    ),
    fault("edge of a window excluded", TIMESTAMP)(points.CHECK_PARAMETER.wrap(_shorter_window)),
    fault("timestamp in microseconds accepted", TIMESTAMP)(
        change_timestamp(lambda ms, now: ms // 1000 if ms > 1000 * now // 2 else ms)
    ),
    fault("timestamp in seconds accepted", TIMESTAMP)(
        change_timestamp(lambda ms, now: ms * 1000 + now % 1000 if ms < now // 500 else ms)
    ),
    fault("timestamp only compared by the second", TIMESTAMP)(
        change_timestamp(lambda ms, now: ms // 1000 * 1000 + now % 1000)
    ),
    # Parameters, signature and routes.
    fault("empty values taken for none", VALUES)(
        change_pairs(lambda pairs: tuple(each for each in pairs if each[1]))
    ),
    fault("spaces around values removed", VALUES, SIGNATURE, "small_changes_follow_the_switches")(
        change_pairs(lambda pairs: tuple((name, text.strip()) for name, text in pairs))
    ),
    fault("spaces around names removed", NAMES)(
        change_pairs(lambda pairs: tuple((name.strip(), text) for name, text in pairs))
    ),
    fault(
        "key header in one case only",
        NAMES,
        "log_has_every_request",
        "application_keeps_the_request",
    )(points.HANDLE_REQUEST.wrap(_read_exact_header)),
    fault("numbers read as a program reads them", VALUES)(
        points.COMPILE_VALIDATOR.wrap(_validate_like_python)
    ),
    fault("codes of malformed values swapped", VALUES)(
        points.VIOLATION_REJECTION.wrap(_swap_malformed)
    ),
    fault("code of an empty value", VALUES)(change_code(-1105, -1104)),
    fault("last of different values accepted", DUPLICATES)(
        change_pairs(lambda pairs: tuple(dict(pairs).items()))
    ),
    fault("same value twice accepted", DUPLICATES)(
        change_pairs(lambda pairs: tuple(dict.fromkeys(pairs)))
    ),
    fault("signing parameters accepted without signing", UNKNOWN)(
        points.PARAMETERS_CHECK.wrap(_allow_signing_names)
    ),
    fault("needless key rejected", UNKNOWN)(points.KEY_CHECK.wrap(_reject_needless_key)),
    fault(
        "parameters checked before the key", KEY_FIRST, "ignored_auth", "order_follows_the_switch"
    )(points.KEY_CHECK.wrap(_parameters_first)),
    fault(
        "code of a missing signature",
        SIGNATURE,
        NAMES,
        VALUES,
        "error_codes_are_listed",
        "small_changes_follow_the_switches",
    )(change_code(-1102, -1105)),
    fault("signature with more digits accepted", SIGNATURE)(
        verify_with(lambda payload, text: len(text) > 64 and text[:64] == signature(payload))
    ),
    fault("spaces around a signature removed", SIGNATURE)(
        points.VERIFY_SIGNATURE.wrap(
            lambda is_right, key, payload, text: is_right(key, payload, text.strip())
        )
    ),
)
