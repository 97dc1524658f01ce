"""Build bodies out of what the allow-list has. Nothing else of a recorded body is copied."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from .allow_list import ACCOUNT, AllowList, Rule
from .har import RecordedResponse, parse_json_or_none, unique_object


class _Number(str):
    """Number of JSON, as it was written."""

    __slots__ = ()


class Scrubber:
    """Copies what an allow-list has of bodies.

    Args:
        allow_list: What is copied.
        dropped: Numbers of what is left out, by kind. Increased here.
    """

    def __init__(self, allow_list: AllowList, dropped: Counter[str]) -> None:
        self._allow_list = allow_list
        self._dropped = dropped
        self._number_by_account = dict[str, int]()

    def scrub_body(self, recorded: RecordedResponse) -> str:
        """Return what the allow-list has of a body. Empty if it has no body of this JSON type."""
        value = parse_json_or_none(
            recorded.body,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_reject_constant,
            object_pairs_hook=unique_object,
        )
        for rule in self._allow_list.body_rules(recorded.method, recorded.path, recorded.status):
            if isinstance(value, type(rule)):
                return self._scrub(rule, value) or ""
        if recorded.body:
            self._dropped["bodies"] += 1
        return ""

    def _scrub(self, rule: Rule, value: Any) -> str | None:
        """Return the JSON of what a rule allows of a value. `None` if that is nothing."""
        match rule, value:
            case list(), list():
                items = [self._scrub(rule[0], item) for item in value]
                return f"[{','.join(filter(None, items))}]"
            case dict(), dict():
                return self._scrub_object(rule, value)
            case str(), None | bool() | str():
                text = self._dump(rule, value)
                if re.fullmatch(rule, text):
                    return text
        self._dropped["values"] += 1
        return None

    def _scrub_object(self, rules: dict[str, Rule], fields: dict[str, Any]) -> str:
        message = fields.get("msg")
        if "msg" in rules and isinstance(message, str):
            cleaned = self._allow_list.clean_message(str(fields.get("code")), message)
            self._dropped["messages"] += cleaned != message
            fields = {**fields, "msg": cleaned}
        parts = []
        for name, value in fields.items():
            text = self._scrub(rules[name], value) if name in rules else None
            self._dropped["fields"] += name not in rules
            if text is not None:
                parts.append(f"{json.dumps(name)}:{text}")
        return f"{{{','.join(parts)}}}"

    def _dump(self, rule: Rule, value: str | bool | None) -> str:
        """Return the JSON of a value, of a fake one if the value identifies an account."""
        if rule == ACCOUNT and isinstance(value, str) and value:
            number = self._number_by_account.setdefault(value, len(self._number_by_account) + 1)
            return f"{number}" if isinstance(value, _Number) else f'"fakeAccount{number}"'
        return value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _reject_constant(name: str) -> None:
    # NaN and infinity are not JSON.
    raise ValueError
