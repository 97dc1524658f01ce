"""A PostgreSQL server for one test, on a socket in a folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PROGRAM_FOLDERS = [Path("/usr/local/bin"), *Path("/usr/lib/postgresql").glob("*/bin")]


class PostgresServer:
    """Server that is used as a context manager. Without PostgreSQL the test is skipped."""

    def __init__(self) -> None:
        path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, PROGRAM_FOLDERS)])
        programs = [shutil.which(name, path=path) for name in ("initdb", "pg_ctl", "psql")]
        if None in programs:
            pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
        self._initdb, self._pg_ctl, self._psql = map(str, programs)
        self._user = None
        # The server does not run as root.
        if os.geteuid() == 0:
            try:
                self._user = pwd.getpwnam("postgres").pw_name
            except KeyError:
                pytest.skip("root needs a user named postgres to run PostgreSQL")
        # A short path, since that of a socket has 107 bytes at most.
        self._folder = Path(tempfile.mkdtemp(prefix="usdm"))
        self._data = self._folder / "data"

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._execute(
            self._initdb, "--no-sync", "--auth=trust", "--username=test", "-D", self._data
        )
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off"
        log = self._folder / "log"
        self._execute(self._pg_ctl, "-D", self._data, "-w", "-l", log, "-o", options, "start")
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._execute(self._pg_ctl, "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def run(self, statement: str, data: str | None = None) -> str:
        """Run a statement, with data for its standard input, and return its output."""
        command = [self._psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self._folder)]
        command += ["-U", "test", "-d", "postgres", "-c", statement]
        done = subprocess.run(command, input=data, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _execute(self, *command: str | Path) -> None:
        done = subprocess.run(
            command, user=self._user, capture_output=True, text=True, timeout=120, cwd="/"
        )
        assert done.returncode == 0, done.stdout + done.stderr
