"""What is wrong between this machine and the exchange, found check by check. Prints nothing; every finding may be pasted anywhere.

No key, secret, signature, amount, address, path or host of the user's own gets into one. Weight: four readings of the exchange's time
(1 each) and one signed call (5), so 9 at most.
"""

from __future__ import annotations

import os
import re
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
from binance_usdm._http.connect import open_socket
from binance_usdm._http.messages import Origin
from binance_usdm._http.sync_transport import NETWORK_ERRORS, SyncTransport, start_tls
from binance_usdm._policy.clock import MAX_SAMPLES, ClockSample, ExchangeClock, local_time_ms
from binance_usdm._redaction import sanitize_text
from binance_usdm._secrets import SecretHolder

from . import findings as words
from .findings import CheckResult, Facts, Finding, Verdict

PRIVATE_KEY_VARIABLES: Final = (
    env.ENV_PRIVATE_KEY,
    env.ENV_PRIVATE_KEY_FILE,
    env.ENV_PRIVATE_KEY_PASSWORD,
)
CREDENTIAL_VARIABLES: Final = (*env.ENV_NAMES_BY_OPTION.values(), *PRIVATE_KEY_VARIABLES)
PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
CREDENTIAL_OPTIONS: Final = ("api_key", "api_secret", "signer")
CA_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class RecordingSigner(SecretHolder):
    """A signer that keeps what was signed, and of the signature only its length."""

    __slots__ = ("_signer", "key_type", "query", "signature_length")

    def __init__(self, signer: Signer) -> None:
        self._signer, self.query, self.signature_length = signer, "", 0
        self.key_type = {"HmacSigner": "HMAC", "RsaSigner": "RSA"}.get(
            type(signer).__name__, "Ed25519"
        )

    def sign(self, payload: bytes) -> bytes:
        made = self._signer.sign(payload)
        self.query, self.signature_length = payload.decode("ascii"), len(made)
        return made


class CheckContext:
    """What the checks of one examination share."""

    def __init__(self, base_url: str | None, recv_window: int | None, timeout: float) -> None:
        named = {
            "--base-url": base_url,
            env.ENV_BASE_URL: os.environ.get(env.ENV_BASE_URL),
            "default": MAINNET,
        }
        self.base_url_source, text = next((source, text) for source, text in named.items() if text)
        self.url, self.recv_window, self.timeout = config.parse_base_url(text), recv_window, timeout
        self.host = "" if isinstance(self.url, str) else self.url.origin[1]
        own = "this machine" if is_loopback(self.host) else "another host"
        self.environment = words.ENVIRONMENTS.get(self.host, own)
        self.effective_recv_window = recv_window or words.DEFAULT_RECV_WINDOW_MS
        self.findings: dict[str, Finding] = {}
        self.credentials = Credentials(None, None)
        self.recorder: RecordingSigner | None = None
        self.unusual_lengths: dict[str, str] = {}
        self.clock: Callable[[], int] = local_time_ms

    def client(self, **options: Any) -> Client:
        return Client(
            base_url=str(self.url), timeout=self.timeout, retry=RetryPolicy.off(), **options
        )


def run_checks(
    base_url: str | None = None,
    *,
    recv_window: int | None = None,
    timeout: float = config.DEFAULT_TIMEOUT,
) -> list[Finding]:
    """Run all checks in order; where one's problem leaves another nothing to look at, that one is skipped.

    The credentials are the environment's, and so is the base URL when it is None. Each step over the network has `timeout` seconds.
    """
    context = CheckContext(base_url, recv_window, timeout)
    for name, (check, depends_on) in CHECKS.items():
        failed = [
            other
            for other in depends_on
            if context.findings[other].verdict in ("problem", "skipped")
        ]
        skipped: CheckResult = ("skipped", f"first put right: {', '.join(failed)}", "", {})
        context.findings[name] = Finding(name, *(skipped if failed else check(context)))
    return list(context.findings.values())


