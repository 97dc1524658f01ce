"""What the checks of `doctor` share, and how they open a connection step by step."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from binance_usdm import MAINNET, Client, RetryPolicy, Signer, UsdmError
from binance_usdm._config import environment as env
from binance_usdm._config.base_url import BaseUrl, parse_base_url
from binance_usdm._config.defaults import DEFAULT_LIMITER, EXCHANGE_RECV_WINDOW
from binance_usdm._http.connections.connect import open_socket
from binance_usdm._http.connections.failures import is_not_tls
from binance_usdm._http.messages import Origin
from binance_usdm._http.sync_transport import NETWORK_ERRORS, SyncTransport, start_tls
from binance_usdm._policy.clock import local_time_ms
from binance_usdm._redaction import sanitize_text
from binance_usdm._secrets import SecretHolder

from . import advice as texts
from .findings import CheckResult, Facts, Finding, Situation, Verdict, explain_error
from .recording import RecordedResponse, make_recording_client

if TYPE_CHECKING:
    from binance_usdm._config.profiles import Profile

_TLS_PROBE_SECONDS: Final = 1.0
"""A server that does not speak TLS may wait for more bytes."""


class RecordingSigner(SecretHolder):
    """Signer that keeps what was signed, and the length of the signature."""

    __slots__ = ("_signer", "key_type", "query", "signature_length")

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.query = ""
        self.signature_length = 0
        self.key_type = texts.KEY_TYPE_BY_SIGNER[type(signer).__name__]

    def sign(self, payload: bytes) -> bytes:
        """Return the wrapped signer's signature."""
        signature = self._signer.sign(payload)
        self.query = payload.decode("ascii")
        self.signature_length = len(signature)
        return signature


class CheckContext:
    """What the checks of one run share. An option replaces its environment variable.

    Args:
        base_url: Base URL, or None.
        recv_window: `recvWindow` in ms, or None.
        timeout: Seconds for each step over the network.
        proxy: URL of the proxy, or None.
        profile: Account of a profiles file instead of the environment's.
    """

    def __init__(
        self,
        base_url: str | None,
        recv_window: int | None,
        timeout: float,
        proxy: str | None,
        profile: Profile | None = None,
    ) -> None:
        variable = os.environ.get(env.ENV_BASE_URL)
        self.profile = profile
        self.base_url_source = "--base-url"
        if not base_url and profile is not None and profile.base_url:
            base_url = profile.base_url
            self.base_url_source = "base_url of the profile"
        if not base_url:
            self.base_url_source = env.ENV_BASE_URL if variable else "default"
        http_hosts = env.http_hosts_from_env()
        self.url = parse_base_url(base_url or variable or MAINNET, http_hosts)
        self.host = self.url.origin[1] if isinstance(self.url, BaseUrl) else ""
        self.environment = texts.describe_environment(self.host)
        # The exchange itself is never reached by plain http.
        is_http = isinstance(self.url, BaseUrl) and not self.url.origin[0]
        self.is_test_host = is_http or self.environment == texts.THIS_MACHINE
        self.proxy_source = "--proxy" if proxy else env.ENV_PROXY
        self.proxy = proxy or os.environ.get(env.ENV_PROXY) or None
        self.limiter: Any = None
        self.recv_window = recv_window
        self.effective_recv_window = recv_window or EXCHANGE_RECV_WINDOW
        self.timeout = timeout
        self.findings: dict[str, Finding] = {}
        self.api_key: str | None = None
        self.recorder: RecordingSigner | None = None
        self.unusual_lengths: dict[str, str] = {}
        self.clock: Callable[[], int] = local_time_ms
        # None: nothing is kept.
        self.responses: list[RecordedResponse] | None = None

    def make_client(self, **options: Any) -> Client:
        """Return a client that sends each request once."""
        make = Client if self.responses is None else make_recording_client(self.responses)
        return make(
            base_url=str(self.url),
            allow_http_hosts=env.http_hosts_from_env(),
            timeout=self.timeout,
            retry=RetryPolicy.off(),
            proxy=self.proxy,
            limiter=self.limiter or DEFAULT_LIMITER,
            **options,
        )

    def verdict_of(self, check: str) -> Verdict:
        """Return the verdict of a check; "skipped" for one that has not run yet."""
        return self.findings[check].verdict if check in self.findings else "skipped"

    def result_for_error(self, error: UsdmError, facts: Facts) -> CheckResult:
        """Return the result of a check whose call failed."""
        situation = Situation(
            host=self.host,
            environment=self.environment,
            key_type="" if self.recorder is None else self.recorder.key_type,
            unusual_lengths=self.unusual_lengths,
            clock=self.verdict_of("clock"),
            recv_window_ms=self.effective_recv_window,
        )
        summary, advice, error_facts = explain_error(error, situation)
        return "problem", summary, advice, facts | error_facts


def probe_connection(
    origin: Origin, timeout: float, facts: Facts, proxy: str | None = None
) -> None:
    """Resolve the host, connect, open the proxy's tunnel and start TLS.

    Args:
        origin: TLS, host and port.
        timeout: Seconds for all steps together.
        facts: Gets the step that runs as "step", and facts about TLS.
        proxy: URL of the proxy, or None.

    Raises:
        Exception: One of NETWORK_ERRORS of the transport.
    """
    with _ProbeTransport(proxy) as transport:
        transport.probe(origin, time.monotonic() + timeout, facts)


def speaks_tls(origin: Origin, timeout: float) -> bool:
    """Return whether the port of an http URL takes part in a TLS handshake. False for https.

    Args:
        origin: TLS, host and port.
        timeout: Seconds for all steps together.
    """
    tls, host, port = origin
    if tls:
        return False
    try:
        probe_connection((True, host, port), min(timeout, _TLS_PROBE_SECONDS), {})
    except NETWORK_ERRORS as error:
        return isinstance(error, ssl.SSLError) and not (
            is_not_tls(error) or isinstance(error, ssl.SSLEOFError)
        )
    return True


class _ProbeTransport(SyncTransport):
    """Transport that opens a connection without a request."""

    def probe(self, origin: Origin, deadline: float, facts: Facts) -> None:
        tls, host, _ = origin
        lease = self.lease(
            origin, None, deadline=deadline, max_response_bytes=0, needs_new_connection=True
        )
        facts["step"] = "resolving the proxy's name" if self._proxy else "resolving the name"
        addresses = self._resolve(lease)
        facts["step"] = "connecting to the proxy" if self._proxy else "connecting"
        sock, _ = open_socket(self._server(lease)[0], addresses, deadline)
        with sock:
            if self._proxy:
                facts["step"] = "opening the tunnel"
                self._open_tunnel(sock, lease, deadline)
            if not tls:
                return
            facts["step"] = "TLS"
            with start_tls(sock, host, deadline, self.tls_context()) as tls_socket:
                facts |= _tls_facts(tls_socket)


def _tls_facts(tls_socket: ssl.SSLSocket) -> Facts:
    certificate: Any = tls_socket.getpeercert()
    issuer = {name: value for group in certificate["issuer"] for name, value in group}
    expires_at = ssl.cert_time_to_seconds(certificate["notAfter"])
    issuer_name = issuer.get("organizationName") or issuer.get("commonName") or ""
    cipher = tls_socket.cipher()
    return {
        "tls": tls_socket.version(),
        "cipher": "" if cipher is None else cipher[0],
        "issuer": sanitize_text(issuer_name),
        "certificate_days": int((expires_at - time.time()) // 86400),
    }
