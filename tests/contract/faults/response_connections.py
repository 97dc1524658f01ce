"""Seeded faults of the client in its connections: ends, deadlines, sizes, what stirs."""

from __future__ import annotations

from typing import Any, Final

import pytest

from binance_usdm import TransportError
from tests.contract import patch_points as points

from .response_checks import (
    BROKEN,
    COMPRESSED,
    METADATA,
    MISDIRECTED,
    PHASES,
    SENT_SIZE,
    STIRRED,
    TRANSPORT,
)
from .response_values import fault


def _connect_error(error_from_failure: Any, failure: Any, host: str, *rest: Any) -> Any:
    if failure.kind.startswith("Connect"):
        return TransportError(f"not connected ({host})")
    return error_from_failure(failure, host, *rest)


def _read_error(error_from_failure: Any, failure: Any, host: str, *rest: Any) -> Any:
    if failure.kind.startswith("Read"):
        return TransportError(f"not read ({host})")
    return error_from_failure(failure, host, *rest)


def _use_every_connection(patch: pytest.MonkeyPatch) -> None:
    points.SYNC_IS_USABLE.replace(lambda connection: True)(patch)
    points.ASYNC_IS_USABLE.replace(lambda connection: True)(patch)


def _keep_every_connection(patch: pytest.MonkeyPatch) -> None:
    def keep(keep_or_close: Any, lease: Any, connection: Any) -> None:
        points.keep_connection(lease)
        keep_or_close(lease, connection)

    points.KEEP_OR_CLOSE.wrap(keep)(patch)
    _use_every_connection(patch)


def _without_bound(init: Any, parser: Any, limit: int, **options: Any) -> None:
    init(parser, max(limit, 1 << 20), **options)


FAULTS: Final = (
    fault("time up as a broken connection", PHASES)(
        points.LATE_ERROR_CLASS.replace(TransportError)
    ),
    fault("time up while connecting as no connection", PHASES)(
        points.ERROR_FROM_FAILURE.wrap(_connect_error)
    ),
    fault("time up while reading as a broken connection", PHASES)(
        points.ERROR_FROM_FAILURE.wrap(_read_error)
    ),
    fault("time up said to be retryable", PHASES)(points.DEADLINE_IS_RETRYABLE.replace(True)),
    fault("broken responses not retried", BROKEN, TRANSPORT)(
        points.IS_LOSS_RETRYABLE.replace(False)
    ),
    fault("size not bounded while it is read", SENT_SIZE)(points.INIT_PARSER.wrap(_without_bound)),
    fault("decoded size not bounded", COMPRESSED, METADATA)(
        points.MAX_DECOMPRESSION_RATIO.replace(5)
    ),
    fault("kept connections not looked at", STIRRED)(_use_every_connection),
    fault("every connection kept and used", MISDIRECTED, STIRRED, BROKEN)(_keep_every_connection),
)
