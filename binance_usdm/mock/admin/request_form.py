"""HTTP page: the form that sends an operation, and the place for its outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from binance_usdm.mock.spec.operation import Operation
from binance_usdm.mock.spec.parameters import Json

from .markup import Markup, element
from .spec_reader import SpecReader, show_value

Words = Mapping[str, Any]

# What an operation must have for a mistake, by the mistake's name in http_page.js. The key is a
# role of the spec (`x-signing-role`), "" for every operation.
ROLE_BY_MISTAKE: Final[Mapping[str, str]] = {
    "late": "timestamp",
    "early": "timestamp",
    "no-timestamp": "timestamp",
    "malformed-timestamp": "timestamp",
    "repeated-timestamp": "timestamp",
    "zero-window": "window",
    "wrong-secret": "signature",
    "signature-first": "signature",
    "no-signature": "signature",
    "no-key": "key",
    "unknown-key": "key",
    "unknown-parameter": "",
    "unknown-path": "",
}


class RequestForm:
    """Form of an operation.

    Args:
        reader: Texts and facts of the spec.
        words: Texts of the page.
        prefix: Beginning of the ids within the form.
        operation: Operation to send.
        node: Its node in the spec.
    """

    def __init__(
        self, reader: SpecReader, words: Words, prefix: str, operation: Operation, node: Json
    ) -> None:
        self._reader = reader
        self._words = words
        self._prefix = prefix
        self._operation = operation
        self._node = node

    def render(self, *, can_sign: bool) -> Markup:
        """Return the form and the place for its outcome.

        Args:
            can_sign: Whether the page has a key. Without one, an operation that needs it cannot be
                sent.
        """
        return element("div", self._form(can_sign), self._result(), class_="sides")

    def _form(self, can_sign: bool) -> Markup:
        words, operation = self._words, self._operation
        parameters = [
            self._parameter(f"{self._prefix}-{number}", parameter)
            for number, parameter in enumerate(self._node["parameters"])
        ]
        is_off = operation.key_header is not None and not can_sign
        hint_id = f"{self._prefix}-mistake-hint"
        mistakes = element("select", *self._mistakes(), name="mistake", aria_describedby=hint_id)
        return element(
            "form",
            element("h3", words["parameters"]),
            *(parameters or [element("p", words["no_parameters"], class_="soft")]),
            element("label", words["mistake"], mistakes),
            element("p", words["mistake_hint"], id=hint_id, class_="soft small"),
            element("p", words["signing_off"], class_="note") if is_off else None,
            element("button", words["send"], class_="main", disabled=is_off),
            data_method=operation.method,
            data_path=operation.path,
            data_signature=operation.signature,
            data_key_header=self._reader.key_header(self._node),
            data_headers=json.dumps([*self._reader.headers(self._node)]),
            novalidate=True,
        )

    def _parameter(self, control_id: str, parameter: Json) -> Markup:
        words, reader = self._words, self._reader
        schema = reader.parameter_schema(parameter)
        role = parameter.get("x-signing-role")
        attributes: dict[str, str] = {
            "id": control_id,
            "name": parameter["name"],
            "aria_describedby": f"{control_id}-hint",
            "data_parameter": role or "plain",
        }
        choices = ["true", "false"] if schema.get("type") == "boolean" else schema.get("enum")
        if choices is None:
            control = element(
                "input",
                placeholder=words["now" if role == "timestamp" else "not_sent"],
                autocomplete="off",
                spellcheck="false",
                inputmode="numeric" if schema.get("type") == "integer" else None,
                **attributes,
            )
        else:
            options = [element("option", words["not_sent"], value="")]
            options += [element("option", show_value(choice)) for choice in choices]
            control = element("select", *options, **attributes)
        presence = words["required" if parameter.get("required") else "optional"]
        label = element(
            "label", element("code", parameter["name"]), f" {presence}", for_=control_id
        )
        text = reader.sentence(parameter, "description")
        hint = element("p", text, id=f"{control_id}-hint", class_="small")
        return element(
            "div", label, control, hint, render_facts(reader, words, schema), class_="parameter"
        )

    def _mistakes(self) -> Iterator[Markup]:
        operation = self._operation
        roles = {"", *operation.parameters_by_role}
        if operation.key_header is not None:
            roles.add("key")
        if operation.signature is not None:
            roles.add("signature")
        yield element("option", self._words["no_mistake"], value="")
        for name, role in ROLE_BY_MISTAKE.items():
            if role in roles:
                yield element("option", self._words["mistakes"][name], value=name)

    def _result(self) -> Markup:
        words = self._words
        return element(
            "div",
            element("h3", words["result"]),
            element("p", words["nothing_sent"], role="status", class_="verdict"),
            element("div", class_="outcome"),
            class_="result",
        )


def render_facts(reader: SpecReader, words: Words, schema: Json) -> Markup:
    """Return type, bounds, pattern, default and examples of a schema."""
    facts = [("type", reader.type_name(schema)), *reader.facts(schema)]
    items = [
        element("div", element("dt", words["facts"][name]), element("dd", element("code", value)))
        for name, value in facts
    ]
    return element("dl", *items, class_="facts")
