"""Seeded faults of the mock exchange: its own faults, and bodies that wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "mock")


def change_queued(change: Callable[[Any], object]) -> Patch:
    """Change a fault before it waits."""

    def add_changed(add: Any, queue: Any, queued: Any) -> None:
        change(queued)
        add(queue, queued)

    return points.ADD_FAULT.wrap(add_changed)


def change_rule(**rules: Any) -> Patch:
    """Replace rules of every fault."""

    def change(queued: Any) -> None:
        for name, value in rules.items():
            setattr(queued, name, value)

    return change_queued(change)


def _double_times(queued: Any) -> None:
    queued.times = queued.times and queued.times + 1


def _count_every_request(match: Any, queue: Any, operation: Any, path: str, api_key: str) -> Any:
    for queued in queue:
        if queued.nth > 1 and not queued.matches(operation, path, api_key):
            queued.nth -= 1
    return match(queue, operation, path, api_key)


def _spend_on_every_request(match: Any, queue: Any, *request: Any) -> Any:
    """Use up a fault by requests that it is not for."""
    found = match(queue, *request)
    waiting = [*queue]
    queue.clear()
    for queued in waiting:
        if queued.times is not None and not queued.matches(*request):
            queued.times -= 1
        if queued.times != 0:
            queue.add(queued)
    return found


def _add_first(add: Any, queue: Any, queued: Any) -> None:
    others = [*queue]
    queue.clear()
    for each in (queued, *others):
        add(queue, each)


def _keep_faulty_body(respond: Any, pipeline: Any, context: Any, queued: Any) -> Any:
    reply = respond(pipeline, context, queued)
    if context.operation and queued.name == "extra-member":
        key = context.key or next(iter(context.keys.values()))
        key.account.response_bodies[context.operation.id] = reply.body
    return reply


def _ban_for_real(respond: Any, pipeline: Any, context: Any, queued: Any) -> Any:
    reply = respond(pipeline, context, queued)
    if queued.name == "banned":
        points.counter_for(pipeline, context).ban(120_000, context.now)
    return reply


def _charge_everybody(respond: Any, pipeline: Any, context: Any, queued: Any) -> Any:
    for address in ("203.0.113.1", "203.0.113.2"):
        points.counter_at(pipeline, address).add(1, context.now)
    return respond(pipeline, context, queued)


def _for_every_account(
    apply: Any, state: Any, operation: Any, account: Any, *args: Any, **more: Any
) -> None:
    apply(state, operation, account, *args, **more)
    for key in (*state.keys.values(),):
        if operation.id in account.response_bodies:
            key.account.response_bodies[operation.id] = account.response_bodies[operation.id]


def _seed_every_operation(
    seed_body: Any, engine: Any, operation_id: str, *args: Any, **more: Any
) -> None:
    if args[0] == b"[0]":
        for operation in engine.spec.operations:
            seed_body(engine, operation.id, b"[0]", None)
    seed_body(engine, operation_id, *args, **more)


REQUESTS: Final = "faults_hit_their_requests"
KEY: Final = "faults_hit_their_key"
OPERATION: Final = "faults_hit_their_operation"
LINE: Final = "faults_wait_in_line"
CUSTOM: Final = "custom_responses_are_sent"
REST: Final = "faults_leave_the_rest_alone"
RESPONSE: Final = "bodies_wait_for_their_response"
TIME: Final = "bodies_wait_for_their_time"
OTHERS: Final = "bodies_belong_to_their_operation"

FAULTS: Final = (
    fault("fault for a key hits every key", KEY)(change_rule(api_key=None)),
    fault("fault for a path hits every path", REQUESTS, OPERATION)(change_rule(path=None)),
    fault("fault for an operation hits other paths", OPERATION)(change_rule(operation=None)),
    fault("fault for an operation hits none", REQUESTS, OPERATION)(
        points.FAULT_MATCHES.wrap(
            lambda matches, queued, *request: queued.operation is None and matches(queued, *request)
        )
    ),
    fault(
        "fault once too often",
        REQUESTS,
        KEY,
        RESPONSE,
        "every_status_is_produced",
        REST,
        LINE,
        "reset_sets_up_again",
        "saved_scenario_is_loaded",
        "certain_failures_cost_nothing",
        "faults_take_options",
        "every_media_type_is_sent",
        OPERATION,
        "every_row_is_changed",
        "faults_keep_the_response",
        "kinds_of_json_differ",
        "shapes_of_errors_differ",
        "transports_deliver_faults",
    )(change_queued(_double_times)),
    fault("fault counts requests of other keys", KEY, OPERATION)(
        points.MATCH_FAULT.wrap(_count_every_request)
    ),
    fault("fault used up by other requests", KEY, OPERATION)(
        points.MATCH_FAULT.wrap(_spend_on_every_request)
    ),
    fault("last fault first", LINE)(points.ADD_FAULT.wrap(_add_first)),
    fault("faults not forgotten", LINE, "recovery_keeps_accounts")(
        points.CLEAR_FAULTS.replace(lambda queue: None)
    ),
    fault("header added to custom responses", CUSTOM)(
        points.PASS_ON.wrap(
            lambda pass_on, reply, *args: (
                reply.with_header(b"Server", b"mock")
                if reply.status == 599
                else pass_on(reply, *args)
            )
        )
    ),
    fault("body of a fault kept", REST, "every_row_is_changed")(
        points.RESPOND_WITH_FAULT.wrap(_keep_faulty_body)
    ),
    fault("fault of a ban starts one", REST)(points.RESPOND_WITH_FAULT.wrap(_ban_for_real)),
    fault("fault charges every address", REST, "certain_failures_cost_nothing")(
        points.RESPOND_WITH_FAULT.wrap(_charge_everybody)
    ),
    fault("errors count for a later body", RESPONSE)(
        points.RESPONSE_BODY.wrap(
            lambda make_body, *args, **more: make_body(*args, is_response=True)
        )
    ),
    fault(
        "later body one response late",
        RESPONSE,
        "saved_scenario_is_loaded",
        "stubs_have_their_body",
    )(
        points.SCHEDULE_BODY.wrap(
            lambda make, body, nth, after_ms, now: make(body, nth and nth + 1, after_ms, now)
        )
    ),
    fault("later body one ms late", TIME, "saved_scenario_is_loaded", "stubs_have_their_body")(
        points.SCHEDULE_BODY.wrap(
            lambda make, body, nth, after_ms, now: make(
                body, nth, after_ms if after_ms is None else after_ms + 1, now
            )
        )
    ),
    fault("later body for every account", RESPONSE, TIME, "saved_scenario_is_loaded")(
        points.APPLY_SCHEDULE.wrap(_for_every_account)
    ),
    fault("body for every operation", OTHERS, TIME)(points.SEED_BODY.wrap(_seed_every_operation)),
)
