"""What may hang, begun in a thread of its own: a resolver, a limiter or a transport that takes no time limit. Knows none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

TIMEOUT_MESSAGE = "nothing complete came in time"
_T = TypeVar("_T")


def run_in_thread(work: Callable[[], _T]) -> Future[_T]:
    """Begin what may hang, in a thread that nobody must wait for, not even the interpreter at its end."""
    answer: Future[_T] = Future()
    answer.set_running_or_notify_cancel()  # it always comes, wanted or not

    def target() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # every failure is that of whoever asks for the result  # noqa: BLE001
            answer.set_exception(error)

    try:
        threading.Thread(target=target, name="binance-usdm", daemon=True).start()
    except RuntimeError as error:  # no more threads, or the interpreter ends
        answer.set_exception(OSError(str(error)))
    return answer
