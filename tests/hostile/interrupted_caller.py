"""Calls of the main thread, and the signal handler that disturbs them."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import time
from collections.abc import Iterator
from random import Random
from types import FrameType
from typing import Any

from binance_usdm import Client
from binance_usdm._errors import UsdmError
from tests.hostile.disturbed_calls import (
    TIMEOUT,
    ClientSet,
    ask,
    note_end,
    note_error,
    note_value,
    random_delay,
)
from tests.hostile.interrupt_report import Record

MAX_DEPTH = 2
SHOWN_FRAMES = 12
ERROR_CLASSES = (TimeoutError, ValueError, OSError, RuntimeError, KeyboardInterrupt)


class InterruptedCaller:
    """Calls of the main thread, and the signal handler that disturbs them.

    Args:
        clients: Whom it calls.
        record: Where it notes what happens.
        seed: Of moments and disturbances.
    """

    def __init__(self, clients: ClientSet[Client], record: Record, seed: int) -> None:
        self._clients, self._record, self._rng = clients, record, Random(seed)
        self._is_armed = False
        self._depth = 0
        self._raised: list[BaseException] = []
        self._where = ""
        self._handler_ended_at = 0.0

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Meanwhile, alarms and what finalizers raise come here."""
        former = signal.signal(signal.SIGALRM, self.handle)
        former_hook, sys.unraisablehook = sys.unraisablehook, self._note_unraisable
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)
            sys.unraisablehook = former_hook

    def call(self) -> None:
        """Make one call, and check how it ends."""
        client, question = self._clients.pick(self._rng)
        error: BaseException | None = None
        value: object = None
        self._raised.clear()
        self._depth = 0
        began_at = self._handler_ended_at = time.monotonic()
        try:
            try:
                self._is_armed = True
                self._set_timer()
                value = ask(client, question)
            finally:
                # From here on the handler does nothing. A signal just before raises here.
                self._is_armed = False
        # A signal's error can be any, and no other may get lost.
        except BaseException as caught:  # noqa: BLE001
            error = caught
        signal.setitimer(signal.ITIMER_REAL, 0)
        note_end(self._record, max(began_at + TIMEOUT, self._handler_ended_at))
        self._judge(question, value, error)

    def _judge(self, question: Any, value: object, error: BaseException | None) -> None:
        if self._raised:
            self._record.outcomes.append("interrupted")
            if error is not self._raised[-1]:
                self._judge_changed(self._raised[-1], value, error)
        elif error is None:
            note_value(self._record, question, value)
        elif isinstance(error, KeyboardInterrupt):
            raise error
        else:
            note_error(self._record, error)

    def _judge_changed(
        self, raised: BaseException, value: object, error: BaseException | None
    ) -> None:
        # Nothing but its finalizer asks for a socket's repr.
        if was_dropped_by_finalizer(raised) or "socket.socket.__repr__" in self._where:
            self._record.disturbances.append("raise in a finalizer")
        else:
            text = f"{raised!r} came out as {error!r:.120} with value {value!r:.80}"
            self._record.changed.append(f"{text} at {self._where}")

    def _set_timer(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, random_delay(self._rng, 2e-5, 0.1))

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Disturb the call that this signal found."""
        if not self._is_armed or self._depth >= MAX_DEPTH:
            return
        self._depth += 1
        try:
            self._disturb(frame)
        finally:
            self._depth -= 1
            self._handler_ended_at = time.monotonic()
            self._set_timer()

    def _disturb(self, frame: FrameType | None) -> None:
        chance = self._rng.random()
        if chance < 0.5:
            self._record.disturbances.append("raise")
            self._raise(self._rng.choice(ERROR_CLASSES)("mine"), frame)
        client, question = self._clients.pick(self._rng)
        if chance < 0.55:
            self._record.disturbances.append("close in a handler")
            client.close()
            self._clients.clients[question.account] = self._clients.make_client(question.account)
            return
        self._record.disturbances.append("nested call")
        began_at = time.monotonic()
        try:
            value = ask(client, question)
        except UsdmError as error:
            note_error(self._record, error)
        else:
            note_value(self._record, question, value)
        note_end(self._record, max(began_at + TIMEOUT, self._handler_ended_at))

    def _raise(self, error: BaseException, frame: FrameType | None) -> None:
        self._raised.append(error)
        self._where = describe_frames(frame)
        raise error

    def _note_unraisable(self, unraisable: Any) -> None:
        """Forget an error that a handler raised within a finalizer: Python itself drops it."""
        error = unraisable.exc_value
        if any(error is raised for raised in self._raised):
            self._raised[:] = [raised for raised in self._raised if raised is not error]
            self._record.disturbances.append("raise in a finalizer")
        elif error is not None:
            self._record.foreign_errors.append(f"in a finalizer: {error!r:.200}")


def was_dropped_by_finalizer(error: BaseException) -> bool:
    """Return whether an error reached no frame but the handler's, and perhaps a socket's repr.

    Python runs handlers while it finalizes a socket that an interrupt left open, and drops what
    they raise.
    """
    outermost = error.__traceback__
    if outermost is None:
        return True
    code = outermost.tb_frame.f_code
    return code in (InterruptedCaller.handle.__code__, socket.socket.__repr__.__code__)


def describe_frames(frame: FrameType | None) -> str:
    """Return where a signal came: the innermost frame and those that called it."""
    names: list[str] = []
    while frame is not None and len(names) < SHOWN_FRAMES:
        module = frame.f_globals.get("__name__", "")
        names.append(f"{module}.{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(names)
