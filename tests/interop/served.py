"""Serve the mock exchange from a child process."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Run `binance-usdm mock serve` with these options on a free port, and yield the base URL.

    Raises:
        RuntimeError: The server did not start; the message has what it printed.
    """
    command = [sys.executable, "-m", "binance_usdm", "mock", "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            line = server.stderr.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+", line)
            if url is None:
                server.terminate()
                printed = f"{line}{server.stderr.read()}".strip()
                raise RuntimeError(f"the mock exchange did not start: {printed}")
            # Whatever else it prints is read, so that it never waits for a reader.
            threading.Thread(target=deque, args=(server.stderr, 0), daemon=True).start()
            yield url[0]
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
