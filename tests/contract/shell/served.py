"""`binance-usdm mock serve` as a child on a free port, for a while. Knows no operation and no account."""

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
    """Serve the mock exchange with these options of the command; gives the base URL. RuntimeError with its words if it does not start."""
    command = [sys.executable, "-m", "binance_usdm", "mock", "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        try:
            line = server.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found is None:
                server.terminate()
                raise RuntimeError(
                    f"the mock exchange did not start: {line}{server.stderr.read()}".strip()
                )
            # what else it says is read, so that it never waits for a reader
            threading.Thread(target=deque, args=(server.stderr, 0), daemon=True).start()
            yield found[0]
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
