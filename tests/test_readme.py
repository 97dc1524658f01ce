"""What the README claims, run: every Python block, every shell command with its output, every link and room."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from binance_usdm.mock import Exchange, running
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [code for kind, code in BLOCKS if kind == "python"]
CONSOLE = [code for kind, code in BLOCKS if kind == "console"]
OUTPUTS = {
    0: "USDT: 122607.35137903, available 23.72469206\nHTTP 200, weight used this minute: 10\n",
    1: "1 True\n",
    2: "1 row\n1 row\n1 row\n",
    3: "400 -1021 compare this machine's clock with the exchange's: client.server_time(); NTP keeps it right\n",
}


def run(command: list[str], cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_there_is_something_to_run() -> None:
    assert (len(PYTHON), len(CONSOLE)) == (5, 1)
    assert len([line for line in PYTHON[0].splitlines() if line.strip()]) <= 7


@pytest.mark.parametrize("number", OUTPUTS)
def test_a_python_block_prints_what_it_should(number: int, tmp_path: Path) -> None:
    exchange = Exchange()
    with running(exchange) as url:
        account = {
            "BINANCE_API_KEY": exchange.api_key,
            "BINANCE_API_SECRET": exchange.api_secret,
            "BINANCE_BASE_URL": url,
        }
        done = run([sys.executable, "-W", "error", "-c", PYTHON[number]], tmp_path, **account)
    assert (done.stderr, done.stdout) == ("", OUTPUTS[number])


def test_the_pytest_block_passes_with_the_fixture_alone(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(PYTHON[4], encoding="utf-8")
    done = run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"], tmp_path
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("block", CONSOLE)
def test_a_shell_command_prints_what_is_shown(block: str, tmp_path: Path) -> None:
    command, _, shown = block.removeprefix("$ ").partition("\n")
    done = run(shlex.split(command), tmp_path)
    assert (done.stderr, done.stdout) == ("", shown)


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    commands = re.findall(
        r"^make (\w+)", "".join(code for kind, code in BLOCKS if kind == "sh"), re.MULTILINE
    )
    assert commands == ["demo", "test"]
    targets = re.findall(
        r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(commands) <= set(targets)


def test_every_room_of_the_table_is_there() -> None:
    table = README[README.index("| I want to") :]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "`" in line]
    rooms = [room for line in rows for room in re.findall(r"`([\w./]+)`", line.split("|")[2])]
    assert len(rooms) > 10
    assert [room for room in rooms if not (ROOT / room).exists()] == []
