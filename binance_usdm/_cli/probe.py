"""Open a connection step by step as the client does, to see which step fails."""

from __future__ import annotations

import ssl
import time
from typing import Any

from binance_usdm._http.connect import open_socket
from binance_usdm._http.messages import Origin
from binance_usdm._http.sync_transport import SyncTransport, start_tls
from binance_usdm._redaction import sanitize_text

from .findings import Facts


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
            with start_tls(sock, host, deadline) as tls_socket:
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
