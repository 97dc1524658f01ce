"""Run the command in a pseudo-terminal, and read what its screen shows."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Self

from binance_usdm._cli.output.table import FALLBACK_WIDTH
from tests.support.command_line import COMMAND

if sys.platform != "win32":
    import fcntl
    import termios

_SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Za-z])")


class Screen:
    """What a terminal shows. It knows the sequences that the command uses, and no others.

    A line that is wider than the terminal, and a cursor that leaves the top, fail the test.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines = [""]
        self._row = 0
        self._column = 0

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def feed(self, text: str) -> None:
        """Take what the command wrote."""
        position = 0
        while position < len(text):
            sequence = _SEQUENCE.match(text, position)
            if sequence:
                self._run(sequence[2], int(sequence[1] or 0))
                position = sequence.end()
            else:
                self._put(text[position])
                position += 1

    def _run(self, command: str, count: int) -> None:
        start = self.lines[self._row][: self._column]
        if command == "A":
            assert 0 < count <= self._row, "the cursor would leave the top"
            self._row -= count
        elif command == "K":
            self.lines[self._row] = start
        elif command == "J" and count == 2:
            self.lines = [""] * (self._row + 1)
        elif command == "J":
            self.lines[self._row :] = [start]
        else:
            assert command == "H", command
            self._row = self._column = 0

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
            return
        if character == "\n":
            self._row += 1
            if self._row == len(self.lines):
                self.lines.append("")
            return
        assert character.isprintable(), ascii(character)
        line = self.lines[self._row].ljust(self._column)
        self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
        self._column += 1
        assert self._column <= self.columns, f"wrapped: {self.lines[self._row]}"


class Terminal:
    """The command on a pseudo-terminal of some size. Its stderr is the same terminal.

    Args:
        arguments: Arguments of the command.
        columns: Width.
        lines: Height.
        environment: Environment variables.
        stdout: Descriptor that the command writes its data to instead of the terminal.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int,
        environment: Mapping[str, str],
        lines: int = 24,
        stdout: int | None = None,
    ) -> None:
        self.raw = ""
        self.screen = Screen(columns)
        self._main, terminal = os.openpty()
        self.resize(columns, lines)
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            env={"TERM": "xterm", **environment},
            stdin=terminal,
            stdout=terminal if stdout is None else stdout,
            stderr=terminal,
            # Ctrl-C reaches the processes of which this is the controlling terminal.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(terminal)

    def resize(self, columns: int, lines: int) -> None:
        """Set the size of the terminal."""
        self.screen.columns = columns or FALLBACK_WIDTH
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, size)

    def wait_for(self, is_shown: Callable[[str], bool], seconds: float = 30.0) -> str:
        """Read until the screen shows something, and return the screen's text."""
        end = time.monotonic() + seconds
        while not is_shown(self.screen.text):
            assert time.monotonic() < end, f"not shown:\n{self.screen.text}"
            if not self._read(0.2) and self.process.poll() is not None:
                self._read(0.2)
                assert is_shown(self.screen.text), f"ended:\n{self.screen.text}"
        return self.screen.text

    @property
    def is_drawn(self) -> bool:
        """Whether the last drawing of `--watch` was read to its end, which clears what is below."""
        return self.raw.endswith("\x1b[J")

    def press_ctrl_c(self) -> None:
        """Send the key that interrupts a program."""
        os.write(self._main, b"\x03")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        code = self.process.wait(30)
        while self._read(0.05):
            pass
        return code

    def _read(self, seconds: float) -> bool:
        if not select.select([self._main], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._main, 1 << 16).decode()
        # Linux reports the end of a terminal as an error.
        except OSError:
            return False
        self.raw += data
        self.screen.feed(data.replace("^C", ""))
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._main)
