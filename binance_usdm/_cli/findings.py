"""What findings of the doctor mean and what to do about them, as tables. Knows no network, no environment variable and no secret."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from socket import gaierror
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import Factory, frozen

from binance_usdm._config import DEMO, MAINNET
from binance_usdm._environment import ENV_API_KEY, ENV_API_SECRET, ENV_PRIVATE_KEY
from binance_usdm._errors import APIError, UnexpectedResponse, UsdmError
from binance_usdm._http.messages import DeadlinePassed

Verdict = Literal["ok", "warning", "problem", "skipped"]
Facts = dict[str, Any]
CheckResult = tuple[Verdict, str, str, Facts]


@frozen
class Finding:
    """What one check found: the verdict, one line, what to do about it ("" for nothing), plain values."""

    check: str
    verdict: Verdict
    summary: str
    advice: str = ""
    facts: Facts = Factory(dict)


KEY_LENGTH: Final = 64
"""Of every key and every HMAC secret that the exchange gives out."""
EXPECTED_LENGTH_TEXT: Final = f"{KEY_LENGTH} characters, as real ones have"
DEFAULT_RECV_WINDOW_MS: Final = 5000
"""recvWindow when none is sent, ms (General Info, 2026-05-28)."""
MAX_AHEAD_MS: Final = 1000
"""A timestamp must be less than this ahead of the exchange, ms (likewise)."""
WARN_ABOVE_OFFSET_MS: Final = 500
"""What a clock may be off without a word about it, ms."""

ENVIRONMENTS: Final = {urlsplit(MAINNET).hostname: "production", urlsplit(DEMO).hostname: "demo"}
OTHER_APIS: Final[tuple[tuple[str, str, Verdict], ...]] = (  # hosts of the exchange's, as patterns
    (
        r"testnet\.binancefuture\.com",
        "the old test network, reported as switched off for REST in 2025",
        "warning",
    ),
    (r"(api([1-4]|-gcp)?|demo-api|testnet)\.binance\.(com|vision)", "the spot API", "problem"),
    (r"(demo-)?dapi\.binance\.com", "the COIN-M futures API", "problem"),
    (r"(ws-[a-z]?api|[fd]?stream)\.binance\.com", "a WebSocket host", "problem"),
)
ADVICE_SUPPORTED_HOSTS: Final = f"This client speaks to {MAINNET}, and to {DEMO} for demo trading."
ADVICE_COPY_KEYS: Final = (
    f"Copy {ENV_API_KEY} and {ENV_API_SECRET} again from the page of the key, whole, without quotes; a private key as PEM text goes into "
    f"{ENV_PRIVATE_KEY}, the path of its file into {ENV_PRIVATE_KEY}_FILE. Exactly one of the three says what signs."
)
ADVICE_UNKNOWN_HOST: Final = f"The key goes there: compare it, letter by letter, with {MAINNET}, unless it is a gateway of your own."
ADVICE_CLOCK: Final = "Set it by NTP. The client corrects this by itself after the first -1021; clock='exchange' spares it that refusal."
ADVICE_NTP: Final = (
    "Set it by NTP before it grows: a second ahead, or recvWindow behind, and requests are refused."
)
ADVICE_SLOW_NETWORK: Final = (
    "The way alone takes longer than recvWindow allows: give a larger recv_window."
)
ADVICE_NOT_THE_API: Final = (
    "Something else answers: a login page of the network, a proxy, maintenance, or a base URL "
    "that is not the API's."
)
ADVICE_FIREWALL: Final = "A firewall or gateway cuts what it does not like."

CONNECTION_ERROR_TEXTS: Final[
    dict[type, tuple[str, str]]
] = {  # of an error, its nearest class speaks
    gaierror: (
        "the host's name is unknown",
        "Check how the base URL is written, and this machine's DNS.",
    ),
    ConnectionRefusedError: (
        "nothing listens there",
        "Check host and port; `binance-usdm mock serve` starts a mock.",
    ),
    TimeoutError: (
        "it took too long",
        "A firewall swallows packets, or this network lets only a proxy out.",
    ),
    ConnectionError: ("the connection was cut", ADVICE_FIREWALL),
    ssl.SSLEOFError: ("the connection was cut", ADVICE_FIREWALL),
    ssl.SSLError: (
        "no TLS 1.2 or newer there",
        "A proxy, a login page of the network, or a wrong port answers.",
    ),
    OSError: ("there is no way to the host", "Check this machine's network."),
    Exception: ("the host's name cannot be used", "Check how the base URL is written."),
}
_ADVICE_TLS_INTERCEPTION = "Something reads along, such as a company's gateway: if it may, SSL_CERT_FILE names a file with its authority."
CERTIFICATE_ERROR_TEXTS: Final[dict[int | None, tuple[str, str]]] = {  # by OpenSSL's verify code
    9: ("the certificate is not valid yet", "Check this machine's date."),
    10: (
        "the certificate has expired",
        "Check this machine's date; if it is right, somebody else answers.",
    ),
    18: ("the certificate vouches for itself", _ADVICE_TLS_INTERCEPTION),
    19: ("the certificate's authority is not trusted here", _ADVICE_TLS_INTERCEPTION),
    20: (
        "the certificate's authority is not trusted here",
        f"{_ADVICE_TLS_INTERCEPTION} A bare container may lack ca-certificates.",
    ),
    62: (
        "the certificate is another host's",
        "Check the base URL; if it is right, DNS or a proxy leads elsewhere.",
    ),
    64: ("the certificate is another address's", "Give the host's name instead of its address."),
}
ERROR_MEANINGS: Final[dict[int | None, str]] = {  # by code, else by status
    -1021: "the exchange finds the request's time too old or too far ahead",
    -1022: "the signature does not belong to this query and this key",
    -2008: "the exchange does not know this key here",
    -2014: "this does not look like a key",
    -2015: "the key is unknown, or may not do this, or not from here",
    -4109: "the futures account is not active",
    403: "a firewall in front of the exchange stopped it",
    404: "there is no such path here",
    418: "this IP address is banned",
    429: "the weight limit of this IP address is used up",
    451: "the exchange does not serve this location, or that of a VPN in between",
}
KEY_TYPE_TEXTS: Final = {
    "HMAC": "an HMAC key; the exchange recommends Ed25519",
    "Ed25519": "an Ed25519 key, as the exchange recommends",
    "RSA": "an RSA key; the exchange recommends Ed25519",
}
ADVICE_COMPARE_SIGNATURES: Final = (
    "Sign the same text with `reproduce` and with the program that works, if there is one: where the results differ, key or secret do. "
    "On a machine you share, others can read a running program's arguments."
)
PARAMETER_MEANINGS: Final = {
    "recvWindow": "how old the request may be on arrival, ms",
    "timestamp": "when it was made, ms since 1970-01-01 UTC",
    "signature": "over all before it; always last",
}
OPENSSL_COMMANDS: Final = {
    "HMAC": "printf %s '{query}' | openssl dgst -sha256 -hmac \"$BINANCE_API_SECRET\"",
    "Ed25519": "printf %s '{query}' > query && openssl pkeyutl -sign -rawin -inkey {key} -in query | openssl base64 -A",
    "RSA": "printf %s '{query}' | openssl dgst -sha256 -sign {key} | openssl base64 -A",
}


def judge_clock_offset(offset: float, error: float, window: int) -> tuple[Verdict, str]:
    """What it means that the exchange is `offset` ms ahead of this machine, give or take `error`, which is half of a round trip."""
    if offset + 2 * error > window:
        return "problem", ADVICE_CLOCK if offset > WARN_ABOVE_OFFSET_MS else ADVICE_SLOW_NETWORK
    if -offset >= MAX_AHEAD_MS:
        return "problem", ADVICE_CLOCK
    return ("warning", ADVICE_NTP) if abs(offset) > WARN_ABOVE_OFFSET_MS else ("ok", "")


def likely_cause(
    code: int | None, place: str, kind: str, odd: Mapping[str, str], clock: Verdict, window: int
) -> str:
    """Which of a code's causes the other findings point at; `odd` says what of key and secret has an odd length."""
    key, secret = odd.get(ENV_API_KEY), odd.get(ENV_API_SECRET)
    there = {"production": f"{DEMO} (--demo)", "demo": MAINNET}.get(place, f"{MAINNET} or {DEMO}")
    cut = "most likely it was not copied whole."
    other = "Most likely the secret is another key's." if kind == "HMAC" else (
        "Most likely this key was registered with another public key than this private key's."
    )  # fmt: skip
    pair = f"The secret has {secret}: {cut}" if secret else other
    whole = f"The key has {key}: {cut}" if key else ""
    rights = "The key is well-formed: most likely the list of IP addresses or Enable Futures, or key and secret are swapped."
    late = f"The clock is right: most likely the request was under way for longer than recvWindow, {window} ms."
    return {
        -1021: late if clock == "ok" else "",
        -1022: f"{pair} What was signed is below.",
        -2008: f"The key is not one of {place}: most likely it belongs to {there}.",
        -2014: whole,
        -2015: whole or rights,
    }.get(code or 0, "")


