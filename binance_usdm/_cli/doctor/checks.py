"""Health checks that `doctor` runs, and the table of them.

A finding contains no key, secret, signature, amount, address, path or custom host, so that a report
may be published. Weight: four calls for the exchange's time (1 each) and one signed call (5), so 9
at most.
"""

from __future__ import annotations

import os
from typing import Final

from attrs import evolve

from binance_usdm import ConfigurationError, RateLimitError, TransportError, UsdmError
from binance_usdm._config import base_url as _base_url
from binance_usdm._config import environment as env
from binance_usdm._http.sync_transport import NETWORK_ERRORS
from binance_usdm._policy.clock import ExchangeClock, local_time_ms
from binance_usdm._policy.clock_samples import MAX_SAMPLES, ClockSample

from . import advice as texts
from .budget_check import Check, add_budget_check
from .connection_errors import explain_connection_error
from .contract_check import add_contract_check
from .credentials_check import check_credentials
from .dependencies import check_dependencies
from .findings import (
    CheckResult,
    Facts,
    Finding,
    describe_signed_query,
    judge_base_url,
    judge_clock,
)
from .probe import CheckContext, probe_connection, speaks_tls
from .root_causes import find_cause

CA_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that replace the system's certificate authorities."""


def check_base_url(context: CheckContext) -> CheckResult:
    """Check that the base URL is valid and that of the USDⓈ-M futures API."""
    return judge_base_url(context.url, context.environment, context.base_url_source)


def check_reachable(context: CheckContext) -> CheckResult:
    """Check that a connection can be opened and that the exchange responds."""
    assert isinstance(context.url, _base_url.BaseUrl)
    facts: Facts = {"step": "checking the proxy"}
    if context.proxy:
        facts["proxy_from"] = context.proxy_source
    try:
        context.make_client().close()
    except ConfigurationError as error:
        return "problem", str(error).replace("proxy", context.proxy_source, 1), "", facts
    try:
        probe_connection(context.url.origin, context.timeout, facts, context.proxy)
    except NETWORK_ERRORS as error:
        facts["error"] = type(error).__name__
        facts["proxies_not_used"] = [
            name for name in env.PROXY_VARIABLES if os.environ.get(name) and not context.proxy
        ]
        facts["stores"] = [name for name in CA_VARIABLES if os.environ.get(name)]
        summary, advice = explain_connection_error(
            error, facts["proxies_not_used"], facts["stores"]
        )
        return "problem", f"{facts['step']} failed: {summary}", advice, facts
    try:
        with context.make_client() as client:
            client.server_time()
    except UsdmError as error:
        result = context.result_for_error(error, facts)
        is_silent = isinstance(error, TransportError) and not context.proxy
        if is_silent and speaks_tls(context.url.origin, context.timeout):
            summary, advice = texts.TLS_PORT_TEXTS
            return "problem", summary, advice, result[3]
        return result
    facts["step"] = "done"
    over_tls = f" over {facts['tls']}" if "tls" in facts else ""
    through = f", through the proxy of {context.proxy_source}" if context.proxy else ""
    return "ok", f"the exchange responds{over_tls}{through}", "", facts


def check_clock(context: CheckContext) -> CheckResult:
    """Compare this machine's clock with the exchange's."""
    clock = ExchangeClock()
    samples: list[ClockSample] = []
    with context.make_client() as client:
        for _ in range(MAX_SAMPLES):
            sent_at = clock.monotonic()
            try:
                server_time = client.server_time().server_time
                samples.append(clock.sample(sent_at, clock.monotonic(), server_time))
            except UsdmError as error:
                # The limit is no problem of the clock. The signed call will meet it, too.
                if isinstance(error, RateLimitError) and not samples:
                    return "skipped", "not measured: the weight limit is used up", "", {}
                if not samples:
                    return context.result_for_error(error, {})
                break
    best = min(samples, key=lambda sample: sample.error_bound_ms)
    result = judge_clock(best, samples, context.effective_recv_window)
    # With the exchange's time the signed call can find further problems behind a -1021.
    if result[0] == "problem":
        clock.finish_sync(best, None)
        context.clock = clock
    return result


def check_signed_call(context: CheckContext) -> CheckResult:
    """Read the balance once, with the credentials that were found."""
    is_local = context.clock is local_time_ms
    facts: Facts = {"timed_by": "this machine" if is_local else "the exchange"}
    try:
        with context.make_client(
            api_key=context.api_key,
            signer=context.recorder,
            recv_window=context.recv_window,
            clock=context.clock,
        ) as client:
            response = client.balance_detailed()
    except UsdmError as error:
        return context.result_for_error(error, facts)
    facts |= {"rows": len(response.parsed), "used_weight": response.used_weight}
    weight = "unknown" if response.used_weight is None else response.used_weight
    summary = f"accepted; rows: {len(response.parsed)}, weight used this minute: {weight}"
    return "ok", summary, "", facts


def check_signature(context: CheckContext) -> CheckResult:
    """Report what was signed and how to sign it with openssl."""
    recorder = context.recorder
    if recorder is None or not recorder.query:
        return "skipped", "nothing was signed", "", {}
    key_file = "private.pem"
    if os.environ.get(env.ENV_PRIVATE_KEY_FILE):
        key_file = f'"${env.ENV_PRIVATE_KEY_FILE}"'
    facts = describe_signed_query(
        recorder.query, recorder.key_type, recorder.signature_length, key_file
    )
    if context.profile is not None:
        # What the profile refers to need not be in the variable.
        facts["reproduce"] = facts["reproduce"].replace(env.ENV_API_SECRET, "SECRET")
    if context.findings["signed_call"].facts.get("code") == -1022:
        what = "key or secret" if recorder.key_type == "HMAC" else "the private keys"
        advice = texts.ADVICE_COMPARE_SIGNATURES.format(what=what)
        return "problem", "the exchange does not accept it", advice, facts
    return "ok", f"{recorder.key_type} over {len(recorder.query)} characters", "", facts


# Checks in order, each with those it requires. Readers of --json rely on the names.
CHECKS: Final[dict[str, Check]] = {
    "credentials": (check_credentials, ()),
    "base_url": (check_base_url, ()),
    "reachable": (check_reachable, ("base_url",)),
    "clock": (check_clock, ("reachable",)),
    "signed_call": (check_signed_call, ("credentials", "base_url", "reachable")),
    "signature": (check_signature, ("credentials", "base_url", "reachable")),
    "dependencies": (lambda context: check_dependencies(), ()),
}


def run_checks(context: CheckContext) -> list[Finding]:
    """Run all checks in order. A check whose requirements failed is skipped."""
    findings = context.findings
    checks = add_contract_check(add_budget_check(CHECKS), context)
    for name, (check, requirements) in checks.items():
        failed = [
            other for other in requirements if context.verdict_of(other) in ("problem", "skipped")
        ]
        # A requirement that was skipped has a cause itself.
        causes = list(dict.fromkeys(findings[other].cause or other for other in failed))
        if causes:
            summary = f"fix {', '.join(causes)} first"
            findings[name] = Finding(name, "skipped", summary, cause=causes[0])
        else:
            finding = Finding(name, *check(context))
            findings[name] = evolve(finding, cause=find_cause(finding, findings))
    return list(findings.values())
