"""Find hand-written text that names what a change removes, renames or counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .rules.change import Change

SEARCHED = ("binance_usdm", "docs", "examples", "README.md", "SECURITY.md", "benchmarks")
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".html"}
EXAMPLES = "docs/changes/"
GENERATED = {"docs/errors.md", "docs/surface.txt", "docs/promises.md"}
BUDGETS = (1920, 2400)
"""Weight of a minute, ours and the exchange's; texts divide it by the weight of a call."""
WEIGHT_RULES = {"weight-raised", "weight-lowered", "weight-changed"}


def _subject(change: Change) -> str:
    return _last_name(change.subject)


def _old(change: Change) -> str:
    return _last_name(change.old)


def _last_word_of_old(change: Change) -> str:
    return _last_name(change.old.rpartition(" ")[2])


def _wire(change: Change) -> str:
    return change.wire


def _last_name(text: str) -> str:
    """Return a path as it is, and the last part of a dotted Python name."""
    return text if "/" in text else text.removesuffix("()").rpartition(".")[2]


OLD_NAMES_BY_RULE: dict[str, tuple[Callable[[Change], str], ...]] = {
    "argument-removed": (_subject, _wire),
    "argument-renamed": (_old,),
    "argument-role-lost": (_old,),
    "argument-wire-name": (_old,),
    "class-removed": (_subject, _wire),
    "class-renamed": (_old,),
    "clock-removed": (_subject, _wire),
    "code-removed": (_subject, _wire),
    "field-removed": (_subject, _wire),
    "field-removed-optional": (_subject, _wire),
    "field-renamed": (_old,),
    "field-wire-name": (_old,),
    "header-removed": (_last_word_of_old, _wire),
    "holdings-removed": (_subject, _wire),
    "host-moved": (_old,),
    "host-removed": (_last_word_of_old, _wire),
    "instant-removed": (_subject, _wire),
    "instant-renamed": (_old,),
    "operation-moved": (_old,),
    "operation-removed": (_last_word_of_old, _wire),
    "operation-renamed": (_old,),
    "result-lost": (_old,),
}
"""What text may still name after a change."""
FIXED_PLACES = {
    "class-added": "binance_usdm/__init__.py: add {subject} to the public names",
    "class-renamed": "binance_usdm/__init__.py: rename {old} to {new} in the public names",
    "class-removed": "binance_usdm/__init__.py: remove {subject} from the public names",
    "host-added": "binance_usdm/_config/defaults.py: add a constant for {new}",
    "host-moved": "binance_usdm/_config/defaults.py: {subject} is {new}",
    "host-removed": "binance_usdm/_config/defaults.py: remove {subject}",
    "header-removed": "binance_usdm/_call/response.py: USED_WEIGHT_HEADER, if it is {old}",
    "error-field-lost": "binance_usdm/_call/error_mapping.py: how {old} of an error is read",
}


def find_places(changes: Iterable[Change], root: Path) -> list[str]:
    """Return one line for each place that has to be changed by hand."""
    listed = list(changes)
    lines: dict[str, None] = {}
    for change in listed:
        if change.rule in FIXED_PLACES:
            place = FIXED_PLACES[change.rule]
            lines.setdefault(place.format(subject=change.subject, old=change.old, new=change.new))
    texts = dict(_read_texts(root)) if any(map(_patterns, listed)) else {}
    for change in listed:
        for words, pattern in _patterns(change):
            for name, text in texts.items():
                count = sum(bool(pattern.search(line)) for line in text)
                if count:
                    end = "" if count == 1 else f", in {count} lines"
                    lines.setdefault(f"{name}: names {words}{end}")
    return list(lines)


def _patterns(change: Change) -> list[tuple[str, re.Pattern[str]]]:
    """Return what to search for: words for the report, and a pattern."""
    if change.rule in WEIGHT_RULES:
        return list(_weight_patterns(change.old))
    names = {old_name(change) for old_name in OLD_NAMES_BY_RULE.get(change.rule, ())}
    return [(name, _whole_word(name)) for name in sorted(names) if len(name) > 2]


def _weight_patterns(weight: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    if not weight.isdecimal() or weight == "0":
        return
    yield (
        f"the weight {weight}",
        re.compile(rf"(?i)(weight|权重)\W+(\w+\W+){{0,4}}{weight}(?![\d,.]*\d)"),
    )
    for budget in BUDGETS:
        count = budget // int(weight)
        yield f"{count}, which is {budget} / {weight}", _whole_word(str(count))


def _whole_word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){re.escape(word)}(?![\w,]*\w)")


def _read_texts(root: Path) -> Iterator[tuple[str, list[str]]]:
    for start in SEARCHED:
        path = root / start
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = file.relative_to(root).as_posix()
            is_written = name in GENERATED or name.startswith(EXAMPLES)
            if file.is_file() and file.suffix in SUFFIXES and not is_written:
                yield name, file.read_text(encoding="utf-8").splitlines()
