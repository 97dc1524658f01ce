"""Layer C: the client makes of every response the value or the error that the spec says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from hypothesis import settings

from . import response_error_checks, response_value_checks
from .facade import SDKS, Sdk
from .raw_requests import MakeExchange, make_exchange
from .response_cases import ResponseCase
from .response_model import DescribedResponse, error_responses, ok_responses
from .schemathesis_setup import EDGES, GENERATED, Problems, run_checks
from .spec_model import Json

OK_CHECKS: Final = (*response_value_checks.CHECKS, *response_error_checks.OK_CHECKS)
ERROR_CHECKS: Final = response_error_checks.ERROR_CHECKS
CHECKS: Final = (*OK_CHECKS, *ERROR_CHECKS)
# Each client and each kind of transport has random bodies once. All four have all edges.
HOW: Final = {
    name: GENERATED if name in ("async", "sync, default transport") else EDGES for name in SDKS
}


def run_responses_vs_spec(
    document: Json,
    sdk: Sdk,
    make: MakeExchange = make_exchange,
    how: settings = EDGES,
    checks: Iterable[Callable[[ResponseCase], None]] = CHECKS,
) -> Problems:
    """Return what the client does not keep of the responses of a document."""
    chosen = {*checks}
    with asyncio.Runner() as runner:

        def cases(responses: list[DescribedResponse]) -> list[ResponseCase]:
            arguments = (sdk, partial(make, document), how)
            numbered = enumerate(responses)
            return [ResponseCase(each, *arguments, n, runner.get_loop()) for n, each in numbered]

        ok = run_checks(
            [each for each in OK_CHECKS if each in chosen], cases(ok_responses(document))
        )
        errors = [each for each in ERROR_CHECKS if each in chosen]
        return ok | run_checks(errors, cases(error_responses(document)))
