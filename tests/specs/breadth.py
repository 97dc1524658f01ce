"""Everything that is known about the breadth of the generator, some minutes long.

    python -m tests.specs.breadth

Calls every shape of the corpus, runs layers A to C of the contract tests on each with every client,
and checks 2,000 random specs. Exits 1 when anything was found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from generator.output.package_files import replace_package
from generator.output.project import PACKAGE, generate
from tests.specs.corpus import SHAPES, corpus_document
from tests.support.paths import ROOT


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        replace_package(Path(name) / PACKAGE, generate(corpus_document()))
        path = os.pathsep.join([name, str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path}
        module = [sys.executable, "-m", "tests.specs.run_corpus"]
        called = subprocess.run(
            module, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        problems = [line for line in called.stdout.splitlines() if not line.endswith("\t")]
        print(f"{len(SHAPES)} shapes called, {len(problems)} problems", *problems, sep="\n")
        contract = subprocess.run([*module, "--contract"], env=environment, cwd=ROOT, check=False)
        print(f"layers A to C on {len(SHAPES)} shapes: exit {contract.returncode}")
    specs = subprocess.run(
        [sys.executable, "-m", "tests.specs.random_specs", "2000"], cwd=ROOT, check=False
    )
    return int(bool(problems) or called.returncode + contract.returncode + specs.returncode > 0)


if __name__ == "__main__":
    sys.exit(main())
