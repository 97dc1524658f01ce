"""Run a program as `env` would: pass signals on to it, and wait for its end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import FrameType
from typing import Final, NoReturn

_NAMES: Final = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# Windows lacks some of them.
_FORWARDED: Final = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_NOT_FOUND_EXIT_CODE: Final = 127
_NOT_EXECUTABLE_EXIT_CODE: Final = 126
# The kernel sends a signal to one process of a group after the other.
_GROUP_DELIVERY_SECONDS: Final = 0.03
_TERMINATION_SECONDS: Final = 5.0
_WATCHER_TIMEOUT_SECONDS: Final = 1.0


class ProgramStartError(Exception):
    """The program cannot be run. `exit_code` is the one that shells use: 126 or 127."""

    def __init__(self, program: str, error: OSError) -> None:
        super().__init__(f"cannot run {program}: {error.strerror}")
        self.exit_code = _NOT_EXECUTABLE_EXIT_CODE
        if isinstance(error, FileNotFoundError):
            self.exit_code = _NOT_FOUND_EXIT_CODE


class Watcher:
    """Process in the group of this one that sees which signals are sent to the whole group.

    It sends SIGTERM to the program if this process is killed.

    Args:
        connection: Connection to the process. `None` where there are no process groups.
    """

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection

    def set_program(self, process_id: int | None) -> None:
        """Set the process that must not outlive this one."""
        if self._connection is not None:
            self._connection.send(("program", process_id))

    def is_group_signal(self, number: int) -> bool:
        """Return whether a signal, which just arrived, was sent to the group.

        A terminal does so at Ctrl-C. Then the program has received it as well.
        """
        if self._connection is None:
            # A Windows console sends Ctrl-C to all its processes.
            return number == signal.SIGINT
        with suppress(OSError, EOFError):
            self._connection.send(("signal", number))
            if self._connection.poll(_WATCHER_TIMEOUT_SECONDS):
                return bool(self._connection.recv())
        return False


@contextmanager
def start_watcher() -> Iterator[Watcher]:
    """Start the watcher of this process's group. Call it before a thread is started."""
    if not hasattr(os, "fork"):
        yield Watcher(None)
        return
    connection, watcher_connection = Pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    process_id = os.fork()
    if process_id == 0:
        connection.close()
        _watch(watcher_connection)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    watcher_connection.close()
    try:
        yield Watcher(connection)
    finally:
        connection.close()
        os.waitpid(process_id, 0)


def _watch(connection: Connection) -> NoReturn:
    """Run the watcher until the other end is closed. The forwarded signals are blocked."""
    program_id = None
    try:
        while True:
            message, number = connection.recv()
            if message == "program":
                program_id = number
            else:
                connection.send(_take_pending(number))
    except (EOFError, OSError):
        if program_id is not None:
            os.kill(program_id, signal.SIGTERM)
    finally:
        os._exit(0)


def _take_pending(number: int) -> bool:
    time.sleep(_GROUP_DELIVERY_SECONDS)
    is_pending = number in signal.sigpending()
    if is_pending:
        signal.sigwait({number})
    return is_pending


def run_program(
    command: Sequence[str],
    environment: Mapping[str, str],
    watcher: Watcher,
    on_start: Callable[[Callable[[], None]], object] = lambda end_program: None,
) -> int:
    """Run a program and wait for its end. Signals to this process are passed on to it.

    Signals that this process ignores are ignored by the program too, as after `nohup`.

    Args:
        command: Program and arguments.
        environment: Environment variables of the program.
        watcher: Watcher of this process's group.
        on_start: Function that is called with one that ends the program, from any thread.

    Returns:
        The program's exit code, or 128 and the number of the signal that ended it, as in a shell.

    Raises:
        ProgramStartError: The program does not exist or cannot be executed.
    """
    program = _Program(watcher)
    with _signal_handlers(program.forward):
        try:
            program.start(command, environment)
        except OSError as error:
            raise ProgramStartError(command[0], error) from None
        watcher.set_program(program.pid)
        on_start(program.end)
        exit_code = program.wait()
        watcher.set_program(None)
    return exit_code if exit_code >= 0 else 128 - exit_code


class _Program(subprocess.Popen[bytes]):
    """Program that signals are passed on to, also while it starts.

    Args:
        watcher: Watcher of this process's group.
    """

    # Not the constructor of the base class, which starts the program.
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._early: list[int] = []
        # What a program that never started looks like when it is deleted.
        self._child_created = False
        self.returncode = None
        self.pid = 0

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the program, and pass on the signals that came before."""
        # The user passed the program to run.
        super().__init__(command, env=environment)
        for number in self._early:
            self.send_signal(number)

    def end(self) -> None:
        """End the program: with SIGTERM, and with SIGKILL if it goes on for some seconds."""
        self.terminate()
        killer = threading.Timer(_TERMINATION_SECONDS, self.kill)
        killer.daemon = True
        killer.start()

    def forward(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on, unless the program has received it as a member of the group."""
        if not self.pid:
            self._early.append(number)
        elif not self._watcher.is_group_signal(number):
            self.send_signal(number)


@contextmanager
def _signal_handlers(handler: signal._HANDLER) -> Iterator[None]:
    previous = {number: signal.getsignal(number) for number in _FORWARDED}
    changed = [number for number, known in previous.items() if known is not signal.SIG_IGN]
    for number in changed:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, previous[number])