_LOOKS_LIKE_TOKEN = re.compile(
    r"[A-Za-z0-9+/=%_-]{24,}"
)  # a key or a signature; no word of a message is so long


def explain_error(error: UsdmError, host: str, cause: str) -> tuple[str, str, Facts]:
    """Summary, advice and facts of a call's failure; of the exchange's own words only those that nothing here explains."""
    facts: Facts = {"error": type(error).__name__}
    if not isinstance(error, APIError):
        text = str(error).replace(f" ({host})", "").replace(host, "the host")
        return (
            f"{facts['error']}: {text}",
            ADVICE_NOT_THE_API if isinstance(error, UnexpectedResponse) else ADVICE_FIREWALL,
            facts,
        )
    facts |= {"status": error.status, "code": error.code, "retry_after": error.retry_after}
    meaning = (
        ERROR_MEANINGS.get(error.code)
        or ERROR_MEANINGS.get(error.status)
        or _LOOKS_LIKE_TOKEN.sub("[redacted]", error.message)
    )
    advice = [cause, f"{error.hint[:1].upper()}{error.hint[1:]}."] if error.hint else [cause]
    if error.retry_after is not None:
        advice.append(f"Wait {error.retry_after:.0f} s.")
    elif error.retryable:
        advice.append("This is the exchange's own trouble: try again later.")
    what = (f"HTTP {error.status}" if error.status else "not sent") + (
        "" if error.code is None else f", code {error.code}"
    )
    return f"{what}: {meaning or 'no reason given'}", " ".join(filter(None, advice)), facts


