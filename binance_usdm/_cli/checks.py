"""What is wrong between this machine and the exchange, found check by check. Prints nothing; every finding may be pasted anywhere.

No key, secret, signature, amount, address, path or host of the user's own gets into one. Weight: four readings of the exchange's time
(1 each) and one signed call (5), so 9 at most.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from binance_usdm import MAINNET, APIError, Client, RetryPolicy, Signer, UsdmError
from binance_usdm import _config as config
from binance_usdm import _environment as env
from binance_usdm._auth.credentials import Credentials, validate_credentials
from binance_usdm._auth.signers import credential_problem
from binance_usdm._http.addresses import is_loopback
from binance_usdm._http.messages import HttpRequest, Origin, RequestTemplate
from binance_usdm._http.pool import AddressInfo
from binance_usdm._http.sync_transport import NETWORK_ERRORS, SyncTransport
from binance_usdm._http.tls import tls_context
from binance_usdm._policy.clock import MAX_SAMPLES, ClockSample, ExchangeClock, local_time_ms
from binance_usdm._redaction import sanitize_text
from binance_usdm._secrets import SecretHolder

from . import findings as words
from .findings import Facts, Finding, Found, Verdict

PRIVATE: Final = (env.ENV_PRIVATE_KEY, env.ENV_PRIVATE_KEY_FILE, env.ENV_PRIVATE_KEY_PASSWORD)
VARIABLES: Final = (*env.ENV_NAMES_BY_OPTION.values(), *PRIVATE)
PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
ARGUMENTS: Final = ("api_key", "api_secret", "signer")
STORES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class Recorder(SecretHolder):
    """A signer that keeps what was signed, and of the signature only its length."""

    __slots__ = ("_signer", "kind", "length", "query")

    def __init__(self, signer: Signer) -> None:
        self._signer, self.query, self.length = signer, "", 0
        self.kind = {"HmacSigner": "HMAC", "RsaSigner": "RSA"}.get(type(signer).__name__, "Ed25519")

    def sign(self, payload: bytes) -> bytes:
        made = self._signer.sign(payload)
        self.query, self.length = payload.decode("ascii"), len(made)
        return made


class Visit:
    """What the checks of one examination share."""

    def __init__(self, base_url: str | None, recv_window: int | None, timeout: float) -> None:
        named = {"--base-url": base_url, env.ENV_BASE_URL: os.environ.get(env.ENV_BASE_URL), "default": MAINNET}
        self.source, text = next((source, text) for source, text in named.items() if text)
        self.url, self.recv_window, self.timeout = config.parse_base_url(text), recv_window, timeout
        self.host = "" if isinstance(self.url, str) else self.url.origin[1]
        own = "this machine" if is_loopback(self.host) else "another host"
        self.place = words.ENVIRONMENTS.get(self.host, own)
        self.window = recv_window or words.WINDOW
        self.found: dict[str, Finding] = {}
        self.credentials = Credentials(None, None)
        self.recorder: Recorder | None = None
        self.odd: dict[str, str] = {}
        self.clock: Callable[[], int] = local_time_ms

    def client(self, **options: Any) -> Client:
        return Client(base_url=str(self.url), timeout=self.timeout, retry=RetryPolicy.off(), **options)


def examine(
    base_url: str | None = None, *, recv_window: int | None = None, timeout: float = config.DEFAULT_TIMEOUT
) -> list[Finding]:
    """Run all checks in order; where one's problem leaves another nothing to look at, that one is skipped.

    The credentials are the environment's, and so is the base URL when it is None. Each step over the network has `timeout` seconds.
    """
    visit = Visit(base_url, recv_window, timeout)
    for check, (look, needs) in CHECKS.items():
        failed = [name for name in needs if visit.found[name].verdict in ("problem", "skipped")]
        skipped: Found = ("skipped", f"first put right: {', '.join(failed)}", "", {})
        visit.found[check] = Finding(check, *(skipped if failed else look(visit)))
    return list(visit.found.values())


def _credentials(visit: Visit) -> Found:
    value = os.environ.get
    texts = {name: value(name) or "" for name in (env.ENV_API_KEY, env.ENV_API_SECRET) if value(name)}
    lengths = {name: words.length(text) for name, text in texts.items()}
    visit.odd = {name: length for name, length in lengths.items() if length != words.REAL}
    facts: Facts = {
        "set": [name for name in VARIABLES if value(name)],
        "empty": [name for name in VARIABLES if value(name) == ""],
        "lengths": lengths,
    }
    wrong = [
        f"{name} {complaint}"
        for name, text in texts.items()
        if (complaint := words.pem(text) or credential_problem(text))
    ]
    given = env.options_from_env({"base_url": ""})
    made = given if isinstance(given, str) else validate_credentials(*(given.get(name) for name in ARGUMENTS))
    if isinstance(made, str) and (made is given or not wrong):
        wrong.append(made.replace("api_key", env.ENV_API_KEY).replace("api_secret", env.ENV_API_SECRET))
    if isinstance(made, str) or made.signer is None:
        return "problem", "; ".join(wrong), words.COPY, facts
    visit.recorder = Recorder(made.signer)
    visit.credentials = Credentials(made.api_key, visit.recorder)
    facts["kind"] = visit.recorder.kind
    odd = [f"{name} has {length}" for name, length in visit.odd.items()]
    if value(env.ENV_PRIVATE_KEY_PASSWORD) and env.ENV_API_SECRET in texts:
        odd.append(f"{env.ENV_PRIVATE_KEY_PASSWORD} is set and not used")
    summary = "; ".join([words.KINDS[visit.recorder.kind], *odd])
    warn = odd and visit.place != "this machine"  # a mock's keys are made up
    return "warning" if warn else "ok", summary, words.COPY if warn else "", facts


def _base_url(visit: Visit) -> Found:
    facts: Facts = {"environment": visit.place, "from": visit.source}
    if isinstance(visit.url, str):
        return "problem", visit.url.replace("base_url", visit.source, 1), words.ONLY, facts
    for pattern, what, verdict in words.OTHER_APIS:
        if re.fullmatch(pattern, visit.host):
            return verdict, f"{visit.host} is {what}", words.ONLY, facts
    prefix = ", with a path prefix" if visit.url.path else ""
    if visit.place == "another host":
        return "warning", f"a host that is not the exchange's, left out here{prefix}", words.STRANGER, facts
    return "ok", f"{visit.place}{prefix}, from {visit.source}", "", facts


def _reachable(visit: Visit) -> Found:
    assert isinstance(visit.url, config.BaseUrl)
    facts: Facts = {"step": "resolving the name"}
    try:
        _knock(visit.url.origin, visit.timeout, facts)
    except NETWORK_ERRORS as error:
        facts["error"] = type(error).__name__
        facts["proxies_not_used"] = [name for name in PROXIES if os.environ.get(name)]
        facts["stores"] = [name for name in STORES if os.environ.get(name)]
        what, advice = words.no_way(error, facts["proxies_not_used"], facts["stores"])
        return "problem", f"{facts['step']} failed: {what}", advice, facts
    try:
        with visit.client() as client:
            client.server_time()
    except UsdmError as error:
        return _failure(visit, error, facts)
    facts["step"] = "done"
    return "ok", f"the exchange answers{' over ' + facts['tls'] if 'tls' in facts else ''}", "", facts


def _knock(origin: Origin, timeout: float, facts: Facts) -> None:
    """Resolve, connect and agree on TLS, as the client does; `facts` tells how far it came. Raises one of FAILURES."""
    with _Knocker(facts)._connect(_nothing(origin, time.monotonic() + timeout)) as sock:
        if isinstance(sock, ssl.SSLSocket):
            facts |= _agreed(sock)


def _nothing(origin: Origin, deadline: float) -> HttpRequest:
    return HttpRequest(
        b"", RequestTemplate.build(origin, ()), deadline=deadline, max_reply_bytes=0, needs_new_connection=True
    )


class _Knocker(SyncTransport):
    """The client's own way to a server, which notes how far it comes and then sends nothing."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def _open_connection(self, call: HttpRequest, address: AddressInfo, steps: int) -> socket.socket:
        tls, host, port = call.route.origin
        self._facts["step"] = "connecting"
        plain = super()._open_connection(_nothing((False, host, port), call.deadline), address, steps)
        if not tls:
            return plain
        self._facts["step"] = "TLS"
        return tls_context().wrap_socket(plain, server_hostname=host)