def check_credentials(visit: CheckContext) -> CheckResult:
    value = os.environ.get
    texts = {
        name: value(name) or "" for name in (env.ENV_API_KEY, env.ENV_API_SECRET) if value(name)
    }
    lengths = {name: words.describe_length(text) for name, text in texts.items()}
    visit.unusual_lengths = {
        name: length for name, length in lengths.items() if length != words.EXPECTED_LENGTH_TEXT
    }
    facts: Facts = {
        "set": [name for name in CREDENTIAL_VARIABLES if value(name)],
        "empty": [name for name in CREDENTIAL_VARIABLES if value(name) == ""],
        "lengths": lengths,
    }
    wrong = [
        f"{name} {complaint}"
        for name, text in texts.items()
        if (complaint := words.pem_problem(text) or credential_problem(text))
    ]
    given = env.options_from_env({"base_url": ""})
    made = (
        given
        if isinstance(given, str)
        else validate_credentials(*(given.get(name) for name in CREDENTIAL_OPTIONS))
    )
    if isinstance(made, str) and (made is given or not wrong):
        wrong.append(
            made.replace("api_key", env.ENV_API_KEY).replace("api_secret", env.ENV_API_SECRET)
        )
    if isinstance(made, str) or made.signer is None:
        return "problem", "; ".join(wrong), words.ADVICE_COPY_KEYS, facts
    visit.recorder = RecordingSigner(made.signer)
    visit.credentials = Credentials(made.api_key, visit.recorder)
    facts["kind"] = visit.recorder.key_type
    odd = [f"{name} has {length}" for name, length in visit.unusual_lengths.items()]
    if value(env.ENV_PRIVATE_KEY_PASSWORD) and env.ENV_API_SECRET in texts:
        odd.append(f"{env.ENV_PRIVATE_KEY_PASSWORD} is set and not used")
    summary = "; ".join([words.KEY_TYPE_TEXTS[visit.recorder.key_type], *odd])
    warn = odd and visit.environment != "this machine"  # a mock's keys are made up
    return "warning" if warn else "ok", summary, words.ADVICE_COPY_KEYS if warn else "", facts


def check_base_url(visit: CheckContext) -> CheckResult:
    facts: Facts = {"environment": visit.environment, "from": visit.base_url_source}
    if isinstance(visit.url, str):
        return (
            "problem",
            visit.url.replace("base_url", visit.base_url_source, 1),
            words.ADVICE_SUPPORTED_HOSTS,
            facts,
        )
    for pattern, what, verdict in words.OTHER_APIS:
        if re.fullmatch(pattern, visit.host):
            return verdict, f"{visit.host} is {what}", words.ADVICE_SUPPORTED_HOSTS, facts
    prefix = ", with a path prefix" if visit.url.path else ""
    if visit.environment == "another host":
        return (
            "warning",
            f"a host that is not the exchange's, left out here{prefix}",
            words.ADVICE_UNKNOWN_HOST,
            facts,
        )
    return "ok", f"{visit.environment}{prefix}, from {visit.base_url_source}", "", facts


def check_reachable(visit: CheckContext) -> CheckResult:
    assert isinstance(visit.url, config.BaseUrl)
    facts: Facts = {"step": "resolving the name"}
    try:
        _probe_connection(visit.url.origin, visit.timeout, facts)
    except NETWORK_ERRORS as error:
        facts["error"] = type(error).__name__
        facts["proxies_not_used"] = [name for name in PROXY_VARIABLES if os.environ.get(name)]
        facts["stores"] = [name for name in CA_VARIABLES if os.environ.get(name)]
        what, advice = words.explain_connection_error(
            error, facts["proxies_not_used"], facts["stores"]
        )
        return "problem", f"{facts['step']} failed: {what}", advice, facts
    try:
        with visit.client() as client:
            client.server_time()
    except UsdmError as error:
        return _finding_for_error(visit, error, facts)
    facts["step"] = "done"
    return (
        "ok",
        f"the exchange answers{' over ' + facts['tls'] if 'tls' in facts else ''}",
        "",
        facts,
    )


def _probe_connection(origin: Origin, timeout: float, facts: Facts) -> None:
    """Resolve, connect and agree on TLS, as the client does; `facts` says how far it came. Raises one of NETWORK_ERRORS."""
    with _ProbeTransport() as transport:
        transport.probe(origin, time.monotonic() + timeout, facts)


class _ProbeTransport(SyncTransport):
    """Connects as the client does, step by step, and sends nothing."""

    def probe(self, origin: Origin, deadline: float, facts: Facts) -> None:
        lease = self.lease(
            origin, None, deadline=deadline, max_response_bytes=0, needs_new_connection=True
        )
        addresses = self._resolve(lease)
        facts["step"] = "connecting"
        sock, _ = open_socket(origin[1], addresses, deadline)
        with sock:
            if origin[0]:
                facts["step"] = "TLS"
                with start_tls(sock, origin[1], deadline) as tls:
                    facts |= _tls_facts(tls)


