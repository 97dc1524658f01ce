"""The page "Use only the spec": its commands, and its scripts in Postman's and Bruno's own runners."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.docs.pages import ENGLISH, read_blocks
from tests.interop.install import SCRATCH
from tests.support.spec_facts import BALANCE_PATH

PAGE: Final = ENGLISH / "how-to" / "only-the-spec.md"
PROGRAMS: Final = ("bash", "curl", "java", "node", "npm")
RUNNERS: Final = ("newman@6.2.2", "@usebruno/cli@4.1.0")
SECONDS: Final = 900
QUERY: Final = {"recvWindow": "5000", "timestamp": "1", "signature": "none"}
"""What an imported request has; the script must replace two of them."""
VARIABLES: Final = ("BINANCE_BASE_URL", "BINANCE_API_KEY", "BINANCE_API_SECRET")
NEWMAN: Final = " ".join(
    ["node_modules/.bin/newman run collection.json --bail"]
    + [f'--env-var "{name}=${name}"' for name in VARIABLES]
)
BRUNO: Final = "cd bruno && ../node_modules/.bin/bru run balance.bru --env mock"


def run_spec_page(say: Callable[[str], None]) -> bool:
    """Run the page and its scripts, and return whether all did as they must."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        say(f"{PAGE.name}: not run, there is no {', '.join(missing)}")
        return True
    say(f"{PAGE.name}: every block, which installs what it names ...")
    command = [sys.executable, "-m", "tests.docs.run_page", "--every-block", str(PAGE)]
    page = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    say(f"{PAGE.name}: {'ok' if page.returncode == 0 else page.stdout}")
    return _run_scripts(say) and page.returncode == 0


def _run_scripts(say: Callable[[str], None]) -> bool:
    folder = SCRATCH / "scripts"
    scripts = scripts_of(PAGE.read_text(encoding="utf-8"))
    write_requests(folder, scripts)
    install = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run([*install, *RUNNERS], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        say(f"{', '.join(RUNNERS)}: could not be installed")
        return False
    verdicts = {name: _run(folder, line) for name, line in (("Postman", NEWMAN), ("Bruno", BRUNO))}
    for name, verdict in verdicts.items():
        say(f"{name}: {verdict}")
    return all(verdict == "ok" for verdict in verdicts.values())


def scripts_of(text: str) -> dict[str, str]:
    """Return the scripts of a page by the name of their file."""
    return {block.title: block.code for block in read_blocks(text) if block.language == "js"}


def write_requests(folder: Path, scripts: Mapping[str, str]) -> None:
    """Write one request for each runner, with the script before it and a check of the rows."""
    (folder / "bruno" / "environments").mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    collection = json.dumps(_postman_collection(scripts["postman.js"]))
    (folder / "collection.json").write_text(collection, encoding="utf-8")
    bruno = folder / "bruno"
    (bruno / "bruno.json").write_text('{"version": "1", "name": "spec", "type": "collection"}')
    lines = [f"  {name}: {{{{process.env.{name}}}}}" for name in VARIABLES]
    (bruno / "environments" / "mock.bru").write_text("\n".join(["vars {", *lines, "}", ""]))
    query = "&".join(f"{name}={value}" for name, value in QUERY.items())
    (bruno / "balance.bru").write_text(
        "meta {\n  name: balance\n  type: http\n  seq: 1\n}\n\n"
        f"get {{\n  url: {{{{BINANCE_BASE_URL}}}}{BALANCE_PATH}?{query}\n"
        "  body: none\n  auth: none\n}\n\n"
        f"script:pre-request {{\n{re.sub('(?m)^', '  ', scripts['bruno.js'].rstrip())}\n}}\n\n"
        'tests {\n  test("rows", function() {\n'
        "    expect(res.getStatus()).to.equal(200);\n"
        "    expect(res.getBody()[0].balance).to.be.a('string');\n  });\n}\n",
        encoding="utf-8",
    )


def _postman_collection(script: str) -> dict[str, Any]:
    check = [
        'pm.test("rows", () => {',
        "  pm.response.to.have.status(200);",
        "  pm.expect(pm.response.json()[0].balance).to.be.a('string');",
        "});",
    ]
    events = {"prerequest": script.splitlines(), "test": check}
    request = {
        "method": "GET",
        "url": {
            "host": ["{{BINANCE_BASE_URL}}"],
            "path": BALANCE_PATH.removeprefix("/").split("/"),
            "query": [{"key": name, "value": value} for name, value in QUERY.items()],
        },
    }
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    event = [{"listen": name, "script": {"exec": lines}} for name, lines in events.items()]
    return {
        "info": {"name": "spec", "schema": schema},
        "item": [{"name": "balance", "event": event, "request": request}],
    }


def _run(folder: Path, line: str) -> str:
    """Run a command with the mock exchange; the mock must have accepted every request."""
    command = [sys.executable, "-m", "binance_usdm", "mock", "run", "--strict", "--"]
    done = subprocess.run(
        [*command, "bash", "-euc", line],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    is_right = done.returncode == 0 and "1 accepted, 0 rejected" in done.stderr
    return "ok" if is_right else f"exit {done.returncode}\n{done.stdout[-800:]}{done.stderr[-800:]}"
