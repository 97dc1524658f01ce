"""Write the locked requirements: `make lock`.

uv resolves all groups of pyproject.toml at once, so that every file has the same versions. Of the
hashes, only those stay of the files that a supported machine installs: source distributions, and
wheels for CPython 3.11 to 3.14 on Linux, macOS and Windows, x86-64 and arm64. No file names a host.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[1]
METADATA = ["pyproject.toml", "README.md", "LICENSE", "hatch_build.py", "binance_usdm/_version.py"]
GROUPS_BY_FILE = {
    "requirements-demo.txt": ["--no-default-groups", "--group", "build", "--extra", "mock"],
    "requirements-dev.txt": ["--no-default-groups", "--group", "dev", "--all-extras"],
    "requirements-bench.txt": ["--no-default-groups", "--group", "bench"],
    "requirements-docs.txt": ["--no-default-groups", "--group", "docs"],
}
INTERPRETERS = re.compile(r"py3|cp3(11|12|13|14)|abi3")
PLATFORMS = re.compile(
    r"any|(many|musl)linux.*_(x86_64|aarch64)|macosx.*_(x86_64|arm64|universal2)|win_(amd64|arm64)"
)


def is_installed_somewhere(filename: str) -> bool:
    """Return whether a supported machine may install this file of an index."""
    if not filename.endswith(".whl"):
        return True
    return any(
        INTERPRETERS.fullmatch(tag.abi if tag.abi == "abi3" else tag.interpreter)
        and not tag.abi.endswith("t")
        and PLATFORMS.fullmatch(tag.platform)
        for tag in parse_wheel_filename(filename)[3]
    )


def kept_hashes(lock: str) -> set[str]:
    """Return the hashes of `uv.lock` that belong to files for supported machines."""
    return {
        file["hash"]
        for package in tomllib.loads(lock)["package"]
        for file in [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        if is_installed_somewhere(file["url"].rpartition("/")[2])
    }


def keep_hashes(requirements: str, hashes: set[str]) -> str:
    """Return requirements without the other hashes."""
    lines = [
        line
        for line in requirements.splitlines()
        if "--hash=" not in line or line.strip(" \\").removeprefix("--hash=") in hashes
    ]
    # The last line of a requirement does not continue.
    text = "\n".join(lines) + "\n"
    return re.sub(r" \\\n(?! +--hash)", "\n", text)


def main(uv: str) -> None:
    """Resolve in a copy of the metadata, and write the files."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        for name in METADATA:
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_bytes((ROOT / name).read_bytes())
        run = [uv, "--quiet", "--project", folder]
        subprocess.run([*run, "lock"], check=True)
        hashes = kept_hashes((project / "uv.lock").read_text(encoding="utf-8"))
        for name, groups in GROUPS_BY_FILE.items():
            command = [*run, "export", "--frozen", "--no-emit-project", "--no-header", *groups]
            exported = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            (ROOT / name).write_text(keep_hashes(exported, hashes), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
