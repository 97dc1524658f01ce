"""ARCHITECTURE.md says what is so: the drawing, the paths, the names and the line counts."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import grimp
import pytest

from tests.support.paths import ROOT

PAGE: Final = ROOT / "ARCHITECTURE.md"
TEXT: Final = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
pytestmark = pytest.mark.skipif(not TEXT, reason="no ARCHITECTURE.md in this tree")

NODE: Final = re.compile(r'(?P<id>\w+)\["(?P<label>[^"]+)"\]')
ARROW: Final = re.compile(r"(?P<source>\w+)(?:\[[^\]]*\])? --> (?P<target>\w+)")
PATH: Final = re.compile(r"`([\w/]+(?:/|\.(?:py|json|yaml)))(?:: ([\w.]+))?`")
COUNT: Final = re.compile(r"^\| `?(?P<path>[\w/.]+)`? \| (?P<count>\d+) \|$", re.MULTILINE)
CODE_FREE_TOKENS: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)
Edges = Mapping[str, set[str]]


def drawing() -> str:
    found = re.search(r"^```mermaid\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def drawn_nodes() -> dict[str, str]:
    """Return module -> node of the drawing. The first line of a label names modules."""
    nodes: dict[str, str] = {}
    for node in NODE.finditer(drawing()):
        for name in node["label"].partition("<br/>")[0].split(", "):
            nodes[full_name(name)] = node["id"]
    return nodes


def full_name(name: str) -> str:
    for package in ("binance_usdm", "binance_usdm.mock"):
        path = ROOT / package.replace(".", "/") / name
        if path.is_dir() or path.with_suffix(".py").exists():
            return f"{package}.{name}"
    return name


def drawn_edges() -> Edges:
    edges = defaultdict[str, set[str]](set)
    for arrow in ARROW.finditer(drawing()):
        edges[arrow["source"]].add(arrow["target"])
    return edges


def imported_edges(nodes: Mapping[str, str]) -> Edges:
    """Return the imports of the code, between nodes of the drawing."""
    names = ("binance_usdm", "binance_usdm_wire", "generator")
    graph = grimp.build_graph(*names, cache_dir=None)
    edges = defaultdict[str, set[str]](set)
    for module in graph.modules:
        source = node_of(module, nodes)
        for imported in graph.find_modules_directly_imported_by(module):
            target = node_of(imported, nodes)
            if source != target:
                edges[source].add(target)
    return edges


def node_of(module: str, nodes: Mapping[str, str]) -> str:
    name = module
    while name not in nodes:
        name = name.rpartition(".")[0]
        assert name, f"{module} is not in the drawing"
    return nodes[name]


def reachable(start: str, edges: Edges) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in edges.get(waiting.pop(), set()) - seen:
            seen.add(target)
            waiting.append(target)
    return seen


def test_the_drawing_shows_every_import() -> None:
    """An import between two packages follows the arrows of the drawing."""
    nodes, drawn = drawn_nodes(), drawn_edges()
    missing = [
        (source, target)
        for source, targets in imported_edges(nodes).items()
        for target in targets - reachable(source, drawn)
    ]
    assert missing == []


def test_every_arrow_is_an_import() -> None:
    """The drawing has no solid arrow that the code does not have."""
    nodes, drawn = drawn_nodes(), drawn_edges()
    imported = imported_edges(nodes)
    surplus = [
        (source, target)
        for source, targets in drawn.items()
        for target in targets - imported.get(source, set())
    ]
    assert surplus == []
    assert sum(map(len, drawn.values())) > 20


def table_paths() -> Iterator[tuple[str, str]]:
    """Yield each path in a table, and the name behind its colon or ""."""
    for line in TEXT.splitlines():
        if line.startswith("| "):
            yield from PATH.findall(line)


def test_paths_and_names_exist() -> None:
    """Every file and name in a table of the page is in the tree."""
    paths = list(table_paths())
    assert len(paths) > 60
    for path, name in paths:
        candidates = [ROOT / path, ROOT / "binance_usdm" / path]
        existing = [candidate for candidate in candidates if candidate.exists()]
        assert existing, path
        if name:
            assert defines(existing[0], name.rpartition(".")[2]), f"{path}: {name}"


def defines(path: Path, name: str) -> bool:
    pattern = rf"^ *(?:async def|def|class) {name}\b|^{name}\b.*="
    return re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_questions_have_an_answer() -> None:
    """The table of changes has about thirty rows, each with a place."""
    table = TEXT[TEXT.index("## I want to change") : TEXT.index("## Decisions")]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 25
    assert all("`" in where or "](" in where for _, _, where, _ in rows)


def count_code_lines(source: str) -> int:
    """Count lines that hold code: blank lines, comments and docstrings are left out."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in CODE_FREE_TOKENS:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and is_string(node.value):
            assert node.end_lineno is not None
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_code_lines_are_counted() -> None:
    """Comments, blank lines and strings that stand alone are not code."""
    source = '"""Doc."""\n\n# comment\nx = """a\nb"""\n\n'
    source += 'def f():\n    """Doc\n\n    more."""\n    return x  # y\n'
    assert count_code_lines(source) == 4


def test_the_small_wrapper_stays_small() -> None:
    """No module of the wrapper has more code lines than the page says."""
    stated = {row["path"]: int(row["count"]) for row in COUNT.finditer(TEXT)}
    together = stated.pop("together")
    assert len(stated) == 12
    total = 0
    for path, most in stated.items():
        files = [ROOT / path] if path.endswith(".py") else sorted((ROOT / path).rglob("*.py"))
        count = sum(count_code_lines(file.read_text(encoding="utf-8")) for file in files)
        assert 0 < count <= most, f"{path}: {count} code lines"
        total += count
    assert total <= together
    assert together - total < 50, "the page says far more than there is: lower its figures"
