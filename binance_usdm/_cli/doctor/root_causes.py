"""Find out which problem of `doctor` follows from another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from binance_usdm import TimestampError

from .findings import Finding

_ERROR_FACTS: Final = ("error", "status", "code")
"""Facts of an error. Two checks that met the same error have one cause."""


def find_cause(finding: Finding, earlier_findings: Mapping[str, Finding]) -> str:
    """Return the name of the check whose problem caused a problem.

    Args:
        finding: Finding of a check that ran.
        earlier_findings: Findings of the checks before it, by name.

    Returns:
        The name, or "" for a problem with a cause of its own and for any other verdict.
    """
    if finding.verdict != "problem":
        return ""
    # The check reports a problem only when the signed call was rejected for the signature.
    if finding.check == "signature":
        return "signed_call"
    is_late = finding.facts.get("error") == TimestampError.__name__
    for name, earlier in earlier_findings.items():
        is_wrong_clock = is_late and "offset_ms" in earlier.facts
        if earlier.verdict == "problem" and (is_wrong_clock or _is_same_error(finding, earlier)):
            return name
    return ""


def _is_same_error(finding: Finding, earlier: Finding) -> bool:
    return "error" in finding.facts and all(
        finding.facts.get(fact) == earlier.facts.get(fact) for fact in _ERROR_FACTS
    )
