"""Pages from the spec: error codes and the fields of a row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .pages import ROOT, WORDS, list_facts, sentence, write_page, write_reference


def load_spec() -> Any:
    """Return the spec, from the JSON that is shipped: `make drift` compares it with the YAML."""
    path = ROOT / "generated_client" / "binance_usdm_wire" / "openapi.json"
    return json.loads(path.read_text(encoding="utf-8"))


def write_spec_pages(language: str, pages: Path) -> list[str]:
    """Write the pages, and return which texts of the spec the language lacks."""
    spec = load_spec()
    missing: list[str] = []

    def text_of(place: str, source: Any, key: str) -> str:
        translated = source.get(f"x-{key}-{language}")
        if translated is None and language != "en":
            missing.append(f"{language}: {key} of {place} in the spec")
        return sentence(source[key] if translated is None else translated)

    words, later = WORDS["words"][language], WORDS["later"][language]
    rows = []
    for order, (code, error) in enumerate(spec["x-error-codes"].items(), 1):
        name = f"{error['kind'].title().replace('-', '')}Error"
        answer = later["permanent" if error.get("retryable") is False else error["kind"]]
        stem, meaning = code.removeprefix("-"), text_of(code, error, "meaning")
        exception = f"[`{name}`](../reference/exceptions.md#binance_usdm.{name})"
        write_page(
            pages / "errors" / f"{stem}.md",
            order,
            f"{code} {error['name']}",
            meaning,
            list_facts(words, {words["exception"]: exception, words["later"]: answer}),
            f"## {words['do']} {{ #do }}\n\n{text_of(code, error, 'hint')}",
            f"## {words['says']} {{ #says }}",
            "\n".join(f"- `{message}`" for message in error["messages"]),
        )
        rows.append(f"| [{code}]({stem}.md) | {meaning} {exception} |")
    head = f"| {words['code']} | {words['meaning']} |\n|---|---|\n"
    statuses = {
        status: spec["components"]["responses"][response["$ref"].rpartition("/")[2]]
        for path in spec["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if "$ref" in response
    }
    index = WORDS["pages"]["errors"][language]
    write_page(
        pages / "errors" / "index.md",
        0,
        index["title"],
        index["intro"],
        head + "\n".join(rows),
        f"## {words['statuses']} {{ #http }}\n\n{words['statuses_intro']}",
        *(
            f"### HTTP {status} {{ #http-{status.lower()} }}\n\n"
            f"{text_of(f'HTTP {status}', response, 'description')}"
            for status, response in sorted(statuses.items())
        ),
    )
    fields = []
    for name, field in spec["components"]["schemas"]["AccountBalance"]["properties"].items():
        type_name = field.get("type") or field["$ref"].rpartition("/")[2]
        attribute = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        fields.append(
            f"## `{name}` {{ #{name} }}\n\n{text_of(name, field, 'description')}\n\n"
            + list_facts(
                words, {words["attribute"]: f"`{attribute}`", words["type"]: f"`{type_name}`"}
            )
        )
    write_reference(pages, language, "fields", *fields)
    return missing
