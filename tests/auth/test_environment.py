"""Credentials in environment variables, and in the files that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from binance_usdm import AsyncClient, Client, ConfigurationError, Ed25519Signer
from binance_usdm._config.environment import options_from_env
from tests.support.canaries import crash_report
from tests.support.clients import KEY, SECRET

CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
PEM = (
    Ed25519PrivateKey.generate()
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


@pytest.fixture(autouse=True)
def _only_these_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "API_SECRET", "API_PRIVATE_KEY", "BASE_URL"):
        for suffix in ("", "_FILE", "_PASSWORD"):
            monkeypatch.delenv(f"BINANCE_{name}{suffix}", raising=False)


def message_of(kind: Callable[[], Any], *secrets: str) -> str:
    """Return the message of a failing `from_env`, whose traceback must not show the secrets."""
    with pytest.raises(ConfigurationError) as caught:
        kind()
    report = crash_report(caught.value)
    assert not [secret for secret in secrets if secret in report]
    return str(caught.value)


@CLIENTS
@pytest.mark.promise("S6")
@pytest.mark.parametrize(
    "text",
    [
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\n    "),
        f'"{PEM}"',
    ],
    ids=["escaped newlines", "CRLF", "indents", "quotes"],
)
def test_private_key_of_env_file_is_accepted(
    kind: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """What docker, compose and YAML make of PEM in a variable is accepted."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY", text)
    options = options_from_env({})
    assert isinstance(options, dict)
    assert isinstance(options["signer"], Ed25519Signer)
    assert isinstance(kind.from_env(), kind)


@CLIENTS
@pytest.mark.parametrize(
    "path",
    [
        "/run/secrets/canary.pem", "./canary.pem", "../canary", "~/canary", "canary.key",
        "keys/canary key.pem", r"C:\keys\canary.pem", "c:/keys/canary", "file:///canary",
        '"/canary"', "'canary.pem'", "/canary\n", " /canary",
    ],
)  # fmt: skip
def test_path_instead_of_pem_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A path in the variable for PEM is reported as one, with the variable for it."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY", path)
    assert message_of(kind.from_env, "canary") == (
        "BINANCE_API_PRIVATE_KEY is a path; use BINANCE_API_PRIVATE_KEY_FILE for a file"
    )


@CLIENTS
@pytest.mark.parametrize("text", [PEM, PEM.replace("\n", "\\n"), f'"{PEM}"'], ids=range(3))
def test_pem_instead_of_path_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """PEM in the variable for a path is reported as such, with the variable for it."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY_FILE", text)
    assert message_of(kind.from_env, PEM.split("\n")[1]) == (
        "BINANCE_API_PRIVATE_KEY_FILE is PEM; use BINANCE_API_PRIVATE_KEY for PEM instead of a path"
    )


@pytest.mark.parametrize("text", [PEM.split("\n")[1], "nonsense", "a.b+c"], ids=range(3))
def test_other_text_is_not_called_path(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A PEM body without its first line, or a word, is reported as not PEM."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY", text)
    assert "is not PEM" in message_of(Client.from_env)


def write_private(path: Path, content: str) -> str:
    path.touch(0o600)
    path.write_text(content, newline="")
    return str(path)


@CLIENTS
@pytest.mark.promise("S7")
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_key_and_secret_come_from_files(
    kind: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    """Two variables name files with key and secret, which may end with one newline."""
    monkeypatch.setenv("BINANCE_API_KEY_FILE", write_private(tmp_path / "key", KEY + end))
    monkeypatch.setenv("BINANCE_API_SECRET_FILE", write_private(tmp_path / "secret", SECRET + end))
    assert options_from_env({}) == {"api_key": KEY, "api_secret": SECRET}
    assert isinstance(kind.from_env(), kind)
    # What is passed replaces both variables of an option.
    assert options_from_env({"api_key": "x"}) == {"api_secret": SECRET}
    assert options_from_env({"signer": None}) == {"api_key": KEY}
    monkeypatch.delenv("BINANCE_API_SECRET_FILE")
    monkeypatch.setenv("BINANCE_API_PRIVATE_KEY", PEM)
    assert set(options_from_env({})) == {"api_key", "signer"}


@CLIENTS
@pytest.mark.promise("S7", "S16")
@pytest.mark.parametrize("option", ["KEY", "SECRET"])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"{SECRET}\n\n", "contains a space or a newline"),
        (f" {SECRET}", "contains a space or a newline"),
        (f'"{SECRET}"', "contains a quotation mark"),
        (f"\ufeff{SECRET}", "contains a character that keys, secrets and URLs never have"),
        (f"{SECRET}\0", "contains a character that keys, secrets and URLs never have"),
        (SECRET * 5000, "is longer than 4096 characters"),
        ("", "is empty"),
        ("\n", "is empty"),
    ],
)
def test_unusable_content_of_file_is_named(
    kind: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    option: str,
    content: str,
    problem: str,
) -> None:
    """A problem of a file's content is reported with the variable that names the file."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", "fit")
    monkeypatch.delenv(f"BINANCE_API_{option}")
    variable = f"BINANCE_API_{option}_FILE"
    monkeypatch.setenv(variable, write_private(tmp_path / "file", content))
    said = message_of(kind.from_env, SECRET, str(tmp_path))
    assert said.startswith(f"{variable} {problem}")


