"""Schemathesis, set up to be repeatable: its schema of a document, its cases, what its checks found. Knows no mock, no client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import schemathesis
from hypothesis import Phase, settings
from schemathesis import checks as built_in
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import (
    get_all_tests,
)  # what `parametrize` runs, but callable: nothing public is

from .spec_facts import Json, operation_facts, undescribed

Case: TypeAlias = schemathesis.Case[Any]
Schema: TypeAlias = schemathesis.BaseSchema
Check: TypeAlias = schemathesis.CheckFunction
Found: TypeAlias = dict[str, str]

GENERATED = settings(max_examples=25, derandomize=True, database=None, deadline=None)
"""Documented examples, every edge of the coverage phase, twenty-five fuzzed cases an operation."""
EDGES = settings(GENERATED, phases=[Phase.explicit])
"""The same without fuzzing: much faster, and all that a seeded fault needs."""

LOOKED: Counter[str] = Counter()
"""How often each check has looked at something in this process, by its name: what a report counts."""

CONFIG: dict[str, Any] = {
    "generation": {"deterministic": True, "database": "none"},
    # It wants 405. The exchange answers 404 to a method that a path does not have; `undeclared_method` checks that.
    "checks": {"unsupported_method": {"enabled": False}},
    "phases": {"coverage": {"unexpected-methods": ["POST", "DELETE"]}},  # as good as all seven
}


def schema_of(document: Json, app: Any) -> Schema:
    """The schema whose cases are sent to an ASGI application."""
    schema = schemathesis.openapi.from_dict(
        dict(document), config=schemathesis.Config.from_dict(CONFIG)
    )
    schema.app = app
    return schema


def stamp_with(schema: Schema, document: Json, now: int) -> None:
    """Make every timestamp that is a good one `now`, in good cases and in bad ones.

    Otherwise all of them are refused for their age, and whatever else is wrong with them is never looked at.
    """
    names = {fact.timestamp for fact in operation_facts(document) if fact.timestamp}

    @schema.hook
    def map_case(context: schemathesis.HookContext, case: Case) -> Case:
        for name in names & {*case.query}:
            if _is_int64(case.query[name]):
                case.query[name] = now
        return case


def accepts_only_what_is_described(document: Json) -> Check:
    """A check: whatever was answered with 200 is a request that the document allows.

    `negative_data_rejection` means that too, but schemathesis 4.32 lets every bad case of its coverage phase pass whose
    query has one good value beside the bad one.
    """
    by_route = {(fact.method, fact.path): fact for fact in operation_facts(document)}

    def only_described_is_accepted(context: Any, response: Any, case: Case) -> None:
        fact = by_route.get((response.request.method, case.path))
        if response.status_code == 200 and fact is not None:
            departures = undescribed(fact, urlsplit(response.request.url).query)
            assert not departures, f"accepted with a bad {', '.join(departures)}"

    return only_described_is_accepted


def try_cases(schema: Schema, checks: Sequence[Check], how: settings = EDGES) -> Found:
    """Send every case and judge the answer with all built-in checks and `checks`: what failed, by name of the check."""
    found: Found = {}

    @schema.hook
    def after_validate(context: Any, case: Case, response: Any, results: Iterable[Any]) -> None:
        for result in results:
            LOOKED[result.name] += 1
            if result.failure is not None:
                found.setdefault(result.name, f"{case!r}: {result.failure}")

    enforced: set[str] = (
        set()
    )  # `ignored_auth` sends three requests more; once an operation has one proof is enough

    def judge(case: Case) -> None:
        known = [built_in.ignored_auth] if case.operation.label in enforced else []
        try:
            if (
                case.call_and_validate(
                    additional_checks=list(checks), excluded_checks=known
                ).status_code
                == 200
            ):
                enforced.add(case.operation.label)
        except FailureGroup:
            pass  # `after_validate` has noted it, with the name of the check
        except Exception as error:  # noqa: BLE001 - a crash of what is judged is a finding like any other
            found.setdefault("crash", f"{case!r}: {error!r}")

    _each_case(schema, judge, how)
    return found


def cases(schema: Schema, how: settings = EDGES) -> list[Case]:
    """Every case, sent nowhere."""
    found: list[Case] = []

    def keep(case: Case) -> None:  # it must be a function of one's own, to be marked
        found.append(case)

    _each_case(schema, keep, how)
    return found


def tried(checks: Iterable[Callable[..., None]], *arguments: Any) -> Found:
    """Run checks that raise when they find something: what they said, by their name."""
    found: Found = {}
    for check in checks:
        LOOKED[check.__name__] += 1
        try:
            check(*arguments)
        except Exception as error:  # noqa: BLE001 - likewise
            found[check.__name__] = repr(error)
    return found


def _each_case(schema: Schema, do: Callable[[Case], None], how: settings) -> None:
    for result in get_all_tests(schema=schema, test_func=do, settings=how, given_kwargs=None):
        assert isinstance(result, Ok), result.err()
        result.ok()[1]()


def _is_int64(value: Any) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return type(value) is int and 1 <= value < 2**63
