"""Reference pages from the code: options, events, variables, commands, and the mock exchange."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest import mock as patching

import binance_usdm
from binance_usdm import _events
from binance_usdm._cli.main import main as run_command
from binance_usdm._config import environment as _environment
from binance_usdm.mock import FAULTS, Switches
from binance_usdm.mock.admin.routes import admin_spec

from .pages import WORDS, list_facts, sentence, write_reference


def write_code_pages(language: str, pages: Path) -> None:
    """Write the reference pages that follow from the code."""
    words = WORDS["words"][language]
    written: dict[str, Iterator[str]] = {
        "options": _options(words),
        "events": _events_by_kind(words),
        "environment": _variables(),
        "command": _commands(),
        "switches": _switches(words),
        "faults": _faults(words),
        "admin": _admin(words),
    }
    for name, page in WORDS["pages"].items():
        if name in written:
            write_reference(pages, language, name, *written[name])
        elif "objects" in page:
            write_reference(pages, language, name)


def _entry(name: str, *parts: str) -> str:
    """Return a section: a heading with an ASCII id, and parts with an empty line between them."""
    anchor = name.lower().replace(" ", "-").strip("-")
    return "\n\n".join([f"## `{name}` {{ #{anchor} }}", *filter(None, parts)])


def _options(words: Mapping[str, str]) -> Iterator[str]:
    documented = inspect.getdoc(binance_usdm.Client) or ""
    section = documented.partition("Args:\n")[2].partition("\n\n")[0]
    texts = dict(re.findall(r"^    (\w+): (.*(?:\n     .*)*)", section, re.MULTILINE))
    for option in inspect.signature(binance_usdm.Client).parameters.values():
        if option.kind in {option.VAR_POSITIONAL, option.VAR_KEYWORD}:
            continue
        variable = _environment.ENV_NAMES_BY_OPTION.get(option.name)
        facts = {
            words["default"]: f"`{option.default!r}`",
            words["variable"]: variable and f"[`{variable}`](environment.md#{variable.lower()})",
        }
        yield _entry(option.name, " ".join(texts[option.name].split()), list_facts(words, facts))


def _events_by_kind(words: Mapping[str, str]) -> Iterator[str]:
    documented = inspect.getdoc(binance_usdm.Event) or ""
    for kind, text in re.findall(r'^- "(\w+)": (.*(?:\n  .*)*)', documented, re.MULTILINE):
        level = logging.getLevelName(_events._LOG_LEVEL_BY_KIND[kind])
        facts = {words["log_level"]: f"`{level}`"}
        yield _entry(kind, sentence(" ".join(text.split())), list_facts(words, facts))


def _help(*command: str) -> str:
    with (
        patching.patch.dict(os.environ, {"COLUMNS": "88"}),
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        run_command([*command, "--help"])
    return printed.getvalue()


def _variables() -> Iterator[str]:
    epilog = _help().partition("environment variables:\n")[2]
    table, _, rule = epilog.partition("\n\n")
    yield rule.strip()
    for name, meaning in re.findall(r"^  (\w+) +(.+)$", table, re.MULTILINE):
        yield _entry(name, sentence(meaning))


def _commands(*command: str) -> Iterator[str]:
    text = _help(*command)
    yield _entry(" ".join(["binance-usdm", *command]), f"```text\n{text}```")
    subcommands = text.partition("  COMMAND\n")[2].partition("\n\n")[0]
    for name in re.findall(r"^    (\S+)", subcommands, re.MULTILINE):
        yield from _commands(*command, name)


def _switches(words: Mapping[str, str]) -> Iterator[str]:
    comments = re.findall(
        r"((?:^    # .*\n)+)    (\w+):", inspect.getsource(Switches), re.MULTILINE
    )
    texts = {name: re.sub(r"\s*# ", " ", comment).strip() for comment, name in comments}
    defaults = Switches()
    for switch in fields(Switches):
        facts = {words["default"]: f"`{getattr(defaults, switch.name)!r}`"}
        yield _entry(switch.name, texts[switch.name], list_facts(words, facts))


def _faults(words: Mapping[str, str]) -> Iterator[str]:
    for name, fault in FAULTS.items():
        options = ", ".join(f"`{option}={value!r}`" for option, value in fault.options.items())
        facts = {
            words["options"]: options,
            words["costs_weight"]: words["yes" if fault.costs_weight else "no"],
            words["violation"]: fault.spec_violation,
        }
        yield _entry(name, sentence(fault.description), list_facts(words, facts))


def _admin(words: Mapping[str, str]) -> Iterator[str]:
    spec = admin_spec()
    yield spec["info"]["description"]
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            members = ""
            if "requestBody" in operation:
                body = _resolve(spec, operation["requestBody"])["content"]["application/json"]
                members = _members(words, words["body"], _resolve(spec, body["schema"]))
            elif "parameters" in operation:
                query = {parameter["name"]: parameter for parameter in operation["parameters"]}
                members = _members(words, words["query"], {"properties": query})
            yield _entry(f"{method.upper()} {path}", operation["summary"], members)


def _resolve(spec: Any, value: Any) -> Any:
    """Return what a `$ref` refers to, and any other value unchanged."""
    if "$ref" not in value:
        return value
    target = spec
    for name in value["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return target


def _members(words: Mapping[str, str], title: str, schema: Any) -> str:
    head = f"{title}{words['colon']}{schema.get('description', '')}"
    members = []
    for name, member in schema.get("properties", {}).items():
        required = f" ({words['required']})" if name in schema.get("required", ()) else ""
        text = f": {member['description']}" if "description" in member else ""
        members.append(f"- `{name}`{required}{text}")
    return "\n".join([head, "", *members]) if members else f"{head}`{{}}`"
