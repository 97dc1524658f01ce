"""Findings of `doctor`, and the judgments behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from attrs import Factory, frozen

from binance_usdm._config import DEMO, MAINNET
from binance_usdm._environment import ENV_API_KEY, ENV_API_SECRET
from binance_usdm._errors import APIError, UnexpectedResponse, UsdmError
from binance_usdm._http.messages import DeadlinePassed
from binance_usdm._http.proxy import TunnelError

from . import advice as texts

Verdict = Literal["ok", "warning", "problem", "skipped"]
Facts = dict[str, Any]
CheckResult = tuple[Verdict, str, str, Facts]
"""Verdict, summary, advice and facts of a `Finding`."""

MAX_AHEAD_MS: Final = 1000
"""A timestamp this far ahead of the exchange is rejected, ms (General Info, 2026-05-28)."""
WARN_ABOVE_OFFSET_MS: Final = 500
"""Offset of a clock that gets a warning, ms."""
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
    """

    check: str
    verdict: Verdict
    summary: str
    advice: str = ""
    facts: Facts = Factory(dict)


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


def likely_cause(
    code: int | None,
    environment: str,
    key_type: str,
    unusual_lengths: Mapping[str, str],
    clock: Verdict,
    recv_window_ms: int,
) -> str:
    """Return the most likely cause of an error code, given the other findings, or "".

    Args:
        code: The exchange's error code, or None.
        environment: "production", "demo" or where else the calls go.
        key_type: "HMAC", "Ed25519" or "RSA".
        unusual_lengths: Description of the length by variable, for unusual lengths only.
        clock: Verdict about the clock.
        recv_window_ms: `recvWindow` of the calls.
    """
    key = unusual_lengths.get(ENV_API_KEY)
    incomplete_key = f"The key has {key}: most likely it was not copied whole." if key else ""
    if code == -1021 and clock == "ok":
        return (
            "The clock is right: most likely the request took longer than "
            f"recvWindow, {recv_window_ms} ms."
        )
    if code == -1022:
        cause = _signature_cause(key_type, unusual_lengths.get(ENV_API_SECRET))
        return f"{cause} What was signed is below."
    if code == -2008:
        others = {"production": f"{DEMO} (--demo)", "demo": MAINNET}
        other = others.get(environment, f"{MAINNET} or {DEMO}")
        return f"The key is not one of {environment}: most likely it belongs to {other}."
    if code == -2014:
        return incomplete_key
    if code == -2015:
        return incomplete_key or (
            "The key is well-formed: most likely the list of IP addresses or Enable Futures, "
            "or key and secret are swapped."
        )
    return ""


def _signature_cause(key_type: str, secret_length: str | None) -> str:
    if secret_length:
        return f"The secret has {secret_length}: most likely it was not copied whole."
    if key_type == "HMAC":
        return "Most likely the secret is another key's."
    return "Most likely this key was registered with another public key than this private key's."


def explain_error(error: UsdmError, host: str, cause: str) -> tuple[str, str, Facts]:
    """Return summary, advice and facts for a call that failed.

    The exchange's own message is used only for an error that has no explanation here.

    Args:
        error: The error of the call.
        host: Host of the base URL, which is left out.
        cause: What `likely_cause` returned.
    """
    facts: Facts = {"error": type(error).__name__}
    if not isinstance(error, APIError):
        text = str(error).replace(f" ({host})", "").replace(host, "the host")
        is_foreign = isinstance(error, UnexpectedResponse)
        advice = texts.ADVICE_NOT_THE_API if is_foreign else texts.ADVICE_FIREWALL
        return f"{facts['error']}: {text}", advice, facts
    facts |= {"status": error.status, "code": error.code, "retry_after": error.retry_after}
    summary = f"HTTP {error.status}" if error.status else "not sent"
    if error.code is not None:
        summary += f", code {error.code}"
    return f"{summary}: {_error_meaning(error)}", _error_advice(error, cause), facts


def _error_meaning(error: APIError) -> str:
    for number in (error.code, error.status):
        if number in texts.ERROR_MEANINGS:
            return texts.ERROR_MEANINGS[number]
    return _LOOKS_LIKE_TOKEN.sub("[redacted]", error.message) or "no reason given"


def _error_advice(error: APIError, cause: str) -> str:
    sentences = [cause] if cause else []
    if error.hint:
        sentences.append(f"{error.hint[:1].upper()}{error.hint[1:]}.")
    if error.retry_after is not None:
        sentences.append(f"Wait {error.retry_after:.0f} s.")
    elif error.retryable:
        sentences.append("This is a failure of the exchange: try later.")
    return " ".join(sentences)


def explain_connection_error(
    error: Exception, proxy_variables: Sequence[str], ca_variables: Sequence[str]
) -> tuple[str, str]:
    """Return summary and advice for a connection that could not be opened.

    Args:
        error: The error of opening it.
        proxy_variables: Names of the variables for proxies that are set.
        ca_variables: Names of the variables for certificates that are set.
    """
    verify_code = getattr(error, "verify_code", None)
    if isinstance(error, DeadlinePassed):
        error = TimeoutError()
    classes = type(error).__mro__
    nearest = next(cls for cls in classes if cls in texts.CONNECTION_ERROR_TEXTS)
    summary, advice = texts.CONNECTION_ERROR_TEXTS[nearest]
    if verify_code in texts.CERTIFICATE_ERROR_TEXTS:
        summary, advice = texts.CERTIFICATE_ERROR_TEXTS[verify_code]
    if isinstance(error, TunnelError):
        summary, advice = _explain_tunnel_error(str(error))
    if proxy_variables:
        advice += f" {' and '.join(proxy_variables)} is not used: {texts.ADVICE_SET_PROXY}"
    if ca_variables and verify_code is not None:
        advice += f" {' and '.join(ca_variables)} replaces the system's authorities."
    return summary, advice


def _explain_tunnel_error(status: str) -> tuple[str, str]:
    """Return summary and advice for a proxy that opened no tunnel.

    Args:
        status: Status of its response, or other text if the response is not valid.
    """
    if not status.isdecimal():
        return "the proxy's response is not valid", texts.ADVICE_PROXY_URL
    advice = texts.ADVICE_PROXY_LOGIN if status == "407" else texts.ADVICE_PROXY_REJECTS
    return f"the proxy responded with status {status}", advice


def describe_length(text: str) -> str:
    """Return a description of a length; the right one gives `EXPECTED_LENGTH_TEXT`."""
    if len(text) == texts.KEY_LENGTH:
        return texts.EXPECTED_LENGTH_TEXT
    return f"{len(text)} characters, real ones have {texts.KEY_LENGTH}"


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
