"""The promises and their tests: one table, made from the marks `@pytest.mark.promise("R1")` in the tests. Runs no test.

`python tests/promises.py` writes it into docs/promises.md; a test compares the two.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "promises.md"
IDS = [
    f"{room}{number}"
    for room, last in (("R", 21), ("S", 20), ("M", 21))
    for number in range(1, last + 1)
]
_ROW = re.compile(
    r"^\| (?P<id>[RSM][0-9]+) \| (?P<promise>[^|]+) \|(?P<tests>[^|]*)\|$", re.MULTILINE
)
DECLINED = "declined: "


def marked(tree: ast.Module) -> dict[str, list[str]]:
    """Promise id -> names of the test functions that carry its mark, or whose module or class does."""
    found: dict[str, list[str]] = defaultdict(list)
    whole = [
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_pytestmark(node)
        for name in _ids(node)
    ]

    def visit(body: list[ast.stmt], inherited: list[str]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                visit(
                    node.body,
                    inherited + [name for mark in node.decorator_list for name in _ids(mark)],
                )
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith(
                "test_"
            ):
                for name in {
                    *inherited,
                    *(name for mark in node.decorator_list for name in _ids(mark)),
                }:
                    found[name].append(node.name)
            elif isinstance(node, ast.Assign) and not _is_pytestmark(node):
                for (
                    target
                ) in node.targets:  # TestLimiter = Machine.TestCase; TestLimiter.pytestmark = [...]
                    if isinstance(target, ast.Attribute) and target.attr == "pytestmark":
                        for name in _ids(node):
                            found[name].append(ast.unparse(target.value))

    visit(tree.body, whole)
    return found


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _ids(node: ast.AST) -> list[str]:
    return [
        str(argument.value)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "promise"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


@functools.cache
def tests() -> dict[str, list[str]]:
    """Promise id -> tests, as `file: name`, in the order of the files."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(HERE.rglob("test_*.py")):
        for name, functions in marked(ast.parse(file.read_text(encoding="utf-8"))).items():
            found[name] += [
                f"{file.relative_to(HERE).as_posix()}: {function}" for function in functions
            ]
    return dict(found)


def rows(page: str) -> dict[str, str]:
    """Promise id -> what its last column says."""
    return {row["id"]: row["tests"].strip() for row in _ROW.finditer(page)}


def render(page: str) -> str:
    """The page with the last column made anew; declined rows keep their reason."""
    found = tests()

    def row(match: re.Match[str]) -> str:
        kept = match["tests"].strip()
        names = (
            kept
            if kept.startswith(DECLINED)
            else "<br>".join(f"`{name}`" for name in found.get(match["id"], []))
        )
        return f"| {match['id']} | {match['promise'].strip()} | {names} |"

    return _ROW.sub(row, page)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
