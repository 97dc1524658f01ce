"""`make audit`: our semgrep rules, first on their samples, then on the code. Exit 1 for any finding, miss or error; asks no network."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CODE = (
    "binance_usdm", "generated_client", "generator", "hatch_build.py",
)  # fmt: skip
Finding = tuple[str, str, int]


def scan(folder: Path, *targets: str) -> set[Finding]:
    """(rule, file, line) of all that the rules find there; an error of semgrep's ends the audit."""
    command = [
        str(Path(sys.executable).parent / "semgrep"), "scan", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--strict",
        "--quiet", "--json", "--config", str(HERE / "rules.yaml"), *targets,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"semgrep failed ({done.returncode}): {done.stderr or done.stdout}")
    said = json.loads(done.stdout)
    if said["errors"] or not said["paths"]["scanned"]:
        sys.exit(f"semgrep read nothing, or not all: {said['errors']}")
    return {
        (found["check_id"].rsplit(".", 1)[-1], found["path"], found["start"]["line"])
        for found in said["results"]
    }


def wanted() -> dict[str, str]:
    """The samples by the file name they are tried under."""
    return {
        f"samples/{path.name.removesuffix('.txt')}.py": path.read_text(encoding="utf-8")
        for path in sorted(HERE.glob("*.txt"))
    }


def samples() -> list[str]:
    """What the rules miss in the bad samples, and what they find too much; of every rule in its own samples."""
    texts = wanted()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text, encoding="utf-8")
        found = {
            (rule, path, line)
            for rule, path, line in scan(Path(folder), ".")
            if path.startswith(f"samples/{rule}.")
        }
    due = {
        (name.split("/")[1].split(".")[0], name, number)
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if line.endswith("# bad")
    }
    wrong = [f"{path}:{line}: {rule} missed it" for rule, path, line in sorted(due - found)]
    wrong += [
        f"{path}:{line}: {rule} is wrong about it" for rule, path, line in sorted(found - due)
    ]
    return wrong + [
        f"{rule}: has no bad sample" for rule in sorted(rules() - {rule for rule, _, _ in due})
    ]


def rules() -> set[str]:
    lines = (HERE / "rules.yaml").read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("  - id: ") for line in lines if line.startswith("  - id: ")}


def main() -> None:
    wrong = samples()
    findings = scan(ROOT, *CODE)
    for line in [*wrong, *(f"{path}:{line}: {rule}" for rule, path, line in sorted(findings))]:
        print(line)
    print(
        f"{len(rules())} rules, {len(wrong)} wrong about their samples; {len(findings)} finding(s) in the code"
    )
    sys.exit(bool(wrong or findings))


if __name__ == "__main__":
    main()
