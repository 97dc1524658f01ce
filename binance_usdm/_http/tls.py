"""TLS settings."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the process's TLS settings: TLS 1.2 or newer, certificate and host name checked, the system's trust store.

    Built on first use: loading the store takes about 50 ms. SSL_CERT_FILE and SSL_CERT_DIR replace the store, as
    everywhere with OpenSSL. SSLKEYLOGFILE has no effect; only ssl.create_default_context() reads it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # implies CERT_REQUIRED and check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # so that sending never waits for reading
    context.load_default_certs()
    return context
