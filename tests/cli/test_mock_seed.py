"""Test `mock serve --seed` and `mock run --seed`: a scenario, the other options, and mistakes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.test_mock_commands import start_server
from tests.support.command_line import COMMAND, process, run

SCENARIO = """
[[accounts]]
keys = [{ api_key = "desk-key", api_secret = { env = "DESK_SECRET" } }]

[[accounts.replies]]
operation = "balance"
rows = [{ asset = "USDT", balance = "100" }]

[[accounts.replies]]
operation = "balance"
rows = [{ asset = "USDT", balance = "80" }]
nth = 2
"""
TWICE = f"{shlex.join(COMMAND)} balance --csv && {shlex.join(COMMAND)} balance --csv"
SECRET = "could-be-a-real-secret"


@pytest.fixture
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DESK_SECRET", SECRET)
    path = tmp_path / "desk.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return str(path)


def test_a_program_sees_balances_move(seed: str) -> None:
    """Two runs of a program in one mock: key and secret are those of the file."""
    done = process(
        "mock", "run", "--strict", "--seed", seed, "--", "sh", "-c", TWICE, DESK_SECRET=SECRET
    )
    assert done.returncode == 0, done.stderr
    balances = [line.split(",")[2] for line in done.stdout.splitlines() if "USDT" in line]
    assert balances == ["100", "80"]
    assert SECRET not in done.stdout + done.stderr


def test_serve_prints_the_key_and_not_the_secret(seed: str) -> None:
    """What the file refers to stays where it is."""
    with start_server("--seed", seed) as printed:
        assert "export BINANCE_API_KEY=desk-key\n" in printed
        assert "# BINANCE_API_SECRET: the secret of --seed\n" in printed
        assert SECRET not in printed


def test_exports_of_a_scenario_can_be_pasted(tmp_path: Path) -> None:
    """Without accounts in the file, the default key is printed with its secret."""
    path = tmp_path / "clock.json"
    path.write_text('{"clock": {"offset_ms": 20000}, "switches": {"weight_limit": 100}}')
    with start_server("--seed", str(path)) as printed:
        exports = "\n".join(printed.splitlines()[1:])
        script = f"{exports}\n{shlex.join(COMMAND)} balance --json"
        done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "USDT" in done.stdout) == (0, True), done.stderr


def test_options_are_added_to_the_file(seed: str, tmp_path: Path) -> None:
    """`--switch`, `--fault`, `--account` and `--reply` come after the file."""
    body = tmp_path / "rows.json"
    body.write_text("[]")
    program = (
        "import os, urllib.request as r, urllib.error as e\n"
        "try: r.urlopen(os.environ['BINANCE_BASE_URL'] + '/fapi/v1/time')\n"
        "except e.HTTPError as error: print(error.code)"
    )
    options = ["--fault", "gateway:operation=server_time", "--account", "two=its-secret"]
    options += ["--switch", "weight_limit=4", "--reply", f"balance={body}"]
    command = ("mock", "run", "--seed", seed, *options, "--", sys.executable, "-c", program)
    done = run(*command, DESK_SECRET=SECRET)
    assert (done.returncode, "1 answered by faults" in done.stderr) == (0, True), done.stderr
    balance = (*command[:-3], *COMMAND, "balance", "--timeout", "0.5")
    limited = run(*balance, DESK_SECRET=SECRET)
    assert "HTTP 429" in limited.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SCENARIO.replace("api_secret", "api_secrt"),
         "desk.toml: scenario.accounts[0].keys[0] has the unknown field api_secrt; expected: "
         "api_key, api_secret, public_key, addresses, permissions (did you mean api_secret?)"),
        (SCENARIO.replace("DESK_SECRET", "NOT_SET"),
         "desk.toml: scenario.accounts[0].keys[0]: the variable NOT_SET is not set"),
        (SCENARIO.replace("nth = 2", "nth = 0"),
         "desk.toml: scenario.accounts[0].replies[1].nth does not match minimum 1"),
        ("accounts = [", "desk.toml: the file is not valid TOML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_wrong_usage(seed: str, content: str, said: str) -> None:
    """Exit code 2, the file, the place, and the name that was meant."""
    Path(seed).write_text(content, encoding="utf-8")
    for command, program in (("serve", ()), ("run", ("--", "true"))):
        done = run("mock", command, "--seed", seed, *program, DESK_SECRET=SECRET)
        assert done.returncode == 2
        assert said in done.stderr
        assert SECRET not in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """As for every other file of the command."""
    done = run("mock", "run", "--seed", str(tmp_path / "none.toml"), "--", "true")
    assert (done.returncode, "--seed: the file cannot be read" in done.stderr) == (2, True)


def test_a_key_of_the_command_line_excludes_the_file(seed: str) -> None:
    """Two keys for one account would leave one of them unused."""
    done = run("mock", "run", "--seed", seed, "--api-key", "K", "--", "true", DESK_SECRET=SECRET)
    assert done.returncode == 2
    assert "accounts and switches are those of the scenario" in done.stderr


def test_the_schema_is_printed(seed: str) -> None:
    """Editors check and complete a file with it."""
    schema = json.loads(run("mock", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"accounts": [{"keys": [{"api_key": "K"}]}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"accounts": [{"keys": []}]}, schema)


def test_the_admin_token_works_with_a_scenario(seed: str, tmp_path: Path) -> None:
    """A saved scenario starts the next mock."""
    saved = tmp_path / "saved.json"
    program = (
        "import os, sys, urllib.request as r, pathlib\n"
        "url = os.environ['BINANCE_BASE_URL'] + '/__admin/scenario'\n"
        "pathlib.Path(sys.argv[1]).write_bytes(r.urlopen(url).read())"
    )
    with start_server("--admin", "--seed", seed) as printed:
        exports = "\n".join(line for line in printed.splitlines() if line.startswith("export"))
        script = f"{exports}\n{shlex.join([sys.executable, '-c', program, str(saved)])}"
        subprocess.run(["sh", "-ec", script], check=True)
    done = process("mock", "run", "--seed", str(saved), "--", "sh", "-c", TWICE, DESK_SECRET=SECRET)
    assert [line.split(",")[2] for line in done.stdout.splitlines() if "USDT" in line] == [
        "100",
        "80",
    ]
