"""Completion scripts: what the parser gives, printed as they are, and what a shell makes of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from binance_usdm._cli import completion
from tests.support.command_line import run
from tests.support.paths import ROOT

WRITER = ROOT / ".ci" / "completions.py"
FOLDER = ROOT / "binance_usdm" / "_cli" / "completions"
CHECKS = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


@pytest.mark.skipif(not WRITER.exists(), reason="no .ci in this tree")
def test_the_scripts_are_what_the_parser_gives() -> None:
    """A command or option without its completion is seen: `make generate` writes it."""
    done = subprocess.run(
        [sys.executable, str(WRITER), "--check"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", completion.FILE_BY_SHELL)
def test_a_script_is_printed_and_valid(shell: str, tmp_path: Path) -> None:
    """`completion SHELL` prints the file, which the shell can read."""
    done = run("completion", shell)
    file = FOLDER / completion.FILE_BY_SHELL[shell]
    assert (done.returncode, done.stdout, done.stderr) == (0, file.read_text("utf-8"), "")
    for option in ("all-profiles", "watch", "output", "jsonl", "whoami", "serve"):
        assert option in done.stdout
    if shutil.which(shell):
        subprocess.run([*CHECKS[shell], str(file)], check=True, timeout=30)


def complete(*words: str) -> list[str]:
    """Return what bash offers for the last of the words."""
    program = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_binance_usdm
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        ["bash", "-c", program, "bash", str(FOLDER / "binance-usdm.bash"), "binance-usdm", *words],
        capture_output=True, text=True, check=True, timeout=30, cwd=FOLDER,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("bal",), ["balance"]),
        (("",), ["balance", "server-time", "doctor", "whoami", "mock", "completion", "contract", "spec", "-h",
                 "--help", "--version"]),
        (("balance", "--all"), ["--all-profiles", "--all-members"]),
        (("balance", "--csv", "--non"), ["--non-zero"]),
        (("balance", "--output", ""), ["table", "json", "jsonl", "csv", "tsv"]),
        (("balance", "--output", "=", "js"), ["json", "jsonl"]),
        (("balance", "--output", "="), ["table", "json", "jsonl", "csv", "tsv"]),
        (("balance", "--asset", "mock", "--ti"), ["--timeout", "--time"]),
        (("balance", "--profile", ""), []),
        (("balance", "--profiles-file", "_"), ["_binance-usdm"]),
        (("mock", ""), ["serve", "run", "schema", "scrub", "-h", "--help"]),
        (("mock", "serve", "--wor"), ["--workers"]),
        (("spec", "--language", ""), ["en", "zh"]),
        (("completion", ""), ["bash", "zsh", "fish", "-h", "--help"]),
    ],
)  # fmt: skip
def test_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, options, their values and files are offered where they can stand."""
    assert complete(*words) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_instructions_work_for_a_new_user(tmp_path: Path) -> None:
    """The lines of the help for bash and fish write the scripts in an empty home folder."""
    text = run("completion", "--help").stdout
    lines = [line.strip() for line in text.splitlines() if "~/" in line and line[:4] == "    "]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "binance-usdm"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m binance_usdm "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
    }
    for line in lines:
        subprocess.run(["bash", "-ec", line], env=environment, check=True, timeout=60, cwd=ROOT)
    written = {file.name: file for file in tmp_path.rglob("*binance-usdm*") if file != program}
    assert written.keys() == {"binance-usdm", "_binance-usdm", "binance-usdm.fish"}
    for shell, name in completion.FILE_BY_SHELL.items():
        file = written["binance-usdm" if shell == "bash" else name]
        assert file.read_text("utf-8") == (FOLDER / name).read_text("utf-8")
