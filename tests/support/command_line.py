"""Run the shell command for tests, in this process or in a new one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from subprocess import PIPE
from typing import IO
from unittest import mock

from binance_usdm._cli.main import main
from tests.support.paths import ROOT

COMMAND = [sys.executable, "-m", "binance_usdm"]
Finished = subprocess.CompletedProcess[str]


def command_environment(changed: dict[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE_")}
    return {**clean, "PYTHONIOENCODING": "utf-8", **changed}


def process(
    *arguments: str, encoding: str = "utf-8", stdout: int | IO[str] = PIPE, **environment: str
) -> Finished:
    """Run the command in a new process, with these variables and no other credentials."""
    command, env = [*COMMAND, *arguments], command_environment(environment)
    return subprocess.run(
        command, env=env, stdout=stdout, stderr=PIPE, encoding=encoding, timeout=60, check=False
    )


def run(*arguments: str, encoding: str = "utf-8", **environment: str) -> Finished:
    """Run the command's function in this process, with the streams that a new one would have."""
    with (
        mock.patch.dict(os.environ, command_environment(environment), clear=True),
        _caught("stdout", 1, encoding) as out,
        _caught("stderr", 2, encoding) as err,
    ):
        code = main([*arguments])
    # The secret leak detector reads what tests print.
    print(*out, *err)
    return Finished([*COMMAND, *arguments], code, out[0], err[0])


def run_side_by_side(*commands: list[str]) -> list[Finished]:
    """Run programs that mostly wait at the same time, from the root of the tree."""

    def run_one(command: list[str]) -> Finished:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=110, cwd=ROOT, check=False
        )

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(run_one, commands))


@contextlib.contextmanager
def _caught(name: str, descriptor: int, encoding: str) -> Iterator[list[str]]:
    """Yield a list that in the end has what this process and its children write there."""
    texts: list[str] = []
    getattr(sys, name).flush()
    with tempfile.TemporaryFile() as file:
        kept = os.dup(descriptor)
        os.dup2(file.fileno(), descriptor)
        try:
            with (
                open(descriptor, "w", encoding=encoding, errors="strict", closefd=False) as stream,
                mock.patch.object(sys, name, stream),
            ):
                yield texts
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)
        file.seek(0)
        texts.append(file.read().decode(encoding))
