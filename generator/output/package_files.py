"""Compare a package on disk with the generated one, and replace it as a whole."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path
from typing import Final

Files = dict[str, bytes]
"""Content of each file by its path in the package."""
LEFT_OVER: Final = "not written by the generator"
"""What is said of a file that the next run deletes."""
STALE: Final = "stale or edited"
"""What is said of a file with other content, until the manifest says which of the two it is."""
# Of renameat2(2): paths are relative to the current folder; both are swapped.
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


def read_package(package: Path) -> Files:
    """Return the files of a package as they are on disk, without bytecode."""
    if not package.is_dir():
        return {}
    files = (
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(files)}


def diff_files(now: Files, fresh: Files) -> dict[str, str]:
    """Return by path what is wrong with each file that is missing, stale or left over."""
    problems = dict.fromkeys(fresh.keys() - now.keys(), "missing")
    problems |= dict.fromkeys(now.keys() - fresh.keys(), LEFT_OVER)
    problems |= {path: STALE for path in now.keys() & fresh.keys() if now[path] != fresh[path]}
    return dict(sorted(problems.items()))


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
        # In one step, so that a run which is killed leaves the old package or the new one.
        if package.exists() and _exchange(fresh, package):
            return
        try:
            if package.exists():
                package.rename(stale)
            fresh.rename(package)
        except BaseException:
            if stale.exists() and not package.exists():
                stale.rename(package)
            raise


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step. Return False when the system cannot, as others than Linux."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    paths = os.fsencode(first), os.fsencode(second)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)
