"""Wrong usage states the rule and the shape of what came, and never a value that may be secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from binance_usdm._cli.usage_errors import hide_values
from tests.support.command_line import run

SECRET = "CanarySecret0123456789abcdef"
SHAPE = "a string of 28 characters"
CASES = {
    "stray": ("balance SECRET", f"unrecognized arguments: {SHAPE}"),
    "command": ("SECRET", f"invalid choice: {SHAPE} (choose from "),
    "subcommand": ("mock SECRET", f"invalid choice: {SHAPE} (choose from "),
    "unknown option": ("server-time --asset=SECRET", f"arguments: --asset={SHAPE}"),
    "flag": ("balance --json=SECRET", f"ignored explicit argument {SHAPE}"),
    "seconds": ("balance --timeout SECRET", "must be a positive number of seconds, at most 3600"),
    "window": ("balance --recv-window SECRET", f"invalid int value: {SHAPE}"),
    "doctor": ("doctor --recv-window SECRET", "must be a positive integer of milliseconds"),
    "base URL": ("balance --base-url SECRET", "base_url must look like"),
    "proxy": ("balance --proxy SECRET", "proxy must look like"),
    "port": ("mock serve --port SECRET", "must be a port from 0 to 65535"),
    "host": ("mock serve --host SECRET", "must be an IP address"),
    "workers": ("mock serve --workers SECRET", "must be an integer of 1 or more"),
    "certificate": ("mock serve --tls-cert SECRET", "the file cannot be read"),
    "offset": ("mock serve --clock-offset SECRET", f"invalid int value: {SHAPE}"),
    "account": ("mock serve --account SECRET", "must be KEY=SECRET"),
    "account twice": ("mock serve --account K=SECRET --account K=SECRET", "belongs to an account"),
    "switch": ("mock serve --switch SECRET=1", "must be NAME=VALUE; the switches are "),
    "integer switch": ("mock serve --switch weight_limit=SECRET", "must be an integer, 1 or more"),
    "enum switch": ("mock serve --switch unopened=SECRET", "must be one of rows, empty, refused"),
    "fault": ("mock serve --fault SECRET", f"unknown fault {SHAPE}; expected one of: "),
    "fault option": ("mock serve --fault waf:SECRET=1", f"probability, not {SHAPE}"),
    "fault value": ("mock serve --fault error:code=SECRET", "option code must be 0, or a negative"),
    "fault rule": ("mock serve --fault waf:operation=SECRET", f"unknown operation {SHAPE}"),
    "reply": ("mock serve --reply SECRET", "must be OPERATION=FILE; the operations are "),
    "replay": ("mock serve --replay SECRET", "the file cannot be read"),
    "public key": ("mock serve --public-key SECRET", "the file cannot be read"),
    "scrub": ("mock scrub SECRET", "the file cannot be read"),
}


@pytest.mark.promise("S1")
@pytest.mark.parametrize("case", CASES)
def test_no_message_repeats_a_secret(case: str) -> None:
    """The rule and the shape are said, wherever a secret is passed by mistake."""
    words, said = CASES[case]
    done = run(*words.replace("SECRET", SECRET).split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Canary" not in done.stderr


def test_names_are_repeated() -> None:
    """A misspelled option, fault or command is named, so that it can be found."""
    for words in ("balance --time-out 5", "mock serve --fault rate-limitd", "server-tim"):
        assert words.split()[-1 if "out" not in words else 1] in run(*words.split()).stderr


@pytest.mark.parametrize(
    ("words", "command", "option"),
    [
        ("balance --colums asset", "balance", "--columns"),
        ("balance --nonzero --colums=asset", "balance", "--non-zero or --columns"),
        ("balance -json", "balance", "--json"),
        ("doctor --jsn", "doctor", "--json"),
        ("mock serve --sitch gzip=true", "mock serve", "--switch"),
        ("--verion spec", "[-h]", "--version"),
    ],
)
def test_a_misspelled_option_asks_for_the_nearest(words: str, command: str, option: str) -> None:
    """The command that was written says which of its options was probably meant."""
    done = run(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert f"; did you mean {option}?\n" in done.stderr
    assert done.stderr.startswith(f"usage: binance-usdm {command} ")


def test_only_names_of_options_are_compared() -> None:
    """A word that is no option, and one that is far from all, gets no question."""
    for words in ("balance columns", "balance --zzz", f"balance --{SECRET}"):
        done = run(*words.split())
        assert "unrecognized arguments: " in done.stderr
        assert "did you mean" not in done.stderr


@pytest.mark.parametrize(
    "argument", [f"--json={SECRET}", f"a:{SECRET},b", f"-----BEGIN {SECRET}", f"'{SECRET}'"]
)
def test_parts_of_arguments_are_hidden(argument: str) -> None:
    """A value is hidden in each form in which a message may have it."""
    for message in (f"not {argument}", f"not {argument!r}", f"not {SECRET}"):
        assert "Canary" not in hide_values(message, [argument, SECRET])


def test_a_file_that_exists_is_named(tmp_path: Path) -> None:
    """A path is no secret: the message says which file has no such profile."""
    file = tmp_path / "Profiles0123456789.toml"
    message = f"{file} has no profile 'desk-77'"
    assert str(file) not in hide_values(message, [str(file)])
    file.touch()
    assert hide_values(message, [str(file)]) == message
    assert hide_values("not \0x" + SECRET, ["\0x" + SECRET]) != "not \0x" + SECRET
