"""Findings of `doctor`, and the judgments behind them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from attrs import Factory, frozen

from binance_usdm._config.base_url import BaseUrl
from binance_usdm._config.defaults import DEMO, MAINNET
from binance_usdm._config.environment import ENV_ALLOW_HTTP_HOSTS, ENV_API_KEY, ENV_API_SECRET
from binance_usdm._error_hints import LOCATION_HINT
from binance_usdm._errors import APIError, UnexpectedResponse, UsdmError
from binance_usdm._policy.clock_samples import ClockSample
from binance_usdm._secrets import Problem
from binance_usdm_wire.error_texts import MEANING_BY_CODE

from . import advice as texts

Verdict = Literal["ok", "warning", "problem", "skipped"]
Facts = dict[str, Any]
CheckResult = tuple[Verdict, str, str, Facts]
"""Verdict, summary, advice and facts of a `Finding`."""

MAX_AHEAD_MS: Final = 1000
"""A timestamp this far ahead of the exchange is rejected, ms (General Info, 2026-05-28)."""
WARN_ABOVE_OFFSET_MS: Final = 500
"""Offset of a clock that gets a warning, ms."""
_GET_CLAUSE = re.compile(r"^after client\.get, [^;]*; for other calls, ")
_LOOKS_LIKE_TOKEN = re.compile(r"[A-Za-z0-9+/=%_-]{24,}")
"""A key or a signature. Words of messages are shorter."""


@frozen
class Finding:
    """Result of one check.

    Attributes:
        check: Name of the check.
        verdict: "ok", "warning", "problem" or "skipped".
        summary: One line.
        advice: What to do, "" for nothing.
        facts: Plain values, for `--json`.
        cause: Name of the check whose problem caused this finding, "" if there is none. Such a
            finding is not counted.
    """

    check: str
    verdict: Verdict
    summary: str
    advice: str = ""
    facts: Facts = Factory(dict)
    cause: str = ""


class Situation(NamedTuple):
    """What the other checks found, to explain an error.

    Attributes:
        host: Host of the base URL, which is left out of findings.
        environment: "production", "demo" or where else the calls go.
        key_type: "HMAC", "Ed25519", "RSA" or "".
        unusual_lengths: Description of the length by variable, for unusual lengths only.
        clock: Verdict about the clock.
        recv_window_ms: `recvWindow` of the calls.
    """

    host: str
    environment: str
    key_type: str
    unusual_lengths: Mapping[str, str]
    clock: Verdict
    recv_window_ms: int


def judge_base_url(url: BaseUrl | Problem, environment: str, source: str) -> CheckResult:
    """Return the finding about a base URL.

    Args:
        url: The base URL, or why it is not valid.
        environment: "production", "demo" or where else the calls go.
        source: Option or variable that it comes from.
    """
    facts: Facts = {"environment": environment, "from": source}
    advice = texts.ADVICE_SUPPORTED_HOSTS
    if isinstance(url, Problem):
        # A test host is not to be replaced by the exchange's, and one of another API is already.
        advice = "" if ENV_ALLOW_HTTP_HOSTS in url or MAINNET in url else advice
        return "problem", url.replace("base_url", source, 1), advice, facts
    host = url.origin[1]
    if host == texts.OLD_TESTNET:
        return "warning", f"{host} is {texts.OLD_TESTNET_TEXT}", advice, facts
    prefix = ", with a path prefix" if url.path else ""
    if environment == texts.OTHER_HOST:
        summary = f"a host that is not the exchange's, left out here{prefix}"
        return "warning", summary, texts.ADVICE_UNKNOWN_HOST, facts
    return "ok", f"{environment}{prefix}, from {source}", "", facts


def judge_clock(
    best: ClockSample, samples: Sequence[ClockSample], recv_window_ms: int
) -> CheckResult:
    """Return the finding about this machine's clock.

    Args:
        best: Sample with the smallest error bound.
        samples: All samples.
        recv_window_ms: `recvWindow` of the calls.
    """
    offset, error = best.offset_ms, best.error_bound_ms
    median_error = statistics.median(sample.error_bound_ms for sample in samples)
    verdict, advice = judge_clock_offset(offset, error, recv_window_ms)
    side = "behind" if offset > 0 else "ahead of"
    summary = (
        f"clock is {abs(offset):.0f} ms {side} the exchange (±{error:.0f} ms); "
        f"round trip {2 * error:.0f} ms"
    )
    facts: Facts = {
        "offset_ms": round(offset, 1),
        "error_ms": round(error, 1),
        "round_trip_ms": round(2 * error, 1),
        "round_trip_median_ms": round(2 * median_error, 1),
        "samples": len(samples),
        "recv_window_ms": recv_window_ms,
    }
    return verdict, summary, advice, facts


def judge_clock_offset(
    offset_ms: float, error_ms: float, recv_window_ms: int
) -> tuple[Verdict, str]:
    """Return verdict and advice for a clock.

    Args:
        offset_ms: How far the exchange is ahead of this machine.
        error_ms: Error bound of the offset: half of a round trip.
        recv_window_ms: `recvWindow` of the calls.
    """
    if offset_ms + 2 * error_ms > recv_window_ms:
        is_clock = offset_ms > WARN_ABOVE_OFFSET_MS
        return "problem", texts.ADVICE_CLOCK if is_clock else texts.ADVICE_SLOW_NETWORK
    if -offset_ms >= MAX_AHEAD_MS:
        return "problem", texts.ADVICE_CLOCK
    if abs(offset_ms) > WARN_ABOVE_OFFSET_MS:
        return "warning", texts.ADVICE_NTP
    return "ok", ""


def likely_cause(code: int | None, situation: Situation) -> str:
    """Return the most likely cause of an error code, given the other findings, or ""."""
    values = {
        "api_key": situation.unusual_lengths.get(ENV_API_KEY, ""),
        "api_secret": situation.unusual_lengths.get(ENV_API_SECRET, ""),
        "environment": situation.environment,
        "other": {"production": f"{DEMO} (--demo)", "demo": MAINNET}.get(
            situation.environment, f"{MAINNET} or {DEMO}"
        ),
        "recv_window_ms": situation.recv_window_ms,
    }
    facts = {name for name in ("api_key", "api_secret") if values[name]}
    facts |= {situation.key_type, f"clock {situation.clock}"}
    for cause_code, condition, text in texts.CAUSES:
        if cause_code == code and (not condition or condition in facts):
            return text.format(**values)
    return ""


def explain_error(error: UsdmError, situation: Situation) -> tuple[str, str, Facts]:
    """Return summary, advice and facts for a call that failed.

    The exchange's own message is used only for an error that has no explanation here.
    """
    facts: Facts = {"error": type(error).__name__}
    if isinstance(error, APIError):
        facts |= {"status": error.status, "code": error.code, "retry_after": error.retry_after}
        summary = f"HTTP {error.status}" if error.status else "not sent"
        if error.code is not None:
            summary += f", code {error.code}"
        meaning, advice = _explain_api_error(error, situation)
        return f"{summary}: {meaning}", advice, facts
    text = str(error).replace(f" ({situation.host})", "").replace(situation.host, "the host")
    advice = texts.ADVICE_FIREWALL
    if isinstance(error, UnexpectedResponse):
        advice = texts.ADVICE_NOT_THE_API
        # A response that is too large has the status 0.
        if error.status and error.status in texts.STATUS_TEXTS:
            text, advice = texts.STATUS_TEXTS[error.status]
            text = f"HTTP {error.status}, {text}"
    return f"{facts['error']}: {text}", advice, facts


def _explain_api_error(error: APIError, situation: Situation) -> tuple[str, str]:
    """Return meaning and advice for an error of the exchange, or of a firewall before it."""
    sentences = [likely_cause(error.code, situation)]
    meaning = MEANING_BY_CODE.get(error.code) if error.code is not None else None
    # No call here is one of client.get.
    hint = _GET_CLAUSE.sub("", error.hint)
    hint = f"{hint[:1].upper()}{hint[1:]}." if hint else ""
    # The client's hint is about a secret.
    if error.code == -1022 and situation.key_type != "HMAC":
        hint = texts.ADVICE_PRIVATE_KEY
    # The status of a limit says more than its code: whether it is a ban.
    is_limit = error.status in (418, 429)
    if (meaning is None or is_limit) and error.status in texts.STATUS_TEXTS:
        meaning, advice = texts.STATUS_TEXTS[error.status]
        hint = advice or hint
    if error.hint.startswith(LOCATION_HINT):
        meaning, hint = texts.STATUS_TEXTS[451][0], texts.ADVICE_LOCATION
    sentences.append(hint)
    if error.retry_after is not None:
        sentences.append(f"Wait {error.retry_after:.0f} s.")
    elif error.retryable:
        sentences.append("This is a failure of the exchange: try later.")
    if not meaning:
        meaning = _LOOKS_LIKE_TOKEN.sub("[redacted]", error.message) or "no reason given"
    return meaning, " ".join(filter(None, sentences))


def describe_length(text: str) -> str:
    """Return a description of a length; the right one gives `EXPECTED_LENGTH_TEXT`."""
    if len(text) == texts.KEY_LENGTH:
        return texts.EXPECTED_LENGTH_TEXT
    plural = "" if len(text) == 1 else "s"
    return f"{len(text)} character{plural}, real ones have {texts.KEY_LENGTH}"


def describe_signed_query(query: str, key_type: str, signature_length: int, key_file: str) -> Facts:
    """Return what was signed, its parameters, and a command that signs it.

    Args:
        query: The signed query, without the signature.
        key_type: "HMAC", "Ed25519" or "RSA".
        signature_length: Length of the signature as it was sent.
        key_file: Path of the private key, quoted for a shell.
    """
    characters = "hex characters" if key_type == "HMAC" else "characters of escaped base64"
    pairs = [pair.split("=") for pair in query.split("&")]
    pairs.append(["signature", f"<{signature_length} {characters}>"])
    parts = [
        {"name": name, "value": value, "meaning": texts.PARAMETER_MEANINGS.get(name, "")}
        for name, value in pairs
    ]
    command = texts.OPENSSL_COMMANDS[key_type].format(query=query, key=key_file)
    return {"signed": query, "parts": parts, "reproduce": command}
