"""docs/promises.md has every promise, and each has tests or a reason why not."""

from __future__ import annotations

import ast

import pytest

from tests import promises

PAGE = promises.PAGE.read_text(encoding="utf-8")


def test_every_promise_has_a_row() -> None:
    """The table lists the promises in their order."""
    assert list(promises.parse_rows(PAGE)) == promises.IDS


@pytest.mark.parametrize("name", promises.IDS)
def test_a_promise_is_proved_or_declined(name: str) -> None:
    """A promise has a test that carries its mark, or a reason why it is declined."""
    column = promises.parse_rows(PAGE)[name]
    tests = promises.find_tests()
    if column.startswith(promises.DECLINED):
        assert len(column) > 40
        assert name not in tests, "it is proved: do not decline it"
    else:
        assert tests.get(name), f"no test carries the mark {name}"


def test_the_page_agrees_with_the_marks() -> None:
    """The last column is what the tests' marks make it."""
    assert promises.render(PAGE) == PAGE, "run: python -m tests.promises"


def test_marks_name_known_promises() -> None:
    """No test carries a mark of a promise that does not exist."""
    assert set(promises.find_tests()) <= set(promises.IDS)


def test_all_kinds_of_marks_are_found() -> None:
    """Marks of a function, a class and a module are found."""
    source = """
pytestmark = pytest.mark.promise("R1")

@pytest.mark.promise("S2", "S3")
def test_one(): ...

@pytest.mark.promise("S4")
class TestTwo:
    def test_two(self): ...

def helper(): ...
"""
    assert promises.find_marks(ast.parse(source)) == {
        "R1": ["test_one", "test_two"],
        "S2": ["test_one"],
        "S3": ["test_one"],
        "S4": ["test_two"],
    }


def test_a_row_shows_two_tests() -> None:
    """The table names tests of two files and counts the others; the command prints them all."""
    tests = ["a.py: test_1", "a.py: test_2", "b.py: test_3"]
    assert promises.format_tests(tests) == "`a.py: test_1`<br>`b.py: test_3`<br>and 1 more"
    assert promises.format_tests(tests[:2]) == "`a.py: test_1`<br>`a.py: test_2`"
    assert promises.format_tests([]) == ""


def test_the_command_lists_all_tests(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m tests.promises R1` prints every test of R1, and rejects an unknown id."""
    assert promises.main(["R1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"R1  tests/{test}" for test in promises.find_tests()["R1"]]
    assert promises.main(["R1", "X9"]) == 2
    assert capsys.readouterr().err == "unknown promise: X9\n"
