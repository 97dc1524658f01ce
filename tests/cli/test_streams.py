"""Standard streams that are closed, full or closed early: no traceback, and nothing astray."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from binance_usdm.mock import Exchange, running
from tests.support.spec_facts import BALANCE_PATH

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")

KEY, SECRET = "StreamKey".ljust(64, "k"), "StreamSecret".ljust(64, "s")


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    return Exchange(api_key=KEY, api_secret=SECRET)


@pytest.fixture(scope="module")
def url(exchange: Exchange) -> Iterator[str]:
    with running(exchange) as url:
        yield url


def run_shell(
    command: str, url: str, key: str = KEY, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a shell command, in which `usdm` is the command."""
    program = f'"{sys.executable}" -m binance_usdm'
    credentials = {"BINANCE_API_KEY": key, "BINANCE_API_SECRET": SECRET, "BINANCE_BASE_URL": url}
    return subprocess.run(
        ["bash", "-c", command.replace("usdm", program, 1)],
        env={**os.environ, **credentials, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


COMMANDS = ("balance", "--version", "--help", "doctor")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stream_is_a_sink(url: str, command: str, closed: str) -> None:
    """With a closed stream the command does the same, and prints to the other one unchanged."""
    finished = run_shell(f"usdm {command} {closed}", url)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (finished.stdout == "") == (">&- " in f"{closed} ".replace("2>&- ", ""))


@pytest.mark.parametrize(
    ("command", "code"),
    [("balance", 1), ("balance --asset NONE", 1), ("doctor", 1), ("blance", 2), ("", 2)],
)
def test_messages_never_reach_stdout(url: str, command: str, code: int) -> None:
    """What is meant for a closed stderr is not printed to stdout; the exit code stays."""
    key = KEY if "NONE" in command else "unknown-key"
    finished = run_shell(f"usdm {command} 2>&-", url, key)
    assert (finished.returncode, finished.stderr) == (code, "")
    for text in ("binance-usdm:", "usage:", "Error", "Traceback"):
        assert text not in finished.stdout
    closed = run_shell(f"usdm {command} >&- 2>&-", url, key)
    assert (closed.returncode, closed.stdout, closed.stderr) == (code, "", "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_socket_gets_no_standard_descriptor(exchange: Exchange, closed: str) -> None:
    """The server receives the request and nothing that is meant for a closed stream."""
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                while b"\r\n\r\n" not in received:
                    received.extend(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
                while data := connection.recv(65536):
                    received.extend(data)

        server = threading.Thread(target=serve)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        finished = run_shell(f"usdm balance {closed}", url)
        server.join(30)
    assert finished.returncode == 1
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"GET " + BALANCE_PATH.encode() + b"?")
    assert rest == b""


def test_a_data_file_keeps_its_content(url: str, tmp_path: Path) -> None:
    """A data file that gets the descriptor of stderr holds data only."""
    file = tmp_path / "balance.json"
    finished = run_shell(f"usdm balance --json --asset NONE 2>&- >{file}", url)
    assert finished.returncode == 1
    assert file.read_text() == "[]\n"


@pytest.mark.parametrize("command", [*COMMANDS, "balance --asset NONE"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_early_closed_pipe_is_quiet(url: str, command: str, unbuffered: str) -> None:
    """A reader that closes the pipe ends the command quietly, with the code of the work."""
    finished = run_shell(
        f"set -o pipefail; usdm {command} | true",
        url,
        PYTHONUNBUFFERED=unbuffered,
    )
    stderr = finished.stderr.replace("binance-usdm: no row for the asset 'NONE'\n", "")
    assert (stderr, finished.stdout) == ("", "")
    assert finished.returncode in ((0, 1) if "NONE" in command else (0,))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_an_error(url: str, command: str, unbuffered: str) -> None:
    """Output that cannot be written is one line on stderr and exit code 1."""
    finished = run_shell(f"usdm {command} >/dev/full", url, PYTHONUNBUFFERED=unbuffered)
    expected = "binance-usdm: OSError: No space left on device\n"
    assert (finished.returncode, finished.stderr) == (1, expected)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("command", "code"), [("balance", 0), ("balance --asset NONE", 1), ("blance", 2)]
)
@pytest.mark.parametrize("broken", ["2>/dev/full", "2>&1 >/dev/null | true"])
def test_unwritable_messages_keep_the_code(url: str, command: str, code: int, broken: str) -> None:
    """A stderr that cannot be written changes no exit code."""
    finished = run_shell(f"set -o pipefail; usdm {command} {broken}", url)
    assert (finished.returncode, finished.stderr) == (code, "")


def test_programs_inherit_a_sink(url: str) -> None:
    """A program under `mock run` with a closed stdout writes to a sink, not to a socket."""
    program = "import os, sys; sys.exit(os.fstat(1).st_rdev != os.stat(os.devnull).st_rdev)"
    finished = run_shell(f"usdm mock run -- '{sys.executable}' -c '{program}' >&- 2>&-", url)
    assert finished.returncode == 0
