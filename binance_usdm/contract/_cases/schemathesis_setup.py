"""Schemathesis, set up to be repeatable: cases of a document, and what its checks find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import hypothesis
import schemathesis
from hypothesis import Phase, settings
from requests.auth import AuthBase
from schemathesis import checks as built_in
from schemathesis.errors import FailureGroup

from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import operations
from binance_usdm.contract._spec.schemas import effective

from .assumptions import Assumption, label
from .run_state import current_run
from .schemathesis_internals import build_tests, open_session

Case: TypeAlias = schemathesis.Case[Any]
Schema: TypeAlias = schemathesis.BaseSchema
Check: TypeAlias = schemathesis.CheckFunction
Problems: TypeAlias = dict[str, str]
"""What was found, by the name of the check."""

GENERATED: Final = settings(max_examples=25, derandomize=True, database=None, deadline=None)
"""Documented examples, all cases of the coverage phase, 25 random cases of each operation."""
EDGES: Final = settings(GENERATED, phases=[Phase.explicit])
"""The same without random cases: faster, and enough for every seeded fault."""


def settings_for(max_examples: int) -> settings:
    """Return settings with a number of random cases of each operation."""
    return settings(GENERATED, max_examples=max_examples) if max_examples else EDGES


CONFIG: Final[dict[str, Any]] = {
    "generation": {"deterministic": True, "database": "none"},
    # It expects 405. The exchange sends 404 for a method that a path does not have, and
    # `undeclared_method` checks that.
    "checks": {"unsupported_method": {"enabled": False}},
    # These two stand for all seven.
    "phases": {"coverage": {"unexpected-methods": ["POST", "DELETE"]}},
}


def load_schema(document: Json, changes: Json | None = None) -> Schema:
    """Return a document as a schema of schemathesis, set up with `CONFIG` and changes of it."""
    changes = changes or {}
    checks = {**CONFIG["checks"], **changes.get("checks", {})}
    config = schemathesis.Config.from_dict({**CONFIG, **changes, "checks": checks})
    return schemathesis.openapi.from_dict(effective(document), config=config)


@dataclass(frozen=True)
class CaseFinding:
    """What a check found in the response to a case."""

    check: str
    case: Case
    failure: Exception
    assumptions: tuple[Assumption, ...] = ()


Explain: TypeAlias = Callable[[str, Case, Any, Exception], tuple[Assumption, ...]]
"""Returns the assumptions that a finding rests on, from its check, case, response and failure."""


def explain_nothing(*finding: Any) -> tuple[Assumption, ...]:
    """Return that a finding rests on no assumption."""
    return ()


def run_cases(
    document: Json,
    app: Any,
    checks: Sequence[Check],
    how: settings = EDGES,
    *,
    schema: Schema | None = None,
    signer: AuthBase | None = None,
    timestamp: int | None = None,
    explain: Explain = explain_nothing,
) -> Problems:
    """Send every case to an ASGI application, and check the responses.

    Args:
        document: The spec.
        app: The application.
        checks: Checks beside those of schemathesis.
        how: Which cases are generated.
        schema: The spec as it is loaded, `None` to load it here.
        signer: Signs every request.
        timestamp: Time that replaces every valid timestamp. Without it all cases are rejected for
            their age, and nothing else that is wrong with them is looked at.
        explain: Returns the assumptions that a finding rests on.
    """
    problems: Problems = {}
    run = current_run()
    if schema is None:
        schema = load_schema(document)
    schema.app = app
    if signer is not None:
        schema.auth.set_from_requests(signer)
    if timestamp is not None:
        _set_timestamp(schema, document, timestamp)
    # One session for all cases, and none of them within hypothesis: twice as fast.
    with open_session(app) as session:
        cases = generate_cases(schema, how)
        for finding in send_cases(schema, cases, checks, explain, session=session):
            text = f"{finding.case!r}: {describe_failure(finding.failure)}"
            if finding.check not in problems:
                problems[finding.check] = label(text, finding.assumptions)
                run.assumptions[finding.check] = finding.assumptions
    return problems


def send_cases(
    schema: Schema,
    cases: Iterable[Case],
    checks: Sequence[Check],
    explain: Explain = explain_nothing,
    **transport: Any,
) -> Iterator[CaseFinding]:
    """Send cases, and yield what the checks of schemathesis and others find.

    Args:
        schema: Schema of the cases.
        cases: The cases.
        checks: Checks beside those of schemathesis.
        explain: Returns the assumptions that a finding rests on.
        transport: Session, base URL and whatever else a request is sent with.
    """
    findings: list[CaseFinding] = []
    accepted: set[str] = set()
    run = current_run()

    @schema.hook
    def after_validate(context: Any, case: Case, response: Any, results: Iterable[Any]) -> None:
        run.observe(response)
        for result in results:
            run.checks[result.name] += 1
            if result.failure is not None:
                assumptions = explain(result.name, case, response, result.failure)
                findings.append(CaseFinding(result.name, case, result.failure, assumptions))

    for case in cases:
        if not run.begin_step():
            return
        # `ignored_auth` sends three more requests, until the operation was accepted once.
        excluded = [built_in.ignored_auth] if case.operation.label in accepted else []
        try:
            response = case.call_and_validate(
                additional_checks=list(checks), excluded_checks=excluded, **transport
            )
            if response.status_code == 200:
                accepted.add(case.operation.label)
        except FailureGroup:
            # `after_validate` has the failure with the name of its check.
            pass
        except Exception as error:  # noqa: BLE001 - a crash is a problem like any other
            findings.append(CaseFinding("crash", case, error))
        yield from findings
        findings.clear()


def generate_cases(schema: Schema, how: settings = EDGES) -> list[Case]:
    """Return every case without sending it."""
    cases: list[Case] = []
    seed = current_run().seed

    # Hypothesis marks the function, so it must be one of Python.
    def keep(case: Case) -> None:
        cases.append(case)

    for test in build_tests(schema, keep, how):
        seeded = test if seed is None else hypothesis.seed(seed)(test)
        seeded()
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
    run = current_run()
    for check in checks:
        if not run.begin_step():
            break
        run.checks[check.__name__] += 1
        for subject in subjects:
            try:
                check(subject, *arguments)
            except Exception as error:  # noqa: BLE001 - likewise
                problems[check.__name__] = f"{subject}: {describe_error(error)}"
                run.assumptions[check.__name__] = getattr(error, "assumptions", ())
                break
    return problems


def describe_failure(failure: Exception) -> str:
    """Return what a check of a case says, in one line."""
    title = getattr(failure, "title", type(failure).__name__)
    # The lines behind the first repeat the schema.
    message = str(getattr(failure, "message", failure)).partition("\n")[0]
    place = [*getattr(failure, "instance_path", ())]
    if place:
        message += f" at {'/'.join(map(str, place))}"
    # That of a check which schemathesis does not have repeats its name.
    if title.startswith("Custom check failed"):
        return message or "it did not pass"
    return f"{title}: {message}" if message else title


def describe_error(error: Exception) -> str:
    """Return what a check says, or the class of an error that it did not expect."""
    if isinstance(error, AssertionError) and str(error):
        return str(error)
    return repr(error)


def _is_int64(value: Any) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return type(value) is int and 1 <= value < 2**63
