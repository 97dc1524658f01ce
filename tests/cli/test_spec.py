"""`binance-usdm spec`: the OpenAPI document for other tools."""

import json
from importlib.resources import files

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


@pytest.mark.parametrize(
    ("option", "package", "name"),
    [
        ("--extensions", "binance_usdm_wire", "extensions.schema.json"),
        ("--vectors", "binance_usdm", "vectors.json"),
    ],
)
def test_what_stands_beside_it_is_printed(option: str, package: str, name: str) -> None:
    """The schema of the extensions and the vectors are files of the wheel."""
    done = run("spec", option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == files(package).joinpath(name).read_text("utf-8")
    assert run("spec", option, "--language", "zh").returncode == 2
