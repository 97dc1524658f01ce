"""`from_profile` and `list_profiles`: the accounts of a profiles file in a program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

import binance_usdm
from binance_usdm import DEMO, AsyncClient, Client, ConfigurationError, Ed25519Signer, list_profiles
from binance_usdm.mock import Exchange
from tests.support import canaries
from tests.support.canaries import crash_report
from tests.support.clients import KEY, SECRET
from tests.support.spec_facts import HOST_BY_ENVIRONMENT

CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="runs printf")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profiles file with two accounts, which the environment names."""
    file = tmp_path / "profiles.toml"
    file.write_text(
        '[profiles.desk-01]\napi_key = { env = "DESK_KEY" }\napi_secret = { env = "DESK_SECRET" }\n'
        f'[profiles.demo]\nbase_url = "https://{HOST_BY_ENVIRONMENT["demo"]}"\n'
        'api_key = { command = ["printf", "demo-key"] }\napi_secret = { env = "DESK_SECRET" }\n'
    )
    file.chmod(0o600)
    for name in ("BASE_URL", "PROXY", "BUDGET", "API_KEY", "API_SECRET"):
        monkeypatch.delenv(f"BINANCE_{name}", raising=False)
    monkeypatch.setenv("BINANCE_PROFILES_FILE", str(file))
    monkeypatch.setenv("DESK_KEY", KEY)
    monkeypatch.setenv("DESK_SECRET", SECRET)
    return file


@CLIENTS
def test_account_is_read(kind: Any, file: Path) -> None:
    """The client signs with the secrets that the profile refers to, and has its name."""
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    client = kind.from_profile("desk-01", transport=exchange.transport)
    rows = client.balance()
    rows = asyncio.run(rows) if kind is AsyncClient else rows
    assert [row.asset for row in rows] == ["USDT"]
    exchange.assert_signed()
    assert repr(client) == f"{kind.__name__}(base_url='{binance_usdm.MAINNET}', label='desk-01')"
    elsewhere = kind.from_profile("desk-01", profiles_file=file, label="other")
    assert "label='other'" in repr(elsewhere)


@CLIENTS
def test_base_url_is_the_callers_then_the_profiles_then_the_environments(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the command, whose option comes before both."""
    monkeypatch.setenv("BINANCE_BASE_URL", "https://gw.example")
    assert f"'{DEMO}'" in repr(kind.from_profile("demo"))
    assert "'https://gw.example'" in repr(kind.from_profile("desk-01"))
    assert "'http://[::1]:1'" in repr(kind.from_profile("demo", base_url="http://[::1]:1"))


def test_names_are_listed(file: Path) -> None:
    """In the order of the file, from the variable or from a path, without reading a secret."""
    assert list_profiles() == ["desk-01", "demo"]
    assert list_profiles(str(file)) == list_profiles(file)
    with pytest.raises(ConfigurationError, match="cannot be read: Not a directory"):
        list_profiles(file / "missing")


@CLIENTS
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("desk-1", {}, r"has no profile 'desk-1'; it has desk-01, demo$"),
        (None, {}, r"has no profile None; it has desk-01, demo$"),
        ("demo", {"api_secret": "x"}, "^demo: api_secret comes from the profile; do not pass it$"),
        ("demo", {"signer": None}, "^demo: signer comes from the profile; do not pass it$"),
        ("demo", {"timeout": 0}, "^demo: timeout must be a positive number"),
        ("demo", {"tiemout": 1}, "^demo: .* has no option 'tiemout'"),
        ("demo", {"base_url": "https://api.binance.com"}, "^demo: base_url has the host of anoth"),
    ],
)
def test_what_cannot_be_used_is_named(
    kind: Any, name: Any, options: dict[str, Any], message: str
) -> None:
    """An error begins with the account, if there is one."""
    with pytest.raises(ConfigurationError, match=message):
        kind.from_profile(name, **options)


@CLIENTS
@pytest.mark.promise("S1", "S2", "S3")
def test_no_error_shows_a_secret(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing secret nor one that cannot be used is in text or frames."""
    monkeypatch.setenv("DESK_KEY", canaries.KEY)
    monkeypatch.delenv("DESK_SECRET")
    with pytest.raises(ConfigurationError, match="desk-01: api_secret variable DESK_SECRET is no"):
        kind.from_profile("desk-01")
    monkeypatch.setenv("DESK_SECRET", f"{canaries.SECRET} ")
    with pytest.raises(ConfigurationError, match="desk-01: api_secret ") as caught:
        kind.from_profile("desk-01")
    assert caught.value.label == "desk-01"
    assert canaries.holds_no_canary(crash_report(caught.value))


def test_accounts_are_read_together() -> None:
    """The names of a file, one client each, and `read_balances`."""
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    exchange.add_account("demo-key", "of-another-key")
    clients = [Client.from_profile(name, transport=exchange.transport) for name in list_profiles()]
    results = binance_usdm.read_balances(clients)
    assert (list(results.rows), list(results.failures)) == (["desk-01"], ["demo"])


def test_a_key_file_signs(file: Path, tmp_path: Path) -> None:
    """A private key is read from a path beside the file."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key_file = tmp_path / "desk.pem"
    key_file.write_bytes(pem)
    key_file.chmod(0o600)
    file.write_text(
        '[profiles.a]\napi_key = { env = "DESK_KEY" }\nprivate_key = { file = "desk.pem" }\n'
    )
    client = Client.from_profile("a")
    assert isinstance(client._request_builder._credentials.signer, Ed25519Signer)
