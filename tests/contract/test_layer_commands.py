"""The commands `contract client` and `contract mock`: what passes, and what is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CLASSES = """
from decimal import Decimal

import attrs

from binance_usdm import AsyncClient, Client
from binance_usdm.mock import Exchange


class SameClient(AsyncClient):
    pass


class RoundingClient(Client):
    def balance_detailed(self, **arguments):
        response = super().balance_detailed(**arguments)
        rows = [
            attrs.evolve(row, balance=Decimal(str(float(row.balance)))) for row in response.parsed
        ]
        return attrs.evolve(response, parsed=rows)


class SameExchange(Exchange):
    pass


class ForgetfulExchange(Exchange):
    def handle(self, method, target, headers, **more):
        return super().handle(method, target.replace(b"recvWindow=60000", b""), headers, **more)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(CLASSES, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "binance_usdm", "contract", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


@pytest.mark.parametrize(("command", "name"), [("client", "SameClient"), ("mock", "SameExchange")])
def test_subclass_passes(command: str, name: str, tmp_path: Path) -> None:
    """A class that changes nothing has no finding, and nothing is left in its folder."""
    done = run(tmp_path, command, f"mine:{name}", "--max-examples", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"mine.py"}


def test_dropped_digits_are_found(tmp_path: Path) -> None:
    """A client that rounds one amount is found by both layers, with the field and both values."""
    done = run(tmp_path, "client", "mine:RoundingClient", "--max-examples", "0")
    assert done.returncode == 1, done.stderr
    requests, responses = done.stdout.split("C  the client")
    assert "transparent" in requests
    assert 'the value differs at [0].balance: "0.0", not "0.00000000"' in requests
    assert "[0].balance: Decimal('0.0'), not '0.00000000'" in responses


def test_faulty_mock_is_found(tmp_path: Path) -> None:
    done = run(tmp_path, "mock", "mine:ForgetfulExchange", "--max-examples", "0")
    assert done.returncode == 1, done.stderr
    assert "timestamp_is_checked" in done.stdout


def test_seed_changes_the_cases(tmp_path: Path) -> None:
    """The layers get the seed; `test_random_run.py` shows what it decides."""
    module = tmp_path / "seen.py"
    module.write_text(
        "import atexit, hashlib\nfrom binance_usdm.mock import Exchange\nseen = []\n"
        "def make(**options):\n"
        "    seen.append(Exchange(**options))\n    return seen[-1]\n"
        "def show():\n"
        "    queries = [r.raw_query for e in seen[:1] for r in e.requests]\n"
        "    print('SEEN', len(queries), hashlib.sha256(repr(queries).encode()).hexdigest())\n"
        "atexit.register(show)\n",
        encoding="utf-8",
    )
    seen = []
    for seed in ((), ("--seed", "5")):
        done = run(tmp_path, "mock", "seen:make", "--max-examples", "5", *seed)
        assert done.returncode == 0, done.stdout + done.stderr
        seen.append(done.stdout.splitlines()[-1])
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine", "must be module:Class"),
        ("mine:Nothing", "mine has no Nothing"),
        ("no_such_module:Client", "cannot be imported"),
        ("mine:CLASSES.x", "mine has no"),
    ],
)
def test_unknown_class_is_wrong_usage(name: str, message: str, tmp_path: Path) -> None:
    done = run(tmp_path, "client", name)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
