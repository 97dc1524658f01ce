"""Read YAML 1.2 as JSON values, with the line and column of each.

The values are built from the events of libyaml in one loop: no depth of nesting exhausts the stack,
and aliases of aliases are counted before they could be expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from .findings import Finding, Place, SpecError, Step

MAX_VALUES: Final = 1_000_000
"""Values of a document, aliases expanded: four times those of 1,000 operations."""
MAX_DEPTH: Final = 40
"""Python cannot parse expressions that are nested much deeper."""
INVISIBLE_CHARACTERS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
"""Control characters, newlines other than `\\n`, bidi marks: invisible in the spec and in code."""

# The escape of a character beyond U+FFFF in JSON, which YAML writes as \U.
_SURROGATE_PAIR: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)
_Parser: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_SCALARS: Final[tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...]] = (
    (re.compile(r"null|Null|NULL|~|"), lambda text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text[0] in "tT"),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
# Other readers make another value of these, so neither is guessed.
_AMBIGUOUS: Final = (
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "JSON has no {}"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "JSON has no date"),
    (re.compile(r"(?i)y|yes|n|no|on|off"), "YAML 1.1 reads {} as a boolean"),
)
_STRING_TAG: Final = "tag:yaml.org,2002:str"


class _Container:
    """A mapping or list that is being read."""

    def __init__(self, value: Any, place: Place, anchor: str | None) -> None:
        self.value = value
        self.place = place
        self.anchor = anchor
        self.size = 1
        self.key: str | None = None

    @property
    def next_place(self) -> Place:
        """The place of the value that comes next."""
        step: Step = len(self.value) if isinstance(self.value, list) else str(self.key)
        return (*self.place, step)


class YamlReader:
    """Reads one document.

    Args:
        name: Name of the file, for messages.
        text: Its content.
        marks: Receives line and column by place, both from 1, if they are wanted.
    """

    def __init__(self, name: str, text: str, marks: dict[Place, tuple[int, int]] | None) -> None:
        self._name = name
        self._text = _SURROGATE_PAIR.sub(_join_surrogates, text) if text[:1] == "{" else text
        self._marks = marks
        self._open: list[_Container] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._findings: list[str] = []
        self._result: Any = None

    def read(self) -> Any:
        """Return the value of the document.

        Raises:
            SpecError: The text is not YAML, or has what JSON cannot express.
        """
        try:
            for event in yaml.parse(self._text, Loader=_Parser):
                self._read_event(event)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._fail(str(getattr(error, "problem", None) or error), mark)
        if self._findings:
            raise SpecError(self._findings)
        return self._result

    def _read_event(self, event: Any) -> None:
        match type(event).__name__:
            case "ScalarEvent":
                self._read_scalar(event)
            case "MappingStartEvent":
                self._begin({}, event)
            case "SequenceStartEvent":
                self._begin([], event)
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end()
            case "AliasEvent":
                self._read_alias(event)
            case "DocumentStartEvent" if self._result is not None:
                self._fail("a second document in the file", event.start_mark)

    def _begin(self, value: Any, event: Any) -> None:
        self._reject_tag(event)
        if self._awaits_key():
            self._fail("a key must be a string", event.start_mark)
        place = self._open[-1].next_place if self._open else ()
        if len(self._open) > MAX_DEPTH:
            self._fail(f"is nested deeper than {MAX_DEPTH} levels", event.start_mark)
        if event.anchor is not None:
            # An alias inside of the container finds no size: the container would contain itself.
            self._anchors[event.anchor] = (value, 0)
        self._note(place, event)
        self._open.append(_Container(value, place, event.anchor))

    def _end(self) -> None:
        container = self._open.pop()
        if container.anchor is not None:
            self._anchors[container.anchor] = (container.value, container.size)
        self._add(container.value, container.size)

    def _read_alias(self, event: Any) -> None:
        if self._awaits_key():
            self._fail("a key must be a string", event.start_mark)
        if event.anchor not in self._anchors:
            self._fail(f"found undefined alias {event.anchor!r}", event.start_mark)
        value, size = self._anchors[event.anchor]
        if not size:
            self._findings.append(Finding.at(self._open[-1].next_place, "contains itself"))
            value = None
        self._note(self._open[-1].next_place, event)
        self._add(value, size)

    def _read_scalar(self, event: Any) -> None:
        self._reject_tag(event)
        place = self._open[-1].next_place if self._open else ()
        is_plain = event.style is None or event.style == ""
        if self._awaits_key():
            self._begin_entry(event, is_plain)
            return
        value = event.value
        problems = list(_string_problems(value))
        if is_plain and event.tag is None:
            value, problems = _plain_value(value, problems)
        self._findings += [Finding.at(place, problem) for problem in problems]
        self._note(place, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, 1)

    def _begin_entry(self, event: Any, is_plain: bool) -> None:
        """Read the key of a mapping's entry."""
        mapping = self._open[-1]
        key = event.value
        if is_plain and key == "<<":
            self._fail("a merge key (<<) is not supported", event.start_mark)
        if key in mapping.value:
            self._fail(f'found duplicate key "{key}"', event.start_mark)
        problems = list(_string_problems(key))
        if is_plain and event.tag is None and not isinstance(_plain_value(key, [])[0], str):
            problems.append(f"the key {key} is not a string; put it in quotes")
        self._findings += [Finding.at(mapping.place, problem) for problem in problems]
        mapping.key = key
        # The value's own mark replaces it, unless the value is a container: that has the key's.
        self._note(mapping.next_place, event)

    def _awaits_key(self) -> bool:
        return (
            bool(self._open) and type(self._open[-1].value) is dict and self._open[-1].key is None
        )

    def _add(self, value: Any, size: int) -> None:
        """Put a finished value where it belongs."""
        if not self._open:
            self._result = value
            return
        container = self._open[-1]
        container.size += size
        if container.size > MAX_VALUES:
            raise SpecError(
                [f"document: has more than {MAX_VALUES} values once aliases expand; divide it"]
            )
        if isinstance(container.value, list):
            container.value.append(value)
        else:
            container.value[container.key] = value
            container.key = None

    def _note(self, place: Place, event: Any) -> None:
        if self._marks is not None:
            mark = event.start_mark
            self._marks.setdefault(place, (mark.line + 1, mark.column + 1))

    def _reject_tag(self, event: Any) -> None:
        if event.tag not in (None, "!", _STRING_TAG):
            problem = f"could not determine a constructor for the tag {event.tag!r}"
            self._fail(problem, event.start_mark)

    def _fail(self, problem: str, mark: Any) -> None:
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        reason = " ".join(problem.split())
        raise SpecError([f"{self._name}{where}: not valid YAML: {reason}"]) from None


def _plain_value(text: str, problems: list[str]) -> tuple[Any, list[str]]:
    """Return the value of a scalar without quotes, and what is wrong with it."""
    for pattern, problem in _AMBIGUOUS:
        if pattern.fullmatch(text):
            return text, [f"{problem.format(text.lstrip('+-.').lower())}; put the value in quotes"]
    for pattern, convert in _PLAIN_SCALARS:
        if pattern.fullmatch(text):
            if len(text) > 400:
                return 0, ["a number has more than 400 digits; put the value in quotes"]
            value = convert(text)
            if value in (float("inf"), float("-inf")):
                return value, ["the number is out of range; put the value in quotes"]
            return value, []
    return text, problems


def _string_problems(value: str) -> Iterator[str]:
    if re.search("[\ud800-\udfff]", value):
        yield "contains a lone surrogate"
    if invisible := INVISIBLE_CHARACTERS.search(value):
        yield f"contains the invisible character U+{ord(invisible[0]):04X}"


def _join_surrogates(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}{chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))}"
