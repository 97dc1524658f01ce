"""Schemathesis, set up to be repeatable: cases of a document, and what its checks find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import schemathesis
from hypothesis import Phase, settings
from requests.auth import AuthBase
from schemathesis import checks as built_in
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

# What `parametrize` runs, and what sends to an application. Neither has a public form.
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.python.asgi import get_client

from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import operation_by_route, operations
from binance_usdm.contract._spec.schemas import effective

Case: TypeAlias = schemathesis.Case[Any]
Schema: TypeAlias = schemathesis.BaseSchema
Check: TypeAlias = schemathesis.CheckFunction
Problems: TypeAlias = dict[str, str]
"""What was found, by the name of the check."""

GENERATED: Final = settings(max_examples=25, derandomize=True, database=None, deadline=None)
"""Documented examples, all cases of the coverage phase, 25 random cases of each operation."""
EDGES: Final = settings(GENERATED, phases=[Phase.explicit])
"""The same without random cases: faster, and enough for every seeded fault."""

RUN_COUNT: Final[Counter[str]] = Counter()
"""How often each check has run in this process, by its name."""

CONFIG: Final[dict[str, Any]] = {
    "generation": {"deterministic": True, "database": "none"},
    # It expects 405. The exchange sends 404 for a method that a path does not have, and
    # `undeclared_method` checks that.
    "checks": {"unsupported_method": {"enabled": False}},
    # These two stand for all seven.
    "phases": {"coverage": {"unexpected-methods": ["POST", "DELETE"]}},
}


def load_schema(document: Json) -> Schema:
    config = schemathesis.Config.from_dict(CONFIG)
    return schemathesis.openapi.from_dict(effective(document), config=config)


def accepts_only_what_is_described(document: Json) -> Check:
    """Return a check that every request with a response of 200 is one that the document allows.

    `negative_data_rejection` means that too, but schemathesis 4.32 accepts every invalid case of
    its coverage phase whose query has one valid value beside the invalid one.
    """
    by_route = operation_by_route(document)

    def only_described_is_accepted(context: Any, response: Any, case: Case) -> None:
        operation = by_route.get((response.request.method, case.path))
        if response.status_code == 200 and operation is not None:
            problems = operation.query_problems(urlsplit(response.request.url).query)
            assert not problems, f"accepted with an invalid {', '.join(problems)}"

    return only_described_is_accepted


def run_cases(
    document: Json,
    app: Any,
    checks: Sequence[Check],
    how: settings = EDGES,
    *,
    signer: AuthBase | None = None,
    timestamp: int | None = None,
) -> Problems:
    """Send every case to an ASGI application, and check the responses.

    Args:
        document: The spec.
        app: The application.
        checks: Checks beside those of schemathesis.
        how: Which cases are generated.
        signer: Signs every request.
        timestamp: Time that replaces every valid timestamp. Without it all cases are rejected for
            their age, and nothing else that is wrong with them is looked at.
    """
    problems: Problems = {}
    accepted: set[str] = set()
    schema = load_schema(document)
    schema.app = app
    if signer is not None:
        schema.auth.set_from_requests(signer)
    if timestamp is not None:
        _set_timestamp(schema, document, timestamp)

    @schema.hook
    def after_validate(context: Any, case: Case, response: Any, results: Iterable[Any]) -> None:
        for result in results:
            RUN_COUNT[result.name] += 1
            if result.failure is not None:
                problems.setdefault(result.name, f"{case!r}: {result.failure}")

    # One session for all cases, and none of them within hypothesis: twice as fast.
    with get_client(app) as session:
        for case in generate_cases(schema, how):
            # `ignored_auth` sends three more requests, until the operation was accepted once.
            excluded = [built_in.ignored_auth] if case.operation.label in accepted else []
            try:
                response = case.call_and_validate(
                    session=session,
                    additional_checks=list(checks),
                    excluded_checks=excluded,
                )
                if response.status_code == 200:
                    accepted.add(case.operation.label)
            except FailureGroup:
                # `after_validate` has the failure with the name of its check.
                pass
            except Exception as error:  # noqa: BLE001 - a crash is a problem like any other
                problems.setdefault("crash", f"{case!r}: {error!r}")
    return problems


def generate_cases(schema: Schema, how: settings = EDGES) -> list[Case]:
    """Return every case without sending it."""
    cases: list[Case] = []

    # Hypothesis marks the function, so it must be one of Python.
    def keep(case: Case) -> None:
        cases.append(case)

    for result in get_all_tests(schema=schema, test_func=keep, settings=how, given_kwargs=None):
        assert isinstance(result, Ok), result.err()
        result.ok()[1]()
    return cases


def _set_timestamp(schema: Schema, document: Json, timestamp: int) -> None:
    names = {each.timestamp for each in operations(document) if each.timestamp}

    @schema.hook
    def map_case(context: schemathesis.HookContext, case: Case) -> Case:
        for name in names & {*case.query}:
            if _is_int64(case.query[name]):
                case.query[name] = timestamp
        return case


def run_checks(
    checks: Iterable[Callable[..., None]], subjects: Sequence[Any], *arguments: Any
) -> Problems:
    """Run checks with each operation or response, until they find a problem and raise."""
    problems: Problems = {}
    for check in checks:
        RUN_COUNT[check.__name__] += 1
        for subject in subjects:
            try:
                check(subject, *arguments)
            except Exception as error:  # noqa: BLE001 - likewise
                problems[check.__name__] = f"{subject}: {error!r}"
                break
    return problems


def _is_int64(value: Any) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return type(value) is int and 1 <= value < 2**63
