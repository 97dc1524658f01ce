"""Layer C: the client makes of every response the value or the error that the spec says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from hypothesis import settings

from binance_usdm.contract._cases.raw_requests import MakeExchange, make_exchange
from binance_usdm.contract._cases.schemathesis_setup import EDGES, Problems, run_checks
from binance_usdm.contract._client_layers.response_cases import ResponseCase
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.response_model import (
    DescribedResponse,
    error_responses,
    ok_responses,
)

from .response_checks import (
    client_state_checks,
    connection_checks,
    error_object_checks,
    error_text_checks,
    response_attempt_checks,
    response_document_checks,
    response_error_checks,
    response_metadata_checks,
    response_object_checks,
    response_value_checks,
    transfer_checks,
    transport_error_checks,
)

OK_CHECKS: Final = (
    *response_value_checks.CHECKS,
    *response_object_checks.CHECKS,
    *response_error_checks.OK_CHECKS,
    *error_object_checks.OK_CHECKS,
    *error_text_checks.OK_CHECKS,
    *response_document_checks.OK_CHECKS,
    *response_metadata_checks.CHECKS,
    *response_attempt_checks.CHECKS,
    *client_state_checks.CHECKS,
    *transport_error_checks.CHECKS,
    *connection_checks.CHECKS,
    *transfer_checks.CHECKS,
)
ERROR_CHECKS: Final = (
    *response_error_checks.ERROR_CHECKS,
    *response_document_checks.ERROR_CHECKS,
    *error_object_checks.ERROR_CHECKS,
    *error_text_checks.ERROR_CHECKS,
)
CHECKS: Final = (*OK_CHECKS, *ERROR_CHECKS)


def run_responses_vs_spec(
    document: Json,
    sdk: Sdk,
    make: MakeExchange = make_exchange,
    how: settings = EDGES,
    checks: Iterable[Callable[[ResponseCase], None]] = CHECKS,
) -> Problems:
    """Return what the client does not keep of the responses of a document.

    Args:
        document: The document, such as `SPEC`.
        sdk: The client.
        make: Makes the mock exchange that responds.
        how: Which responses are generated, as settings of hypothesis. By default all examples and
            edges, and no random one.
        checks: Checks that run, by default all.
    """
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
