"""Seeded faults of the mock exchange: its log, and what a reset and a scenario keep."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from binance_usdm.contract._cases.raw_requests import signature
from binance_usdm.mock import Logged
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "mock")


def change_logged(**changes: Callable[[Logged], Any]) -> Patch:
    """Change attributes of every entry of the log."""
    return points.LOG_ENTRY.change_result(
        lambda logged: replace(logged, **{name: change(logged) for name, change in changes.items()})
    )


def keep_over_reset(*names: str) -> Patch:
    """Let parts of the state outlive a reset."""

    def reset_rest(reset: Any, engine: Any) -> None:
        before = engine.state
        reset(engine)
        for name in names:
            setattr(engine.state, name, getattr(before, name))

    return points.RESET.wrap(reset_rest)


def _tell_signature(check: Any, context: Any, operation: Any) -> None:
    try:
        check(context, operation)
    except points.RejectionError as error:
        covered = context.query.split_signature(operation.signature, last=False)
        right = signature(covered[0].decode(), context.key.secret)
        raise points.RejectionError(error.code, f"{error.text} Expected: {right}") from None


def _keep_clock(reset: Any, engine: Any) -> None:
    settings = engine.clock.settings
    reset(engine)
    engine.clock.settings = settings


def _keep_faults(reset: Any, engine: Any) -> None:
    waiting = [*engine.fault_queue]
    reset(engine)
    for queued in waiting:
        engine.fault_queue.add(queued)


def _without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda entry: {name: entry[name] for name in entry if name not in names}


def _recover_first(recover: Any, engine: Any) -> None:
    """Forget one address only."""
    engine.fault_queue.clear()
    engine.state.counters.pop(next(iter(engine.state.counters), None), None)


def _recover_bodies(recover: Any, engine: Any) -> None:
    recover(engine)
    engine.state.account.response_bodies.clear()


@contextmanager
def _half_a_state(replacing: Any, engine: Any) -> Any:
    """Do not go back to the state before a failure."""
    try:
        with replacing(engine):
            yield
    except ValueError:
        engine.reset()
        raise


def _share(name: str) -> Patch:
    """Let all exchanges have one attribute of the state."""
    shared: dict[str, Any] = {}

    def clear_rest(clear: Any, engine: Any, **options: Any) -> None:
        clear(engine, **options)
        setattr(engine.state, name, shared.setdefault(name, getattr(engine.state, name)))

    return points.CLEAR_STATE.wrap(clear_rest)


LOGGED: Final = "log_has_every_request"
JUDGED: Final = "log_judges_every_request"
BEHIND: Final = "log_judges_behind_faults"
SIGNED: Final = "log_answers_for_signatures"
SECRETS: Final = "texts_have_no_secret"
CUSTOM: Final = "custom_responses_are_sent"
RESET: Final = "reset_forgets_everything"
SET_UP: Final = "reset_sets_up_again"
RECOVERED: Final = "recovery_keeps_accounts"
LOADED: Final = "saved_scenario_is_loaded"
REFUSED: Final = "bad_scenario_changes_nothing"
SHARED: Final = "exchanges_share_nothing"

FAULTS: Final = (
    # The log.
    fault("log counts from zero", LOGGED, "log_keeps_the_latest")(
        change_logged(number=lambda logged: logged.number - 1)
    ),
    fault("log in seconds", LOGGED, "clock_can_be_set")(
        change_logged(at_ms=lambda logged: logged.at_ms // 1000)
    ),
    fault(
        "log without addresses",
        LOGGED,
        "transports_keep_the_address",
        "application_keeps_the_request",
    )(change_logged(address=lambda logged: "127.0.0.1")),
    fault("log has no unknown paths", LOGGED)(
        change_logged(path=lambda logged: logged.path if logged.operation else "")
    ),
    fault("answered by a fault, not judged", BEHIND, SIGNED)(
        change_logged(
            refusal=lambda logged: "" if logged.fault else logged.refusal,
            refusal_code=lambda logged: None if logged.fault else logged.refusal_code,
        )
    ),
    fault("judged by the fault's code", BEHIND)(
        change_logged(refusal_code=lambda logged: logged.refusal_code and logged.code)
    ),
    fault("valid request behind a fault blamed", BEHIND, SIGNED)(
        change_logged(refusal=lambda logged: logged.refusal or ("a fault" if logged.fault else ""))
    ),
    fault("fault not named", BEHIND, CUSTOM)(change_logged(fault=lambda logged: None)),
    fault("limit without a reason", JUDGED)(
        points.REJECTION_REASON.wrap_getter(lambda find, logged: logged.refusal)
    ),
    fault("limit blamed on the request", JUDGED)(
        change_logged(
            refusal=lambda logged: logged.refusal or ("limit" if logged.code == -1003 else "")
        )
    ),
    fault("faults excuse a signature", SIGNED)(
        points.SIGNED_REQUESTS.change_result(
            lambda requests: [
                replace(each, refusal="") if each.fault else each for each in requests
            ]
        )
    ),
    fault("no request is well signed", SIGNED)(
        points.SIGNED_REQUESTS.change_result(
            lambda requests: (
                requests
                or [Logged(1, 0, "", "", "", 200, None, None, None, "", "", b"", (), b"", "x")]
            )
        )
    ),
    fault("other keys' requests looked at", SIGNED)(
        points.SIGNED_REQUESTS.wrap(
            lambda find, engine, operation, api_key: find(engine, operation, None)
        )
    ),
    fault("latest request looked at", SIGNED)(
        points.SIGNED_REQUESTS.change_result(lambda requests: requests[-1:])
    ),
    fault("key in the repr of a request", SECRETS)(
        points.LOGGED_REPR.wrap(lambda show, logged: f"{show(logged)} {logged.api_key}")
    ),
    fault("secret in a reason", SECRETS)(
        points.EXPLAIN_BAD_SIGNATURE.wrap(
            lambda explain, key, *args: f"{explain(key, *args)}: {key.secret}"
        )
    ),
    fault(
        "right signature in a response",
        SECRETS,
        "error_codes_are_listed",
        "functions_verify_signatures",
        "public_keys_verify_signatures",
    )(points.CHECK_SIGNATURE.wrap(_tell_signature)),
    # Reset.
    fault("reset keeps weight", RESET)(keep_over_reset("counters")),
    fault("reset keeps accounts", RESET)(keep_over_reset("keys", "account")),
    fault("reset keeps later bodies", RESET)(keep_over_reset("account", "keys", "schedule")),
    fault("reset keeps switches", RESET)(keep_over_reset("switches")),
    fault("reset keeps stubs", RESET)(keep_over_reset("stubs")),
    fault("reset keeps the clock", RESET)(points.RESET.wrap(_keep_clock)),
    fault("reset keeps faults", RESET, "chance_can_be_repeated")(points.RESET.wrap(_keep_faults)),
    fault("reset forgets what was set up", SET_UP)(
        points.RESET.replace(lambda engine: points.clear_state(engine))
    ),
    # Recovery.
    fault("recovery of one address", RECOVERED, "faults_leave_the_rest_alone")(
        points.RECOVER.wrap(_recover_first)
    ),
    fault("recovery forgets bodies", RECOVERED)(points.RECOVER.wrap(_recover_bodies)),
    # Scenarios.
    fault("saved without addresses of a key", LOADED)(
        points.SAVED_KEY.change_result(_without("addresses"))
    ),
    fault("saved without permissions of a key", LOADED)(
        points.SAVED_KEY.change_result(_without("permissions"))
    ),
    fault("saved without bans", LOADED)(points.SAVED_COUNTER.change_result(_without("banned_ms"))),
    fault("saved without the number of bans", LOADED)(
        points.SAVED_COUNTER.change_result(_without("ban_count"))
    ),
    fault("saved without rejected calls", LOADED)(
        points.SAVED_COUNTER.change_result(_without("rejected_calls"))
    ),
    fault("saved without later bodies", LOADED)(points.SAVED_WAITING.replace(lambda *args: [])),
    fault("saved faults without their rules", LOADED)(
        points.SAVED_FAULT.change_result(_without("nth", "times", "operation"))
    ),
    fault("rows loaded as floats", "scenario_bodies_are_exact")(
        points.LOAD_ROW.change_result(lambda row: row | {"balance": str(float(row["balance"]))})
    ),
    fault("clock not loaded", LOADED)(points.LOAD_CLOCK.replace(lambda clock, entry: None)),
    fault("half a scenario loaded", REFUSED)(points.REPLACING_STATE.wrap(_half_a_state)),
    # Two exchanges.
    fault("stubs of all exchanges", SHARED)(_share("stubs")),
)
