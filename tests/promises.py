"""Write the tests of each promise into docs/promises.md, from marks `@pytest.mark.promise("R1")`.

    python -m tests.promises          write the table
    python -m tests.promises R1 S3    print all tests of these promises

The table names at most two tests for each promise and counts the rest. A test compares the page
with the marks.
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
    f"{section}{number}"
    for section, last in (("R", 21), ("S", 20), ("M", 21))
    for number in range(1, last + 1)
]
DECLINED = "declined: "
MAX_TESTS_SHOWN = 2
_ROW = re.compile(
    r"^\| (?P<id>[RSM][0-9]+) \| (?P<promise>[^|]+) \|(?P<tests>[^|]*)\|$", re.MULTILINE
)


def find_marks(tree: ast.Module) -> dict[str, list[str]]:
    """Return promise id -> test functions that carry its mark, or whose class or module does."""
    collector = _MarkCollector()
    collector.visit_body(tree.body, _pytestmark_ids(tree.body))
    return collector.tests


def _pytestmark_ids(body: list[ast.stmt]) -> list[str]:
    return [
        name
        for node in body
        if isinstance(node, ast.Assign) and _is_pytestmark(node)
        for name in _promise_ids(node)
    ]


class _MarkCollector:
    def __init__(self) -> None:
        self.tests: dict[str, list[str]] = defaultdict(list)

    def visit_body(self, body: list[ast.stmt], inherited: list[str]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                self.visit_body(node.body, inherited + _decorator_ids(node))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._visit_function(node, inherited)
            elif isinstance(node, ast.Assign) and not _is_pytestmark(node):
                self._visit_assignment(node)

    def _visit_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, inherited: list[str]
    ) -> None:
        if node.name.startswith("test_"):
            for name in {*inherited, *_decorator_ids(node)}:
                self.tests[name].append(node.name)

    def _visit_assignment(self, node: ast.Assign) -> None:
        # As in: TestLimiter = Machine.TestCase; TestLimiter.pytestmark = [...]
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr == "pytestmark":
                for name in _promise_ids(node):
                    self.tests[name].append(ast.unparse(target.value))


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _decorator_ids(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [name for decorator in node.decorator_list for name in _promise_ids(decorator)]


def _promise_ids(node: ast.AST) -> list[str]:
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
def find_tests() -> dict[str, list[str]]:
    """Return promise id -> tests, as `file: name`, in the order of the files."""
    tests: dict[str, list[str]] = defaultdict(list)
    for file in sorted(HERE.rglob("test_*.py")):
        path = file.relative_to(HERE).as_posix()
        for name, functions in find_marks(ast.parse(file.read_text(encoding="utf-8"))).items():
            tests[name] += [f"{path}: {function}" for function in functions]
    return dict(tests)


def parse_rows(page: str) -> dict[str, str]:
    """Return promise id -> the text of its last column."""
    return {row["id"]: row["tests"].strip() for row in _ROW.finditer(page)}


def format_tests(tests: list[str]) -> str:
    """Return the last column: two tests, of two files if possible, and the number of others."""
    first_of_file = list({test.partition(":")[0]: test for test in reversed(tests)}.values())
    by_file = first_of_file[::-1] + [test for test in tests if test not in first_of_file]
    shown = [f"`{test}`" for test in by_file[:MAX_TESTS_SHOWN]]
    if len(tests) > MAX_TESTS_SHOWN:
        shown.append(f"and {len(tests) - MAX_TESTS_SHOWN} more")
    return "<br>".join(shown)


def render(page: str) -> str:
    """Return the page with the last column written again; declined rows keep their reason."""
    tests = find_tests()

    def render_row(match: re.Match[str]) -> str:
        column = match["tests"].strip()
        if not column.startswith(DECLINED):
            column = format_tests(tests.get(match["id"], []))
        return f"| {match['id']} | {match['promise'].strip()} | {column} |"

    return _ROW.sub(render_row, page)


def main(names: list[str]) -> int:
    """Write the page, or print the tests of the named promises."""
    if not names:
        PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    unknown = [name for name in names if name not in IDS]
    if unknown:
        print(f"unknown promise: {', '.join(unknown)}", file=sys.stderr)
        return 2
    for name in names:
        for test in find_tests().get(name, []):
            print(f"{name}  tests/{test}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
