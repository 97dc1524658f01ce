"""Start, command, restart and end the process of `recording_exchange`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ExchangeProcess:
    """The exchange's process, as its parent has it: started, commanded, restarted and ended.

    Args:
        record: File that the process appends each request to.
        accounts: How many accounts there are; account `n` has `api_key(n)`.
        delay: Shortest and longest delay of a good response, in seconds.
        ahead_ms: How far the exchange's clock is ahead of this machine's.
        weight_limit: Weight in a minute above which the exchange itself responds with 429.
        seed: Of the exchange's delays and faults.
    """

    def __init__(
        self,
        record: Path,
        accounts: int,
        *,
        delay: tuple[float, float] = (0.0, 0.0),
        ahead_ms: int = 0,
        weight_limit: int = 2400,
        seed: int = 0,
    ) -> None:
        self.record = record
        self.starts = 0
        self.url = ""
        self._settings = {
            "accounts": accounts,
            "delay": delay,
            "ahead_ms": ahead_ms,
            "weight_limit": weight_limit,
            "seed": seed,
        }
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._launch(0)
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._kill()

    def command(self, name: str, **options: Any) -> None:
        """Have the exchange run a command. It does so a moment later."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, options]) + "\n")
        self._process.stdin.flush()

    def restart(self, down_seconds: float) -> None:
        """Kill the exchange, which cuts every connection, and start it again on the same port."""
        port = int(self.url.rpartition(":")[2])
        self._kill()
        time.sleep(down_seconds)
        self._launch(port)

    def _launch(self, port: int) -> None:
        settings = json.dumps({**self._settings, "start": self.starts, "port": port})
        program = [sys.executable, "-m", "tests.hostile.recording_exchange"]
        process = subprocess.Popen(
            [*program, str(self.record), settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        self.starts += 1
        assert self.url, "the exchange did not start"

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # The process was killed before it read the last command.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