def _agreed(tls: ssl.SSLSocket) -> Facts:
    certificate: Any = tls.getpeercert()
    issuer = dict(pair for group in certificate["issuer"] for pair in group)
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400
    name = sanitize_text(issuer.get("organizationName") or issuer.get("commonName") or "")
    return {"tls": tls.version(), "cipher": (tls.cipher() or ("",))[0], "issuer": name, "certificate_days": int(days)}


def _clock(visit: Visit) -> Found:
    clock, readings = ExchangeClock(), list[ClockSample]()
    with visit.client() as client:
        for _ in range(MAX_SAMPLES):
            sent = clock.monotonic()
            try:
                server_time = client.server_time().server_time
                readings.append(clock.sample(sent, clock.monotonic(), server_time))
            except UsdmError as error:
                if not readings:
                    return _failure(visit, error, {})
                break
    best = min(readings, key=lambda reading: reading.error_bound_ms)
    verdict, advice = words.timing(best.offset_ms, best.error_bound_ms, visit.window)
    if verdict == "problem":  # so that the signed call tells more than a -1021
        clock.finish_sync(best, None)
        visit.clock = clock
    median = 2 * statistics.median(reading.error_bound_ms for reading in readings)
    values = {
        "offset_ms": best.offset_ms,
        "error_ms": best.error_bound_ms,
        "round_trip_ms": 2 * best.error_bound_ms,
        "round_trip_median_ms": median,
    }
    facts: Facts = {name: round(value, 1) for name, value in values.items()}
    facts |= {"samples": len(readings), "recv_window_ms": visit.window}
    side = "behind" if best.offset_ms > 0 else "ahead of"
    summary = (
        f"{abs(best.offset_ms):.0f} ms {side} the exchange, give or take {best.error_bound_ms:.0f}; "
        f"round trip {2 * best.error_bound_ms:.0f} ms"
    )
    return verdict, summary, advice, facts


