"""Standard streams of the command. One that is closed or cannot be written is a sink."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_closed_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Otherwise a file or a socket would get its descriptor, and what is meant for the stream would be
    written there.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is this one. Programs that are started inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdin", "stdout", "stderr"):
        # print() would write to stdout instead of to a stream that is None.
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            # It stays open until the end of the process.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def discard(stream: TextIO) -> None:
    """Drop what a stream still holds and what is written to it from now on.

    The interpreter flushes the streams at its end, which would fail again.
    """
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, stream.fileno())
    os.close(sink)


def print_message(message: str) -> None:
    """Print a line to stderr, or nowhere if that cannot be written."""
    try:
        print(f"binance-usdm: {message}", file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)
