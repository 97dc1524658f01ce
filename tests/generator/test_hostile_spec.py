"""No text of a spec becomes code: it is rejected, or it stays a string in what is generated.

The tests read the generated code, and import it while an audit hook watches.
"""

from __future__ import annotations

import ast
import copy
import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import main
from generator.checks.lint import lint
from generator.document.findings import SpecError
from generator.document.openapi import Json, load
from generator.output.package_files import Files, read_package, replace_package
from generator.output.project import PACKAGE, generate
from tests.generator.changes.edits import at
from tests.generator.test_wide_spec import BUILDERS
from tests.specs.places import Place, changed, places
from tests.support.paths import ROOT

pytestmark = pytest.mark.promise("S19")
DOCUMENT = load(ROOT / "spec" / "openapi.yaml")
TIME = DOCUMENT["paths"]["/fapi/v1/time"]["get"]
COMMITTED = read_package(ROOT / "generated_client" / PACKAGE)

# What every payload tries to run. It may only stand inside a string.
PWNED = "__import__('os').abort()"
PAYLOADS = {
    "ends the docstring": f'It ends. """\n{PWNED}\n"""',
    "ends the other docstring": f"It ends. '''\n{PWNED}\n'''",
    "ends a string": f'" + {PWNED} + "',
    "ends a byte of it": f"' + {PWNED} + '",
    "ends a call": f'"); {PWNED}; ("',
    "quotes escaped": f'\\"""\n{PWNED}\n\\"""',
    "escapes escaped": f'\\\\"""\n{PWNED}\n\\\\"""',
    "a backslash at the end": "It ends with \\",
    "two backslashes at the end": "It ends with \\\\",
    "a quote at the end": 'It ends with "',
    "only quotes": '"""""""',
    "escapes": "\\N{BULLET} \\x \\u12 \\U0011 \\8 \\\n \\",
    "a new line": f"One line.\n{PWNED}\n",
    "a new line with its indent": f"One line.\n    {PWNED}\n\t{PWNED}\n",
    "other new lines": "One line.\r" + PWNED + "\r\n" + PWNED,
    "pages": f"One line.\f{PWNED}\v{PWNED}\x1c{PWNED}\x1e{PWNED}",
    "lines of Unicode": f"One line.\u2028{PWNED}\u2029{PWNED}\x85{PWNED}",
    "Jinja": "{{ "
    + PWNED
    + " }} {% import os %} {% endraw %} {# gone #} {{ self.__init__.__globals__ }}",
    "braces": f"{{{PWNED}}} {{{{{PWNED}}}}}" + " {0} {x!r:>{y}} ${x} %(x)s %s %",
    "a comment": f"# {PWNED}\n# type: ignore\n# noqa\n# fmt: off",
    "a coding": f"One line.\n# -*- coding: utf-7 -*-\n+AAo-{PWNED}",
    "bidi": f"\u202e{PWNED}\u2066 \u2069\u200f",
    "NUL": f"One\x00line \x1b[31m \x07 {PWNED}",
    "Chinese": f'账户"""余额\\\n{PWNED}\n“可用”"""',
    "wide quotes": f"＂＂＂ ‟‟‟ ″″″ {PWNED}",
    "a mark of order": f"\ufeff{PWNED}\ufeff",
    "an emoji": "🙂\U000e0041\u200d🙂",
    "very long": f'{"x" * 2_000} """ {PWNED} """',
    "very long word after word": f'{"x " * 1_000} """ {PWNED} """',
    "raw": f'r"" f"{{{PWNED}}}" b"" `{PWNED}` $({PWNED}) <%= {PWNED} %> </script>',
}
NAMES = [
    "../x", "..", ".", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x", "~", "a\x00b", "a\nb",
    "a b", "CON", "nul.py", "-rf", "--help",
    "__init__", "__class__", "__slots__", "__import__", "__builtins__", "__debug__", "__file__",
    "_", "_x", "x_",
    "class", "import", "None", "True", "match", "type", "print", "exec", "eval", "open", "str",
    "list", "self", "cls", "super", "Exception",
    "BaseException", "ValueError", "Ellipsis", "NotImplemented", "balance", "Balance",
    "balance_detailed", "AccountBalance", "models",
    "api", "decoding",
    "operations", "reading", "writing", "types", "errors", "binance_usdm_wire", "binance_usdm",
    "OPERATIONS", "Operation", "Decimal",
    "decimal", "json", "re", "os", "sys", "site", "sitecustomize", "conftest", "annotations",
    "fromId", "from_id", "from-id", "FROM_ID",
    "ａsset", "ªsset", "ｂalance", "ſelf", "ﬁeld",
    "bal\u0430nce", "e\u0301", "\u00e9", "名称", "１",
    "x\u200by", "\u202ex", "🙂",
    "{{ x }}", "{% x %}", "{x}", 'quo"te', "it's", "`x`", "$(x)", "${x}", "%s", "a;b", "a#b", "#",
    "a=b", "*", "**x", "a,b", "a:b", "a.b",
    "9lives", "", " ", "x" * 300, "名" * 300, PWNED, f'x"""\n{PWNED}\n"""',
]  # fmt: skip
MODULES = {
    "__future__",
    "collections.abc",
    "attrs",
    "calendar",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "importlib",
    "itertools",
    "json",
    "operator",
    "msgspec",
    "re",
    "typing",
    "urllib.parse",
    "warnings",
}
STATEMENTS = (
    ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Assign,
    ast.AnnAssign, ast.Expr, ast.Pass,
)  # fmt: skip
RUNNING = (
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.NamedExpr,
    ast.JoinedStr,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def has_effect(node: ast.AST) -> bool:
    """Return whether a node of a module runs anything on import."""
    match node:
        case ast.Expr(value=value):
            return not isinstance(value, ast.Constant)
        case ast.Call(func=function):
            return ast.unparse(function) not in BUILDERS
        case ast.Import(names=names):
            return not {alias.name for alias in names} <= MODULES
        case ast.ImportFrom(level=level, module=module):
            return not level and module not in MODULES
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return False
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=ast.Name(id="TYPE_CHECKING"))):
            return False
        case ast.stmt():
            return not isinstance(node, STATEMENTS)
    return isinstance(node, RUNNING)


