"""Compare what the hand-written package imports from the generated one with what is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .package_files import Files


def import_problems(package: Path, wire: str, files: Files) -> list[str]:
    """Return a line for each name that a package takes from the wire and that it will not have.

    Args:
        package: Folder of the hand-written package.
        wire: Name of the generated package.
        files: The generated package.
    """
    modules = {path.removesuffix(".py") for path in files}
    public = _public_names(files["__init__.py"]) | modules
    return [
        f"{path.relative_to(package)}:{line}: {name!r} is imported from {wire}, and the spec has no class of this "
        "name any more; rename it here as well, or keep the name in the spec with x-python-name"
        for path in sorted(package.rglob("*.py"))
        for line, name in _imported_names(path, wire)
        if name not in public
    ]


def _public_names(init: bytes) -> set[str]:
    for node in ast.parse(init).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _imported_names(path: Path, wire: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module == wire:
            yield from ((node.lineno, alias.name) for alias in node.names)
