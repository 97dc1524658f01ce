"""`binance-usdm spec`: the OpenAPI document for other tools."""

import json

import pytest

from generator.document.openapi import load
from generator.output.reader_document import LANGUAGES, render_document
from tests.support.command_line import run
from tests.support.paths import SPEC_FILE


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_that_of_the_spec(language: str) -> None:
    """It is shipped in each language, with a line that says what wrote it."""
    done = run("spec", "--language", language)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert "generator" in document.pop("x-written-by")
    assert document == render_document(load(SPEC_FILE), language)


def test_english_is_the_default() -> None:
    """The command without an option is for most readers."""
    assert run("spec").stdout == run("spec", "--language", "en").stdout


def test_other_languages_are_wrong_usage() -> None:
    """The error lists those that there are."""
    done = run("spec", "--language", "fr")
    assert done.returncode == 2
    assert "en" in done.stderr
    assert "zh" in done.stderr
