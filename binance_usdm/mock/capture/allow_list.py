"""What a script may have: what the spec describes, and nothing that identifies an account."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from binance_usdm.mock.core.packaged_files import load_packaged_spec
from binance_usdm.mock.spec.api_spec import ApiSpec

from .har import is_status

Rule: TypeAlias = "str | list[Rule] | dict[str, Rule]"
"""What a JSON value may be: a list with the rule of its items, a mapping from the names of its
fields to their rules, or a regular expression for the JSON of any other value."""

_CONSTANT: Final = 'null|true|false|""'
_NUMBER: Final = r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?"
# A number may be in a string, and the reverse: a test should see how the exchange sent it.
_NUMERIC: Final = f'{_CONSTANT}|{_NUMBER}|"{_NUMBER}"'
# A code of an error. An account number is longer.
_CODE: Final = f'{_CONSTANT}|-?[0-9]{{1,6}}|"-?[0-9]{{1,6}}"'
# The name of an asset. Keys, signatures and addresses are longer or have other characters.
_WORD: Final = rf'{_CONSTANT}|"[\w$]{{1,20}}"'
ACCOUNT: Final = f'{_CONSTANT}|"fakeAccount[0-9]{{1,9}}"|[0-9]{{1,9}}'
"""Rule of a field that identifies an account or its owner: a fake string or number."""
# Such fields, should the spec ever describe them without a mark; in lower case without "_".
_ACCOUNT_FIELDS: Final = re.compile(
    "account(?:alias|id)|apikey|email|listenkey|secretkey|signature|(?:sub)?userid|subaccountid|uid"
)
_REMOVED_MESSAGE: Final = "(message removed)"
_DATE: Final = (
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
# Headers that a client acts on: pattern of the name -> pattern of the value.
_HEADERS: Final = {
    "content-type": "(?:application/json|text/html|text/plain)(?: ?; ?charset=utf-8)?",
    "date": _DATE,
    "retry-after": f"[0-9]{{1,6}}|{_DATE}",
    "x-mbx-(?:used-weight|order-count)(?:-[0-9]{1,2}[smhd])?": "[0-9]{1,6}",
}
_HEADER_NAME: Final = re.compile(f"(?ai:{'|'.join(_HEADERS)})")
_HEADER: Final = re.compile(
    "|".join(f"(?ai:{name}): (?ai:{value})" for name, value in _HEADERS.items())
)


class AllowList:
    """What a script may have of responses that an OpenAPI document describes.

    Attributes:
        routes: Methods and paths of the operations.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        operations = ApiSpec(document).operations
        parameters = {name for operation in operations for name in operation.allowed_names or ()}
        # What may be written for a %s: a count, a time in ms, the name of a parameter. The first
        # digits of an address are not a count.
        slots = ["[0-9]{1,5}", "1[0-9]{12}", *map(re.escape, sorted(parameters))]
        self._slot = rf"(?:{'|'.join(slots)})(?!\S?\w)"
        self._messages: dict[str, list[str]] = {
            code: error.get("messages", [])
            for code, error in document.get("x-error-codes", {}).items()
        }
        self._message = self._message_rule()
        self._error: dict[str, Rule] = {"code": _CODE, "msg": self._message}
        self._results = {
            (operation.method, operation.path): self._compile("", operation.schema)
            for operation in operations
        }
        self.routes: frozenset[tuple[str, str]] = frozenset(self._results)

    def body_rules(self, method: str, path: str, status: int) -> list[Rule]:
        """Return the rules of the bodies that a response may have, no two for one JSON type.

        An error payload is allowed with any status.
        """
        result = self._results[method, path]
        if status != 200:
            return [self._error]
        return [self._error | result] if isinstance(result, dict) else [result, self._error]

    def clean_message(self, code: str, message: str) -> str:
        """Return an error message if the spec has it, otherwise the spec's message for the code."""
        if re.fullmatch(self._message, json.dumps(message, ensure_ascii=False)):
            return message
        templates = self._messages.get(code, [])
        for template in templates:
            head, slot, tail = template.partition("%s")
            if slot and "%s" not in tail:
                # The end of a ban is kept, also behind an IP address or other words.
                match = re.search(f"{re.escape(head[-12:])}({self._slot})", message)
                if match:
                    return head + match[1] + tail
        return next((text for text in templates if "%s" not in text), _REMOVED_MESSAGE)

    def allows(self, row: Any) -> bool:
        """Return whether a response of a script has nothing but what the allow-list has."""
        match row:
            case {
                "method": str(method),
                "path": str(path),
                "status": status,
                "headers": [*headers],
                "body": str(body),
                **others,
            } if not others and is_status(status) and (method, path) in self.routes:
                is_allowed_body = not body or any(
                    re.fullmatch(_pattern(rule), body)
                    for rule in self.body_rules(method, path, status)
                )
                return is_allowed_body and all(map(is_allowed_header, headers))
        return False

    def _compile(self, name: str, schema: Mapping[str, Any]) -> Rule:
        schema = self._resolve(schema)
        if "items" in schema:
            return [self._compile(name, schema["items"])]
        if "properties" in schema:
            properties = schema["properties"].items()
            return {field: self._compile(field, part) for field, part in properties}
        if schema.get("x-identifies-account") or _ACCOUNT_FIELDS.fullmatch(
            name.lower().replace("_", "")
        ):
            return ACCOUNT
        # A type is a string or a list of strings.
        types = str(schema.get("type"))
        if schema.get("format") == "decimal" or "integer" in types or "number" in types:
            return _NUMERIC
        return _WORD if "string" in types else _CONSTANT

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow references, and merge the parts of an `allOf`."""
        merged, properties = dict[str, Any](), dict[str, Any]()
        parts = list(schema.get("allOf", ()))
        if "$ref" in schema:
            steps = schema["$ref"].removeprefix("#/").split("/")
            parts.append(functools.reduce(lambda node, step: node[step], steps, self._document))
        for part in (*map(self._resolve, parts), schema):
            merged |= part
            properties |= part.get("properties", {})
        return {**merged, "properties": properties} if properties else merged

    def _message_rule(self) -> str:
        texts = {text for known in self._messages.values() for text in known}
        texts |= {_REMOVED_MESSAGE, *_example_messages(self._document)}
        patterns = [re.escape(json.dumps(text, ensure_ascii=False)) for text in sorted(texts)]
        return "|".join([_CONSTANT, *patterns]).replace("%s", self._slot)


def is_allowed_header(header: Any) -> bool:
    """Return whether a pair of name and value may be in a script."""
    match header:
        case [str(name), str(value)]:
            return _HEADER.fullmatch(f"{name}: {value}") is not None
    return False


def is_allowed_name(name: str) -> bool:
    """Return whether there are values with which a header may be in a script."""
    return _HEADER_NAME.fullmatch(name) is not None


@functools.cache
def packaged_allow_list() -> AllowList:
    """Return the allow-list of the installed spec."""
    return AllowList(load_packaged_spec())


def _pattern(rule: Rule) -> str:
    """Return a regular expression for the JSON that a rule allows."""
    if isinstance(rule, str):
        return f"(?:{rule})"
    if isinstance(rule, list):
        return rf"\[{_separated(_pattern(rule[0]))}\]"
    fields = [f"{re.escape(json.dumps(name))}:{_pattern(part)}" for name, part in rule.items()]
    return rf"\{{{_separated('|'.join(fields))}\}}"


def _separated(pattern: str) -> str:
    return f"(?:(?:{pattern})(?:,(?:{pattern}))*+)?"


def _example_messages(node: Any) -> Iterator[str]:
    """Return the messages of all error payloads in the examples of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("msg"), str):
            yield node["msg"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _example_messages(part)
