"""TLS settings."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS settings of the process.

    TLS 1.2 or newer is used, and the certificate and its host name are checked against the
    system's trust store. SSL_CERT_FILE and SSL_CERT_DIR replace the store, as with every program
    that uses OpenSSL. SSLKEYLOGFILE has no effect.
    """
    # This implies CERT_REQUIRED and check_hostname. ssl.create_default_context() would read
    # SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without renegotiation, sending never waits for reading.
    context.options |= ssl.OP_NO_RENEGOTIATION
    # This takes about 50 ms, so the settings are made on first use and kept.
    context.load_default_certs()
    return context
