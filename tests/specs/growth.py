"""What generation and import cost with a number of operations, in seconds of CPU and in memory.

    python -m tests.specs.growth [NUMBER...]

Each operation has an argument, a row class of its own and all error responses. The numbers of
docs/generator.md were measured with it.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from generator.document.openapi import Json, load
from tests.support.paths import ROOT, SPEC_FILE
from tests.support.spec_facts import BALANCE_PATH

IMPORT: Final = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
started = time.process_time()
import binance_usdm_wire
seconds = time.process_time() - started
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([seconds, int(peak.split()[1]), len(sys.modules)]))
"""
HELP: Final = "import sys; from binance_usdm._cli.main import main; sys.exit(main(['--help']))"


def growing_document(count: int) -> Json:
    """Return the real spec with `count` operations."""
    document = copy.deepcopy(load(SPEC_FILE))
    schemas = document["components"]["schemas"]
    row, operation = schemas["AccountBalance"], document["paths"][BALANCE_PATH]["get"]
    symbol = {
        "name": "symbol", "in": "query", "required": True, "description": "A symbol.",
        "schema": {"type": "string", "pattern": "^[A-Z]+$", "x-rule": "upper-case letters"},
        "example": "BTCUSDT",
    }  # fmt: skip
    for number in range(count - len(document["paths"])):
        schemas[f"Row{number}"] = copy.deepcopy(row)
        copied = copy.deepcopy(operation)
        copied["operationId"] = f"read_{number}"
        media = copied["responses"]["200"]["content"]["application/json"]
        media["schema"]["items"]["$ref"] = f"#/components/schemas/Row{number}"
        copied["parameters"].insert(0, symbol)
        document["paths"][f"/fapi/v1/read/{number}"] = {"get": copied}
    return document


def cpu_of(command: list[str], **environment: str) -> tuple[float, str]:
    """Return the CPU seconds of a process and its children, and what it printed."""
    before = os.times()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        encoding="utf-8", check=True,
    )  # fmt: skip
    after = os.times()
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system, done.stdout


def measure(count: int, folder: Path) -> dict[str, Any]:
    """Return what a number of operations costs."""
    spec = folder / f"spec{count}.json"
    spec.write_text(json.dumps(growing_document(count), indent=1), encoding="utf-8")
    output = folder / f"out{count}"
    command = [sys.executable, "-m", "generator", "--spec", str(spec), "--output", str(output)]
    generation, _ = cpu_of(command)
    check, _ = cpu_of([*command, "--check"])
    return {"count": count, "generate": generation, "check": check, **measure_import(output)}


def measure_import(root: Path) -> dict[str, Any]:
    """Return what an import of the package costs, and `--help`: the best of several."""
    imports = []
    # The first one writes bytecode.
    for _ in range(8):
        printed = cpu_of([sys.executable, "-c", IMPORT, str(root)], PYTHONDONTWRITEBYTECODE="")[1]
        imports.append(json.loads(printed))
    path = os.pathsep.join([str(root), str(ROOT)])
    helps = [cpu_of([sys.executable, "-c", HELP], PYTHONPATH=path)[0] for _ in range(5)]
    return {
        "import_seconds": min(each[0] for each in imports[1:]),
        "import_kib": min(each[1] for each in imports[1:]),
        "modules": imports[-1][2],
        "help_seconds": min(helps[1:]),
    }


def main(counts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            started_at = time.monotonic()
            found = measure(count, Path(name))
            cells = [f"{key} {value:.4g}" for key, value in found.items()]
            print(", ".join(cells), f"({time.monotonic() - started_at:.0f} s)", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [2, 10, 30, 100, 300, 1000])
