"""Profiles: accounts of a file that holds references to secrets, read within one budget."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path

import pytest

from binance_usdm import ConfigurationError, UsdmError
from binance_usdm._cli.read.accounts import open_accounts
from binance_usdm._config.profile_secrets import resolve_profile
from binance_usdm._config.profiles import profiles_path, read_profiles
from binance_usdm_wire import OPERATIONS
from tests.cli.conftest import LABELS, Desk
from tests.support.command_line import Finished, run
from tests.support.spec_facts import BALANCE_WEIGHT, HOST_BY_ENVIRONMENT

DEMO = f"https://{HOST_BY_ENVIRONMENT['demo']}"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs printf")
SECRET = "canary-of-a-secret-text"


def balance(desk: Desk, *arguments: str) -> Finished:
    return run("balance", *arguments, **desk.environment)


def test_all_profiles_are_read(desk: Desk) -> None:
    """Rows come in the order of the file, each with the label of its account."""
    done = balance(desk, "--all-profiles", "--csv", "--non-zero")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    shown = [(row["label"], row["accountAlias"], row["balance"]) for row in rows]
    assert shown == [
        (label, f"alias-{label}", f"{number}.50000000") for number, label in enumerate(LABELS)
    ]
    assert next(iter(rows[0])) == "label"


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl", "tsv"])
def test_named_profiles_are_read(desk: Desk, output_format: str) -> None:
    """`--profile` may be repeated; each name is read once, in the given order."""
    names = ("--profile", "gamma", "--profile", "alpha", "--profile", "gamma")
    done = balance(desk, *names, "-o", output_format, "--asset", "USDT")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(desk.exchange.requests) == 2
    assert done.stdout.index("gamma") < done.stdout.index("alpha")
    if output_format == "json":
        assert [row["label"] for row in json.loads(done.stdout)] == ["gamma", "alpha"]


def test_some_failures_have_their_own_code(desk: Desk) -> None:
    """A wrong key and a missing secret lose no other account; stderr names both, exit code 3."""
    desk.environment["ALPHA_SECRET"] = "fake-but-wrong"
    (desk.file.parent / "beta.txt").unlink()
    done = balance(desk, "--all-profiles", "--csv", "--columns", "label,balance")
    assert done.returncode == 3
    assert done.stdout == "label,balance\ngamma,2.50000000\ngamma,0.00000000\n"
    lines = done.stderr.splitlines()
    assert lines[0].startswith("binance-usdm: ConfigurationError: beta: api_secret file cannot")
    assert lines[1].startswith("binance-usdm: AuthenticationError: alpha: HTTP 400, code -1022")
    assert lines[2] == "binance-usdm: 2 of 3 accounts failed: beta, alpha"
    for secret in desk.environment["ALPHA_SECRET"], desk.environment["ALPHA_KEY"]:
        assert secret not in done.stderr


def test_failures_alone_are_a_failure(desk: Desk) -> None:
    """Without any rows nothing is printed, and the exit code is 1."""
    del desk.environment["ALPHA_SECRET"]
    done = balance(desk, "--profile", "alpha", "--csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "alpha: api_secret variable ALPHA_SECRET is not set" in done.stderr


def test_a_missing_asset_names_its_account(desk: Desk) -> None:
    desk.seed("beta", ("BNB", "1.00000000"))
    done = balance(desk, "--all-profiles", "--csv", "--asset", "USDT", "--columns", "label")
    assert (done.returncode, done.stdout) == (1, "label\nalpha\ngamma\n")
    assert done.stderr == "binance-usdm: beta: no row for the asset 'USDT'\n"


def test_profiles_share_one_budget(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All accounts of a base URL have one budget and one transport, closed at the end."""
    monkeypatch.setattr("os.environ", desk.environment)
    options = argparse.Namespace(
        base_url=None, demo=False, proxy=None, timeout=1.0, profiles=None, all_profiles=True,
        profiles_file=None,
    )  # fmt: skip
    with open_accounts(options, OPERATIONS["balance"]) as accounts:
        assert len(accounts.clients) == 3
        accounts.clients[0].balance()
        assert [client.budget().used for client in accounts.clients] == [BALANCE_WEIGHT] * 3
        assert len({client._transport for client in accounts.clients}) == 1
    with pytest.raises(UsdmError, match="alpha: client is closed"):
        accounts.clients[0].balance()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "alpah"), "has no profile 'alpah'; did you mean alpha?"),
        (("--profile", "x"), "has no profile 'x'; it has alpha, beta, gamma"),
        (("--profile", "alpha", "--all-profiles"), "not allowed with argument"),
    ],
)
def test_an_unknown_profile_is_wrong_usage(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    done = balance(desk, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert desk.exchange.requests == []


REF = '{ env = "X" }'
UNUSABLE = {
    "literal key": (f'api_key = "{SECRET}"\napi_secret = {REF}', "api_key must be a reference"),
    "literal secret": (f'api_key = {REF}\napi_secret = "{SECRET}"', "api_secret must be a refer"),
    "text in a list": (f'api_key = {REF}\napi_secret = ["{SECRET}"]', "api_secret must be a ref"),
    "command as text": (
        f'api_key = {REF}\napi_secret = {{ command = "echo {SECRET}" }}',
        "api_secret must be a reference",
    ),
    "two in one": (
        f'api_key = {REF}\napi_secret = {{ env = "X", file = "{SECRET}" }}',
        "api_secret must be a reference",
    ),
    "empty": (f"api_key = {REF}\napi_secret = {{ command = [] }}", "api_secret must be a refer"),
    "no key": (f"api_secret = {REF}", "api_key is missing"),
    "no secret": (f"api_key = {REF}", "needs either api_secret or private_key"),
    "both": (
        f"api_key = {REF}\napi_secret = {REF}\nprivate_key = {REF}",
        "needs either api_secret or private_key",
    ),
    "unknown": (f"api_key = {REF}\nsecret = {REF}", "unknown key 'secret'; the keys are api_key"),
    "secret as key": (f"api_key = {REF}\n{SECRET}{SECRET} = 1", "unknown key; the keys are"),
    "base url": (f"api_key = {REF}\napi_secret = {REF}\nbase_url = 1", "base_url must be a str"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_profile_holds_no_secret(tmp_path: Path, name: str) -> None:
    """What is no reference is rejected and not repeated, before anything is run or sent."""
    table, said = UNUSABLE[name]
    file = tmp_path / "profiles.toml"
    file.write_text(f"[profiles.desk]\n{table}\n")
    done = run("balance", "--profile", "desk", "--profiles-file", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"profile 'desk': {said}" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("x", 0o600, "is not valid TOML"),
        ("", 0o600, "must have tables"),
        ("[profiles]", 0o600, "must have tables"),
        ("[other]\nx = 1", 0o600, "must have tables"),
        ('[profiles."a\\nb"]', 0o600, "label must be 1 to 64 printable characters"),
        ("", 0o620, "can be changed by other users, and commands in it are run"),
        ("", 0o602, "can be changed by other users, and commands in it are run"),
        (None, 0o600, "does not exist; a table [profiles.NAME] in it names api_key and api_secret"),
    ],
)
def test_an_unusable_file_is_named(
    tmp_path: Path, content: str | None, mode: int, said: str
) -> None:
    file = tmp_path / "profiles.toml"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        read_profiles(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["false"], "exited with 1"),
        (["true"], "printed nothing"),
        (["/no/such/program", SECRET], "cannot be run: No such file or directory"),
    ],
)
def test_a_command_that_fails_is_named(tmp_path: Path, words: list[str], said: str) -> None:
    """The program is named, its arguments and output are not."""
    file = tmp_path / "profiles.toml"
    file.write_text(
        f"[profiles.a]\napi_key = {{ command = {json.dumps(words)} }}\napi_secret = {REF}\n"
    )
    problem = resolve_profile(read_profiles(file)["a"])
    assert problem == f"api_key command {words[0]!r} {said}"
    assert SECRET not in problem


def test_a_private_key_is_read_whole(tmp_path: Path) -> None:
    """Of a text a command's first line counts, of a private key all of its lines."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pass phrase"),
    )
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "key.pem").chmod(0o600)
    file = tmp_path / "profiles.toml"
    password = '{ command = ["printf", "pass phrase\\nmore"] }'
    for reference in ('{ command = ["cat", "key.pem"] }', '{ file = "key.pem" }'):
        absolute = reference.replace("key.pem", str(tmp_path / "key.pem"))
        file.write_text(
            f'[profiles.a]\napi_key = {{ command = ["printf", "k"] }}\n'
            f"private_key = {absolute}\nprivate_key_password = {password}\n"
        )
        options = resolve_profile(read_profiles(file)["a"])
        assert isinstance(options, dict)
        assert type(options["signer"]).__name__ == "Ed25519Signer"


def test_the_file_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An option comes before the variable, the variable before the user's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("BINANCE_PROFILES_FILE", raising=False)
    assert profiles_path(None) == tmp_path / ".config/binance-usdm/profiles.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert profiles_path(None) == tmp_path / "xdg/binance-usdm/profiles.toml"
    monkeypatch.setenv("BINANCE_PROFILES_FILE", "named.toml")
    assert profiles_path(None) == Path("named.toml")
    assert profiles_path("option.toml") == Path("option.toml")


def test_a_profile_may_have_its_own_url(desk: Desk) -> None:
    """Its base URL comes before the variable, and an option before both."""
    text = desk.file.read_text().replace("[profiles.beta]", f'[profiles.beta]\nbase_url = "{DEMO}"')
    desk.file.write_text(text)
    columns = [("--all-profiles",), ("--all-profiles", "--base-url", "https://gateway.example")]
    urls = [
        [
            row["base_url"]
            for row in json.loads(run("whoami", *each, "-o", "json", **desk.environment).stdout)
        ]
        for each in columns
    ]
    mock = desk.environment["BINANCE_BASE_URL"]
    assert urls == [
        [mock, DEMO, mock],
        ["https://gateway.example"] * 3,
    ]


def test_whoami_shows_no_secret(desk: Desk) -> None:
    """Environment, URL, type and fingerprint of the key; nothing is sent, nothing secret shown."""
    done = run("whoami", "--all-profiles", "-o", "jsonl", **desk.environment)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0] == {
        "label": "alpha",
        "environment": "this machine",
        "base_url": desk.environment["BINANCE_BASE_URL"],
        "key_type": "HMAC",
        "key_fingerprint": "14619221c9aba364",
    }
    assert [row["label"] for row in rows] == list(LABELS)
    assert len({row["key_fingerprint"] for row in rows}) == 3
    assert "fake-" not in done.stdout
    assert desk.exchange.requests == []


def test_whoami_without_profiles(desk: Desk) -> None:
    """The account of the environment is one object, and a missing key is named."""
    keys = {"BINANCE_API_KEY": "k" * 64, "BINANCE_API_SECRET": "s" * 64}
    done = run("whoami", "--demo", "-o", "json", **keys)
    assert json.loads(done.stdout)["environment"] == "demo"
    assert run("whoami", "--base-url", "https://x.example", "-o", "csv", **keys).stdout.startswith(
        "environment,base_url,key_type,key_fingerprint\nanother host,https://x.example,HMAC,"
    )
    for name in ("json", "csv"):
        short = run("whoami", "--demo", f"--{name}", **keys)
        assert short.stdout == run("whoami", "--demo", "-o", name, **keys).stdout
    assert run("whoami", "--demo", "--timeout", "5", **keys).returncode == 2
    missing = run("whoami")
    assert missing.returncode == 1
    assert "BINANCE_API_KEY is not set" in missing.stderr
    del desk.environment["ALPHA_KEY"]
    some = run("whoami", "--all-profiles", "-o", "csv", **desk.environment)
    assert (some.returncode, len(some.stdout.splitlines())) == (3, 3)
    assert "1 of 3 accounts failed: alpha" in some.stderr


def doctor(desk: Desk, *arguments: str) -> tuple[Finished, dict[str, dict[str, str]]]:
    """Run `doctor --json`, and return its findings by name."""
    done = run("doctor", "--json", *arguments, **desk.environment)
    findings = json.loads(done.stdout)["findings"] if done.stdout else []
    return done, {finding["check"]: finding for finding in findings}


def test_doctor_checks_a_profile(desk: Desk) -> None:
    """Its secrets are read and sign, and a report names neither them nor the account."""
    done, findings = doctor(desk, "--profile", "gamma")
    assert (done.returncode, findings["signed_call"]["verdict"]) == (0, "ok")
    assert findings["credentials"]["summary"].startswith("of the profile: an HMAC key")
    assert desk.exchange.requests[-1].api_key == "fake-key-of-gamma"
    assert '-hmac "$SECRET"' in done.stdout.replace("\\", "")
    assert "gamma" not in done.stdout.replace("of-gamma", "")
    for secret in ("fake-key-of-gamma", "fake-secret-of-gamma", str(desk.file.parent)):
        assert secret not in done.stdout


def test_doctor_says_what_a_profile_lacks(desk: Desk) -> None:
    """A missing secret is the problem, with advice; the calls without a key are made."""
    del desk.environment["ALPHA_SECRET"]
    done, findings = doctor(desk, "--profile", "alpha")
    assert (done.returncode, findings["clock"]["verdict"]) == (1, "ok")
    credentials = findings["credentials"]
    assert credentials["summary"] == "api_secret variable ALPHA_SECRET is not set"
    assert credentials["advice"].startswith("Check what the profile refers to")
    assert findings["signed_call"]["verdict"] == "skipped"


def test_doctor_takes_the_base_url_of_a_profile(desk: Desk) -> None:
    """It comes before the variable and after the option."""
    text = desk.file.read_text()
    desk.file.write_text(text.replace("[profiles.beta]", '[profiles.beta]\nbase_url = "ftp://x"'))
    _, findings = doctor(desk, "--profile", "beta")
    assert findings["base_url"]["summary"].startswith("base_url of the profile must look like")
    option = ("--base-url", desk.environment["BINANCE_BASE_URL"])
    done, findings = doctor(desk, "--profile", "beta", *option)
    assert (done.returncode, findings["base_url"]["verdict"]) == (0, "ok")


def test_doctor_of_an_unknown_profile_is_wrong_usage(desk: Desk) -> None:
    done, _ = doctor(desk, "--profile", "gama")
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no profile 'gama'; did you mean gamma?" in done.stderr


def test_server_time_takes_profiles(desk: Desk) -> None:
    """It asks the exchange of each profile, and sends no key."""
    done = run(
        "server-time", "--all-profiles", "-o", "csv", "--columns", "label,serverTime",
        **desk.environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == ["label", *LABELS]
    assert {request.api_key for request in desk.exchange.requests} == {""}
