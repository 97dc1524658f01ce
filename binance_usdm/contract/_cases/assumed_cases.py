"""Generated requests and what is assumed of open questions: document, checks, and findings."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from binance_usdm.contract._spec.document import METHODS, Json, resolve
from binance_usdm.contract._spec.operations import Operation, operation_by_route
from binance_usdm.mock import Switches

from .assumptions import Assumption, find_assumptions
from .body_checks import repeated_field
from .schemathesis_setup import Case, Check, Explain, Schema, load_schema
from .small_changes.expected_responses import STATUSES, unknown_method
from .small_changes.variants import read_code

# What schemathesis takes for a rejection of its own accord.
REJECTIONS: Final = ("400", "401", "403", "404", "405")
KEY_CODES: Final = (-2014, -2015)


def load_assumed(document: Json, assume: Switches, config: Json | None = None) -> Schema:
    """Return a document as a schema of schemathesis, as it is if the assumptions hold.

    Args:
        document: The document.
        assume: What is assumed.
        config: Settings of the checks of schemathesis.
    """
    checks = {**(config or {}), **_check_config(assume)}
    return load_schema(assumed_document(document, assume), {"checks": checks})


def case_checks(document: Json, assume: Switches) -> list[Check]:
    """Return the checks of a case that schemathesis does not have."""
    return [
        undeclared_method_check(document, assume),
        accepts_only_what_is_described(document, assume),
        repeated_field,
    ]


def accepts_only_what_is_described(document: Json, assume: Switches) -> Check:
    """Return a check that every request with a response of 200 is one that the document allows.

    `negative_data_rejection` means that too, but schemathesis 4.32 accepts every invalid case of
    its coverage phase whose query has one valid value beside the invalid one.
    """
    by_route = operation_by_route(document)

    def only_described_is_accepted(context: Any, response: Any, case: Case) -> None:
        operation = by_route.get((response.request.method, case.path))
        if response.status_code == 200 and operation is not None:
            problems = _query_problems(operation, response, assume)
            assert not problems, f"accepted with an invalid {', '.join(problems)}"

    return only_described_is_accepted


def undeclared_method_check(document: Json, assume: Switches) -> Check:
    """Return a check of requests with a method that a path does not have."""
    by_route = operation_by_route(document)

    def undeclared_method(context: Any, response: Any, case: Case) -> None:
        """A method that a path does not have is unknown, with any credentials."""
        if (response.request.method, case.path) not in by_route:
            found = response.status_code, read_code(response.status_code, response.content)
            assert found in unknown_method(assume), f"{response.request.method}: {found[0]}"

    return undeclared_method


def explain_cases(document: Json, assume: Switches) -> Explain:
    """Return a function that says on which assumptions a finding in a generated case rests."""
    by_route = operation_by_route(document)

    def explain(
        check: str, case: Case, response: Any, failure: Exception
    ) -> tuple[Assumption, ...]:
        operation = by_route.get((response.request.method, case.path))
        status, code = response.status_code, read_code(response.status_code, response.content)

        def is_right(switches: Switches) -> bool:
            if check == "ignored_auth":
                # It sends requests of its own: its message has the status.
                is_rejected = re.search(r"got `4\d\d ", str(getattr(failure, "message", "")))
                return bool(is_rejected) and not _misses_key_first(switches)
            if operation is None:
                is_known = check in ("undeclared_method", "status_code_conformance")
                return is_known and (status, code) in unknown_method(switches)
            if check == "only_described_is_accepted":
                return not _query_problems(operation, response, switches)
            if check == "positive_data_acceptance":
                maximum = switches.window_maximum
                window = _window(operation, response)
                return code == -1131 and maximum is not None and window > maximum
            return check == "status_code_conformance" and switches.statuses.get(code or 0) == status

        return find_assumptions(is_right, assume)

    return explain


def assumed_document(document: Json, assume: Switches) -> Json:
    """Return a document as it is if the assumptions hold."""
    same_as = {str(status): "400" for status in assume.statuses.values()}
    if assume.wrong_method == 405:
        same_as["405"] = "404"

    def change(node: Json) -> Json:
        responses = node["responses"]
        more = {new: responses[old] for new, old in same_as.items() if old in responses}
        parameters = [resolve(document, each) for each in node.get("parameters", ())]
        return {
            **node,
            "responses": {**more, **responses},
            "parameters": [_with_maximum(each, assume.window_maximum) for each in parameters],
        }

    paths = {
        path: {name: change(node) if name in METHODS else node for name, node in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _check_config(assume: Switches) -> dict[str, Any]:
    config: dict[str, Any] = (
        {} if _misses_key_first(assume) else {"ignored_auth": {"enabled": False}}
    )
    if assume.statuses:
        expected = [*dict.fromkeys([*REJECTIONS, *map(str, assume.statuses.values())])]
        for name in ("negative_data_rejection", "missing_required_header"):
            config[name] = {"expected-statuses": expected}
    return config


def _misses_key_first(assume: Switches) -> bool:
    """Return whether a request without any credential is rejected for its key, with 401 or 403."""
    key = assume.order.index("key")
    is_first = all(key < assume.order.index(name) for name in ("parameters", "signature"))
    statuses = {assume.statuses.get(code, STATUSES[code]) for code in KEY_CODES}
    return is_first and statuses <= {401, 403}


def _query_problems(operation: Operation, response: Any, assume: Switches) -> list[str]:
    """Return the names in the query of a request that the exchange should have rejected."""
    problems = operation.query_problems(urlsplit(response.request.url).query)
    known = {each["name"] for each in operation.declared} | {operation.signature}
    accepts_unknown = assume.unknown_parameter is None
    return [name for name in problems if name in known or not accepts_unknown]


def _window(operation: Operation, response: Any) -> int:
    pairs = dict(parse_qsl(urlsplit(response.request.url).query))
    text = pairs.get(operation.window or "", "")
    return int(text) if re.fullmatch("[0-9]+", text) else 0


def _with_maximum(parameter: Json, maximum: int | None) -> Json:
    """Return a parameter, with a maximum if it is the window."""
    if maximum is None or parameter.get("x-signing-role") != "window":
        return parameter
    examples = {"example", "examples"}
    kept = {name: value for name, value in parameter.items() if name not in examples}
    schema = {name: value for name, value in parameter["schema"].items() if name not in examples}
    sample = min(maximum, 1000)
    return {**kept, "schema": {**schema, "maximum": maximum}, "example": sample}
