"""Run by `make build` with a fresh environment's Python, outside of the tree: the wheel as a user gets it."""

import json
import sys
import zipfile
from importlib.metadata import distributions, requires
from pathlib import Path

WHEEL = Path(sys.argv[1])
EXPECTED = {"httpx", "attrs", "httptools", "msgspec"}
BEHIND_HTTPX = {"anyio", "certifi", "h11", "httpcore", "idna", "typing-extensions"}
HERE = Path(sys.prefix).resolve()


def main() -> None:
    names = {path.split("/")[0] for path in zipfile.ZipFile(WHEEL).namelist()}
    imports = {name for name in names if not name.endswith(".dist-info")}
    expected = {
        "binance_usdm",
        "binance_usdm_wire",
    }
    assert imports == expected, imports
    files = zipfile.ZipFile(WHEEL).namelist()
    pages = {"page.html", "palette.css", "pretty_json.js", "openapi.json"}
    pages |= {f"http_page.{suffix}" for suffix in ("html", "css", "js", "json")}
    assert {f"binance_usdm/mock/admin/{name}" for name in pages} <= set(files), (
        "data files are missing"
    )
    beside = {"binance_usdm/vectors.json", "binance_usdm_wire/extensions.schema.json"}
    assert beside <= set(files), "what is shipped beside the spec is missing"
    (bill,) = (path for path in zipfile.ZipFile(WHEEL).namelist() if ".dist-info/sboms/" in path)
    components = json.loads(zipfile.ZipFile(WHEEL).read(bill))["components"]
    required = {component["name"] for component in components if component["scope"] == "required"}
    installed = {str(found.metadata["Name"]).lower().replace("_", "-") for found in distributions()}
    extra = installed - EXPECTED - BEHIND_HTTPX - {"binance-usdm", "pip", "setuptools"}
    assert not EXPECTED - installed
    assert not extra, sorted(extra)
    assert not (EXPECTED | BEHIND_HTTPX) - required, sorted(required)
    assert installed - {"binance-usdm", "pip", "setuptools"} <= required, (
        "the bill of materials lacks something"
    )
    assert any(
        "uvicorn" in requirement and "extra" in requirement
        for requirement in requires("binance-usdm") or []
    )

    import binance_usdm
    import binance_usdm.mock
    import binance_usdm_wire

    for package in (binance_usdm, binance_usdm_wire):
        home = Path(str(package.__file__)).resolve()
        assert HERE in home.parents, home
        assert (home.parent / "py.typed").exists(), home
    exchange = binance_usdm.mock.Exchange()
    with binance_usdm.Client(
        exchange.api_key, exchange.api_secret, transport=exchange.transport
    ) as client:
        (row,) = client.balance()
    assert format(row.balance, "f") == "122607.35137903", row
    assert format(row.cross_un_pnl, "f") == "0.00000000", row
    print(
        f"{WHEEL.name}: {sorted(imports)}, installs with {len(installed - {'pip', 'setuptools', 'binance-usdm'})} packages"
    )


main()
