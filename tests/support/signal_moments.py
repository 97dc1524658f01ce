"""Run a function and raise at the n-th moment at which Python could have run a signal handler."""

from __future__ import annotations

import contextlib
import dis
import functools
import signal
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

_CHECKING = ("RESUME", "JUMP_BACKWARD", "CALL")
"""Beginnings of the names of instructions after which Python looks for signals."""
_INSTRUCTION_SIZE = 2


class SignalMoments:
    """Counts the moments of a function, and raises at one of them what a handler would raise.

    A handler of SIGALRM that raises is installed meanwhile, as the package looks for its frame.

    Args:
        error: What is raised.
        at: Number of the moment, from 1. With 0 nothing is raised.
        is_traced: Whether the moments of a frame count, by the name of its file and its function.
    """

    def __init__(
        self, error: BaseException, at: int, is_traced: Callable[[str, str], bool]
    ) -> None:
        self.count = 0
        self.where = ""
        self.error, self._at, self._is_traced = error, at, is_traced
        self._last_offset: dict[FrameType, int] = {}

    def run(self, function: Callable[[], Any]) -> Any:
        """Run the function, and return what it returns. Raises what it raises."""
        former = signal.signal(signal.SIGALRM, self.handle)
        # Python 3.12 has these events only if the frame that begins to trace asks for them.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._trace_call)
        try:
            return function()
        finally:
            sys.settrace(None)
            signal.signal(signal.SIGALRM, former)
            self._last_offset.clear()

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Raise the error, as a signal handler."""
        if frame is not None:
            self.where = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
        raise self.error

    def _trace_call(self, frame: FrameType, _: str, __: Any) -> Any:
        if not self._is_traced(frame.f_code.co_filename, frame.f_code.co_name):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace_opcode

    def _trace_opcode(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            self._last_offset.pop(frame, None)
        if event != "opcode":
            return self._trace_opcode
        # The first event of a function comes after its RESUME, which begins it.
        former = self._last_offset.get(frame, frame.f_lasti - _INSTRUCTION_SIZE)
        self._last_offset[frame] = frame.f_lasti
        if former >= 0 and is_moment(frame.f_code, former, frame.f_lasti):
            self.count += 1
            if self.count == self._at:
                self.handle(0, frame)
        return self._trace_opcode


def trace_once(function: Callable[[], Any], is_traced: Callable[[str, str], bool]) -> None:
    """Run a function without raising at a moment. Its own errors are dropped.

    Python 3.13 reports the instructions of a function from its second traced call on.
    """
    with contextlib.suppress(Exception):
        SignalMoments(KeyboardInterrupt(), 0, is_traced).run(function)


def is_moment(code: CodeType, former: int, offset: int) -> bool:
    """Return whether Python looks for signals between two instructions.

    What a handler raises there belongs to the former one, and is raised at the latter here: so the
    same blocks must guard both.
    """
    name = dis.opname[code.co_code[former]]
    return name.startswith(_CHECKING) and _guard_of(code, former) == _guard_of(code, offset)


@functools.lru_cache(4096)
def _guard_of(code: CodeType, offset: int) -> int | None:
    """Return the offset of the instruction that follows an exception of this one."""
    guards = [
        entry.target
        for entry in dis._parse_exception_table(code)  # type: ignore[attr-defined]
        if entry.start <= offset < entry.end
    ]
    return guards[0] if guards else None
