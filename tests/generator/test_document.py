"""`python -m generator document`: the spec for readers and tools outside this project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.schema import OpenAPI

from generator.__main__ import main
from generator.document.openapi import Json, walk_objects
from generator.output.reader_document import LANGUAGES, render_document
from tests.specs.places import DOCUMENT
from tests.specs.wide_spec import wide_document
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH, TIME_WEIGHT

MARK = re.compile(r"\[[a-z]+\]")


def texts(document: Json) -> Iterator[tuple[str, str]]:
    for place, node in walk_objects((), document):
        if "value" not in place and place[:1] != ("x-sources",):
            for key in ("description", "summary", "meaning", "hint"):
                if isinstance(node.get(key), str):
                    yield ".".join(map(str, (*place, key))), node[key]


def without_texts(node: Any) -> Any:
    """Return a document without its texts and extensions."""
    if isinstance(node, list):
        return [without_texts(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_texts(entry)
        for key, entry in node.items()
        if not key.startswith("x-")
        and not (key in {"description", "summary"} and isinstance(entry, str))
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("extensions", [True, False])
def test_only_texts_change(language: str, extensions: bool) -> None:
    """Paths, types, bounds and examples are those of the spec, and OpenAPI can be read."""
    rendered = render_document(DOCUMENT, language, extensions=extensions)
    assert without_texts(rendered) == without_texts(DOCUMENT)
    OpenAPI.model_validate(rendered)
    keys = {key for _, node in walk_objects((), rendered) for key in node if key.startswith("x-")}
    assert ("x-error-codes" in keys) is extensions
    assert extensions or keys == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_no_source_mark(language: str) -> None:
    """Nothing outside of this project explains the marks."""
    found = dict(texts(render_document(DOCUMENT, language)))
    assert len(found) > 100
    assert sum(MARK.search(text) is not None for _, text in texts(DOCUMENT)) >= 40
    assert {place: text for place, text in found.items() if MARK.search(text)} == {}


def test_chinese_texts_stand_in_their_places() -> None:
    """Each text that has a translation is that translation, and it is there once."""
    rendered = render_document(DOCUMENT, "zh", extensions=False)
    found = dict(texts(rendered))
    english = [place for place, text in found.items() if not re.search("[\u4e00-\u9fff]", text)]
    assert english == []
    kept = render_document(DOCUMENT, "zh")
    assert not [key for _, node in walk_objects((), kept) for key in node if key.endswith("-zh")]
    assert kept["x-error-codes"]["-1021"]["hint"] == DOCUMENT["x-error-codes"]["-1021"]["x-hint-zh"]


def test_the_weight_is_in_the_description() -> None:
    """Tools show no x-weight."""
    weights = {BALANCE_PATH: BALANCE_WEIGHT, TIME_PATH: TIME_WEIGHT}
    for language, words in (("en", "Request weight: {},"), ("zh", "请求权重：{}，")):
        paths = render_document(DOCUMENT, language, extensions=False)["paths"]
        for path, weight in weights.items():
            assert words.format(weight) in paths[path]["get"]["description"]


def test_names_and_values_are_no_texts() -> None:
    """A field named description is a field, and an example keeps what looks like a mark."""
    document = json.loads(json.dumps(wide_document()))
    field = {"type": "string", "description": "A field [gen].", "x-description-zh": "字段"}
    properties = document["components"]["schemas"]["ServerTime"]["properties"]
    properties |= {"description": field, "value": field, "x-note": field}
    media = document["paths"][TIME_PATH]["get"]["responses"]["200"]["content"]["application/json"]
    value = {"serverTime": 1, "description": "[gen]", "x-note": "[gen]"}
    media["examples"] = {"value": {"summary": "One [gen].", "value": value}}
    rendered = render_document(document, "en", extensions=False)
    properties = rendered["components"]["schemas"]["ServerTime"]["properties"]
    expected = {"type": "string", "description": "A field."}
    assert [properties[name] for name in ("description", "value", "x-note")] == [expected] * 3
    media = rendered["paths"][TIME_PATH]["get"]["responses"]["200"]["content"]["application/json"]
    assert media["examples"] == {"value": {"summary": "One.", "value": value}}


def test_the_command_writes_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Language and extensions are options; a file that cannot be written is exit status 2."""
    out = tmp_path / "openapi.zh.json"
    assert main(["document", "--language", "zh", "--without-extensions", str(out)]) == 0
    assert json.loads(out.read_bytes()) == render_document(DOCUMENT, "zh", extensions=False)
    assert main(["document", str(out)]) == 0
    assert json.loads(out.read_bytes()) == render_document(DOCUMENT, "en")
    assert main(["document", str(tmp_path / "missing" / "x.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err
