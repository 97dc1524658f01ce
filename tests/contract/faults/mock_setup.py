"""Seeded faults of the mock exchange: what a test sets up, switches, chance and the clock."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Final

from tests.contract import patch_points as points

from .seeded_fault import seed

fault = partial(seed, "mock")


def _replace_key(
    add: Any, state: Any, account: Any, api_key: str, secret: Any, **options: Any
) -> None:
    state.keys.pop(api_key, None)
    add(state, account, api_key, secret, **options)


def _spend_anything(spend: Any, engine: Any, weight: int, address: str) -> None:
    if weight >= 0:
        spend(engine, weight, address)


def _charge_throttled(respond: Any, pipeline: Any, context: Any, queued: Any) -> Any:
    if queued.name == "throttled":
        points.counter_for(pipeline, context).add(5, context.now)
    return respond(pipeline, context, queued)


def _run_in_fixed_order(run: Any, context: Any, operation: Any) -> None:
    switches, fixed = context.switches, ("key", "parameters", "timestamp", "signature")
    context.switches = replace(switches, order=fixed)
    try:
        run(context, operation)
    finally:
        context.switches = switches


def _cut_ping(check: Any, pipeline: Any, method: str, target: bytes, *rest: Any) -> Any:
    return check(pipeline, method, _PING if target.startswith(_PING) else target, *rest)


_PING: Final = b"/fapi/v1/ping"
_SEEDS: Final = count()

WRONG: Final = "wrong_settings_are_refused"
ALIAS: Final = "accounts_have_their_alias"
STUBS: Final = "stubs_are_verified"
OPTIONS: Final = "faults_take_options"
COST: Final = "certain_failures_cost_nothing"
TRANSPORT: Final = "transports_keep_the_address"
REPLAYS: Final = "replays_follow_the_switch"
CHANCE: Final = "chance_can_be_repeated"
CLOCK: Final = "clock_can_be_set"

FAULTS: Final = (
    fault("bodies not validated", WRONG, "bodies_are_validated")(
        points.VALIDATE_BODY.replace(lambda *args: None)
    ),
    fault("known key replaced", WRONG)(points.ADD_KEY.wrap(_replace_key)),
    fault("negative weight ignored", WRONG)(points.SPEND.wrap(_spend_anything)),
    fault("alias of the first account", ALIAS)(
        points.EXAMPLE_BODY.wrap(
            lambda make, spec, operation, now, alias: make(spec, operation, now, None)
        )
    ),
    fault("one alias for all others", ALIAS)(
        points.ACCOUNT_ALIAS.replace(lambda number: "sameAlia")
    ),
    fault("longer paths taken for a stub", "stubs_have_their_body")(
        points.CHECK_REQUEST.wrap(_cut_ping)
    ),
    fault("stubs not verified", STUBS, "log_answers_for_signatures")(
        points.CHOOSE_STUB.replace(lambda stub, query, headers: stub.open)
    ),
    fault(
        "options of faults ignored",
        OPTIONS,
        WRONG,
        "every_media_type_is_sent",
        "every_row_is_changed",
        "faults_keep_the_response",
        "kinds_of_json_differ",
        "shapes_of_errors_differ",
        "transports_deliver_faults",
    )(points.RESOLVE_OPTIONS.replace(lambda described, options: dict(described.options))),
    fault("firewall charges weight", COST, "headers_are_described")(
        points.FIREWALL_FAULT.replace(replace(points.FIREWALL_FAULT.value, costs_weight=True))
    ),
    fault("throttled requests charged", COST)(points.RESPOND_WITH_FAULT.wrap(_charge_throttled)),
    fault("one address for all transports", TRANSPORT)(
        points.TRANSPORT_ADDRESS.replace(lambda text: "127.0.0.1")
    ),
    fault("replays never refused", REPLAYS)(
        points.REMEMBER_SIGNATURE.replace(lambda state, text: False)
    ),
    fault("every signature a replay", REPLAYS)(
        points.REMEMBER_SIGNATURE.replace(lambda state, text: True)
    ),
    fault("statuses of codes fixed", "statuses_follow_the_switch")(
        points.REJECTION_STATUS.replace(
            lambda error, switches: points.STATUS_BY_CODE.value.get(error.code, 400)
        )
    ),
    fault("order of checks fixed", "order_follows_the_switch")(
        points.RUN_CHECKS.wrap(_run_in_fixed_order)
    ),
    fault("form of keys fixed", "key_format_follows_the_switch")(
        points.MATCHES_KEY_FORMAT.wrap(lambda matches, key, form: matches(key, r"[!-~]{1,128}"))
    ),
    fault("body never compressed", "compression_follows_the_switch")(
        points.PASS_ON.wrap(
            lambda pass_on, reply, headers, switches: pass_on(
                reply, headers, replace(switches, gzip=False)
            )
        )
    ),
    fault("body compressed for everybody", "compression_follows_the_switch")(
        points.PASS_ON.wrap(
            lambda pass_on, reply, headers, switches: pass_on(
                reply, ((b"Accept-Encoding", b"gzip"),), switches
            )
        )
    ),
    fault("probability ignored", CHANCE)(points.IS_DRAWN.replace(lambda queue, chance: True)),
    fault("chance without a seed", CHANCE)(
        points.INIT_ENGINE.wrap(
            lambda init, *args, random_seed, **more: init(*args, random_seed=next(_SEEDS), **more)
        )
    ),
    fault("clock cannot be advanced", CLOCK)(points.ADVANCE_CLOCK.replace(lambda clock, ms: None)),
    fault("clock cannot be frozen", CLOCK)(points.FREEZE_CLOCK.replace(lambda clock: None)),
    fault("drift in parts per thousand", CLOCK)(
        points.DRIFT_CLOCK.wrap(lambda drift, clock, ppm: drift(clock, 1000 * ppm))
    ),
)