def explain_connection_error(
    error: Exception, proxies: Sequence[str], stores: Sequence[str]
) -> tuple[str, str]:
    """What it means that no connection was made, and what to do; the names are those of variables that are set."""
    code = getattr(error, "verify_code", None)
    if isinstance(error, DeadlinePassed):
        error = TimeoutError()
    nearest = next(
        CONNECTION_ERROR_TEXTS[kind]
        for kind in type(error).__mro__
        if kind in CONNECTION_ERROR_TEXTS
    )
    what, advice = CERTIFICATE_ERROR_TEXTS.get(code, nearest)
    advice += f" {' and '.join(proxies)} is not used: give the client a proxy." if proxies else ""
    advice += (
        f" {' and '.join(stores)} replaces the system's authorities."
        if stores and code is not None
        else ""
    )
    return what, advice


def describe_length(text: str) -> str:
    """How long a key or secret is, in words that are `REAL` for the right length."""
    return (
        EXPECTED_LENGTH_TEXT
        if len(text) == KEY_LENGTH
        else f"{len(text)} characters, real ones have {KEY_LENGTH}"
    )


def pem_problem(text: str) -> str | None:
    return "holds PEM text" if "-----BEGIN" in text else None


def describe_signed_query(query: str, kind: str, length: int, key: str) -> Facts:
    """What was signed, its parts by name, and how to sign it again; `key` is the shell's word for a private key's file."""
    hidden = f"<{length} {'hex characters' if kind == 'HMAC' else 'characters of escaped base64'}>"
    pairs = [pair.split("=") for pair in [*query.split("&"), f"signature={hidden}"]]
    parts = [
        {"name": name, "value": value, "meaning": PARAMETER_MEANINGS.get(name, "")}
        for name, value in pairs
    ]
    return {
        "signed": query,
        "parts": parts,
        "reproduce": OPENSSL_COMMANDS[kind].format(query=query, key=key),
    }
