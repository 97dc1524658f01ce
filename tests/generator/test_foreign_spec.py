"""A spec of another API: its own package, called by the clients of this project."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from binance_usdm import AsyncClient, AuthenticationError, Client
from binance_usdm.mock import Exchange, ManualClock, running
from generator.__main__ import main
from generator.output.package_files import read_package
from tests.support.paths import ROOT

PACKAGE = "example_api"
SPEC = ROOT / "tests" / "specs" / "foreign.yaml"
NOW = 1_700_000_000_123


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generated package."""
    folder = tmp_path_factory.mktemp("foreign")
    assert main(["--spec", str(SPEC), "--package", PACKAGE, "--output", str(folder)]) == 0
    return folder


@pytest.fixture
def package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the imported package; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module(PACKAGE)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def exchange(folder: Path) -> Exchange:
    document = json.loads((folder / PACKAGE / "openapi.json").read_bytes())
    return Exchange(spec=document, clock=ManualClock(NOW))


def options(exchange: Exchange, url: str) -> dict[str, Any]:
    return {
        "api_key": exchange.api_key,
        "api_secret": exchange.api_secret,
        "base_url": url,
        "clock": lambda: NOW,
    }


def test_a_foreign_call_is_signed_with_its_names(package: Any, exchange: Exchange) -> None:
    """Header, timestamp, window and signature have the names of that spec; digits are kept."""

    class ExampleClient(Client, package.SyncOperations):  # type: ignore[misc]
        pass

    with running(exchange) as url:
        with ExampleClient(**options(exchange, url), recv_window=4000) as client:
            (row,) = client.wallet(coin="ABC")
        wrong = {**options(exchange, url), "api_secret": "wrong-secret"}
        with ExampleClient(**wrong) as client, pytest.raises(AuthenticationError):
            client.wallet()
    assert row.free == Decimal("12.000000000000000000000001")
    first = exchange.requests[0]
    payload, _, signature = first.raw_query.decode().rpartition("&mac=")
    assert payload == f"coin=ABC&ttl=4000&ts={NOW}"
    digest = hmac.new(exchange.api_secret.encode(), payload.encode(), hashlib.sha256)
    assert signature == digest.hexdigest()
    assert dict(first.headers)[b"ex-access"] == exchange.api_key.encode()
    assert [request.status for request in exchange.requests] == [200, 400]


async def call_wallet(package: Any, exchange: Exchange, url: str) -> Any:
    class ExampleClient(AsyncClient, package.AsyncOperations):  # type: ignore[misc]
        pass

    async with ExampleClient(**options(exchange, url)) as client:
        return await client.wallet()


def test_asyncio_calls_it_as_well(package: Any, exchange: Exchange) -> None:
    """The methods of the package are those of an asyncio client."""
    import asyncio

    with running(exchange) as url:
        (row,) = asyncio.run(call_wallet(package, exchange, url))
    assert row.coin == "ABC"


def test_the_package_names_its_own_spec(folder: Path) -> None:
    """The banner has the file that was read, and no file has the name of our package."""
    files = {path: code.decode() for path, code in read_package(folder / PACKAGE).items()}
    banner = "Written by `python -m generator` from tests/specs/foreign.yaml. Do not edit."
    assert sum(banner in text for text in files.values()) > 8
    assert [path for path, text in files.items() if "binance" in text.lower()] == []


def test_a_spec_elsewhere_is_named_by_its_file(tmp_path: Path) -> None:
    """Folders of the machine are nobody's business."""
    spec = tmp_path / "other.yaml"
    spec.write_bytes(SPEC.read_bytes())
    assert main(["--spec", str(spec), "--package", PACKAGE, "--output", str(tmp_path)]) == 0
    text = (tmp_path / PACKAGE / "__init__.py").read_text("utf-8")
    assert text.startswith("# Written by `python -m generator` from other.yaml. Do not edit.\n")


def test_no_translation_is_missed_where_there_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spec in one language has no warnings."""
    arguments = ["--spec", str(SPEC), "--package", PACKAGE, "--output", str(folder), "--check"]
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["Example", "a-b", "../x", "class", ""])
def test_a_package_has_a_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is imported by its name."""
    with pytest.raises(SystemExit):
        main(["--package", name])
    assert "must be a snake_case name of a package" in capsys.readouterr().err
