"""Health checks that `doctor` runs.

A finding contains no key, secret, signature, amount, address, path or custom host, so that a report
may be published. Weight: four calls for the exchange's time (1 each) and one signed call (5), so 9
at most.
"""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Callable
from typing import Final

from binance_usdm import APIError, ConfigurationError, UsdmError
from binance_usdm import _config as config
from binance_usdm import _environment as env
from binance_usdm._http.sync_transport import NETWORK_ERRORS
from binance_usdm._policy.clock import MAX_SAMPLES, ClockSample, ExchangeClock, local_time_ms

from . import advice as texts
from .check_context import CheckContext
from .credential_check import check_credentials
from .findings import (
    CheckResult,
    Facts,
    Finding,
    Verdict,
    describe_signed_query,
    explain_connection_error,
    explain_error,
    judge_clock_offset,
    likely_cause,
)
from .probe import probe_connection

CA_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that replace the system's certificate authorities."""


def run_checks(
    base_url: str | None = None,
    *,
    recv_window: int | None = None,
    timeout: float = config.DEFAULT_TIMEOUT,
    proxy: str | None = None,
) -> list[Finding]:
    """Run all checks in order. A check whose requirements failed is skipped.

    Credentials come from the environment.

    Args:
        base_url: Base URL. Use None for that of the environment or the default.
        recv_window: `recvWindow` in ms, or None.
        timeout: Seconds for each step over the network.
        proxy: URL of the proxy. Use None for that of the environment or no proxy.
    """
    context = CheckContext(base_url, recv_window, timeout, proxy)
    for name, (check, requirements) in CHECKS.items():
        failed = [
            other for other in requirements if context.verdict_of(other) in ("problem", "skipped")
        ]
        if failed:
            context.findings[name] = Finding(name, "skipped", f"fix {', '.join(failed)} first")
        else:
            context.findings[name] = Finding(name, *check(context))
    return list(context.findings.values())


def check_base_url(context: CheckContext) -> CheckResult:
    """Check that the base URL is valid and that of the USDⓈ-M futures API."""
    facts: Facts = {"environment": context.environment, "from": context.base_url_source}
    advice = texts.ADVICE_SUPPORTED_HOSTS
    if not isinstance(context.url, config.BaseUrl):
        problem = context.url.replace("base_url", context.base_url_source, 1)
        return "problem", problem, advice, facts
    for pattern, description in texts.OTHER_APIS:
        if re.fullmatch(pattern, context.host):
            is_old = context.host == texts.OLD_TEST_NETWORK
            verdict: Verdict = "warning" if is_old else "problem"
            return verdict, f"{context.host} is {description}", advice, facts
    prefix = ", with a path prefix" if context.url.path else ""
    if context.environment == texts.OTHER_HOST:
        summary = f"a host that is not the exchange's, left out here{prefix}"
        return "warning", summary, texts.ADVICE_UNKNOWN_HOST, facts
    return "ok", f"{context.environment}{prefix}, from {context.base_url_source}", "", facts


def check_reachable(context: CheckContext) -> CheckResult:
    """Check that a connection can be opened and that the exchange responds."""
    assert isinstance(context.url, config.BaseUrl)
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
        return _result_for_error(context, error, facts)
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
                if not samples:
                    return _result_for_error(context, error, {})
                break
    best = min(samples, key=lambda sample: sample.error_bound_ms)
    verdict, advice = judge_clock_offset(
        best.offset_ms, best.error_bound_ms, context.effective_recv_window
    )
    # With the exchange's time the signed call can find further problems behind a -1021.
    if verdict == "problem":
        clock.finish_sync(best, None)
        context.clock = clock
    return verdict, _clock_summary(best), advice, _clock_facts(context, samples, best)


def _clock_summary(best: ClockSample) -> str:
    side = "behind" if best.offset_ms > 0 else "ahead of"
    return (
        f"clock is {abs(best.offset_ms):.0f} ms {side} the exchange "
        f"(±{best.error_bound_ms:.0f} ms); round trip {2 * best.error_bound_ms:.0f} ms"
    )


def _clock_facts(context: CheckContext, samples: list[ClockSample], best: ClockSample) -> Facts:
    median_error = statistics.median(sample.error_bound_ms for sample in samples)
    return {
        "offset_ms": round(best.offset_ms, 1),
        "error_ms": round(best.error_bound_ms, 1),
        "round_trip_ms": round(2 * best.error_bound_ms, 1),
        "round_trip_median_ms": round(2 * median_error, 1),
        "samples": len(samples),
        "recv_window_ms": context.effective_recv_window,
    }


def check_signed_call(context: CheckContext) -> CheckResult:
    """Read the balance once, with the credentials that were found."""
    is_local = context.clock is local_time_ms
    facts: Facts = {"timed_by": "this machine" if is_local else "the exchange"}
    try:
        with context.make_client(
            api_key=context.credentials.api_key,
            signer=context.credentials.signer,
            recv_window=context.recv_window,
            clock=context.clock,
        ) as client:
            response = client.balance_detailed()
    except UsdmError as error:
        return _result_for_error(context, error, facts)
    facts |= {"rows": len(response.parsed), "used_weight": response.used_weight}
    weight = "unknown" if response.used_weight is None else response.used_weight
    summary = f"accepted; rows: {len(response.parsed)}, weight used this minute: {weight}"
    return "ok", summary, "", facts


def _result_for_error(context: CheckContext, error: UsdmError, facts: Facts) -> CheckResult:
    cause = likely_cause(
        error.code if isinstance(error, APIError) else None,
        context.environment,
        "" if context.recorder is None else context.recorder.key_type,
        context.unusual_lengths,
        context.verdict_of("clock"),
        context.effective_recv_window,
    )
    summary, advice, error_facts = explain_error(error, context.host, cause)
    return "problem", summary, advice, facts | error_facts


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
    if context.findings["signed_call"].facts.get("code") == -1022:
        advice = texts.ADVICE_COMPARE_SIGNATURES
        return "problem", "the exchange does not accept it", advice, facts
    return "ok", f"{recorder.key_type} over {len(recorder.query)} characters", "", facts


# Checks in order, each with those it requires. Readers of --json rely on the names.
CHECKS: Final[dict[str, tuple[Callable[[CheckContext], CheckResult], tuple[str, ...]]]] = {
    "credentials": (check_credentials, ()),
    "base_url": (check_base_url, ()),
    "reachable": (check_reachable, ("base_url",)),
    "clock": (check_clock, ("reachable",)),
    "signed_call": (check_signed_call, ("credentials", "base_url", "reachable")),
    "signature": (check_signature, ("credentials", "base_url", "reachable")),
}
