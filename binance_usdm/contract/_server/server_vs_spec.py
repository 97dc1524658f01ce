"""A server or proxy that acts as the exchange keeps the document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis import settings

from binance_usdm.contract._cases.assumed_cases import case_checks, explain_cases, load_assumed
from binance_usdm.contract._cases.assumptions import DEFAULTS, label
from binance_usdm.contract._cases.coverage import Coverage
from binance_usdm.contract._cases.run_state import Run, as_current
from binance_usdm.contract._cases.schemathesis_setup import (
    Case,
    CaseFinding,
    generate_cases,
    send_cases,
)
from binance_usdm.contract._cases.small_changes.variant_builder import Builder
from binance_usdm.contract._cases.small_changes.variant_table import VALID, iter_variants
from binance_usdm.contract._cases.small_changes.variants import Variant
from binance_usdm.contract._reports.report import Finding, Section, merge_findings
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import Operation, operations
from binance_usdm.mock import Switches

from .account import Account
from .sending import Outcome, send_variant
from .server_cases import name_cases, while_useful
from .session import (
    MAX_TRIES,
    SLOW_SECONDS,
    TIMEOUT_SECONDS,
    Clock,
    FreshClock,
    ServerSession,
    TimedSigner,
    UnusableServerError,
    now_ms,
)
from .shown_texts import ShownTexts
from .stateful import SEQUENCES, SEQUENCES_CASE, LinkedCalls, has_links

GENERATED: Final = "generated requests"
CHANGED: Final = "valid requests with a small change"
# Otherwise 401, 403, 429 and 5xx would do as well.
CONFIG: Final = {"positive_data_acceptance": {"expected-statuses": ["200"]}}


@dataclass
class ServerCheck:
    """A server to check.

    Attributes:
        document: The document that it should keep.
        url: Base URL.
        account: Key and secret of an account of the server.
        how: Which cases are generated.
        reproduce: Returns the command that sends a case again, by its identifier.
        max_per_minute: How many requests may be sent in a minute, or `None`.
        only: Identifier of the one case that is sent, or `None` for all.
        now: The time of requests in ms.
        assume: What is assumed of open questions.
    """

    document: Json = field(repr=False)
    url: str
    account: Account
    how: settings
    reproduce: Callable[[str], str] = field(repr=False)
    max_per_minute: int | None = None
    only: str | None = None
    now: Clock = field(default=now_ms, repr=False)
    assume: Switches = DEFAULTS

    def __post_init__(self) -> None:
        self._fresh = FreshClock(self.now)

    def run(self, run: Run) -> Iterator[Section]:
        """Run all parts, and yield each as soon as it has ended.

        Raises:
            UnusableServerError: The server does not respond, or limits requests.
        """
        run.coverage = Coverage(self.document)
        self._sent_ids: list[str] = []
        self._texts = ShownTexts(self.url, self.account)
        parts: dict[str, Callable[[ServerSession, Run], Iterator[Finding]]] = {
            GENERATED: self._run_generated,
            CHANGED: self._run_changed,
            SEQUENCES: self._run_sequences,
        }
        with ServerSession(self.url, self.max_per_minute) as session, as_current(run):
            session.connect(self.url)
            for name, part in parts.items():
                if name == SEQUENCES and not has_links(self.document):
                    yield Section(name, left_out="the document has no links")
                    continue
                started_at, sent = time.monotonic(), session.request_count
                run.checks.clear()
                section = Section(name)
                self._operations: set[str] = set()
                section.findings = merge_findings(part(session, run))
                section.seconds = time.monotonic() - started_at
                section.cases = session.request_count - sent
                section.checks = tuple(run.checks)
                section.operations = len(self._operations)
                if section.cases or self.only is None:
                    yield section
                if session.is_limited:
                    raise UnusableServerError(
                        "the server limits requests (HTTP 429 or 418); raise its limit, or use "
                        "--max-per-minute"
                    )
        if self.only is not None and not self._sent_ids:
            raise UnusableServerError(
                f"there is no case {self.only}; use the same --seed, --max-examples "
                "and --spec as the run that named it"
            )

    def _run_generated(self, session: ServerSession, run: Run) -> Iterator[Finding]:
        schema = load_assumed(self.document, self.assume, CONFIG)
        known = operations(self.document)
        signer = TimedSigner(known, self.account, self._fresh)
        schema.auth.set_from_requests(signer)
        ids = name_cases(generate_cases(schema, self.how), known)
        cases = [case for name, case in ids.items() if self.only in (None, name)]
        name_by_case = {id(case): name for name, case in ids.items()}
        sent: dict[str, Any] = {}
        slow: set[str] = set()

        @schema.hook
        def after_call(context: Any, case: Case, response: Any) -> None:
            sent[case.id] = response
            self._note(name_by_case.get(id(case), ""), case.path)
            if time.monotonic() - signer.signed_at > SLOW_SECONDS:
                slow.add(case.id)

        checks = case_checks(self.document, self.assume)
        explain = explain_cases(self.document, self.assume)
        transport = {"session": session, "base_url": self.url, "timeout": TIMEOUT_SECONDS}
        for number in range(1, MAX_TRIES + 1):
            again: list[Case] = []
            slow.clear()
            useful = while_useful(cases, session)
            for found in send_cases(schema, useful, checks, explain, **transport):
                if found.case.id not in slow or number == MAX_TRIES:
                    response = sent.get(found.case.id)
                    yield self._generated_finding(found, response, name_by_case[id(found.case)])
                elif found.case not in again:
                    again.append(found.case)
            cases = again

    def _generated_finding(self, found: CaseFinding, response: Any, name: str) -> Finding:
        # That check sends requests of its own.
        shown = None if found.check == "ignored_auth" else response
        return Finding(
            section=GENERATED,
            check=found.check,
            message=label(self._texts.describe(found.failure), found.assumptions),
            subject=found.case.operation.label,
            request=self._texts.request(shown),
            response=self._texts.response(shown),
            reproduce=self.reproduce(name),
            assumptions=tuple(map(str, found.assumptions)),
        )

    def _run_changed(self, session: ServerSession, run: Run) -> Iterator[Finding]:
        for operation in operations(self.document):
            for variant in iter_variants(self._builder(operation)):
                name = f"{operation.id}/{variant.slug}"
                if self.only not in (None, name):
                    continue
                if session.is_useless or not run.begin_step():
                    return
                run.checks[variant.name] += 1
                self._note(name, operation.path)
                outcome, sent = self.send_in_time(session, run, operation, variant)
                if not variant.is_right(outcome.response, self.assume):
                    yield self._changed_finding(operation, sent, name, outcome)
                    # Without a valid request the others show nothing.
                    if variant.name == VALID:
                        break

    def _run_sequences(self, session: ServerSession, run: Run) -> Iterator[Finding]:
        if self.only not in (None, SEQUENCES_CASE):
            return
        signer = TimedSigner(operations(self.document), self.account, self._fresh)
        calls = LinkedCalls(
            self.document, self.url, session, signer, self._texts, assume=self.assume
        )
        for finding in calls.run(run, self.how):
            yield replace(finding, reproduce=self.reproduce(SEQUENCES_CASE))
        for path in calls.paths:
            self._note(SEQUENCES_CASE, path)

    def send_in_time(
        self,
        session: ServerSession,
        run: Run,
        operation: Operation,
        variant: Variant,
        tries: int = MAX_TRIES,
    ) -> tuple[Outcome, Variant]:
        """Send a variant, and once more with a new timestamp when an unexpected outcome was slow."""
        started_at = time.monotonic()
        outcome = send_variant(session, self.url, variant)
        if run.coverage is not None and outcome.status:
            sent = (variant.method, variant.path, variant.query)
            run.coverage.observe(*sent, outcome.status, outcome.headers, outcome.body)
        is_slow = time.monotonic() - started_at > SLOW_SECONDS
        is_right = variant.is_right(outcome.response, self.assume)
        if is_right or not is_slow or tries == 1:
            return outcome, variant
        variants = iter_variants(self._builder(operation))
        same = next(each for each in variants if each.name == variant.name)
        return self.send_in_time(session, run, operation, same, tries - 1)

    def _changed_finding(
        self, operation: Operation, variant: Variant, name: str, outcome: Outcome
    ) -> Finding:
        assumptions = variant.find_assumptions(outcome.response, self.assume)
        message = f"{outcome}; expected: {variant.describe_expected(self.assume)}"
        return Finding(
            section=CHANGED,
            check=variant.name,
            message=label(message, assumptions),
            subject=operation.label,
            request=self._texts.shorten(f"{variant.method} {variant.target}"),
            response=self._texts.shorten(outcome.body.decode("utf-8", "replace")),
            reproduce=self.reproduce(name),
            assumptions=tuple(map(str, assumptions)),
        )

    def _builder(self, operation: Operation) -> Builder:
        account = self.account
        return Builder(operation, account.api_key, account.api_secret, self._fresh, is_exact=False)

    def _note(self, name: str, path: str) -> None:
        self._operations.add(path)
        if name:
            self._sent_ids.append(name)
