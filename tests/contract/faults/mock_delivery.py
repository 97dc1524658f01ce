"""Seeded faults of the mock exchange: transports, changed bodies, and what it keeps and tells."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from binance_usdm.mock import Switches
from tests.contract import patch_points as points

from .seeded_fault import seed

fault = partial(seed, "mock")


def _map_first_row(map_rows: Any, body: bytes, transform: Any) -> Any:
    rows: list[Any] = []

    def transform_first(row: Any) -> Any:
        rows.append(row)
        return transform(row) if len(rows) == 1 else row

    return map_rows(body, transform_first)


def _last_key(get: Any, engine: Any) -> Any:
    return [*engine.state.keys.values()][-1]


_INTERNAL: Final = points.INTERNAL_FAULT.value
_LATENCY: Final = points.LATENCY_FAULT.value

APPLICATION: Final = "application_keeps_the_request"
DELIVERY: Final = "transports_deliver_faults"
KEPT: Final = "faults_keep_the_response"

FAULTS: Final = (
    fault("every client of a socket is local", APPLICATION)(
        points.CLIENT_ADDRESS.replace(lambda scope: "127.0.0.1")
    ),
    fault("path of the mount in the path", APPLICATION)(
        points.PATH_IN_APPLICATION.replace(lambda scope: scope["raw_path"])
    ),
    fault("bodies of requests not read", APPLICATION)(
        points.MAY_HAVE_BODY.replace(lambda scope: False)
    ),
    fault("transport never waits", DELIVERY)(
        points.TRANSPORT_DELAYS.replace(lambda seconds, request: iter(()))
    ),
    fault("last piece of a body lost", DELIVERY)(
        points.DELIVERY_PIECES.wrap(lambda pieces, *args: iter([*pieces(*args)][:-1]))
    ),
    fault("first row changed alone", "every_row_is_changed")(points.MAP_ROWS.wrap(_map_first_row)),
    fault("one kind of unusual JSON", "kinds_of_json_differ")(
        points.APPLY_QUIRK.wrap(lambda apply, body, quirk: apply(body, "nan"))
    ),
    fault("one shape of a 503", "shapes_of_errors_differ")(
        points.INTERNAL_FAULT.replace(
            replace(
                _INTERNAL,
                make_response=lambda context, shape: _INTERNAL.make_response(context, "default"),
            )
        )
    ),
    fault("latency without jitter", KEPT)(
        points.LATENCY_FAULT.replace(
            replace(
                _LATENCY,
                make_response=lambda context, seconds, jitter: _LATENCY.make_response(
                    context, seconds, 0.0
                ),
            )
        )
    ),
    fault("first of two due bodies sent", "bodies_wait_for_their_time")(
        points.MOMENT_OF_BODY.wrap(lambda moment, *args: -moment(*args))
    ),
    fault("log without an end", "log_keeps_the_latest")(
        points.IS_LOG_FULL.replace(lambda log: False)
    ),
    fault("signed bytes with the signature", "log_has_what_was_signed")(
        points.SIGNED_PAYLOAD.wrap_getter(
            lambda get, logged: logged.raw_query + logged.body if logged.signature else None
        )
    ),
    fault("code of a wrong value fixed", "small_changes_follow_the_switches")(
        points.VIOLATION_REJECTION.wrap(lambda reject, switches, *args: reject(Switches(), *args))
    ),
    fault("credentials of the latest account", "credentials_are_told")(
        points.FIRST_KEY.wrap_getter(_last_key)
    ),
    fault("any signature of a public key", "public_keys_verify_signatures")(
        points.LOAD_PUBLIC_KEY.replace(lambda pem: lambda payload, signature: True)
    ),
    fault("amount with an exponent", "stubs_have_their_body")(points.ENCODE_DECIMAL.replace(str)),
    fault("body without a required field", "bodies_are_validated")(
        points.REQUIRED_ERRORS.replace(lambda *args: iter(()))
    ),
)
