"""`mock run -- PROGRAM`: signals, exit codes, standard input, and the end of either process."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.spec_facts import TIME_PATH

PROGRAM = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
received = []
for name in sys.argv[2:]:
    signal.signal(getattr(signal, name), lambda number, frame: received.append(number))
(folder / "pid").write_text(str(os.getpid()))
(folder / "url").write_text(os.environ["BINANCE_BASE_URL"])
(folder / "ready").touch()
while not received:
    time.sleep(0.01)
time.sleep(0.8)
(folder / "received").write_text(" ".join(signal.Signals(number).name for number in received))
sys.exit(7)
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


def wait_for(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def is_running(process_id: int) -> bool:
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program under the mock, in a new process group, and wait for it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*names: str, prefix: tuple[str, ...] = (), **options: Any) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-c", PROGRAM, str(tmp_path), *names]
        command = [*prefix, *COMMAND, "mock", "run", "--", *program]
        started.append(subprocess.Popen(command, **{"start_new_session": True, **options}))
        wait_for((tmp_path / "ready").exists)
        return started[-1]

    yield start
    for wrapper in started:
        with suppress(ProcessLookupError):
            os.killpg(wrapper.pid, signal.SIGKILL)
        wrapper.wait()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_signals_reach_the_program(start: Start, tmp_path: Path, name: str) -> None:
    """A signal to the command reaches the program, whose exit code is the command's."""
    wrapper = start(name)
    wrapper.send_signal(getattr(signal, name))
    assert wrapper.wait(20) == 7
    assert (tmp_path / "received").read_text() == name


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_group_signals_arrive_once(start: Start, tmp_path: Path, name: str) -> None:
    """A signal to the process group reaches the program once, which then may take its time."""
    wrapper = start(name)
    os.killpg(wrapper.pid, getattr(signal, name))
    assert wrapper.wait(20) == 7
    assert (tmp_path / "received").read_text() == name


def test_ctrl_c_waits_for_the_program(start: Start, tmp_path: Path) -> None:
    """Ctrl-C in a terminal reaches the program once, and the command waits for its end."""
    terminal, side = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(side, termios.TIOCSCTTY, 0)

    wrapper = start("SIGINT", stdin=side, stdout=side, stderr=side, preexec_fn=take_terminal)
    os.write(terminal, b"\x03")
    assert wrapper.wait(20) == 7
    assert (tmp_path / "received").read_text() == "SIGINT"
    os.close(terminal)
    os.close(side)


def test_an_ignored_sigterm_is_survived(start: Start, tmp_path: Path) -> None:
    """While a program ignores SIGTERM, the command and the mock stay too."""
    wrapper = start("SIGUSR1", prefix=("sh", "-c", 'trap "" TERM; exec "$@"', "sh"))
    wrapper.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert wrapper.poll() is None
    done = run("server-time", BINANCE_BASE_URL=(tmp_path / "url").read_text())
    assert done.returncode == 0
    wrapper.send_signal(signal.SIGUSR1)
    assert wrapper.wait(20) == 7
    assert (tmp_path / "received").read_text() == "SIGUSR1"


def test_a_killed_command_ends_the_program(start: Start, tmp_path: Path) -> None:
    """If the command is killed, the program gets SIGTERM, and no process stays."""
    wrapper = start("SIGTERM")
    wrapper.kill()
    wrapper.wait()
    program = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_running(program))
    assert (tmp_path / "received").read_text() == "SIGTERM"
    with pytest.raises(ProcessLookupError):
        wait_for(lambda: os.killpg(wrapper.pid, 0))


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [
        ("exit 3", 3),
        ("kill -TERM $$", 128 + signal.SIGTERM),
        ("kill -KILL $$", 128 + signal.SIGKILL),
        # The signal of a grandchild in another process group is the shell's to report.
        ("setsid sh -c 'kill -INT $$'", 128 + signal.SIGINT),
    ],
)
def test_exit_codes_are_the_programs(script: str, exit_code: int) -> None:
    """The exit code is the program's, or 128 and the number of its signal."""
    assert run("mock", "run", "--", "sh", "-c", script).returncode == exit_code


def test_a_missing_program_is_127(tmp_path: Path) -> None:
    """A program that does not exist ends the command with 127, others with 126."""
    script = tmp_path / "script"
    script.write_text("#!/nowhere/interpreter\n")
    for name, exit_code in (("/nowhere/program", 127), ("no-such-program", 127)):
        done = run("mock", "run", "--", name)
        assert (done.returncode, done.stdout) == (exit_code, "")
        assert done.stderr == f"binance-usdm: cannot run {name}: No such file or directory\n"
    done = run("mock", "run", "--", str(script))
    assert (done.returncode, done.stderr.count("\n")) == (126, 1)
    script.chmod(0o755)
    assert run("mock", "run", "--", str(script)).returncode == 127
    assert run("mock", "run", "--", str(tmp_path)).returncode == 126


def test_the_program_reads_standard_input() -> None:
    """Standard input is the program's."""
    command = [*COMMAND, "mock", "run", "--", "cat"]
    done = subprocess.run(command, input=b"to the program", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"to the program")


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ("", "", "127.0.0.1 127.0.0.1"),
        ("a.example, b.example,", "", "a.example, b.example,127.0.0.1 " * 2),
        ("", "c.example", "c.example,127.0.0.1 " * 2),
        ("a.example", "c.example", "a.example,127.0.0.1 c.example,127.0.0.1"),
        ("10.0.0.0/8 127.0.0.1", "*", "10.0.0.0/8 127.0.0.1 *"),
    ],
)
def test_the_mock_needs_no_proxy(lower: str, upper: str, expected: str) -> None:
    """The variables no_proxy and NO_PROXY name the mock beside the hosts that were there."""
    program = [
        sys.executable,
        "-c",
        "import os; print(os.environ['no_proxy'], os.environ['NO_PROXY'])",
    ]
    done = run("mock", "run", "--", *program, no_proxy=lower, NO_PROXY=upper)
    assert done.stdout == f"{expected.strip()}\n"


def test_the_proxy_of_the_shell_is_not_asked() -> None:
    """The package's own variable for a proxy is removed: the mock is on this machine."""
    program = [sys.executable, "-m", "binance_usdm", "balance", "--json"]
    done = run("mock", "run", "--", *program, BINANCE_PROXY="http://127.0.0.1:9")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith("mock exchange: 1 request: 1 accepted")


def test_a_proxy_is_not_asked() -> None:
    """A program that honors proxy variables reaches the mock in spite of a dead proxy."""
    script = (
        "import os, urllib.request as r; "
        f"print(r.urlopen(os.environ['BINANCE_BASE_URL'] + '{TIME_PATH}').status)"
    )
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    done = run("mock", "run", "--", sys.executable, "-c", script, **proxies)
    assert (done.returncode, done.stdout) == (0, "200\n")


def test_a_program_runs_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no fork, as Windows, a program is run all the same."""
    monkeypatch.delattr(os, "fork")
    assert run("mock", "run", "--", "sh", "-c", "exit 5").returncode == 5
