"""The HTTP page as it is served: what it says follows from the spec, in both languages."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any, Final

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, running
from binance_usdm.mock.admin.assets import read_asset
from binance_usdm.mock.admin.http_page import LANGUAGES
from binance_usdm.mock.admin.request_form import ROLE_BY_MISTAKE
from binance_usdm.mock.admin.routes import AdminApi
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from tests.specs.wide_spec import FULL, hostile, wide_document
from tests.support.spec_facts import TIME_PATH

SPEC: Final[Any] = load_packaged_spec()
WORDS: Final[Any] = json.loads(read_asset("http_page.json"))
ADDRESSES: Final = {"en": "/__admin/http", "zh": "/__admin/http/zh"}
# Elements without an end.
VOID: Final = {"meta", "link", "input"}
MARKUP: Final = (
    "</option></select></style></script><script>alert(1)</script>\" onfocus='x' {{intro}}"
)


class Page(HTMLParser):
    """Text of a page by the ids that it stands in, and what else it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self.english: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()
        assert self._open == [], "every element ends"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for attributes in self._open:
            if attributes.get("id"):
                where = str(attributes["id"])
                self.texts[where] = self.texts.get(where, "") + data
        languages = [attributes["lang"] for attributes in self._open if "lang" in attributes]
        if languages[-1:] == ["en"]:
            self.english.append(data)

    def values(self, name: str) -> list[str]:
        return [str(values[name]) for _, values in self.attributes if name in values]


def load_page(exchange: Exchange, language: str = "en") -> str:
    headers = [(b"host", b"localhost")]
    api = AdminApi(exchange._engine)
    reply = api.handle("GET", ADDRESSES[language], b"", headers, b"", "127.0.0.1")
    assert reply.status == 200, reply.body
    return reply.body.decode()


def with_examples(document: Any) -> Any:
    """Return a spec whose operations all have an example, which the mock needs."""
    document = copy.deepcopy(document)
    examples = {
        "account": FULL,
        "positions": [],
        "symbols": ["x"],
        "levels": [["1"]],
        "odd": {},
    }
    for path in document["paths"].values():
        operation = path["get"]
        response = operation["responses"]["200"]
        if "$ref" in response:
            operation["responses"]["200"] = response = copy.deepcopy(
                document["components"]["responses"]["Rows"]
            )
        media = response["content"]["application/json"]
        if "examples" not in media:
            media["example"] = examples.get(operation["operationId"], [])
    return document


def text_of(node: Any, key: str, language: str) -> str:
    """Return a text of the spec as the page has to show it, without its last full stop."""
    if language == "en":
        text = re.sub(r" ?\[[a-z]+\]", "", node[key]).strip().rstrip(".")
        # A name stays as it is.
        return text if re.match(r"[a-z]+[A-Z]", text) else text[0].upper() + text[1:]
    return str(node[f"x-{key}-{language}"]).rstrip("。")


def resolve(node: Any) -> Any:
    """Return a node of the spec with what its `$ref` refers to."""
    if "$ref" not in node:
        return node
    target = SPEC
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return {**target, **node}


