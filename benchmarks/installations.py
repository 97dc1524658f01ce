"""Measure the size of installed clients."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.clients import OURS
from benchmarks.side_by_side import ROOT, Settings
from benchmarks.tables import Statistic, Table, figure

MB = 1e6
"""Bytes per megabyte."""
_TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")


def installed(settings: Settings) -> list[Table]:
    """Measure the files of a client and of its dependencies, without compiled ones."""
    notes: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        homes = {
            path.parent.name: path.parent
            for path in sorted((ROOT / ".scratch" / "interop").glob("*/pyvenv.cfg"))
        }
        if settings.install:
            homes[OURS] = Path(folder, "venv")
            _install_package(homes[OURS])
        else:
            notes = (f"{OURS}: measured with --install only, which needs a package index",)
        rows = {name: _installed_size(home) for name, home in homes.items()}
    columns = ("MB", "packages")
    table = Table(
        "installed", "Installed, with all dependencies", "MB and packages", columns, rows, "", notes
    )
    return [table.sorted("MB")]


def _install_package(home: Path) -> None:
    """Install this project into a new venv."""
    commands = (
        ("-m", "venv", str(home)),
        ("-m", "pip", "--python", str(home), "install", "-q", str(ROOT)),
    )
    for command in commands:
        subprocess.run([sys.executable, *command], check=True, capture_output=True)


def _installed_size(home: Path) -> dict[str, Statistic]:
    """Return the size of a venv without its installer."""
    packages = next(home.glob("lib/python*/site-packages"))
    names = {path.name.split("-")[0] for path in packages.glob("*.dist-info")}
    names -= {"pip", "setuptools"}
    size = 0
    for path in packages.rglob("*"):
        package = path.relative_to(packages).parts[0].split("-")[0]
        if path.is_file() and path.suffix != ".pyc" and package not in _TOOLS:
            size += path.stat().st_size
    return {"MB": figure([size / MB]), "packages": figure([len(names)])}