def _signed_call(visit: Visit) -> Found:
    facts: Facts = {"timed_by": "this machine" if visit.clock is local_time_ms else "the exchange"}
    key, signer = visit.credentials.api_key, visit.credentials.signer
    try:
        with visit.client(api_key=key, signer=signer, recv_window=visit.recv_window, clock=visit.clock) as client:
            reply = client.balance_detailed()
    except UsdmError as error:
        return _failure(visit, error, facts)
    facts |= {"rows": len(reply.parsed), "used_weight": reply.used_weight}
    weight = "not said" if reply.used_weight is None else reply.used_weight
    return "ok", f"accepted; rows: {len(reply.parsed)}, weight used this minute: {weight}", "", facts


def _failure(visit: Visit, error: UsdmError, facts: Facts) -> Found:
    clock: Verdict = visit.found["clock"].verdict if "clock" in visit.found else "skipped"
    kind = visit.recorder.kind if visit.recorder else ""
    code = error.code if isinstance(error, APIError) else None
    cause = words.likely(code, visit.place, kind, visit.odd, clock, visit.window)
    summary, advice, more = words.explained(error, visit.host, cause)
    return "problem", summary, advice, facts | more


def _signature(visit: Visit) -> Found:
    recorder = visit.recorder
    if recorder is None or not recorder.query:
        return "skipped", "nothing was signed", "", {}
    key = f'"${env.ENV_PRIVATE_KEY_FILE}"' if os.environ.get(env.ENV_PRIVATE_KEY_FILE) else "private.pem"
    facts = words.canonical(recorder.query, recorder.kind, recorder.length, key)
    if visit.found["signed_call"].facts.get("code") == -1022:
        return "problem", "the exchange does not accept it", words.COMPARE, facts
    return "ok", f"{recorder.kind} over {len(recorder.query)} characters", "", facts


# what each check needs; their names are promised to readers of --json
CHECKS: Final[dict[str, tuple[Callable[[Visit], Found], tuple[str, ...]]]] = {
    "credentials": (_credentials, ()),
    "base_url": (_base_url, ()),
    "reachable": (_reachable, ("base_url",)),
    "clock": (_clock, ("reachable",)),
    "signed_call": (_signed_call, ("credentials", "base_url", "reachable")),
    "signature": (_signature, ("credentials", "base_url", "reachable")),
}