def does_more_than_define(source: bytes) -> Iterator[str]:
    """Yield everything in a module that has an effect on import, except calls in BUILDERS."""
    pending: list[ast.AST] = list(ast.parse(source).body)
    while pending:
        node = pending.pop()
        if has_effect(node):
            yield ast.unparse(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            # The body does not run on import, but decorators and defaults do.
            arguments = node.args
            pending += [
                *getattr(node, "decorator_list", []),
                *arguments.defaults,
                *filter(None, arguments.kw_defaults),
            ]
        else:
            pending += ast.iter_child_nodes(node)


def skeleton(files: Files) -> dict[str, str]:
    """Return the code of each module without its strings.

    It is parsed from bytes, so that an encoding declaration would count.
    """
    code = {}
    for path, content in files.items():
        if path.endswith(".py"):
            tree = ast.parse(content)
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    node.value = ""
            code[path] = ast.dump(tree)
    return code


@pytest.fixture(scope="module", autouse=True)
def unformatted() -> Iterator[None]:
    """Skip the formatting, for speed. `ast` also rejects what ruff cannot parse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generator.output.project._format", lambda package: None)
        yield


@pytest.mark.parametrize(
    "source",
    [
        "import os", "from os import path",
        "from . import x\nimport os.path", "print()", "x = print()", "x: print() = 1",
        "x = [f() for f in y]",
        "def f(x=print()): ...", "def f(*, x=print()): ...",
        "@print()\ndef f(): ...", "class A(print()): ...", "class A(metaclass=print()): ...",
        "class A:\n    print()", "class A:\n    x = print()",
        "class A:\n    @print()\n    def f(self): ...", "if x: y = 1", "for x in y: pass",
        "while x: pass", "with x: pass", "try: pass\nfinally: pass", "del x", "assert x", "x += y",
        "x = f'{y}'", "x = lambda y=print(): y",
        "async def f(x=print()): ...", "(x := 1)", "x.y", "raise x", "x = __import__('os')",
        "global x", "x = field(default=print())",
    ],
)  # fmt: skip
def test_the_checker_finds_effects_of_an_import(source: str) -> None:
    """Each way to run code on import is found."""
    assert list(does_more_than_define(source.encode()))


@pytest.mark.parametrize(
    "source",
    [
        '"""x"""',
        "def f():\n    import os; os.abort()",
        "x = field(default=1)",
        "class A(B):\n    x: int = 1",
        "from ..y import z",
    ],
)
def test_the_checker_accepts_definitions(source: str) -> None:
    """Definitions and calls of known builders have no effect."""
    assert not list(does_more_than_define(source.encode()))


def test_a_skeleton_has_code_and_no_strings() -> None:
    """Two modules have the same skeleton when they differ in strings only."""
    plain, text, code = (
        skeleton({"x.py": source}) for source in (b'x = "a"', b'x = "b"', b'x = "a" + y')
    )
    assert plain == text != code


@pytest.mark.parametrize("path", [path for path in COMMITTED if path.endswith(".py")])
def test_importing_the_committed_client_only_defines(path: str) -> None:
    """An import of the committed package has no effect."""
    assert list(does_more_than_define(COMMITTED[path])) == []


# Strings: every place where the spec may have any string gets every payload.


def spoilt(texts: list[Place], payload: str) -> Json:
    document = copy.deepcopy(DOCUMENT)
    for place in texts:
        at(document, place[:-1])[place[-1]] = payload
    return document


def free_texts() -> list[Place]:
    """Return the places where the lint accepts any string: all with the same key, or none."""
    places_by_key: dict[str, list[Place]] = {}
    for place in places(DOCUMENT):
        if isinstance(at(DOCUMENT, place), str):
            key = next(step for step in reversed(place) if isinstance(step, str))
            places_by_key.setdefault(key, []).append(place)
    groups = [group for group in places_by_key.values() if not lint(spoilt(group, 'Other "text"'))]
    return [place for group in groups for place in group]


TEXTS = free_texts()


@pytest.fixture(scope="module")
def code() -> dict[str, str]:
    return skeleton(generate(DOCUMENT))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_of_a_spec_changes_the_code(payload: str, code: dict[str, str]) -> None:
    """A payload in every free place changes strings only, and is served as it is."""
    document = spoilt(TEXTS, PAYLOADS[payload])
    files = generate(document)
    assert skeleton(files) == code
    served = json.loads(files["openapi.json"])
    assert served.pop("x-written-by")
    assert served == document


def test_a_payload_elsewhere_is_rejected_or_inert() -> None:
    """In any other string or key, the lint rejects a payload or it stays a string."""
    assert len(TEXTS) > 200
    chance = random.Random(20260115)
    passed = []
    for place in chance.sample(sorted(set(places(DOCUMENT)) - set(TEXTS), key=str), 60):
        payload, value = chance.choice(list(PAYLOADS.values())), at(DOCUMENT, place)
        if isinstance(value, str) or isinstance(place[-1], int):
            document = changed(DOCUMENT, place, payload)
        else:
            document = changed(changed(DOCUMENT, place, None), (*place[:-1], payload), value)
        passed += [] if lint(document) else [document]
    assert len(passed) < 20
    for document in passed:
        assert_inert(generate(document))


# Names: what becomes a file, a module, a class, an argument or an attribute.


def assert_inert(files: Files) -> None:
    for path, content in files.items():
        assert re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)*(\.schema)?\.(py|json|typed)", path), path
        assert len(path.rsplit("/")[-1]) < 255
        if path.endswith(".py"):
            assert list(does_more_than_define(content)) == []


def with_operation(document: Json, name: str, number: int) -> None:
    document["paths"][f"/fapi/v1/n{number}"] = {"get": {**copy.deepcopy(TIME), "operationId": name}}


def with_tag(document: Json, name: str, number: int) -> None:
    document["tags"].append({"name": name, "description": "A tag."})
    with_operation(document, f"tagged{number}", number)
    document["paths"][f"/fapi/v1/n{number}"]["get"]["tags"] = [name]


def with_schema(document: Json, name: str, number: int) -> None:
    if name not in document["components"]["schemas"]:
        document["components"]["schemas"][name] = copy.deepcopy(
            DOCUMENT["components"]["schemas"]["ServerTime"]
        )
        with_operation(document, f"made{number}", number)
        responses = copy.deepcopy(TIME["responses"])
        result = {"$ref": f"#/components/schemas/{name}"}
        responses["200"]["content"]["application/json"]["schema"] = result
        document["paths"][f"/fapi/v1/n{number}"]["get"]["responses"] = responses


def with_property(document: Json, name: str, number: int) -> None:
    document["components"]["schemas"]["ServerTime"]["properties"].setdefault(
        name, {"type": "string", "description": "A property."}
    )


def with_argument(document: Json, name: str, number: int) -> None:
    parameter = {
        "name": name,
        "in": "query",
        "description": "An argument.",
        "schema": {"type": "string"},
        "example": "x",
    }
    document["paths"]["/fapi/v1/time"]["get"]["parameters"].append(parameter)


def with_path(document: Json, name: str, number: int) -> None:
    document["paths"].setdefault(
        f"/{name}", {"get": {**copy.deepcopy(TIME), "operationId": f"at{number}"}}
    )


WITH = [with_operation, with_tag, with_schema, with_property, with_argument, with_path]
IMPORTS = """
import attrs, msgspec, functools, datetime, decimal, json, urllib.parse, importlib, sys
MODULES = {"subprocess", "socket", "shutil", "ctypes", "urllib", "pty"}
CALLS = "system exec fork posix spawn remove rename mkdir putenv"
EVENTS = tuple(f"os.{call}" for call in CALLS.split())
def watch(event, arguments):
    writes = event == "open" and arguments[1] not in ("r", "rb", None)
    if writes or event.split(".")[0] in MODULES or event.startswith(EVENTS):
        raise SystemExit(f"an import did {event} {arguments}")
sys.path.insert(0, sys.argv[1])
sys.addaudithook(watch)
for name in sys.argv[2:]:
    importlib.import_module(name)
wire = importlib.import_module("binance_usdm_wire")
assert wire.OPERATIONS["balance"].parse_body(b"[]") == []
for operation in wire.OPERATIONS.values():
    if operation.id != "balance":
        value = operation.parse_body(b'{"serverTime": 1, "more": 2}')
        assert value.to_dict() == {"serverTime": 1, "more": 2}
"""


def with_text(add: Any) -> tuple[Json, list[str]]:
    """Return the spec with all names of NAMES that the lint accepts together, and those names.

    Names that are rejected alone are left out; of the others, runs are halved until accepted.
    """

    def joined(document: Json, names: list[tuple[int, str]]) -> tuple[Json, list[str]]:
        tried = copy.deepcopy(document)
        for number, name in names:
            add(tried, name, number)
        if not lint(tried):
            return tried, [name for _, name in names]
        if len(names) == 1:
            return document, []
        document, first = joined(document, names[: len(names) // 2])
        document, second = joined(document, names[len(names) // 2 :])
        return document, first + second

    alone = [named for named in enumerate(NAMES) if joined(DOCUMENT, [named])[1]]
    return joined(DOCUMENT, alone)


@pytest.mark.parametrize("add", WITH, ids=lambda add: add.__name__.removeprefix("with_"))
def test_a_name_is_rejected_or_works(add: Any, tmp_path: Path) -> None:
    """Every accepted name gives modules that import without effect and read values."""
    document, accepted = with_text(add)
    assert 3 < len(accepted) < len(NAMES) - 10
    files = generate(document)
    assert_inert(files)
    replace_package(tmp_path / PACKAGE, files)
    modules = [
        f"{PACKAGE}.{path[:-3].replace('/', '.')}".removesuffix(".__init__")
        for path in files
        if path.endswith(".py")
    ]
    done = subprocess.run(
        [sys.executable, "-IBc", IMPORTS, str(tmp_path), *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {
        path.relative_to(tmp_path / PACKAGE).as_posix() for path in tmp_path.rglob("*.*")
    } >= set(files)


def test_the_watch_over_imports_sees_an_effect(tmp_path: Path) -> None:
    """A module that writes a file on import is caught."""
    (tmp_path / "bad.py").write_text("open(__file__ + '.txt', 'w')")
    done = subprocess.run(
        [sys.executable, "-IBc", IMPORTS, str(tmp_path), "bad"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[:20]) == (1, "an import did open (")


# Files that cannot be read: exit 2 within seconds, findings, no traceback, nothing written.

LAUGHS = "a0: &a0 x\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)
)
UNREADABLE = {
    "aliases of aliases": LAUGHS,
    "merged merges": LAUGHS.replace("[", "{<<: [")
    .replace("]", "]}")
    .replace("a0: &a0 x", "a0: &a0 {b: c}"),
    "a long number": "a: " + "9" * 5_000,
    "nested mappings": "{a: " * 200 + "1" + "}" * 200,
    "nested lists": "a: " + "[" * 45 + "]" * 45,
    "a Python object": "a: !!python/object/apply:os.abort []",
    "a Python name": "a: !!python/name:os.abort",
    "an unknown tag": "a: !run x",
    "an include": "a: !include /etc/passwd",
    "binary": "a: !!binary aGVsbG8=",
    "a set": "a: !!set {x, y}",
    "a second document": "a: 1\n---\nb: 2\n",
    "bidi marks": 'a: "safe\\u202e"',
    "a bidi mark in a key": '"safe\\u2066": a',
    "a line separator": 'a: "one\\u2028two"',
    "a next line": 'a: "one\\x85two"',
    "NUL": 'a: "\\0"',
    "an escape": 'a: "\\e[31m"',
    "nothing between words": 'a: "in\\u200bvisible"',
}
REFERENCES = [
    "file:///etc/passwd", "/etc/passwd", "other.yaml",
    "../openapi.yaml#/components/schemas/ServerTime", "http://127.0.0.1:9/x",
    "",
    "https://example.com/x#/components/schemas/ServerTime", "#", "#/",
    "#/components/schemas/", "#/components/schemas/../schemas/ServerTime",
    "#/components/schemas/Server%54ime", "#/components/schemas/ServerTime/properties/serverTime",
    "#/paths/~1fapi~1v1~1time",
    "#/components/schemas/ServerTime\n", "#/components/schemas/{{ x }}",
    "#/components/schemas/" + "x" * 300,
]  # fmt: skip


@pytest.fixture
def soon() -> Iterator[None]:
    """Fail a test that takes longer than 10 seconds."""

    def late(*_: object) -> None:
        raise AssertionError("it takes longer than 10 s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_with_more_than_plain_data_is_rejected(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML tags, alias bombs and invisible characters are findings of the reader."""
    (tmp_path / "spec.yaml").write_text(UNREADABLE[name], encoding="utf-8")
    assert main(["--spec", str(tmp_path / "spec.yaml"), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith("; nothing was written\n")
    assert not (tmp_path / "out").exists()
    # The reader rejects it, not only the check for an OpenAPI document.
    with pytest.raises(SpecError):
        load(tmp_path / "spec.yaml")


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference[:40] or "empty")
def test_a_reference_leads_into_the_document_only(reference: str) -> None:
    """References to files, URLs and other places of the document are rejected."""
    response = ("paths", "/fapi/v1/time", "get", "responses", "200")
    place = (*response, "content", "application/json", "schema", "$ref")
    with pytest.raises(SpecError, match="must be #/components/schemas/ and a name"):
        generate(changed(DOCUMENT, place, reference))
