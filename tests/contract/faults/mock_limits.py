"""Seeded faults of the mock exchange: weight and bans of addresses, unknown routes, headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from binance_usdm.mock import Reply
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "mock")


def count_by(owner: Callable[[Any], str]) -> Patch:
    """Count weight by something else than the address."""

    def respond_to(respond: Any, pipeline: Any, context: Any) -> Any:
        changed = replace(context, address=owner(context))
        reply = respond(pipeline, changed)
        context.is_routed = changed.is_routed
        return reply

    return points.RESPOND.wrap(respond_to)


def change_limit_text(change: Callable[[str], str]) -> Patch:
    """Change the text of a 429 and of a 418."""
    return points.LIMIT_RESPONSE.wrap(
        lambda respond, status, code, text: respond(status, code, change(text))
    )


def change_not_found(change: Callable[[Reply], Reply]) -> Patch:
    return points.NOT_FOUND_RESPONSE.change_result(change)


def _end_by_wait(respond: Any, until: int, now: int, switches: Any) -> Reply:
    reply: Reply = respond(until, now, switches)
    return replace(reply, body=reply.body.replace(b"%d" % until, b"%d" % (until - now)))


def _lengthen_ban(charge: Any, counter: Any, weight: int, now: int, switches: Any) -> Any:
    if now < counter.banned_until:
        counter.banned_until += 1000
    return charge(counter, weight, now, switches)


def _keep_rejected_calls(add: Any, counter: Any, weight: int, now: int) -> None:
    rejected_calls = counter.rejected_calls
    add(counter, weight, now)
    counter.rejected_calls = rejected_calls


def _ban_known_paths_only(respond: Any, pipeline: Any, context: Any) -> Any:
    if context.operation is None:
        context.is_routed = True
        return points.not_found_response(pipeline, context)
    return respond(pipeline, context)


def _check_before_ban(respond: Any, pipeline: Any, context: Any) -> Any:
    counter = points.counters(pipeline).get(context.address)
    if counter is None or context.rejection is None:
        return respond(pipeline, context)
    banned_until, counter.banned_until = counter.banned_until, 0
    reply = respond(pipeline, context)
    counter.banned_until = banned_until
    return reply


def _drop_error_dates(add: Any, pipeline: Any, context: Any, reply: Reply) -> Reply:
    dated: Reply = add(pipeline, context, reply)
    return dated if reply.status == 200 else reply


WEIGHTS: Final = "weight_belongs_to_the_address"
LIMITS: Final = "limits_belong_to_the_address"
BANS: Final = "bans_belong_to_the_address"
BANNED: Final = "bans_reject_every_request"
TEXTS: Final = "limits_say_when_they_end"
MINUTES: Final = "minutes_forgive_rejected_calls"
SPENT: Final = "spent_weight_is_counted"
UNKNOWN: Final = "unknown_routes_say_so"
SWITCHED: Final = "unknown_routes_follow_the_switches"
DATE: Final = "date_is_the_clock"
HEADERS: Final = "headers_follow_the_switches"

FAULTS: Final = (
    fault(
        "weight counted by key",
        WEIGHTS,
        LIMITS,
        BANS,
        BANNED,
        "faults_leave_the_rest_alone",
        "recovery_keeps_accounts",
        "saved_scenario_is_loaded",
        SPENT,
        "application_keeps_the_request",
        "limit_is_that_of_production",
        "limits_say_when_they_end",
    )(count_by(lambda context: context.api_key or context.address)),
    fault(
        "weight counted by key and address",
        WEIGHTS,
        LIMITS,
        BANS,
        "bans_get_longer",
        BANNED,
        "log_judges_every_request",
        "saved_scenario_is_loaded",
        SPENT,
        "application_keeps_the_request",
        "limit_is_that_of_production",
        "limits_say_when_they_end",
    )(count_by(lambda context: f"{context.api_key} {context.address}")),
    fault("address counted in two forms", WEIGHTS, "addresses_of_a_key_hold")(
        points.NORMALIZE_IP.replace(lambda text: text)
    ),
    fault(
        "spent weight of another address",
        LIMITS,
        "log_judges_every_request",
        SPENT,
        "limit_is_that_of_production",
    )(points.SPEND.wrap(lambda spend, engine, weight, address: spend(engine, weight, "127.0.0.1"))),
    fault("spent weight counted twice", SPENT, "limit_is_that_of_production")(
        points.SPEND.wrap(lambda spend, engine, weight, address: spend(engine, 2 * weight, address))
    ),
    fault("rejected calls of all minutes counted", MINUTES, "weight_is_counted")(
        points.ADD_WEIGHT.wrap(_keep_rejected_calls)
    ),
    # Bans.
    fault("ban's end in seconds", BANNED, TEXTS)(
        change_limit_text(lambda text: re.sub(r"until (\d{10})\d{3}", r"until \1", text))
    ),
    fault("ban's length for its end", BANNED, TEXTS)(points.BANNED_RESPONSE.wrap(_end_by_wait)),
    fault("ban's end as a date", BANNED, TEXTS)(
        change_limit_text(lambda text: re.sub(r"until \d+", "until 2020-06-09 11:36:53", text))
    ),
    fault("ban without an end", BANNED, TEXTS, "error_codes_are_listed")(
        change_limit_text(lambda text: re.sub(r" until \d+", "", text))
    ),
    fault("default limit in the text", TEXTS)(
        change_limit_text(lambda text: re.sub(r"limit is \d+", "limit is 2400", text))
    ),
    fault("ban one ms too long", BANNED, "bans_get_longer", "weight_is_counted")(
        points.BAN_RESPONSE.wrap(
            lambda find, counter, now, switches: find(
                counter, now - (now == counter.banned_until), switches
            )
        )
    ),
    fault("ban lengthened by requests", BANNED)(points.CHARGE_WEIGHT.wrap(_lengthen_ban)),
    fault("ban for known paths only", BANNED)(points.RESPOND.wrap(_ban_known_paths_only)),
    fault("ban for valid requests only", BANNED)(points.RESPOND.wrap(_check_before_ban)),
    # Unknown routes.
    fault(
        "unknown path without -5000",
        "routes_are_known",
        "undeclared_method",
        UNKNOWN,
        SWITCHED,
        "log_has_every_request",
        "error_codes_are_listed",
    )(change_not_found(lambda reply: replace(reply, body=reply.body.replace(b"-5000", b"-1000")))),
    fault("unknown path not named", UNKNOWN)(
        change_not_found(
            lambda reply: replace(reply, body=re.sub(rb"Path \S+,", b"Path /,", reply.body))
        )
    ),
    fault("unknown path as text", UNKNOWN, SWITCHED, "media_types_are_described")(
        change_not_found(lambda reply: replace(reply, headers=((b"Content-Type", b"text/plain"),)))
    ),
    fault("fixed methods in Allow", SWITCHED)(
        points.ALLOWED_METHODS.wrap(
            lambda find, spec, path: ("GET", "POST") if find(spec, path) else ()
        )
    ),
    fault("every path has methods", SWITCHED)(
        points.ALLOWED_METHODS.replace(lambda spec, path: ("GET",))
    ),
    # Headers.
    fault("Date of another clock", DATE, HEADERS)(
        # One that stands: a second that passes during the run would be noticed by other checks too.
        points.FORMAT_DATE.wrap(lambda write, seconds: write(1_767_225_600))
    ),
    fault("Date a second ahead", DATE, HEADERS)(
        points.FORMAT_DATE.wrap(lambda write, seconds: write(seconds + 1))
    ),
    fault("Date with short days", DATE, HEADERS)(
        points.FORMAT_DATE.change_result(lambda text: text.replace(b", 0", b", "))
    ),
    fault("Date of good responses only", DATE)(points.ADD_DATE.wrap(_drop_error_dates)),
    fault("used weight always sent", HEADERS)(
        points.WEIGHT_HEADERS.replace(
            lambda pipeline, context: (
                (b"X-MBX-USED-WEIGHT-1M", b"%d" % points.used_weight(pipeline, context)),
            )
        )
    ),
    fault("header names always as they were", HEADERS, "compression_follows_the_switch")(
        points.PASS_ON.replace(lambda reply, headers, switches: reply)
    ),
)
