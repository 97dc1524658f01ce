"""HTTP page: every operation of the spec as a form that signs in the browser.

The texts of the spec and of `http_page.json` are filled into `http_page.html`; `http_page.js` signs
and sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from hmac import compare_digest
from typing import Final

from binance_usdm.mock.engine import Engine
from binance_usdm.mock.spec.operation import Operation
from binance_usdm.mock.spec.parameters import Json
from binance_usdm.mock.state.accounts import DEFAULT_API_SECRET

from .assets import read_asset
from .markup import Markup, element, fill_template, join
from .request_form import RequestForm, Words, render_facts
from .spec_reader import Field, SpecReader

LANGUAGES: Final = ("en", "zh")


def render_http_page(engine: Engine, language: str) -> bytes:
    """Return the page.

    Only the default secret is on it. Another one could be a real one by mistake.

    Args:
        engine: Exchange, locked.
        language: One of `LANGUAGES`.
    """
    words = _words()[language]
    renderer = _Renderer(SpecReader(engine.spec, language), words, find_default_key(engine))
    values = {name: word for name, word in words.items() if isinstance(word, str)}
    values |= {
        "STYLE": Markup(read_asset("palette.css") + read_asset("http_page.css")),
        "SCRIPT": Markup(read_asset("pretty_json.js") + read_asset("http_page.js")),
        "API_KEY": renderer.api_key or "",
        "API_SECRET": DEFAULT_API_SECRET if renderer.api_key else "",
        "NAVIGATION": renderer.navigation(),
        "OPERATIONS": join(*map(renderer.operation, engine.spec.operations)),
        "ERROR_CODES": join(*renderer.error_codes()),
    }
    return fill_template(read_asset("http_page.html"), values).encode()


def find_default_key(engine: Engine) -> str | None:
    """Return the first API key with the default secret, or `None`."""
    for key in engine.state.keys.values():
        secret = key.secret if isinstance(key.secret, str) else ""
        if compare_digest(secret.encode(), DEFAULT_API_SECRET.encode()):
            return key.api_key
    return None


def _id_of(operation: Operation) -> str:
    """Return the id of an operation's section."""
    return re.sub(r"[^\w-]", "-", operation.id)


@cache
def _words() -> Mapping[str, Words]:
    words: Mapping[str, Words] = json.loads(read_asset("http_page.json"))
    return words


class _Renderer:
    """Parts of the page.

    Args:
        reader: Texts and facts of the spec.
        words: Texts of the page.
        api_key: Key with the default secret, or `None`: then only unsigned requests can be sent.
    """

    def __init__(self, reader: SpecReader, words: Words, api_key: str | None) -> None:
        self._reader = reader
        self._words = words
        self.api_key = api_key

    def navigation(self) -> Markup:
        operations = self._reader.spec.operations
        links = [(f"#{_id_of(known)}", f"{known.method} {known.path}") for known in operations]
        links.append(("#errors", self._words["error_codes"]))
        return join(*(element("li", element("a", text, href=to)) for to, text in links))

    def operation(self, operation: Operation) -> Markup:
        """Return the section of an operation."""
        words, reader, section_id = self._words, self._reader, _id_of(operation)
        node = reader.operation_node(operation)
        form = RequestForm(reader, words, section_id, operation, node)
        method = element("span", operation.method, class_="method")
        title = element("h2", method, " ", operation.path, id=f"{section_id}-title")
        security = node.get("x-security-type")
        badges = [
            element("span", f"{words['weight']} {operation.weight}", class_="badge"),
            security and element("span", str(security), class_="badge"),
        ]
        schema = reader.response_schema(node)
        response_type = element("code", reader.type_name(schema))
        return element(
            "section",
            element("div", title, *badges, class_="head"),
            element("p", element("strong", reader.sentence(node, "summary"))),
            element("p", reader.sentence(node, "description")),
            form.render(can_sign=self.api_key is not None),
            element("h3", words["fields"]),
            element("p", response_type, " ", reader.response_text(node), class_="soft"),
            element("div", *map(self._field, reader.fields(schema)), class_="fields"),
            self._more(words["examples"], *self._examples(node)),
            self._more(words["statuses"], element("dl", *self._statuses(node), class_="statuses")),
            id=section_id,
            class_="operation",
            aria_labelledby=f"{section_id}-title",
        )

    def _field(self, field: Field) -> Markup:
        presence = self._words["always" if field.required else "sometimes"]
        title = element("h4", element("code", field.path), " ", element("small", presence))
        text = element("p", self._reader.sentence(field.schema, "description"))
        return element("div", title, text, render_facts(self._reader, self._words, field.schema))

    def _examples(self, node: Json) -> Iterator[Markup]:
        for summary, example in self._reader.examples(node):
            yield element("p", summary)
            yield element("pre", example, tabindex="0")

    def _statuses(self, node: Json) -> Iterator[Markup]:
        for status, response in self._reader.statuses(node):
            text = self._reader.sentence(response, "description")
            term = element("dt", element("code", status))
            yield element("div", term, element("dd", text), data_status=status)

    def error_codes(self) -> Iterator[Markup]:
        """Yield the entry of each error code."""
        words, reader = self._words, self._reader
        for code, error in reader.spec.errors.items():
            messages = [element("li", message) for message in error.get("messages", ())]
            yield element(
                "div",
                element("h3", element("code", code), f" {error['name']}"),
                element("p", reader.sentence(error, "meaning")),
                element(
                    "p",
                    element("strong", words["what_to_do"]),
                    reader.space,
                    reader.sentence(error, "hint"),
                ),
                element("ul", *messages, lang="en", class_="messages") if messages else None,
                id=f"error{code}",
                class_="entry",
            )

    def _more(self, title: str, *children: Markup) -> Markup | None:
        if not children:
            return None
        return element("details", element("summary", title), *children)
