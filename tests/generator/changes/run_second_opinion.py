"""Check the verdicts with generated clients: half a minute.

    python -m tests.generator.changes.run_second_opinion

For each seed whose new document can be generated, a program that uses all of the old client is
checked strictly against the new package. The test of the same name does so with stubs, in seconds.
Prints what was found, and exits with 1 if types break where the verdict is no breaking change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import mypy.api

from generator.changes.compare.specs import compare
from generator.changes.facts.fact_reader import read_facts
from generator.changes.report import Report
from generator.checks.lint import lint
from generator.document.openapi import Json
from generator.output.package_files import Files
from generator.output.project import generate
from tests.generator.changes.second_opinion import OPTIONS, make_program
from tests.generator.changes.seeds import SEEDS

RENAMED_ARGUMENTS = ("/fapi/v1/symbols", "/fapi/v1/ping")
"""Operations of the wider spec with arguments named client and url, which the library renames."""


def main() -> int:
    """Check all seeds and return the exit status."""
    breaking: dict[str, bool] = {}
    names: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number, seed in enumerate(SEEDS):
            old, new = map(_without_renamed_arguments, seed.documents())
            if lint(new):
                continue
            package = f"client{number}"
            _write(Path(scratch) / package, generate(new))
            program = make_program(read_facts(old), package, "SyncOperations")
            path = Path(scratch) / f"program{number}.py"
            path.write_text(program, encoding="utf-8")
            names[path.name] = seed.name
            breaking[seed.name] = Report(compare(old, new)).is_breaking
        programs = [str(Path(scratch) / name) for name in names]
        output, errors, _ = mypy.api.run([*OPTIONS, *programs])
    print(errors, end="", file=sys.stderr)
    files = {
        Path(line.partition(":")[0]).name for line in output.splitlines() if ": error:" in line
    }
    failing = {names[file] for file in files}
    print(
        f"{len(names)} of {len(SEEDS)} seeds can be generated, {sum(breaking.values())} of them break"
    )
    print(f"types break in {len(failing)}")
    unnoticed = sorted(name for name in failing if not breaking[name])
    for name in unnoticed:
        print(f"types break, the verdict does not: {name}")
    return 1 if unnoticed or errors else 0


def _without_renamed_arguments(document: Json) -> Json:
    paths = {
        path: item for path, item in document["paths"].items() if path not in RENAMED_ARGUMENTS
    }
    return {**document, "paths": paths}


def _write(package: Path, files: Files) -> None:
    for name, content in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
