"""Pages from the spec: error codes and the fields of a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from binance_usdm import AccountBalance, BadRequestError
from binance_usdm._call.error_mapping import ERROR_CLASS_BY_KIND

from .pages import ROOT, WORDS, list_facts, sentence, write_page, write_reference


def load_spec() -> Any:
    """Return the spec, from the JSON that is shipped: `make drift` compares it with the YAML."""
    path = ROOT / "generated_client" / "binance_usdm_wire" / "openapi.json"
    return json.loads(path.read_text(encoding="utf-8"))


def write_spec_pages(language: str, pages: Path) -> list[str]:
    """Write the pages, and return which texts of the spec the language lacks."""
    texts = _SpecTexts(language)
    spec = load_spec()
    index_rows = [
        _write_code_page(pages, texts, order, code, error)
        for order, (code, error) in enumerate(spec["x-error-codes"].items(), 1)
    ]
    _write_error_index(pages, texts, index_rows, spec)
    schema = spec["components"]["schemas"]["AccountBalance"]
    write_reference(pages, language, "fields", *_field_sections(texts, schema["properties"]))
    return texts.missing


class _SpecTexts:
    """Texts of the spec in a language; those that it lacks are noted and stay English."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.words: Any = WORDS["words"][language]
        self.missing: list[str] = []

    def get(self, place: str, source: Any, key: str) -> str:
        """Return a text as a sentence.

        Args:
            place: What the text is about, in the note of a missing one.
            source: Object of the spec that has the text.
            key: Name of the text, such as "description".
        """
        translated = source.get(f"x-{key}-{self.language}")
        if translated is None and self.language != "en":
            self.missing.append(f"{self.language}: {key} of {place} in the spec")
        return sentence(source[key] if translated is None else translated)


def _write_code_page(pages: Path, texts: _SpecTexts, order: int, code: str, error: Any) -> str:
    """Write the page of an error code, and return its row in the index."""
    words, later = texts.words, WORDS["later"][texts.language]
    name = ERROR_CLASS_BY_KIND.get(error["kind"], BadRequestError).__name__
    answer = later["permanent" if error.get("retryable") is False else error["kind"]]
    stem, meaning = code.removeprefix("-"), texts.get(code, error, "meaning")
    exception = f"[`{name}`](../reference/exceptions.md#binance_usdm.{name})"
    write_page(
        pages / "errors" / f"{stem}.md",
        order,
        f"{code} {error['name']}",
        meaning,
        list_facts(words, {words["exception"]: exception, words["later"]: answer}),
        f"## {words['do']} {{ #do }}\n\n{texts.get(code, error, 'hint')}",
        f"## {words['says']} {{ #says }}",
        "\n".join(f"- `{message}`" for message in error["messages"]),
    )
    return f"| [{code}]({stem}.md) | {meaning} {exception} |"


def _write_error_index(pages: Path, texts: _SpecTexts, rows: list[str], spec: Any) -> None:
    """Write the page that lists the codes and explains the HTTP statuses."""
    words, index = texts.words, WORDS["pages"]["errors"][texts.language]
    statuses = {
        status: spec["components"]["responses"][response["$ref"].rpartition("/")[2]]
        for path in spec["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    write_page(
        pages / "errors" / "index.md",
        0,
        index["title"],
        index["intro"],
        "\n".join([f"| {words['code']} | {words['meaning']} |", "|---|---|", *rows]),
        f"## {words['statuses']} {{ #http }}\n\n{words['statuses_intro']}",
        *(
            f"### HTTP {status} {{ #http-{status.lower()} }}\n\n"
            f"{texts.get(f'HTTP {status}', response, 'description')}"
            for status, response in sorted(statuses.items())
        ),
    )


def _field_sections(texts: _SpecTexts, fields: Any) -> Iterator[str]:
    """Yield a section for each field of a row."""
    attributes = {wire_name: name for name, wire_name in AccountBalance.WIRE_NAMES.items()}
    words = texts.words
    for name, field in fields.items():
        type_name = field.get("type") or field["$ref"].rpartition("/")[2]
        facts = {words["attribute"]: f"`{attributes[name]}`", words["type"]: f"`{type_name}`"}
        description = texts.get(name, field, "description")
        yield f"## `{name}` {{ #{name} }}\n\n{description}\n\n{list_facts(words, facts)}"
