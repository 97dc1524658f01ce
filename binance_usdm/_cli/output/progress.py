"""A line on the terminal while a command takes longer than a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Final, TextIO

from binance_usdm import Event

from .table import FALLBACK_WIDTH, cut_to_width, terminal_width

DELAY_SECONDS: Final = 1.0
"""Time after which the line appears."""
INTERVAL_SECONDS: Final = 0.25
CLEAR_LINE: Final = "\r\x1b[K"


def can_move_cursor(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that understands escape sequences."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


class Progress:
    """What a command waits for. The line leaves nothing behind.

    Use it as a context manager, once or several times.

    Args:
        what: What is done, such as "balance".
        stream: Where the line is shown.
    """

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._started_at = time.monotonic()
        self._count = ""
        self._wait = ""
        self._wait_until = 0.0

    def on_event(self, event: Event) -> None:
        """Take what a call reports: a retry, or a wait for the weight budget."""
        reasons = {
            "retry": f"attempt {event.attempt + 1}",
            "budget_wait": "the weight budget has room",
            "cooldown": "the exchange's limit is over",
        }
        if event.kind in reasons and event.seconds:
            self._wait = reasons[event.kind]
            self._wait_until = time.monotonic() + event.seconds

    def on_account(self, label: str, done: int, total: int) -> None:
        """Take how many accounts were read."""
        self._count = f"{done} of {total} accounts"

    def set_count(self, text: str) -> None:
        """Take what was done so far, such as "12 cases"."""
        self._count = text

    def line(self) -> str:
        """Return the text of the line."""
        now = time.monotonic()
        parts = [f"{self._what}: {now - self._started_at:.0f} s", self._count]
        if self._wait_until > now:
            parts.append(f"{self._wait_until - now:.0f} s until {self._wait}")
        return ", ".join(filter(None, parts))

    def __enter__(self) -> None:
        self._started_at = time.monotonic()
        self._is_shown = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._is_shown:
            self._write(CLEAR_LINE)

    def _run(self) -> None:
        """Show the line until the end, beginning after a second."""
        seconds = DELAY_SECONDS
        while not self._ended.wait(seconds):
            seconds = INTERVAL_SECONDS
            width = (terminal_width(self._stream) or FALLBACK_WIDTH) - 1
            self._is_shown = True
            self._write(CLEAR_LINE + cut_to_width(self.line(), width))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        # The terminal is gone. The command itself notices when it prints.
        except OSError:
            self._ended.set()


def make_progress(what: str) -> Progress | None:
    """Return a progress line on stderr, None when that is not a terminal."""
    return Progress(what, sys.stderr) if can_move_cursor(sys.stderr) else None
