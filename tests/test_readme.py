"""Run what the README shows: Python blocks, the shell command with its output, the two commands."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from binance_usdm.mock import Exchange, running
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_WEIGHT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [code for language, code in BLOCKS if language == "python"]
CONSOLE = [code for language, code in BLOCKS if language == "console"]
SHELL = [code for language, code in BLOCKS if language == "sh"]
OUTPUTS = {
    0: "USDT: 122607.35137903, available 23.72469206\n"
    f"HTTP 200, weight used this minute: {2 * BALANCE_WEIGHT}\n",
    1: "1 True\n",
    2: "".join(f"desk-0{number} 122607.35137903\n" for number in (1, 2, 3)),
    3: "400 -1021 compare this machine's clock with the exchange's: client.server_time(); "
    "NTP keeps it right\n",
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


def test_the_blocks_are_found() -> None:
    """The README has five Python blocks and one shell session; the first block has seven lines."""
    assert (len(PYTHON), len(CONSOLE)) == (5, 1)
    assert len([line for line in PYTHON[0].splitlines() if line.strip()]) <= 7


@pytest.mark.parametrize("number", OUTPUTS)
def test_a_block_prints_its_output(number: int, tmp_path: Path) -> None:
    """A Python block runs without a warning against the mock exchange."""
    exchange = Exchange()
    with running(exchange) as url:
        account = {
            "BINANCE_API_KEY": exchange.api_key,
            "BINANCE_API_SECRET": exchange.api_secret,
            "BINANCE_BASE_URL": url,
        }
        done = run([sys.executable, "-W", "error", "-c", PYTHON[number]], tmp_path, **account)
    assert (done.stderr, done.stdout) == ("", OUTPUTS[number])


def test_the_pytest_block_passes(tmp_path: Path) -> None:
    """The block for users' tests needs the installed fixture and nothing more."""
    (tmp_path / "test_mine.py").write_text(PYTHON[4], encoding="utf-8")
    done = run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"], tmp_path
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("block", CONSOLE)
def test_a_command_prints_its_output(block: str, tmp_path: Path) -> None:
    """A shell session shows what its command prints."""
    command, _, output = block.removeprefix("$ ").partition("\n")
    done = run(shlex.split(command), tmp_path)
    # `mock run` ends with its summary.
    assert done.stdout + done.stderr == output


def test_the_two_commands_are_targets() -> None:
    """The README's make commands are documented targets of the Makefile."""
    commands = re.findall(r"^make (\w+)", "".join(SHELL), re.MULTILINE)
    assert commands == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE)
    assert set(commands) <= set(targets)