@CLIENTS
@pytest.mark.promise("S7")
@pytest.mark.parametrize("option", ["KEY", "SECRET", "PRIVATE_KEY"])
def test_unusable_file_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    """A file that is missing or unsafe is reported with its variable, without its path."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    if option == "KEY":
        monkeypatch.delenv("BINANCE_API_KEY")
        monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    variable = f"BINANCE_API_{option}_FILE"
    monkeypatch.setenv(variable, str(tmp_path / "missing"))
    said = message_of(kind.from_env, str(tmp_path))
    assert said == f"{variable} file cannot be opened: No such file or directory"
    path = tmp_path / "open"
    write_private(path, SECRET)
    path.chmod(0o644)
    monkeypatch.setenv(variable, str(path))
    said = message_of(kind.from_env, SECRET, str(tmp_path))
    assert said.startswith(f"{variable} file is readable by other users; run `chmod 600 FILE`")


@CLIENTS
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("API_KEY", "API_KEY_FILE"),
        ("API_SECRET", "API_SECRET_FILE"),
        ("API_SECRET_FILE", "API_PRIVATE_KEY"),
        ("API_SECRET_FILE", "API_PRIVATE_KEY_FILE"),
    ],
)
def test_two_sources_of_credential_are_rejected(
    kind: Any, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    """Two variables for one credential are both named."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv(f"BINANCE_{first}", "x")
    monkeypatch.setenv(f"BINANCE_{second}", "y")
    said = message_of(kind.from_env)
    assert said == f"BINANCE_{first} and BINANCE_{second} are set; set only one of them"


@CLIENTS
@pytest.mark.promise("S16")
@pytest.mark.parametrize("is_variable", [True, False])
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://canary.example\n", "contains a space or a newline; copy it again"),
        ("https://canary.example\r\n", "contains a space or a newline; copy it again"),
        ("https://canary.example\r", "contains a space or a newline; copy it again"),
        (" https://canary.example", "contains a space or a newline; copy it again"),
        ("https://canary.example\t", "contains a space or a newline; copy it again"),
        ("https://canary.example\xa0", "contains a space or a newline; copy it again"),
        (" ", "contains a space or a newline; copy it again"),
        ('"https://canary.example"', "contains a quotation mark; remove the quotes"),
        ("'https://canary.example'", "contains a quotation mark; remove the quotes"),
        ("https://canary.example'", "contains a quotation mark; remove the quotes"),
        ("\ufeffhttps://canary.example", "contains a character that keys, secrets and URLs"),
        ("https://canary.example\u200b", "contains a character that keys, secrets and URLs"),
        ("https://canary.example?", "must look like https://host"),
        ("canary.example", "must look like https://host"),
    ],
)
def test_copying_problem_of_base_url_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, is_variable: bool, url: str, problem: str
) -> None:
    """A newline, space, quote or invisible character in the base URL is reported as for keys."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    if is_variable:
        monkeypatch.setenv("BINANCE_BASE_URL", url)
        said = message_of(kind.from_env, "canary")
        assert said.startswith(f"BINANCE_BASE_URL {problem}")
    else:
        said = message_of(lambda: kind(base_url=url), "canary")
        assert said.startswith(f"base_url {problem}")
    assert "https://host[:port][/prefix]" in said


@CLIENTS
@pytest.mark.parametrize("option", ["KEY", "SECRET", "PRIVATE_KEY"])
@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("{}\n", "begins or ends with a space, a newline or a quotation mark; remove it"),
        ("{}\r", "begins or ends with a space, a newline or a quotation mark; remove it"),
        (" {}", "begins or ends with a space, a newline or a quotation mark; remove it"),
        ('"{}"', "begins or ends with a space, a newline or a quotation mark; remove it"),
        ("'{}'", "begins or ends with a space, a newline or a quotation mark; remove it"),
        ("~{}", "begins with ~, which only shells replace; use the whole path"),
    ],
)
def test_copying_problem_of_path_is_named(
    kind: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    option: str,
    form: str,
    problem: str,
) -> None:
    """What of a shell is part of a path is reported when there is no such file."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    if option == "KEY":
        monkeypatch.delenv("BINANCE_API_KEY")
        monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    variable = f"BINANCE_API_{option}_FILE"
    path = write_private(tmp_path / "canary", PEM if option == "PRIVATE_KEY" else KEY)
    monkeypatch.setenv(variable, form.format(path))
    assert message_of(kind.from_env, "canary") == f"{variable} {problem}"
    # A path may end with a space.
    spaced = write_private(tmp_path / "canary ", PEM if option == "PRIVATE_KEY" else KEY)
    monkeypatch.setenv(variable, spaced)
    if option == "PRIVATE_KEY":
        assert isinstance(kind.from_env(), kind)
