"""Check of `doctor --contract`: the responses of the other checks against the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binance_usdm._call.content_encoding import decode_content
from binance_usdm._call.response import MAX_DECOMPRESSION_RATIO
from binance_usdm._config.base_url import BaseUrl
from binance_usdm._http.messages import DEFAULT_MAX_RESPONSE_BYTES, HttpResponse
from binance_usdm_wire import ResponseMismatch

from . import advice as texts
from .budget_check import Check
from .findings import CheckResult
from .probe import CheckContext

if TYPE_CHECKING:
    from binance_usdm.contract import RecordedReply

_MAX_BODY_BYTES = MAX_DECOMPRESSION_RATIO * DEFAULT_MAX_RESPONSE_BYTES


def add_contract_check(checks: dict[str, Check], context: CheckContext) -> dict[str, Check]:
    """Return the checks, with that of the responses at the end if they are kept."""
    if context.responses is None:
        return checks
    # It does not require the calls: a response that the client rejects is judged, too.
    return {**checks, "contract": (check_contract, ("base_url",))}


def check_contract(context: CheckContext) -> CheckResult:
    """Compare the responses of the other checks with the spec. Nothing is sent."""
    replies = _read_replies(context)
    if not replies:
        return "skipped", "no response came that could be compared with the spec", "", {}
    # Only this check waits for the import, which needs no extra.
    from binance_usdm.contract import SPEC, find_deviations
    from binance_usdm.contract._recorded.json_form import deviation_to_json

    deviations = find_deviations(SPEC, replies)
    facts = {
        "responses": len(replies),
        "deviations": [deviation_to_json(deviation) for deviation in deviations],
    }
    if not deviations:
        return "ok", f"all {len(replies)} responses are as the spec describes them", "", facts
    facts["lines"] = [str(deviation) for deviation in deviations]
    facts["next"] = texts.CONTRACT_COMMANDS
    plural = "s" if len(deviations) > 1 else ""
    summary = f"{len(replies)} responses, {len(deviations)} deviation{plural} from the spec"
    return "warning", summary, texts.ADVICE_CONTRACT, facts


def _read_replies(context: CheckContext) -> list[RecordedReply]:
    from binance_usdm.contract import RecordedReply

    assert isinstance(context.url, BaseUrl)
    prefix = context.url.path
    return [
        RecordedReply(
            "GET", path.removeprefix(prefix), response.status, response.headers, _body(response)
        )
        for path, response in context.responses or ()
    ]


def _body(response: HttpResponse) -> bytes:
    """Return the body as the spec describes it, or as it came if it cannot be decoded."""
    try:
        return decode_content(response, _MAX_BODY_BYTES)
    except ResponseMismatch:
        return response.body