def bare(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_is_on_the_page(language: str) -> None:
    """Its texts, parameters, fields, bounds, patterns, examples and statuses are the spec's."""
    page = Page(load_page(Exchange(), language))
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            shown = page.texts[operation["operationId"]]
            expected = [f"{method.upper()} {path}", f" {operation['x-weight']}"]
            expected += [text_of(operation, key, language) for key in ("summary", "description")]
            nodes = [resolve(parameter) for parameter in operation["parameters"]]
            for parameter in nodes:
                expected += [parameter["name"], text_of(parameter, "description", language)]
                expected += [str(parameter["schema"][key]) for key in ("format", "minimum")]
                expected.append(str(parameter["example"]))
            response = operation["responses"]["200"]
            schema = resolve(response["content"]["application/json"]["schema"])
            fields = resolve(schema.get("items", schema))["properties"]
            assert fields
            for name, member in fields.items():
                field = resolve(member)
                expected += [name, text_of(field, "description", language), field["type"]]
                expected += [field[key] for key in ("pattern", "format") if key in field]
                expected += [str(example).replace("True", "true") for example in field["examples"]]
            for example in response["content"]["application/json"]["examples"].values():
                expected += [text_of(example, "summary", language)]
                expected += [json.dumps(example["value"], ensure_ascii=False, indent=2)]
            for status, node in operation["responses"].items():
                expected += [status, text_of(resolve(node), "description", language)]
            assert [text for text in expected if text not in shown] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_code_has_an_entry(language: str) -> None:
    """With meaning, hint and messages of the spec."""
    page = Page(load_page(Exchange(), language))
    assert len(SPEC["x-error-codes"]) > 30
    for code, error in SPEC["x-error-codes"].items():
        expected = [code, error["name"], *error["messages"]]
        expected += [text_of(error, key, language) for key in ("meaning", "hint")]
        entry = page.texts[f"error{code}"]
        assert [text for text in expected if text not in entry] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_source_of_the_spec_is_shown(language: str) -> None:
    """Marks such as [gen] are for those who write the spec."""
    page = Page(load_page(Exchange(), language))
    assert [mark for mark in SPEC["x-sources"] if f"[{mark}]" in page.texts["main"]] == []


def test_a_new_operation_is_on_the_page() -> None:
    """Nothing but the spec changes: choices, nested fields and types of all kinds."""
    page = Page(load_page(Exchange(spec=with_examples(wide_document()))))
    assert page.texts["account"].startswith("GET /fapi/v3/account")
    # Side, and the boolean. Parameters are in the order of the spec.
    options = re.findall(r"红|BUY|with-dash|quo\"te|true|false", page.texts["account"])
    assert options[:6] == ["true", "false", "BUY", "with-dash", 'quo"te', "红"]
    fields = ["best.symbol", "positions[].entryPrice", "history[].updateTime", "levels"]
    assert [name for name in fields if name not in page.texts["account"]] == []
    assert "string (decimal)[][]" in page.texts["account"]
    assert '"total": "100.000000000000000000000000000000000001"' in page.texts["account"]
    assert "integer | null (int64)" in page.texts["account"]
    assert "symbols-11" in page.values("id"), "twelve parameters"
    # A key without a signature.
    forms = {values["data-path"]: values for tag, values in page.attributes if tag == "form"}
    assert forms["/fapi/v1/positions"]["data-key-header"] == "X-MBX-APIKEY"
    assert "data-signature" not in forms["/fapi/v1/positions"]
    assert "data-key-header" not in forms[TIME_PATH]


def test_a_mistake_is_offered_where_it_can_be_made() -> None:
    """A public operation has no key, signature and timestamp to be wrong about."""
    page = Page(load_page(Exchange()))
    signed, public = (page.texts[name] for name in ("balance", "server_time"))
    labels = WORDS["en"]["mistakes"]
    assert [name for name in labels if labels[name] not in signed] == []
    offered = {name for name in labels if labels[name] in public}
    assert offered == {"unknown-parameter", "unknown-path"}


def test_words_are_complete() -> None:
    """Both languages have the same words, and every mistake has its label and its function."""

    def shape(node: Any) -> Any:
        return {key: shape(value) for key, value in node.items()} if isinstance(node, dict) else 0

    assert shape(WORDS["en"]) == shape(WORDS["zh"])
    assert WORDS.keys() == {*LANGUAGES}
    assert WORDS["en"]["mistakes"].keys() == ROLE_BY_MISTAKE.keys()
    table = read_asset("http_page.js").partition("const MISTAKES = {")[2].partition("\n};")[0]
    functions = re.findall(r'^  "?([a-z-]*)"?: \(', table, re.MULTILINE)
    assert functions == ["", *ROLE_BY_MISTAKE]


def test_no_word_of_the_page_is_english_in_chinese() -> None:
    """Only the exchange's messages are marked as English, and a text without a translation."""
    page = Page(load_page(Exchange(), "zh"))
    messages = {text for error in SPEC["x-error-codes"].values() for text in error["messages"]}
    assert {text for text in page.english if text.strip()} == messages | {"English"}
    spec = copy.deepcopy(SPEC)
    del spec["paths"][TIME_PATH]["get"]["x-summary-zh"]
    page = Page(load_page(Exchange(spec=spec), "zh"))
    assert "The exchange's clock." in page.english


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_a_spec_is_never_markup(language: str) -> None:
    """Names, texts, choices, patterns and examples are escaped, and fill no hole of the page."""
    spec = with_examples(hostile(wide_document()))
    parameter = spec["paths"]["/fapi/v3/account"]["get"]["parameters"][3]
    parameter["name"] = parameter["description"] = MARKUP
    parameter["schema"]["enum"] = [MARKUP]
    spec["paths"][f"/fapi/{MARKUP}"] = copy.deepcopy(spec["paths"][TIME_PATH])
    error = {"name": MARKUP, "kind": "server", "meaning": MARKUP, "hint": "x", "messages": [MARKUP]}
    spec["x-error-codes"][f"-1{MARKUP}"] = error
    plain, page = (
        Page(load_page(Exchange(spec=document), language))
        for document in (with_examples(wide_document()), spec)
    )
    assert (page.tags["script"], page.tags["style"]) == (1, 1)
    assert page.tags.keys() == plain.tags.keys()
    assert not any(name.startswith("on") for _, values in page.attributes for name in values)
    assert page.texts["account"].count(MARKUP) == 4, "name, text, choice, and fact"
    assert page.texts["errors"].count(MARKUP) == 4
    assert WORDS[language]["intro"] not in page.texts["errors"]


def test_ids_are_unique_and_references_lead_somewhere() -> None:
    page = Page(load_page(Exchange(spec=with_examples(wide_document()))))
    ids = Counter(page.values("id"))
    assert set(ids.values()) == {1}
    assert not any(re.search(r"\s", id_) for id_ in ids)
    references = [*page.values("for"), *page.values("aria-describedby")]
    references += page.values("aria-labelledby")
    assert len(references) > 30
    assert [name for name in references if name not in ids] == []
    anchors = [link[1:] for link in page.values("href") if link.startswith("#")]
    assert [name for name in anchors if name not in ids] == []


def test_the_default_key_is_on_the_page() -> None:
    """The key may have another name; the secret is the mock's own."""
    for api_key in DEFAULT_API_KEY, "another-fake-key":
        page = Page(load_page(Exchange(api_key=api_key)))
        (body,) = (values for tag, values in page.attributes if tag == "body")
        assert body["data-api-key"] == api_key
        assert body["data-api-secret"] == DEFAULT_API_SECRET
        assert not page.values("disabled")


@pytest.mark.parametrize("secret", ["could-be-a-real-secret", lambda payload, signature: True])
def test_another_secret_is_not_on_the_page(secret: Any) -> None:
    """Then signed operations cannot be sent, and the page says why."""
    exchange = Exchange(api_key="another-fake-key", api_secret=secret)
    html = load_page(exchange)
    assert "could-be-a-real-secret" not in html
    assert DEFAULT_API_SECRET not in html
    page = Page(html)
    assert WORDS["en"]["signing_off"] in page.texts["balance"]
    assert WORDS["en"]["signing_off"] not in page.texts["server_time"]
    assert page.values("disabled") == ["None"]
    # A further account with the default secret can be used.
    exchange.add_account(DEFAULT_API_KEY, DEFAULT_API_SECRET)
    page = Page(load_page(exchange))
    assert page.values("data-api-key") == [DEFAULT_API_KEY]
    assert not page.values("disabled")


def test_the_page_is_off_by_default() -> None:
    """Without the admin API its address is a path that the exchange does not have."""
    httpx = pytest.importorskip("httpx")
    exchange = Exchange()
    with running(exchange) as url:
        response = httpx.get(f"{url}/__admin/http")
    assert (response.status_code, response.json()["code"]) == (404, -5000)
    assert DEFAULT_API_SECRET not in response.text
    exchange.reset()
    with running(exchange, admin=True) as url:
        assert httpx.get(f"{url}/__admin/http").headers["content-type"].startswith("text/html")
        assert httpx.post(f"{url}/__admin/http").status_code == 405
        assert httpx.get(f"{url}/__admin/http?x=1").status_code == 400
        assert httpx.get(f"{url}/__admin/http", headers={"Host": "evil.example"}).status_code == 403
    assert not exchange.requests, "the page is not logged"
