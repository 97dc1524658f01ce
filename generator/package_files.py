"""Compare a package on disk with the generated one, and replace it as a whole."""

from __future__ import annotations

import tempfile
from pathlib import Path

Files = dict[str, bytes]
"""Content of each file by its path in the package."""
LEFT_OVER = "not written by the generator"
"""What is said of a file that the next run deletes."""


def read_package(package: Path) -> Files:
    """Return the files of a package as they are on disk, without bytecode."""
    if not package.is_dir():
        return {}
    files = (
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(files)}


def diff_files(now: Files, fresh: Files) -> list[str]:
    """Return one line for each file that is missing, stale or left over."""
    lines = {path: f"{path}: missing" for path in fresh.keys() - now.keys()}
    lines |= {path: f"{path}: {LEFT_OVER}" for path in now.keys() - fresh.keys()}
    lines |= {
        path: f"{path}: stale or edited"
        for path in now.keys() & fresh.keys()
        if now[path] != fresh[path]
    }
    return [lines[path] for path in sorted(lines)]


def replace_package(package: Path, files: Files) -> None:
    """Replace the package on disk as a whole.

    Raises:
        OSError: The folder cannot be written. The old package is still there.
    """
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent, prefix=f".{package.name}-") as scratch:
        fresh = Path(scratch) / "fresh"
        stale = Path(scratch) / "stale"
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        if package.exists():
            package.rename(stale)
        try:
            fresh.rename(package)
        except OSError:
            if stale.exists():
                stale.rename(package)
            raise
