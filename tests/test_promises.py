"""The table of promises: complete, made from the tests, and every row proved or declined with a reason."""

from __future__ import annotations

import ast

import pytest

from tests import promises

PAGE = promises.PAGE.read_text(encoding="utf-8")


def test_the_table_has_a_row_for_every_promise() -> None:
    assert list(promises.rows(PAGE)) == promises.IDS


@pytest.mark.parametrize("name", promises.IDS)
def test_every_promise_is_proved_or_declined_with_a_reason(name: str) -> None:
    row = promises.rows(PAGE)[name]
    found = promises.tests()
    if row.startswith(promises.DECLINED):
        assert len(row) > 40
        assert name not in found, "it is proved: do not decline it"
    else:
        assert found.get(name), f"no test carries the mark {name}"


def test_the_table_is_what_the_tests_say() -> None:
    assert promises.render(PAGE) == PAGE, "run: python -m tests.promises"


def test_marks_name_promises_that_there_are() -> None:
    assert set(promises.tests()) <= set(promises.IDS)


def test_marks_of_a_function_a_class_and_a_module_are_found() -> None:
    source = """
pytestmark = pytest.mark.promise("R1")

@pytest.mark.promise("S2", "S3")
def test_one(): ...

@pytest.mark.promise("S4")
class TestTwo:
    def test_two(self): ...

def helper(): ...
"""
    found = promises.marked(ast.parse(source))
    assert found == {
        "R1": ["test_one", "test_two"],
        "S2": ["test_one"],
        "S3": ["test_one"],
        "S4": ["test_two"],
    }
