"""Calls in a row to a server, with values that earlier responses returned.

The document says by `links` which they are: the exchange's time is the timestamp of a signed call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import HypothesisException
from schemathesis.errors import FailureGroup

from binance_usdm.contract._cases.assumed_cases import assumed_document, case_checks
from binance_usdm.contract._cases.assumptions import DEFAULTS
from binance_usdm.contract._cases.run_state import Run
from binance_usdm.contract._cases.schemathesis_internals import extracted_value
from binance_usdm.contract._cases.schemathesis_setup import Case, Schema, load_schema
from binance_usdm.contract._reports.report import Finding
from binance_usdm.contract._spec.document import Json, resolve
from binance_usdm.contract._spec.operations import operation_by_route, operations
from binance_usdm.mock import Switches

from .session import MAX_TRIES, SLOW_SECONDS, TIMEOUT_SECONDS, ServerSession, TimedSigner
from .shown_texts import ShownTexts

SEQUENCES: Final = "calls in a row, by the links of the spec"
# A call depends on those before it, so that none is sent again alone.
SEQUENCES_CASE: Final = "calls-in-a-row"
MAX_CALLS: Final = 4
MIN_SEQUENCES: Final = 5
# Share of the random cases of an operation that is spent on sequences.
SEQUENCE_SHARE: Final = 0.2
# A value of an earlier response that is older is not sent. The exchange accepts a time for 5 s.
MAX_AGE_SECONDS: Final = 1.0
# Servers may be slow, and few calls may follow a response.
SUPPRESSED: Final = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.too_slow,
)
CONFIG: Final[dict[str, Any]] = {
    "checks": {
        "unsupported_method": {"enabled": False},
        "positive_data_acceptance": {"expected-statuses": ["200"]},
        # It sends requests of its own, and the generated requests have it.
        "ignored_auth": {"enabled": False},
    },
    # Only links of the document, and none that are guessed from names.
    "phases": {"stateful": {"inference": {"algorithms": []}}},
}


def has_links(document: Json) -> bool:
    """Return whether a response of the document links to another call."""
    return any(
        "links" in resolve(document, node)
        for operation in operations(document)
        for node in operation.responses.values()
    )


@dataclass
class LinkedCalls:
    """Sequences of calls to a server.

    Attributes:
        document: The document with the links.
        url: Base URL of the server.
        session: Sends the requests.
        signer: Signs them.
        texts: What findings show.
        paths: Paths of the operations that were called.
        assume: What is assumed of open questions.
    """

    document: Json = field(repr=False)
    url: str
    session: ServerSession = field(repr=False)
    signer: TimedSigner = field(repr=False)
    texts: ShownTexts = field(repr=False)
    paths: list[str] = field(default_factory=list)
    assume: Switches = DEFAULTS

    def run(self, run: Run, how: settings) -> Iterator[Finding]:
        """Send the sequences, and yield what the checks of schemathesis and others find."""
        schema = load_schema(assumed_document(self.document, self.assume), CONFIG)
        schema.auth.set_from_requests(self.signer)
        findings: list[Finding] = []
        machine = self._make_machine(schema, run, findings)
        if run.seed is not None:
            machine = hypothesis.seed(run.seed)(machine)
        random_cases = how.max_examples if Phase.generate in how.phases else 0
        sequences = settings(
            how,
            phases=[Phase.generate],
            max_examples=max(MIN_SEQUENCES, round(random_cases * SEQUENCE_SHARE)),
            stateful_step_count=MAX_CALLS,
            suppress_health_check=SUPPRESSED,
        )
        # It raises when equal calls had other outcomes. One of them is among the findings.
        with suppress(HypothesisException):
            machine.run(settings=sequences)
        yield from findings

    def _make_machine(self, schema: Schema, run: Run, findings: list[Finding]) -> Any:
        """Return the class of a sequence. It adds findings instead of raising them."""
        calls = self
        by_route = operation_by_route(self.document)
        received_at: dict[str, float] = {}
        failures: list[tuple[str, Exception]] = []
        linked: set[str] = set()

        def linked_call(context: Any, response: Any, case: Case) -> None:
            """A call with all values that a link takes from an earlier response returns 200."""
            operation = by_route.get((response.request.method, case.path))
            query = (response.request.url or "").partition("?")[2]
            if case.id in linked and operation and not operation.query_problems(query):
                assert response.status_code == 200, f"HTTP {response.status_code}"

        checks = [*case_checks(self.document, self.assume), linked_call]

        @schema.hook
        def after_validate(context: Any, case: Case, response: Any, results: Any) -> None:
            run.observe(response)
            for result in results:
                run.checks[result.name] += 1
                if result.failure is not None:
                    failures.append((result.name, result.failure))

        class Sequence(schema.as_state_machine()):  # type: ignore[misc]
            def setup(self) -> None:
                super().setup()
                self.earlier: list[str] = []

            def step(self, input: Any) -> Any:  # noqa: A002 - named by schemathesis
                output = None
                for number in range(1, MAX_TRIES + 1):
                    if calls.session.is_useless or not run.begin_step():
                        return output
                    failures.clear()
                    calls.paths.append(input.case.path)
                    started_at = time.monotonic()
                    # Equal requests are rejected then, and a time may come twice.
                    is_linked = number == 1 and not calls.assume.refuse_replay
                    calls.signer.keeps_timestamps = is_linked and _apply_link(input, received_at)
                    if calls.signer.keeps_timestamps:
                        linked.add(input.case.id)
                    else:
                        linked.discard(input.case.id)
                    try:
                        output = super().step(input)
                    except HypothesisException:
                        raise
                    except Exception as error:  # noqa: BLE001 - a crash is a problem like any other
                        failures.append(("crash", error))
                    is_slow = time.monotonic() - started_at > SLOW_SECONDS
                    if not failures or not is_slow:
                        break
                response = None if output is None else output.response
                findings.extend(
                    calls.describe_finding(name, failure, input.case, response, self.earlier)
                    for name, failure in failures
                )
                self.earlier.append(input.case.operation.label)
                return output

            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                return {
                    "session": calls.session,
                    "base_url": calls.url,
                    "timeout": TIMEOUT_SECONDS,
                }

            def after_call(self, response: Any, case: Case) -> None:
                received_at[case.id] = time.monotonic()
                super().after_call(response, case)

            def validate_response(
                self, response: Any, case: Any, *more: Any, **options: Any
            ) -> None:
                # `after_validate` has the failures with the names of their checks.
                with suppress(FailureGroup):
                    options["additional_checks"] = checks
                    super().validate_response(response, case, **options)

        return Sequence

    def describe_finding(
        self, check: str, failure: Exception, case: Case, response: Any, earlier: list[str]
    ) -> Finding:
        """Return what a check found."""
        after = f", after {', '.join(earlier)}" if earlier else ""
        return Finding(
            section=SEQUENCES,
            check=check,
            message=self.texts.describe(failure),
            subject=case.operation.label,
            request=f"{self.texts.request(response)}{after}",
            response=self.texts.response(response),
        )


def _apply_link(step: Any, received_at: dict[str, float]) -> bool:
    """Give a valid case all values that its link takes from a recent response.

    Returns:
        Whether it has them. Schemathesis leaves some out at random.
    """
    link = step.transition
    if link is None or step.case.meta.generation.mode.is_negative:
        return False
    if time.monotonic() - received_at.get(link.parent_id, 0.0) > MAX_AGE_SECONDS:
        return False
    for container, values in link.parameters.items():
        for name, extracted in values.items():
            value = extracted_value(extracted)
            if not isinstance(value, (str, int)):
                return False
            getattr(step.case, container)[name] = value
    return True