def _tls_facts(tls: ssl.SSLSocket) -> Facts:
    certificate: Any = tls.getpeercert()
    issuer = dict(pair for group in certificate["issuer"] for pair in group)
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400
    name = sanitize_text(issuer.get("organizationName") or issuer.get("commonName") or "")
    return {
        "tls": tls.version(),
        "cipher": (tls.cipher() or ("",))[0],
        "issuer": name,
        "certificate_days": int(days),
    }


def check_clock(visit: CheckContext) -> CheckResult:
    clock, readings = ExchangeClock(), list[ClockSample]()
    with visit.client() as client:
        for _ in range(MAX_SAMPLES):
            sent = clock.monotonic()
            try:
                server_time = client.server_time().server_time
                readings.append(clock.sample(sent, clock.monotonic(), server_time))
            except UsdmError as error:
                if not readings:
                    return _finding_for_error(visit, error, {})
                break
    best = min(readings, key=lambda reading: reading.error_bound_ms)
    verdict, advice = words.judge_clock_offset(
        best.offset_ms, best.error_bound_ms, visit.effective_recv_window
    )
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
    facts |= {"samples": len(readings), "recv_window_ms": visit.effective_recv_window}
    side = "behind" if best.offset_ms > 0 else "ahead of"
    summary = (
        f"{abs(best.offset_ms):.0f} ms {side} the exchange, give or take {best.error_bound_ms:.0f}; "
        f"round trip {2 * best.error_bound_ms:.0f} ms"
    )
    return verdict, summary, advice, facts


def check_signed_call(visit: CheckContext) -> CheckResult:
    facts: Facts = {"timed_by": "this machine" if visit.clock is local_time_ms else "the exchange"}
    key, signer = visit.credentials.api_key, visit.credentials.signer
    try:
        with visit.client(
            api_key=key, signer=signer, recv_window=visit.recv_window, clock=visit.clock
        ) as client:
            reply = client.balance_detailed()
    except UsdmError as error:
        return _finding_for_error(visit, error, facts)
    facts |= {"rows": len(reply.parsed), "used_weight": reply.used_weight}
    weight = "not said" if reply.used_weight is None else reply.used_weight
    return (
        "ok",
        f"accepted; rows: {len(reply.parsed)}, weight used this minute: {weight}",
        "",
        facts,
    )


def _finding_for_error(visit: CheckContext, error: UsdmError, facts: Facts) -> CheckResult:
    clock: Verdict = visit.findings["clock"].verdict if "clock" in visit.findings else "skipped"
    kind = visit.recorder.key_type if visit.recorder else ""
    code = error.code if isinstance(error, APIError) else None
    cause = words.likely_cause(
        code, visit.environment, kind, visit.unusual_lengths, clock, visit.effective_recv_window
    )
    summary, advice, more = words.explain_error(error, visit.host, cause)
    return "problem", summary, advice, facts | more


def check_signature(visit: CheckContext) -> CheckResult:
    recorder = visit.recorder
    if recorder is None or not recorder.query:
        return "skipped", "nothing was signed", "", {}
    key = (
        f'"${env.ENV_PRIVATE_KEY_FILE}"'
        if os.environ.get(env.ENV_PRIVATE_KEY_FILE)
        else "private.pem"
    )
    facts = words.describe_signed_query(
        recorder.query, recorder.key_type, recorder.signature_length, key
    )
    if visit.findings["signed_call"].facts.get("code") == -1022:
        return "problem", "the exchange does not accept it", words.ADVICE_COMPARE_SIGNATURES, facts
    return "ok", f"{recorder.key_type} over {len(recorder.query)} characters", "", facts


# what each check needs; their names are promised to readers of --json
CHECKS: Final[dict[str, tuple[Callable[[CheckContext], CheckResult], tuple[str, ...]]]] = {
    "credentials": (check_credentials, ()),
    "base_url": (check_base_url, ()),
    "reachable": (check_reachable, ("base_url",)),
    "clock": (check_clock, ("reachable",)),
    "signed_call": (check_signed_call, ("credentials", "base_url", "reachable")),
    "signature": (check_signature, ("credentials", "base_url", "reachable")),
}
